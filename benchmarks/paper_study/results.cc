// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/results.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace manygate::paper_study {
namespace {

using Json = nlohmann::ordered_json;

// Six digits are more than the runs decide. What is not finite becomes null.
Json Number(double value) { return std::isfinite(value) ? Json(std::stod(fmt::format("{:.6g}", value))) : Json(); }

template <typename Values, typename Get>
Json Numbers(const Values& values, const Get& get) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(Number(get(value)));
  return list;
}
Json Numbers(const std::vector<double>& values) {
  return Numbers(values, [](double value) { return value; });
}

Json SummaryJson(const Summary& s) {
  return {{"mean", Number(s.mean)}, {"sd", Number(s.sd)},   {"min", Number(s.min)},
          {"q05", Number(s.q05)},   {"q25", Number(s.q25)}, {"q50", Number(s.q50)},
          {"q75", Number(s.q75)},   {"q95", Number(s.q95)}, {"max", Number(s.max)}};
}

std::vector<double> LossesOf(const std::vector<Outcome>& outcomes, size_t task) {
  std::vector<double> losses;
  for (const Outcome& outcome : outcomes) losses.push_back(outcome.loss[task]);
  return losses;
}

// Mean and quantiles over the runs at each point of the curve.
Json CurveJson(const std::vector<Outcome>& outcomes) {
  Json curve = {{"mean", Json::array()},
                {"q05", Json::array()},
                {"q25", Json::array()},
                {"q75", Json::array()},
                {"q95", Json::array()}};
  for (size_t point = 0; point < outcomes[0].curve.size(); ++point) {
    std::vector<double> values;
    for (const Outcome& outcome : outcomes) values.push_back(outcome.curve[point]);
    const Summary summary = Summarise(values);
    const std::pair<const char*, double> columns[] = {
        {"mean", summary.mean}, {"q05", summary.q05}, {"q25", summary.q25}, {"q75", summary.q75}, {"q95", summary.q95}};
    for (const auto& [name, value] : columns) curve[name].push_back(Number(value));
  }
  return curve;
}

Json GatesJson(const std::vector<Outcome>& outcomes, size_t num_runs) {
  Json gates = Json::array();
  for (size_t gate = 0; gate < outcomes[0].gates.size(); ++gate) {
    std::vector<double> entropies, tops;
    for (size_t run = 0; run < num_runs; ++run) {
      entropies.push_back(outcomes[run].gates[gate].entropy);
      tops.push_back(outcomes[run].gates[gate].top_expert_mean);
    }
    gates.push_back({{"entropy", SummaryJson(Summarise(entropies))},
                     {"top_expert_mean", SummaryJson(Summarise(tops))},
                     {"entropies", Numbers(entropies)}});
  }
  return gates;
}

Json CellJson(double correlation, const char* model, const std::vector<Outcome>& outcomes) {
  return {{"correlation", correlation},
          {"model", model},
          {"summary", SummaryJson(Summarise(LossesOf(outcomes, 0)))},
          {"curve", CurveJson(outcomes)},
          {"losses", {Numbers(LossesOf(outcomes, 0)), Numbers(LossesOf(outcomes, 1))}}};
}

Json SettingsJson(const StudyOptions& options) {
  const Length& length = options.length;
  return {{"runs", options.runs},
          {"pilot_runs", options.pilot_runs},
          {"sparse_runs", options.sparse_runs},
          {"seed", options.seed},
          {"train_rows", length.train_rows},
          {"test_rows", length.test_rows},
          {"batch_rows", length.batch_rows},
          {"steps", length.steps()},
          {"dimension", kDimension},
          {"experts", kExperts},
          {"removed_share", kRemovedShare},
          {"sparse_correlation", kSparseCorrelation}};
}

Json SignalJson(const SineChoice& choice) {
  const double floor = choice.noise_deviation * choice.noise_deviation;
  return {{"sine_seed", choice.seed},
          {"alpha", Numbers(choice.sines.alpha)},
          {"beta", Numbers(choice.sines.beta)},
          {"noise_deviation", choice.noise_deviation},
          {"noise_variance", Number(floor)},
          {"variance", Number(choice.signal.variance)},
          {"linear_share", Number(choice.signal.linear_share)},
          {"floor", Number(floor / choice.signal.variance)}};
}

