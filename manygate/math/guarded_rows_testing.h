// SPDX-License-Identifier: Apache-2.0
// For tests: rows of made-up numbers whose gaps, and what follows the last row, hold a known value, so that a kernel that
// writes where it should not is found out.
//
//   GuardedRows y(rows, width, stride);          // filled with kGuard
//   Kernel(rows, width, y.data(), stride);
//   y.ExpectGuardsIntact();
#ifndef MANYGATE_MATH_GUARDED_ROWS_TESTING_H_
#define MANYGATE_MATH_GUARDED_ROWS_TESTING_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace manygate {

// n numbers in [-1, 1), the same for the same seed.
inline std::vector<float> TestNumbers(int64_t n, int seed) {
  std::vector<float> v(n);
  uint32_t state = 12345u + 977u * seed;
  for (float& x : v) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.f;
  }
  return v;
}

class GuardedRows {
 public:
  static constexpr float kGuard = 12345.f;

  GuardedRows(int64_t rows, int64_t width, int64_t stride)
      : rows_(rows), width_(width), stride_(stride), values_(rows * stride + 64, kGuard) {}
  // With these values in the rows, [rows, width].
  GuardedRows(int64_t rows, int64_t width, int64_t stride, const std::vector<float>& values)
      : GuardedRows(rows, width, stride) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < width; ++i) at(r, i) = values[r * width + i];
  }

  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }
  float* row(int64_t r) { return data() + r * stride_; }
  const float* row(int64_t r) const { return data() + r * stride_; }
  float& at(int64_t r, int64_t i) { return values_[r * stride_ + i]; }
  float at(int64_t r, int64_t i) const { return values_[r * stride_ + i]; }
  int64_t stride() const { return stride_; }

  void ExpectGuardsIntact() const {
    for (size_t i = 0; i < values_.size(); ++i) {
      const int64_t r = static_cast<int64_t>(i) / stride_, column = static_cast<int64_t>(i) % stride_;
      if (r < rows_ && column < width_) continue;
      ASSERT_EQ(values_[i], kGuard) << "written past the end of row " << r << ", column " << column;
    }
  }

 private:
  int64_t rows_, width_, stride_;
  std::vector<float> values_;
};

// Widths below, at and above whole vectors of every target.
inline constexpr int64_t kTestWidths[] = {1, 3, 7, 8, 9, 16, 17, 144};

}  // namespace manygate

#endif  // MANYGATE_MATH_GUARDED_ROWS_TESTING_H_
