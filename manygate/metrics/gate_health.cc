// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/gate_health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/math/gemm.h"
#include "manygate/metrics/evaluation.h"

namespace manygate {
namespace {

using Json = nlohmann::json;

constexpr double kSameValue = 1e-6;
constexpr char kGateRemedy[] =
    "Set model_config.gating.load_balance_weight (0.1) or dropout_ratio (0.1), or raise temperature";

// Whether each column of [rows, columns] has the same value in all rows.
std::vector<bool> DeadColumns(const float* values, int64_t rows, int64_t columns, int64_t stride) {
  std::vector<float> lowest(values, values + columns), highest = lowest;
  for (int64_t r = 1; r < rows; ++r) {
    const float* row = values + r * stride;
    for (int64_t c = 0; c < columns; ++c) {
      lowest[c] = std::min(lowest[c], row[c]);
      highest[c] = std::max(highest[c], row[c]);
    }
  }
  std::vector<bool> dead(columns);
  for (int64_t c = 0; c < columns; ++c) {
    const double size = std::max(std::fabs(lowest[c]), std::fabs(highest[c]));
    dead[c] = static_cast<double>(highest[c]) - lowest[c] <= kSameValue * size;
  }
  return dead;
}

// [rows, units], the mean of each column taken off, and all divided by the norm of the whole, which changes no similarity
// and keeps the products far from the limits of float. Empty: a column is never more than the same value.
std::vector<float> Centred(const float* values, int64_t rows, int64_t units, int64_t stride) {
  const std::vector<bool> dead = DeadColumns(values, rows, units, stride);
  if (std::all_of(dead.begin(), dead.end(), [](bool one) { return one; })) return {};
  std::vector<double> mean(units, 0.0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t u = 0; u < units; ++u) mean[u] += values[r * stride + u] / static_cast<double>(rows);
  double squares = 0;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t u = 0; u < units; ++u) squares += std::pow(values[r * stride + u] - mean[u], 2);
  const double factor = 1 / std::sqrt(squares);
  std::vector<float> centred(rows * units);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t u = 0; u < units; ++u)
      centred[r * units + u] = static_cast<float>((values[r * stride + u] - mean[u]) * factor);
  return centred;
}

// ‖YᵀX‖² of two centred experts.
double SquaredNormOfProduct(const std::vector<float>& x, const std::vector<float>& y, int64_t rows, int64_t units) {
  std::vector<float> product(units * units);
  MultiplyTN(rows, units, units, x.data(), units, y.data(), units, product.data(), units);
  double sum = 0;
  for (const float value : product) sum += static_cast<double>(value) * value;
  return sum;
}

std::vector<std::vector<double>> Similarities(int64_t experts, int64_t units, const float* outputs, int64_t rows,
                                              int64_t stride) {
  std::vector<std::vector<float>> centred;
  std::vector<double> own;
  for (int64_t e = 0; e < experts; ++e) {
    centred.push_back(Centred(outputs + e * units, rows, units, stride));
    own.push_back(centred[e].empty() ? 0 : std::sqrt(SquaredNormOfProduct(centred[e], centred[e], rows, units)));
  }
  std::vector<std::vector<double>> similarity(experts, std::vector<double>(experts, 0.0));
  for (int64_t i = 0; i < experts; ++i) {
    similarity[i][i] = 1;
    for (int64_t j = 0; j < i; ++j) {
      if (centred[i].empty() || centred[j].empty()) continue;
      const double value = SquaredNormOfProduct(centred[i], centred[j], rows, units) / (own[i] * own[j]);
      similarity[i][j] = similarity[j][i] = std::clamp(value, 0.0, 1.0);
    }
  }
  return similarity;
}

// "experts" of "experts.3".
std::string BankOf(const std::string& expert) { return expert.substr(0, expert.rfind('.')); }

// What the gates that can choose an expert make of it.
struct ExpertUse {
  double largest = 0;  // mean weight over the gates
  double limit = 0;    // of the gate with that weight: kUnusedShare / E
  size_t choices = 0;  // E
  bool unused = true;
};

void AddUnused(const HealthReport& report, std::vector<std::string>* alarms) {
  std::vector<std::string> order;  // banks as they come
  std::map<std::string, std::vector<std::string>> experts_of;
  std::map<std::string, ExpertUse> uses;
  for (const GateHealth& gate : report.gates) {
    const size_t count = gate.experts.size();
    for (size_t e = 0; e < count; ++e) {
      const auto [found, is_new] = uses.try_emplace(gate.experts[e]);
      ExpertUse& use = found->second;
      const std::string bank = BankOf(gate.experts[e]);
      if (is_new && !experts_of.contains(bank)) order.push_back(bank);
      if (is_new) experts_of[bank].push_back(gate.experts[e]);
      const double limit = kUnusedShare / static_cast<double>(count);
      if (gate.sparse || gate.mean_weight[e] >= limit) use.unused = false;
      if (gate.mean_weight[e] >= use.largest) use = {gate.mean_weight[e], limit, count, use.unused};
    }
  }
  for (const std::string& bank : order) {
    std::vector<std::string> unused;
    ExpertUse most;
    for (const std::string& expert : experts_of[bank]) {
      if (!uses[expert].unused) continue;
      unused.push_back(expert);
      if (uses[expert].largest >= most.largest) most = uses[expert];
    }
    if (unused.empty()) continue;
    alarms->push_back(fmt::format(
        "{} of the {} experts of bank {} {} used by no gate ({}): the largest mean weight is {:.5f}, below {} / {} = "
        "{:.5f}. {}, or use fewer experts",
        unused.size(), experts_of[bank].size(), bank, unused.size() == 1 ? "is" : "are", JoinNames(unused),
        most.largest, kUnusedShare, most.choices, most.limit, kGateRemedy));
  }
}

