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
  std::string name;                       // "gates.income"
  std::vector<std::string> experts = {};  // [E], "experts.0": bank and number
  std::vector<double> mean_weight = {};   // [E], mean over the rows
  std::vector<double> top_share = {};     // [E], share of the rows whose largest weight is this expert's
  double entropy = 0;                     // mean over the rows of −Σ w ln w / ln E: 1 = all alike, 0 = one expert
  bool sparse = false;                    // it leaves out experts by design (DSelect-k), which then is no alarm
};

// E experts of one shape.
struct BankHealth {
  std::string name;                                  // "experts"
  int64_t units = 0;                                 // outputs of one expert
  std::vector<double> dead_units = {};               // [E], share of the units whose output is the same for all rows
  std::vector<std::vector<double>> similarity = {};  // [E][E], linear CKA of their outputs (MeasureBank), 0 to 1
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

// weights: [rows, E], row r at weights + r · stride, each row's sum 1; E = experts.size() >= 2. A row's top expert is the
// first of its largest weights. No rows: all 0.
GateHealth MeasureGate(std::string name, std::vector<std::string> experts, const float* weights, int64_t rows,
                       int64_t stride);

// outputs: [rows, experts, units], row r at outputs + r · stride. A unit is dead if its values over all rows differ by no
// more than 1e-6 of the largest. Similarity of experts i and j with centred outputs X, Y, [rows, units]:
//   ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), Frobenius norms (Kornblith et al. 2019, equation 5 with linear kernels),
// which neither the order of units nor a factor changes. It is over the first kSimilarityRows rows, so that it costs
// little. An expert whose units are all dead there has similarity 0 with every other one.
inline constexpr int64_t kSimilarityRows = 1024;
BankHealth MeasureBank(std::string name, int64_t experts, int64_t units, const float* outputs, int64_t rows,
                       int64_t stride);

// What a user should know of, each one sentence: what is wrong, ": ", the numbers and what to set in the configuration.
// The thresholds lie far from what healthy runs show (MMoE on Census-Income, five seeds: an expert's largest mean weight is
// at least 0.06 / E, a gate's at most 0.71, at most 31 % of an expert's units are dead, similarities are below 0.95; two
// experts in front of one tower of PLE come to 0.9998) and from what collapsed ones do (below 0.0001 / E, above 0.99):
//   unused     no gate that can choose the expert gives it kUnusedShare / E or more of its weight on average. A gate that
//              ignores an expert is what mixtures are for; one that no gate uses is computed and trained for nothing.
//   polarised  one of the E >= 2 experts of a gate has more than kPolarisedWeight of its weight: the others change little.
//   dead       more than kDeadShare of an expert's units are dead.
//   alike      every pair of a bank's experts of more than one unit is more similar than kAlikeSimilarity: they compute the
//              same but for a rotation, and one of them would do.
// Sparse gates are never polarised, and an expert that one of them can choose is never unused. On fewer than kAlarmRows rows
// experts are not judged, because any unit may be the same on few rows.
inline constexpr double kUnusedShare = 0.01, kPolarisedWeight = 0.95, kDeadShare = 0.9, kAlikeSimilarity = 0.9999;
inline constexpr int64_t kAlarmRows = 64;
std::vector<std::string> Alarms(const HealthReport& report);

// Lines for a log: "alarm: <alarm>" for each alarm that is new, "alarm over: <what was wrong>" for each one of before that
// is gone. told: what is wrong, without the numbers, from one call to the next; empty at first.
std::vector<std::string> AlarmChanges(const std::vector<std::string>& alarms, std::vector<std::string>* told);

// {"rows": 4096, "gates": [{"gate": "gates.income", "experts": ["experts.0", ...], "mean_weight": [...],
//  "top_share": [...], "entropy": 0.8}], "banks": [{"bank": "experts", "units": 16, "dead_units": [...],
//  "similarity": [[...]]}], "cosines": [{"a": "income", "b": "marital", "cosine": 0.12}], "alarms": ["..."]}, one line.
// A sparse gate has "sparse": true besides.
std::string ToJson(const HealthReport& report);
// Reads what ToJson wrote; fields of another type than expected are passed over; no JSON object: an empty report.
HealthReport HealthFromJson(std::string_view json);

}  // namespace manygate

#endif  // MANYGATE_METRICS_GATE_HEALTH_H_
