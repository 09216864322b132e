// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace manygate::paper_study {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Interval kPositive = {0, kInfinity};
constexpr std::array<const char*, 3> kTitles = {"Shared-Bottom", "OMoE", "MMoE"};
enum Correlation : size_t { kHalf, kHigh, kOne };

using Runs = std::span<const uint32_t>;

Part MakePart(std::string claim, size_t num_runs, const Interval& wanted,
              const std::function<double(Runs)>& statistic) {
  std::vector<uint32_t> all(num_runs);
  std::iota(all.begin(), all.end(), 0u);
  Part part{.claim = std::move(claim),
            .value = statistic(all),
            .found = Bootstrap(static_cast<uint32_t>(num_runs), statistic),
            .wanted = wanted};
  part.verdict = Judge(part.found, wanted);
  return part;
}

Finding MakeFinding(int number, std::string paper, std::vector<Part> parts) {
  Finding finding{.number = number, .paper = std::move(paper), .parts = std::move(parts)};
  const auto all = [&](Verdict verdict) {
    return std::all_of(finding.parts.begin(), finding.parts.end(), [&](const Part& p) { return p.verdict == verdict; });
  };
  const bool refuted = std::any_of(finding.parts.begin(), finding.parts.end(),
                                   [](const Part& part) { return part.verdict == Verdict::kDoesNotHold; });
  finding.verdict = all(Verdict::kHolds) ? Verdict::kHolds : refuted ? Verdict::kDoesNotHold : Verdict::kNotDecided;
  return finding;
}

// Statistics of one cell or two over some runs.
class Judgement {
 public:
  explicit Judgement(const Losses& losses) : losses_(losses), num_runs_(losses[0][0].size()) {}

  Finding HigherCorrelationIsBetter() const {
    std::vector<Part> parts;
    for (const size_t model : {kSharedBottom, kOmoe, kMmoe})
      for (const auto& [low, high] : {std::pair{kHalf, kHigh}, {kHigh, kOne}})
        parts.push_back(
            Positive(fmt::format("{}: mean loss at {:.1f} minus at {:.1f} is above 0", kTitles[model],
                                 kCorrelations[low], kCorrelations[high]),
                     [=, this](Runs runs) { return MeanOf(low, model, runs) - MeanOf(high, model, runs); }));
    return MakeFinding(1, "All models do better when the tasks correlate more.", std::move(parts));
  }

  Finding MmoeSuffersLeast() const {
    std::vector<Part> parts;
    for (const size_t model : {kSharedBottom, kOmoe})
      parts.push_back(Positive(
          fmt::format("half of {}'s gap (mean loss at 0.5 minus at 1.0) minus MMoE's gap is above 0", kTitles[model]),
          [=, this](Runs runs) { return Gap(model, runs) / 2 - Gap(kMmoe, runs); }));
    parts.push_back(MakePart("at 1.0 the mean losses of OMoE and MMoE are equal: their ratio lies within 2/3 .. 3/2",
                             num_runs_, {2.0 / 3, 1.5},
                             [this](Runs runs) { return MeanOf(kOne, kOmoe, runs) / MeanOf(kOne, kMmoe, runs); }));
    parts.push_back(Positive("at 0.5 OMoE's mean loss minus MMoE's is above 0",
                             [this](Runs runs) { return MeanOf(kHalf, kOmoe, runs) - MeanOf(kHalf, kMmoe, runs); }));
    return MakeFinding(
        2,
        "The gap between correlations is much smaller for MMoE than for the other two; for identical tasks "
        "MMoE and OMoE are alike, and as the correlation falls OMoE gets worse and MMoE hardly does.",
        std::move(parts));
  }

  Finding MixturesBeatSharedBottom() const {
    std::vector<Part> parts;
    for (const size_t correlation : {kHalf, kHigh, kOne})
      for (const size_t model : {kOmoe, kMmoe})
        parts.push_back(Positive(fmt::format("at {:.1f} Shared-Bottom's mean loss minus {}'s is above 0",
                                             kCorrelations[correlation], kTitles[model]),
                                 [=, this](Runs runs) {
                                   return MeanOf(correlation, kSharedBottom, runs) - MeanOf(correlation, model, runs);
                                 }));
    return MakeFinding(3, "Both mixtures of experts beat Shared-Bottom on average at every correlation.",
                       std::move(parts));
  }