void AddPolarised(const HealthReport& report, std::vector<std::string>* alarms) {
  for (const GateHealth& gate : report.gates) {
    if (gate.sparse || gate.experts.size() < 2) continue;
    const auto top = std::max_element(gate.mean_weight.begin(), gate.mean_weight.end());
    if (top == gate.mean_weight.end() || !(*top > kPolarisedWeight)) continue;
    const size_t expert = top - gate.mean_weight.begin();
    alarms->push_back(
        fmt::format("gate {} is polarised towards expert {}: its mean weight is {:.4f}, above {}, with {} experts to "
                    "choose from. {}",
                    gate.name, gate.experts[expert], *top, kPolarisedWeight, gate.experts.size(), kGateRemedy));
  }
}

void AddDead(const BankHealth& bank, std::vector<std::string>* alarms) {
  for (size_t e = 0; e < bank.dead_units.size(); ++e) {
    if (!(bank.dead_units[e] > kDeadShare)) continue;
    alarms->push_back(
        fmt::format("expert {}.{} is dead: {} of its {} units have the same output for all rows. Set use_ln: true (or "
                    "use_bn: true) and activation: \"nn.SiLU\" in its MLP, or lower the learning rate",
                    bank.name, e, std::lround(bank.dead_units[e] * static_cast<double>(bank.units)), bank.units));
  }
}

void AddAlike(const BankHealth& bank, std::vector<std::string>* alarms) {
  const size_t experts = bank.similarity.size();
  if (bank.units < 2 || experts < 2) return;
  double least = 1;
  for (size_t i = 0; i < experts; ++i)
    for (size_t j = 0; j < i; ++j) least = std::min(least, bank.similarity[i][j]);
  if (!(least > kAlikeSimilarity)) return;
  alarms->push_back(
      fmt::format("the {} experts of bank {} are all alike: the least similarity of two is {:.5f}, above {}. Set "
                  "model_config.gating.dropout_ratio (0.1), so that they learn apart, or use fewer experts",
                  experts, bank.name, least, kAlikeSimilarity));
}

std::string Numbers(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(JsonNumber(value));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string Strings(const std::vector<std::string>& values) {
  std::vector<std::string> texts;
  for (const std::string& value : values) texts.push_back(JsonString(value));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string ToJson(const GateHealth& gate) {
  return fmt::format(R"({{"gate": {}, "experts": {}, "mean_weight": {}, "top_share": {}, "entropy": {}{}}})",
                     JsonString(gate.name), Strings(gate.experts), Numbers(gate.mean_weight), Numbers(gate.top_share),
                     JsonNumber(gate.entropy), gate.sparse ? ", \"sparse\": true" : "");
}

std::string ToJson(const BankHealth& bank) {
  std::vector<std::string> rows;
  for (const auto& row : bank.similarity) rows.push_back(Numbers(row));
  return fmt::format(R"({{"bank": {}, "units": {}, "dead_units": {}, "similarity": [{}]}})", JsonString(bank.name),
                     bank.units, Numbers(bank.dead_units), fmt::join(rows, ", "));
}

std::string ToJson(const TaskCosine& pair) {
  return fmt::format(R"({{"a": {}, "b": {}, "cosine": {}}})", JsonString(pair.a), JsonString(pair.b),
                     JsonNumber(pair.cosine));
}

template <typename T>
std::string Objects(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(ToJson(value));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

// The field of an object, or null.
const Json& Field(const Json& object, const char* name) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }
double NumberOf(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }
int64_t CountOf(const Json& value) { return value.is_number_integer() ? value.get<int64_t>() : 0; }

std::vector<double> NumbersOf(const Json& array) {
  std::vector<double> values;
  if (array.is_array())
    for (const Json& value : array) values.push_back(NumberOf(value));
  return values;
}

std::vector<std::string> TextsOf(const Json& array) {
  std::vector<std::string> values;
  if (array.is_array())
    for (const Json& value : array)
      if (value.is_string()) values.push_back(value.get<std::string>());
  return values;
}

// Readers may trust that all lists of a gate have as many entries as it has experts.
void AddGate(const Json& object, HealthReport* report) {
  GateHealth gate{.name = TextOf(Field(object, "gate")),
                  .experts = TextsOf(Field(object, "experts")),
                  .mean_weight = NumbersOf(Field(object, "mean_weight")),
                  .top_share = NumbersOf(Field(object, "top_share")),
                  .entropy = NumberOf(Field(object, "entropy")),
                  .sparse = Field(object, "sparse") == true};
  const size_t count = gate.experts.size();
  if (gate.name.empty() || count == 0) return;
  gate.mean_weight.resize(count, std::nan(""));
  gate.top_share.resize(count, std::nan(""));
  report->gates.push_back(std::move(gate));
}

// And those of a bank a number for each expert, and for each two.
void AddBank(const Json& object, HealthReport* report) {
  BankHealth bank{.name = TextOf(Field(object, "bank")),
                  .units = CountOf(Field(object, "units")),
                  .dead_units = NumbersOf(Field(object, "dead_units")),
                  .similarity = {}};
  const size_t count = bank.dead_units.size();
  if (bank.name.empty() || count == 0) return;
  if (const Json& rows = Field(object, "similarity"); rows.is_array())
    for (const Json& row : rows) bank.similarity.push_back(NumbersOf(row));
  bank.similarity.resize(count);
  for (auto& row : bank.similarity) row.resize(count, std::nan(""));
  report->banks.push_back(std::move(bank));
}

}  // namespace

GateHealth MeasureGate(std::string name, std::vector<std::string> experts, const float* weights, int64_t rows,
                       int64_t stride) {
  const size_t count = experts.size();
  MG_CHECK(count >= 2, "gate {} has {} experts", name, count);
  GateHealth gate{.name = std::move(name), .experts = std::move(experts)};
  gate.mean_weight.resize(count);
  gate.top_share.resize(count);
  if (rows == 0) return gate;
  const double per_row = 1 / static_cast<double>(rows);
  double entropy = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = weights + r * stride;
    for (size_t e = 0; e < count; ++e) {
      gate.mean_weight[e] += row[e] * per_row;
      if (row[e] > 0) entropy -= row[e] * std::log(static_cast<double>(row[e]));
    }
    gate.top_share[std::max_element(row, row + count) - row] += 1;
  }
  for (double& share : gate.top_share) share *= per_row;
  gate.entropy = std::clamp(entropy * per_row / std::log(static_cast<double>(count)), 0.0, 1.0);
  return gate;
}

