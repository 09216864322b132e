// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/random.h"

#include <cmath>
#include <utility>

namespace manygate {
namespace {

// Words of a stream in order, block by block.
class WordSequence {
 public:
  WordSequence(uint64_t seed, uint64_t stream) : philox_(seed, stream) {}

  uint64_t Next64() {
    if (used_ == 4) {
      block_ = philox_.Block(counter_++);
      used_ = 0;
    }
    const uint64_t bits = (uint64_t{block_[used_ + 1]} << 32) | block_[used_];
    used_ += 2;
    return bits;
  }

 private:
  Philox philox_;
  uint64_t counter_ = 0;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

// Uniform in [0, bound): the high word of a 64 x 64-bit product; the few low words that would favour some results are
// drawn again (Lemire 2019).
uint64_t Below(WordSequence* words, uint64_t bound) {
  unsigned __int128 product = static_cast<unsigned __int128>(words->Next64()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t threshold = (0 - bound) % bound;
    while (static_cast<uint64_t>(product) < threshold) {
      product = static_cast<unsigned __int128>(words->Next64()) * bound;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

}  // namespace

std::array<double, 2> NormalPair(const std::array<uint32_t, 4>& block) {
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UnitDouble(block[0], block[1])));
  const double angle = 6.283185307179586 * UnitDouble(block[2], block[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

void FillUniform(std::span<float> values, float low, float high, uint64_t seed, uint64_t stream) {
  const Philox philox(seed, stream);
  for (size_t i = 0; i < values.size(); i += 4) {
    const std::array<uint32_t, 4> block = philox.Block(i / 4);
    for (size_t j = i; j < i + 4 && j < values.size(); ++j) {
      const float value = low + (high - low) * UnitFloat(block[j - i]);
      // Rounding may reach `high`, which the range excludes.
      values[j] = value < high || !(low < high) ? value : std::nextafterf(high, low);
    }
  }
}

void FillNormal(std::span<float> values, float mean, float deviation, uint64_t seed, uint64_t stream) {
  const Philox philox(seed, stream);
  for (size_t i = 0; i < values.size(); i += 2) {
    const std::array<double, 2> pair = NormalPair(philox.Block(i / 2));
    for (size_t j = i; j < i + 2 && j < values.size(); ++j) {
      values[j] = static_cast<float>(mean + deviation * pair[j - i]);
    }
  }
}

std::vector<uint32_t> RandomPermutation(uint32_t n, uint64_t seed, uint64_t stream) {
  std::vector<uint32_t> order(n);
  for (uint32_t i = 0; i < n; ++i) order[i] = i;
  WordSequence words(seed, stream);
  for (uint32_t i = n; i > 1; --i) std::swap(order[i - 1], order[Below(&words, i)]);
  return order;
}

}  // namespace manygate