  Finding MixturesTrainMoreReliably() const {
    std::vector<Part> parts;
    for (const size_t correlation : {kHalf, kHigh, kOne})
      for (const size_t model : {kOmoe, kMmoe})
        parts.push_back(VarianceRatio(correlation, kSharedBottom, model, "is above 2", {2, kInfinity}));
    parts.push_back(VarianceRatio(kOne, kOmoe, kMmoe, "lies within 1/2 .. 2", {0.5, 2}));
    parts.push_back(VarianceRatio(kHalf, kOmoe, kMmoe, "is above 1", {1, kInfinity}));
    for (const size_t correlation : {kHalf, kHigh, kOne})
      for (const size_t model : {kSharedBottom, kOmoe})
        parts.push_back(MakePart(
            fmt::format(
                "at {:.1f} the lowest losses (5 % quantiles) of {} and MMoE are comparable: their ratio lies within "
                "2/3 .. 3/2",
                kCorrelations[correlation], kTitles[model]),
            num_runs_, {2.0 / 3, 1.5}, [=, this](Runs runs) {
              return Quantile(losses_[correlation][model], runs, 0.05) /
                     Quantile(losses_[correlation][kMmoe], runs, 0.05);
            }));
    return MakeFinding(
        4,
        "Shared-Bottom's final losses vary much more at every correlation; OMoE is as robust as MMoE at 1.0 "
        "and less at 0.5; the lowest losses of all three are comparable.",
        std::move(parts));
  }

 private:
  double MeanOf(size_t correlation, size_t model, Runs runs) const { return Mean(losses_[correlation][model], runs); }
  double Gap(size_t model, Runs runs) const { return MeanOf(kHalf, model, runs) - MeanOf(kOne, model, runs); }
  Part Positive(std::string claim, const std::function<double(Runs)>& statistic) const {
    return MakePart(std::move(claim), num_runs_, kPositive, statistic);
  }
  Part VarianceRatio(size_t correlation, size_t model, size_t other, const char* says, const Interval& wanted) const {
    return MakePart(fmt::format("at {:.1f} the variance of {}'s losses over that of {}'s {}",
                                kCorrelations[correlation], kTitles[model], kTitles[other], says),
                    num_runs_, wanted, [=, this](Runs runs) {
                      return Variance(losses_[correlation][model], runs) / Variance(losses_[correlation][other], runs);
                    });
  }

  const Losses& losses_;
  const size_t num_runs_;
};

Finding SparseTaskConcentrates(const GateEntropies& gates) {
  const size_t runs = gates.sparse_task.size();
  std::vector<Part> parts;
  parts.push_back(MakePart(
      "with 90 % of task 2's labels removed, the entropy of task 1's gate minus that of task 2's is above 0", runs,
      kPositive, [&](Runs some) { return Mean(gates.full_task, some) - Mean(gates.sparse_task, some); }));
  parts.push_back(MakePart(
      "the entropy of task 2's gate with all labels minus with 10 % of them is above 0", runs, kPositive,
      [&](Runs some) { return Mean(gates.sparse_task_with_all_labels, some) - Mean(gates.sparse_task, some); }));
  return MakeFinding(
      5,
      "The gate of the task with sparse labels concentrates on one expert. (The paper saw it in production "
      "data; this is an analogue.)",
      std::move(parts));
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds: return "holds";
    case Verdict::kDoesNotHold: return "does not hold";
    case Verdict::kNotDecided: return "not decided";
  }
  return "";
}

Verdict Judge(const Interval& found, const Interval& wanted) {
  if (found.low > wanted.low && found.high < wanted.high) return Verdict::kHolds;
  if (found.high < wanted.low || found.low > wanted.high) return Verdict::kDoesNotHold;
  return Verdict::kNotDecided;
}

std::vector<Finding> JudgeFindings(const Losses& losses, const GateEntropies& gates) {
  const Judgement judgement(losses);
  return {judgement.HigherCorrelationIsBetter(), judgement.MmoeSuffersLeast(), judgement.MixturesBeatSharedBottom(),
          judgement.MixturesTrainMoreReliably(), SparseTaskConcentrates(gates)};
}

}  // namespace manygate::paper_study