BankHealth MeasureBank(std::string name, int64_t experts, int64_t units, const float* outputs, int64_t rows,
                       int64_t stride) {
  MG_CHECK(experts >= 1 && units >= 1, "bank {} has {} experts of {} units", name, experts, units);
  BankHealth bank{.name = std::move(name), .units = units};
  bank.dead_units.resize(experts);
  bank.similarity.assign(experts, std::vector<double>(experts, 0.0));
  if (rows == 0) return bank;
  const std::vector<bool> dead = DeadColumns(outputs, rows, experts * units, stride);
  for (int64_t i = 0; i < experts * units; ++i) bank.dead_units[i / units] += dead[i] ? 1 : 0;
  for (double& share : bank.dead_units) share /= static_cast<double>(units);
  bank.similarity = Similarities(experts, units, outputs, std::min(rows, kSimilarityRows), stride);
  return bank;
}

std::vector<std::string> Alarms(const HealthReport& report) {
  std::vector<std::string> alarms;
  AddUnused(report, &alarms);
  AddPolarised(report, &alarms);
  if (report.rows < kAlarmRows) return alarms;
  for (const BankHealth& bank : report.banks) {
    AddDead(bank, &alarms);
    AddAlike(bank, &alarms);
  }
  return alarms;
}

std::vector<std::string> AlarmChanges(const std::vector<std::string>& alarms, std::vector<std::string>* told) {
  std::vector<std::string> lines, subjects;
  const auto has = [](const std::vector<std::string>& list, const std::string& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  };
  for (const std::string& alarm : alarms) {
    subjects.push_back(alarm.substr(0, alarm.find(": ")));
    if (!has(*told, subjects.back())) lines.push_back("alarm: " + alarm);
  }
  for (const std::string& subject : *told)
    if (!has(subjects, subject)) lines.push_back("alarm over: " + subject);
  *told = std::move(subjects);
  return lines;
}

std::string ToJson(const HealthReport& report) {
  return fmt::format(R"({{"rows": {}, "gates": {}, "banks": {}, "cosines": {}, "alarms": {}}})", report.rows,
                     Objects(report.gates), Objects(report.banks), Objects(report.cosines), Strings(report.alarms));
}

HealthReport HealthFromJson(std::string_view json) {
  HealthReport report;
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return report;
  report.rows = CountOf(Field(object, "rows"));
  if (const Json& gates = Field(object, "gates"); gates.is_array())
    for (const Json& gate : gates) AddGate(gate, &report);
  if (const Json& banks = Field(object, "banks"); banks.is_array())
    for (const Json& bank : banks) AddBank(bank, &report);
  if (const Json& cosines = Field(object, "cosines"); cosines.is_array()) {
    for (const Json& pair : cosines) {
      const std::string a = TextOf(Field(pair, "a")), b = TextOf(Field(pair, "b"));
      if (!a.empty() && !b.empty()) report.cosines.push_back({a, b, NumberOf(Field(pair, "cosine"))});
    }
  }
  report.alarms = TextsOf(Field(object, "alarms"));
  return report;
}

}  // namespace manygate
