// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/combiner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "manygate/base/check.h"

namespace manygate::features {
namespace {

double Gap(const std::vector<double>& numbers, bool largest) {
  double gap = std::abs(numbers[1] - numbers[0]);
  for (size_t i = 2; i < numbers.size(); ++i) {
    const double next = std::abs(numbers[i] - numbers[i - 1]);
    gap = largest ? std::max(gap, next) : std::min(gap, next);
  }
  return gap;
}

double Combined(Combiner combiner, const std::vector<double>& numbers) {
  const double count = static_cast<double>(numbers.size());
  switch (combiner) {
    case Combiner::kSum: return std::accumulate(numbers.begin(), numbers.end(), 0.0);
    case Combiner::kMean: return std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
    case Combiner::kMin: return *std::min_element(numbers.begin(), numbers.end());
    case Combiner::kMax: return *std::max_element(numbers.begin(), numbers.end());
    case Combiner::kCount: return count;
    case Combiner::kGapMin: return Gap(numbers, false);
    case Combiner::kGapMax: return Gap(numbers, true);
    case Combiner::kNone: break;
  }
  MG_CHECK(false, "combiner {} combines nothing", static_cast<int>(combiner));
  return 0;
}

}  // namespace

Combiner ParseCombiner(std::string_view name) {
  if (name.empty()) return Combiner::kNone;
  if (name == "sum") return Combiner::kSum;
  if (name == "mean") return Combiner::kMean;
  if (name == "min") return Combiner::kMin;
  if (name == "max") return Combiner::kMax;
  if (name == "count") return Combiner::kCount;
  if (name == "gap_min") return Combiner::kGapMin;
  MG_CHECK(name == "gap_max", "combiner {} passed validation", name);
  return Combiner::kGapMax;
}

void Combine(Combiner combiner, std::vector<double>* numbers) {
  if (combiner == Combiner::kNone || numbers->empty()) return;
  const bool is_gap = combiner == Combiner::kGapMin || combiner == Combiner::kGapMax;
  if (is_gap && numbers->size() < 2) return numbers->clear();
  const double combined = Combined(combiner, *numbers);
  numbers->assign(1, combined);
}

}  // namespace manygate::features
