// SPDX-License-Identifier: Apache-2.0
// The health of gates and experts: what a gated model does with its experts on some rows, and what of that is an alarm.
// train/health.h measures it in every evaluation; it stands in metrics.jsonl, in the log and in the report.
//
//   GateHealth gate = MeasureGate("gates.income", experts, weights, rows, stride);
//   HealthReport report{.gates = {gate}, .banks = {bank}, .cosines = {{"income", "marital", 0.12}}};
//   for (const std::string& alarm : Alarms(report)) ...
//   std::string json = ToJson(report);   // {"gates": [...], "banks": [...], "cosines": [...], "alarms": [...]}
#ifndef MANYGATE_METRICS_GATE_HEALTH_H_
#define MANYGATE_METRICS_GATE_HEALTH_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace manygate {

// One softmax gate over E experts.
struct GateHealth {
  std::string name;                  // "gates.income"
  std::vector<std::string> experts;  // [E], "experts.0": bank and number
  std::vector<double> mean_weight;   // [E], mean over the rows
  std::vector<double> top_share;     // [E], share of the rows whose largest weight is this expert's
  double entropy = 0;                // mean over the rows of −Σ w ln w / ln E: 1 = all experts alike, 0 = one expert
};

// E experts of one shape.
struct BankHealth {
  std::string name;                             // "experts"
  int64_t units = 0;                            // outputs of one expert
  std::vector<double> dead_units;               // [E], share of the units whose output is the same for all rows
  std::vector<std::vector<double>> similarity;  // [E][E], linear CKA (Kornblith et al. 2019) of their outputs, 0 to 1
};

// Of the gradients of two tasks' losses with respect to the parameters they share, mean over some training batches.
struct TaskCosine {
  std::string a, b;
  double cosine = 0;  // −1: they fight, 0: nothing in common, 1: they agree
};

struct HealthReport {
  int64_t rows = 0;  // that gates and experts were measured on
  std::vector<GateHealth> gates = {};
  std::vector<BankHealth> banks = {};
  std::vector<TaskCosine> cosines = {};
  std::vector<std::string> alarms = {};
  bool empty() const { return gates.empty() && banks.empty() && cosines.empty(); }
};

// {"rows": 4096, "gates": [{"gate": "gates.income", "experts": ["experts.0", ...], "mean_weight": [...],
//  "top_share": [...], "entropy": 0.8}], "banks": [{"bank": "experts", "units": 16, "dead_units": [...],
//  "similarity": [[...]]}], "cosines": [{"a": "income", "b": "marital", "cosine": 0.12}], "alarms": ["..."]}, one line.
std::string ToJson(const HealthReport& report);
// Reads what ToJson wrote; fields of another type than expected are passed over; no JSON object: an empty report.
HealthReport HealthFromJson(std::string_view json);

}  // namespace manygate

#endif  // MANYGATE_METRICS_GATE_HEALTH_H_
