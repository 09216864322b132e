// SPDX-License-Identifier: Apache-2.0
// Functions applied value by value to [rows, width] blocks whose rows are `stride` floats apart. A value's result depends
// on that value alone, with the same bits wherever it stands.
#ifndef MANYGATE_MATH_ELEMENTWISE_H_
#define MANYGATE_MATH_ELEMENTWISE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace manygate {

// kGelu is x·Φ(x) with the error function; kLeakyRelu has slope 0.01 below zero (both as torch.nn's defaults).
enum class Activation { kNone, kRelu, kSilu, kTanh, kSigmoid, kGelu, kLeakyRelu };

// "nn.ReLU" -> kRelu and so on; "none" or "" -> kNone; nullopt for anything else.
std::optional<Activation> ParseActivation(std::string_view name);
std::string ActivationName(Activation activation);
// Whether the derivative can be had from the output alone, so that the result may overwrite its input.
bool DerivativeFromOutput(Activation activation);

// y = f(x). y may be x.
void ActivationForward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y,
                       int64_t y_stride);
// d_x = (accumulate ? d_x : 0) + d_y · f'. x may be null where DerivativeFromOutput; d_x may be d_y (not accumulating).
void ActivationBackward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t x_stride,
                        const float* y, int64_t y_stride, const float* d_y, int64_t d_y_stride, bool accumulate,
                        float* d_x, int64_t d_x_stride);

// y = (accumulate ? y : 0) + x
void CopyOrAdd(int64_t rows, int64_t width, const float* x, int64_t x_stride, bool accumulate, float* y,
               int64_t y_stride);
// y += x, n values.
void AddTo(int64_t n, const float* x, float* y);
// Σ x², accumulated in double in a fixed order; for gradient norms.
double SumOfSquares(int64_t n, const float* x);
// Σ x y, likewise.
double Dot(int64_t n, const float* x, const float* y);
// y += factor x and y = factor x, n values; for short runs of them.
void AddScaled(int64_t n, float factor, const float* x, float* y);
void CopyScaled(int64_t n, float factor, const float* x, float* y);
// x *= factor
void ScaleBy(int64_t n, float factor, float* x);

}  // namespace manygate

#endif  // MANYGATE_MATH_ELEMENTWISE_H_
