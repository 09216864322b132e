// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "manygate/base/check.h"
#include "manygate/base/random.h"

namespace manygate::paper_study {
namespace {

constexpr uint64_t kResamples = 2000;
constexpr uint64_t kBootstrapSeed = 1, kBootstrapStream = 0x50617020;

}  // namespace

double Quantile(std::span<const double> sorted, double share) {
  MG_CHECK(!sorted.empty(), "quantile {} of no values", share);
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

double Mean(std::span<const double> values, std::span<const uint32_t> runs) {
  double sum = 0;
  for (const uint32_t run : runs) sum += values[run];
  return sum / static_cast<double>(runs.size());
}

double Variance(std::span<const double> values, std::span<const uint32_t> runs) {
  if (runs.size() < 2) return 0;
  const double mean = Mean(values, runs);
  double sum = 0;
  for (const uint32_t run : runs) sum += (values[run] - mean) * (values[run] - mean);
  return sum / static_cast<double>(runs.size() - 1);
}

double Quantile(std::span<const double> values, std::span<const uint32_t> runs, double share) {
  std::vector<double> sorted;
  for (const uint32_t run : runs) sorted.push_back(values[run]);
  std::sort(sorted.begin(), sorted.end());
  return Quantile(sorted, share);
}

Summary Summarise(std::vector<double> values) {
  std::vector<uint32_t> all(values.size());
  std::iota(all.begin(), all.end(), 0u);
  const double mean = Mean(values, all), sd = std::sqrt(Variance(values, all));
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) { return Quantile(values, share); };
  return {mean, sd, values.front(), at(0.05), at(0.25), at(0.5), at(0.75), at(0.95), values.back()};
}

Interval Bootstrap(uint32_t num_runs, const std::function<double(std::span<const uint32_t> runs)>& statistic) {
  const Philox random(kBootstrapSeed, kBootstrapStream);
  std::vector<uint32_t> runs(num_runs);
  std::vector<double> found;
  for (uint64_t resample = 0; resample < kResamples; ++resample) {
    for (uint32_t i = 0; i < num_runs; ++i) {
      const auto bits = random.Block(resample * num_runs + i);
      runs[i] = std::min(num_runs - 1, static_cast<uint32_t>(UnitDouble(bits[0], bits[1]) * num_runs));
    }
    const double value = statistic(runs);
    if (std::isfinite(value)) found.push_back(value);
  }
  if (found.empty()) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  std::sort(found.begin(), found.end());
  return {Quantile(found, 0.025), Quantile(found, 0.975)};
}

}  // namespace manygate::paper_study
