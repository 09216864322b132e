// SPDX-License-Identifier: Apache-2.0
// RawFeature.normalizer: what is done to a number before it is cut into bins or scaled.
//
//   MG_ASSIGN_OR_RETURN(const Normalizer normalizer, ParseNormalizer("method=minmax,min=2,max=4"));
//   normalizer.kind == Normalizer::Kind::kMinMax; normalizer.first == 2; normalizer.second == 4;
#ifndef MANYGATE_CONFIG_NORMALIZER_H_
#define MANYGATE_CONFIG_NORMALIZER_H_

#include <optional>
#include <string_view>

#include "manygate/base/status.h"
#include "manygate/expression/expression.h"

namespace manygate::config {

struct Normalizer {
  enum class Kind {
    kLog10,      // x > first ? log10(x) : second (threshold, default)
    kZScore,     // (x - first) / second (mean, standard_deviation)
    kMinMax,     // (x - first) / (second - first) (min, max)
    kExpression  // of x
  };
  Kind kind = Kind::kLog10;
  double first = 0, second = 0;
  std::optional<Expression> expression;
};

// InvalidInput: what is wrong, as a clause behind the text.
StatusOr<Normalizer> ParseNormalizer(std::string_view text);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_NORMALIZER_H_
