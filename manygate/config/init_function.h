// SPDX-License-Identifier: Apache-2.0
// The init_fn of a feature, written as TorchEasyRec writes it:
//
//   "nn.init.uniform_,a=-0.05,b=0.05"     default a = 0, b = 1, as in PyTorch
//   "nn.init.normal_,mean=0.0,std=0.05"   default mean = 0, std = 1
#ifndef MANYGATE_CONFIG_INIT_FUNCTION_H_
#define MANYGATE_CONFIG_INIT_FUNCTION_H_

#include <string_view>

#include "manygate/base/status.h"

namespace manygate::config {

struct InitFunction {
  enum class Kind { kUniform, kNormal };
  Kind kind = Kind::kUniform;
  float first = 0;   // uniform: lower bound; normal: mean
  float second = 1;  // uniform: upper bound, > lower; normal: standard deviation, >= 0
};

// InvalidInput without a place: unknown function or argument, a value that is no number, an empty range.
StatusOr<InitFunction> ParseInitFunction(std::string_view text);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_INIT_FUNCTION_H_
