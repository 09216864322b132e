// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/quantile_edges.h"

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate::features {
namespace {

constexpr double kDominantShare = 0.3;

// The longest run of equal values.
struct Dominant {
  float value = 0;
  size_t count = 0;
};

}  // namespace

std::vector<float> QuantileEdges(std::vector<float> values, uint32_t bins) {
  MG_CHECK(bins >= 1, "{} bins", bins);
  std::sort(values.begin(), values.end());
  std::vector<float> distinct;
  Dominant dominant;
  for (size_t first = 0; first < values.size();) {
    size_t end = first + 1;
    while (end < values.size() && values[end] == values[first]) ++end;
    if (end - first > dominant.count) dominant = {values[first], end - first};
    distinct.push_back(values[first]);
    first = end;
  }
  if (distinct.size() <= size_t{bins} + 1) return distinct;

  std::vector<float> edges;
  if (static_cast<double>(dominant.count) > kDominantShare * static_cast<double>(values.size())) {
    edges.push_back(dominant.value);
    std::erase(values, dominant.value);
  }
  const uint64_t last = values.size() - 1;
  for (uint64_t k = 0; k <= bins; ++k) edges.push_back(values[(2 * k * last + bins) / (2 * uint64_t{bins})]);
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

}  // namespace manygate::features
