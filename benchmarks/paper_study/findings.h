// SPDX-License-Identifier: Apache-2.0
// Whether the five findings of the paper's synthetic study hold in our numbers.
//
//   for (const Finding& finding : JudgeFindings(losses, gates)) use(finding.number, VerdictName(finding.verdict));
//
// Every finding is a list of parts; a part is a number computed from the losses of all runs and the range in which the
// paper says it lies. The rule, fixed before the runs: the part holds if the number's 95 % bootstrap interval over runs
// lies inside the range, does not hold if it lies outside, and is not decided if it reaches across an end. A finding
// holds if all parts do, does not hold if one does not. "Much" smaller or larger is a factor of 2, "as robust" a ratio
// of variances between 1/2 and 2, "comparable" and "equal" losses a ratio between 2/3 and 3/2.
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_FINDINGS_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_FINDINGS_H_

#include <array>
#include <string>
#include <vector>

#include "benchmarks/paper_study/statistics.h"

namespace manygate::paper_study {

inline constexpr std::array<double, 3> kCorrelations = {0.5, 0.9, 1.0};
inline constexpr std::array<const char*, 3> kModels = {"shared_bottom", "omoe", "mmoe"};
enum Model : size_t { kSharedBottom, kOmoe, kMmoe };

// [correlation][model][run]: squared error on unseen rows / variance, task 1. As many runs in every cell.
using Losses = std::array<std::array<std::vector<double>, 3>, 3>;

// Entropy of MMoE's gates at correlation 0.9, by run: the same runs with most labels of task 2 removed and with all.
struct GateEntropies {
  std::vector<double> full_task, sparse_task, sparse_task_with_all_labels;
};

enum class Verdict { kHolds, kDoesNotHold, kNotDecided };
const char* VerdictName(Verdict verdict);  // "holds", "does not hold", "not decided"
// By the rule above; the ends of `wanted` may be infinite.
Verdict Judge(const Interval& found, const Interval& wanted);

struct Part {
  std::string claim;
  double value = 0;
  Interval found, wanted;
  Verdict verdict = Verdict::kNotDecided;
};

struct Finding {
  int number = 0;
  std::string paper;  // what the paper says, in our words
  std::vector<Part> parts;
  Verdict verdict = Verdict::kNotDecided;
};

std::vector<Finding> JudgeFindings(const Losses& losses, const GateEntropies& gates);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_FINDINGS_H_
