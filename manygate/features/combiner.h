// SPDX-License-Identifier: Apache-2.0
// The field `combiner` of features: how several numbers become one.
//
//   std::vector<double> numbers = {1, 5};
//   Combine(ParseCombiner("mean"), &numbers);   // numbers is {3}
#ifndef MANYGATE_FEATURES_COMBINER_H_
#define MANYGATE_FEATURES_COMBINER_H_

#include <string_view>
#include <vector>

namespace manygate::features {

enum class Combiner {
  kNone,  // "": the numbers stay as they are
  kSum,
  kMean,
  kMin,
  kMax,
  kCount,
  kGapMin,  // the smallest of the differences |x[i + 1] - x[i]| of neighbours; fewer than two numbers have none
  kGapMax,  // the largest
};

// The name has passed validation.
Combiner ParseCombiner(std::string_view name);

// Replaces the numbers by one; none stay none.
void Combine(Combiner combiner, std::vector<double>* numbers);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_COMBINER_H_
