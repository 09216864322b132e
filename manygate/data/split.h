// SPDX-License-Identifier: Apache-2.0
// Which rows train, validate and test, and the order of the training rows in each epoch.
//
//   RowSplit split = FractionSplit(table.rows, 0.1, 0.1, seed);
//   std::vector<uint32_t> order = EpochOrder(split.train, seed, epoch);   // same arguments, same order: resumable
#ifndef MANYGATE_DATA_SPLIT_H_
#define MANYGATE_DATA_SPLIT_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace manygate {

// Row numbers, each vector ascending.
struct RowSplit {
  std::vector<uint32_t> train;
  std::vector<uint32_t> validation;
  std::vector<uint32_t> test;
};

// 0 .. rows-1.
std::vector<uint32_t> AllRows(int64_t rows);

// The legacy generator behind numpy.random.RandomState: MT19937 (Matsumoto & Nishimura 1998) seeded by its
// init_genrand; permutations by Fisher-Yates from the end with masked rejection. Bit for bit numpy's own.
class NumpyRandomState {
 public:
  explicit NumpyRandomState(uint32_t seed);
  uint32_t NextUint32();
  // RandomState(seed).permutation(n) when called first; n < 2^32.
  std::vector<uint32_t> Permutation(uint32_t n);

 private:
  uint32_t Interval(uint32_t maximum);  // uniform in 0 .. maximum
  void Refill();

  std::array<uint32_t, 624> state_;
  int position_ = 624;
};

// The split of the published Census-Income results: p = RandomState(seed).permutation(n); validation = p[:n // 2],
// test = p[n // 2:]. train stays empty.
RowSplit HalvesSplit(uint32_t n, uint32_t seed);

// floor(n * fraction) rows each, drawn at random by `seed`; the rest trains. Fractions in [0, 1), sum < 1.
RowSplit FractionSplit(uint32_t n, double validation_fraction, double test_fraction, uint64_t seed);

// `rows` in a random order that depends on (seed, epoch) and the number of rows only.
std::vector<uint32_t> EpochOrder(std::span<const uint32_t> rows, uint64_t seed, uint64_t epoch);

// The order in two steps, for rows that are not all in memory: 0 .. num_blocks-1 in a random order, and the num_rows rows
// of the window-th group of blocks in a random order of their own.
std::vector<uint32_t> BlockOrder(uint32_t num_blocks, uint64_t seed, uint64_t epoch);
std::vector<uint32_t> WindowOrder(uint32_t num_rows, uint64_t seed, uint64_t epoch, uint32_t window);

}  // namespace manygate

#endif  // MANYGATE_DATA_SPLIT_H_