Json PilotJson(const StudyResult& result) {
  Json pilot;
  for (size_t model = 0; model < kModels.size(); ++model)
    pilot[kModels[model]] = {
        {"rates", kRates},
        {"losses", Numbers(result.pilot[model], [](double loss) { return loss; })},
        {"chosen", result.rates[model]},
    };
  return pilot;
}

Json FindingJson(const Finding& finding) {
  Json parts = Json::array();
  for (const Part& part : finding.parts)
    parts.push_back({{"claim", part.claim},
                     {"value", Number(part.value)},
                     {"interval", {Number(part.found.low), Number(part.found.high)}},
                     {"range", {Number(part.wanted.low), Number(part.wanted.high)}},
                     {"verdict", VerdictName(part.verdict)}});
  return {{"number", finding.number},
          {"paper", finding.paper},
          {"verdict", VerdictName(finding.verdict)},
          {"parts", std::move(parts)}};
}

// A list with one element a line.
std::string Lines(const Json& list) {
  std::string text;
  for (const Json& element : list) text += (text.empty() ? "[\n" : ",\n") + element.dump();
  return text + "\n]";
}

}  // namespace

std::string ResultsJson(const StudyOptions& options, const StudyResult& result, const std::vector<Finding>& findings,
                        const Cost& cost, bool meaningful) {
  Json cells = Json::array(), judged = Json::array();
  for (size_t correlation = 0; correlation < kCorrelations.size(); ++correlation)
    for (size_t model = 0; model < kModels.size(); ++model)
      cells.push_back(CellJson(kCorrelations[correlation], kModels[model], result.outcomes[correlation][model]));
  for (const Finding& finding : findings) judged.push_back(FindingJson(finding));
  const Json sparse = {{"removed", GatesJson(result.sparse, result.sparse.size())},
                       {"all_labels", GatesJson(result.outcomes[1][kMmoe], result.sparse.size())}};
  const Json money = {{"wall_seconds", std::round(cost.wall_seconds)},
                      {"cpu_seconds", std::round(cost.cpu_seconds)},
                      {"threads", cost.threads}};
  return fmt::format(
      "{{\n\"meaningful\": {},\n\"settings\": {},\n\"signal\": {},\n\"pilot\": {},\n\"cells\": {},\n\"sparse\": {},\n"
      "\"findings\": {},\n\"cost\": {}\n}}\n",
      meaningful, SettingsJson(options).dump(), SignalJson(options.sines).dump(), PilotJson(result).dump(),
      Lines(cells), sparse.dump(), Lines(judged), money.dump());
}

std::string ResultsText(const StudyOptions& options, const StudyResult& result, const std::vector<Finding>& findings) {
  std::string text = fmt::format("{:12}{:15}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", "correlation", "model", "mean",
                                 "sd", "min", "5 %", "25 %", "50 %", "75 %", "95 %");
  for (size_t correlation = 0; correlation < kCorrelations.size(); ++correlation) {
    for (size_t model = 0; model < kModels.size(); ++model) {
      const Summary s = Summarise(LossesOf(result.outcomes[correlation][model], 0));
      text += fmt::format("{:<12.1f}{:15}{:9.5f}{:9.5f}{:9.5f}{:9.5f}{:9.5f}{:9.5f}{:9.5f}{:9.5f}\n",
                          kCorrelations[correlation], kModels[model], s.mean, s.sd, s.min, s.q05, s.q25, s.q50, s.q75,
                          s.q95);
    }
  }
  text += fmt::format("squared error on unseen rows / {:.4f}, task 1, {} runs\n", options.sines.signal.variance,
                      options.runs);
  for (const Finding& finding : findings) {
    int holding = 0;
    for (const Part& part : finding.parts) holding += part.verdict == Verdict::kHolds;
    text += fmt::format("finding {}: {} ({} of {} parts hold)  {}\n", finding.number, VerdictName(finding.verdict),
                        holding, finding.parts.size(), finding.paper);
  }
  return text;
}

}  // namespace manygate::paper_study
