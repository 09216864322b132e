// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/split.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/random.h"

namespace manygate {
namespace {
// Streams of Philox; the epochs' orders and the split must not share one.
constexpr uint64_t kSplitStream = 0x53706C69;
constexpr uint64_t kEpochStream = uint64_t{0x45706F63} << 32;
constexpr uint64_t kBlockStream = uint64_t{0x426C6F63} << 32;
constexpr uint64_t kWindowStream = uint64_t{0x5769} << 48;
}  // namespace

NumpyRandomState::NumpyRandomState(uint32_t seed) {
  state_[0] = seed;
  for (uint32_t i = 1; i < 624; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
}

void NumpyRandomState::Refill() {
  constexpr uint32_t kUpper = 0x80000000u, kLower = 0x7FFFFFFFu;
  for (size_t i = 0; i < 624; ++i) {
    const uint32_t mixed = (state_[i] & kUpper) | (state_[(i + 1) % 624] & kLower);
    state_[i] = state_[(i + 397) % 624] ^ (mixed >> 1) ^ ((mixed & 1) != 0 ? 0x9908B0DFu : 0u);
  }
  position_ = 0;
}

uint32_t NumpyRandomState::NextUint32() {
  if (position_ == 624) Refill();
  uint32_t value = state_[static_cast<size_t>(position_++)];
  value ^= value >> 11;
  value ^= (value << 7) & 0x9D2C5680u;
  value ^= (value << 15) & 0xEFC60000u;
  return value ^ (value >> 18);
}

uint32_t NumpyRandomState::Interval(uint32_t maximum) {
  if (maximum == 0) return 0;
  const uint32_t mask = ~uint32_t{0} >> std::countl_zero(maximum);
  for (;;) {
    const uint32_t value = NextUint32() & mask;
    if (value <= maximum) return value;
  }
}

std::vector<uint32_t> NumpyRandomState::Permutation(uint32_t n) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  for (uint32_t i = n; i-- > 1;) std::swap(order[i], order[Interval(i)]);
  return order;
}

std::vector<uint32_t> AllRows(int64_t rows) {
  std::vector<uint32_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

RowSplit HalvesSplit(uint32_t n, uint32_t seed) {
  const std::vector<uint32_t> order = NumpyRandomState(seed).Permutation(n);
  RowSplit split;
  split.validation.assign(order.begin(), order.begin() + n / 2);
  split.test.assign(order.begin() + n / 2, order.end());
  std::sort(split.validation.begin(), split.validation.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

RowSplit FractionSplit(uint32_t n, double validation_fraction, double test_fraction, uint64_t seed) {
  MG_CHECK(validation_fraction >= 0 && test_fraction >= 0 && validation_fraction + test_fraction < 1, "{} {}",
           validation_fraction, test_fraction);
  // 1e-9: 0.7 of 10 rows is 7 rows although 10 * 0.7 may be a little less in double.
  const auto count = [n](double fraction) { return static_cast<size_t>(std::floor(n * fraction + 1e-9)); };
  const auto num_validation = static_cast<std::ptrdiff_t>(count(validation_fraction));
  const auto num_held_out = num_validation + static_cast<std::ptrdiff_t>(count(test_fraction));
  std::vector<uint32_t> order = RandomPermutation(n, seed, kSplitStream);
  RowSplit split;
  split.validation.assign(order.begin(), order.begin() + num_validation);
  split.test.assign(order.begin() + num_validation, order.begin() + num_held_out);
  split.train.assign(order.begin() + num_held_out, order.end());
  for (auto* rows : {&split.validation, &split.test, &split.train}) std::sort(rows->begin(), rows->end());
  return split;
}

std::vector<uint32_t> EpochOrder(std::span<const uint32_t> rows, uint64_t seed, uint64_t epoch) {
  std::vector<uint32_t> order = RandomPermutation(static_cast<uint32_t>(rows.size()), seed, kEpochStream + epoch);
  for (uint32_t& position : order) position = rows[position];
  return order;
}

std::vector<uint32_t> BlockOrder(uint32_t num_blocks, uint64_t seed, uint64_t epoch) {
  return RandomPermutation(num_blocks, seed, kBlockStream + epoch);
}

std::vector<uint32_t> WindowOrder(uint32_t num_rows, uint64_t seed, uint64_t epoch, uint32_t window) {
  return RandomPermutation(num_rows, seed, kWindowStream + (epoch << 24) + window);
}

}  // namespace manygate
