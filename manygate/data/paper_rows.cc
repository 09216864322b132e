// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/paper_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace manygate {
namespace {

enum Stream : uint64_t {
  kDirectionStream = 0x50617001,
  kSineStream,
  kInputStream,
  kNoiseStream,
};

Status CheckOptions(const PaperOptions& options) {
  std::string problems;
  const auto expect = [&problems](bool good, const char* name, double found, const char* expected) {
    if (!good)
      problems += fmt::format("{}{}: found {}, expected {}", problems.empty() ? "" : "\n", name, found, expected);
  };
  expect(options.rows >= 1, "rows", static_cast<double>(options.rows), "at least 1");
  expect(std::abs(options.correlation) <= 1, "correlation", options.correlation, "-1 .. 1");
  expect(options.dimension >= 2, "dimension", options.dimension, "at least 2");
  expect(options.scale > 0 && std::isfinite(options.scale), "scale", options.scale, "more than 0");
  expect(options.num_sines >= 0, "num_sines", options.num_sines, "at least 0");
  expect(options.noise_deviation >= 0 && std::isfinite(options.noise_deviation), "noise_deviation",
         options.noise_deviation, "at least 0");
  expect(options.alpha.size() == options.beta.size(), "number of beta", static_cast<double>(options.beta.size()),
         "as many as alpha");
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void Normalise(std::vector<double>* v) {
  const double length = std::sqrt(Dot(*v, *v));
  for (double& x : *v) x /= length;
}

// The two weight vectors: equations 1 and 2, from two random directions made orthonormal by Gram-Schmidt.
std::array<std::vector<double>, 2> DrawWeights(const PaperOptions& options) {
  const auto dimension = static_cast<size_t>(options.dimension);
  std::vector<double> u1(dimension), u2(dimension);
  for (size_t i = 0; i < dimension; ++i) {
    const std::array<double, 2> pair = NormalPair(Philox(options.seed, kDirectionStream).Block(i));
    u1[i] = pair[0];
    u2[i] = pair[1];
  }
  Normalise(&u1);
  const double overlap = Dot(u1, u2);
  for (size_t i = 0; i < dimension; ++i) u2[i] -= overlap * u1[i];
  Normalise(&u2);
  const double p = options.correlation, q = std::sqrt(std::max(0.0, 1 - p * p));
  std::array<std::vector<double>, 2> weights = {u1, u1};
  for (size_t i = 0; i < dimension; ++i) {
    weights[0][i] = options.scale * u1[i];
    weights[1][i] = options.scale * (p * u1[i] + q * u2[i]);
  }
  return weights;
}

}  // namespace

double PaperSines::operator()(double z, double noise) const {
  double y = z + noise;
  for (size_t i = 0; i < alpha.size(); ++i) y += std::sin(alpha[i] * z + beta[i]);
  return y;
}

PaperSines DrawPaperSines(uint64_t seed, int num_sines) {
  PaperSines sines;
  for (int i = 0; i < num_sines; ++i) {
    const std::array<double, 2> pair = NormalPair(Philox(seed, kSineStream).Block(static_cast<uint64_t>(i)));
    sines.alpha.push_back(pair[0]);
    sines.beta.push_back(pair[1]);
  }
  return sines;
}

PaperRows::PaperRows(const PaperOptions& options)
    : dimension_(static_cast<size_t>(options.dimension)),
      noise_deviation_(options.noise_deviation),
      sines_(options.alpha.empty() ? DrawPaperSines(options.seed, options.num_sines)
                                   : PaperSines{options.alpha, options.beta}),
      weights_(DrawWeights(options)),
      inputs_(options.seed, kInputStream),
      noises_(options.seed, kNoiseStream) {}

StatusOr<PaperRows> PaperRows::Create(const PaperOptions& options) {
  MG_RETURN_IF_ERROR(CheckOptions(options));
  return PaperRows(options);
}

std::array<double, 2> PaperRows::Row(uint64_t row, float* x) const {
  const uint64_t blocks_per_row = (dimension_ + 1) / 2;
  double projection[2] = {0, 0};
  for (size_t i = 0; i < dimension_; ++i) {
    if (i % 2 == 0) {
      const std::array<double, 2> pair = NormalPair(inputs_.Block(row * blocks_per_row + i / 2));
      x[i] = static_cast<float>(pair[0]);
      if (i + 1 < dimension_) x[i + 1] = static_cast<float>(pair[1]);
    }
    // From the number as it is returned, so that the labels are exact functions of the inputs.
    for (size_t k = 0; k < 2; ++k) projection[k] += weights_[k][i] * static_cast<double>(x[i]);
  }
  const std::array<double, 2> noise = NormalPair(noises_.Block(row));
  std::array<double, 2> y;
  for (size_t k = 0; k < 2; ++k) y[k] = sines_(projection[k], noise_deviation_ * noise[k]);
  return y;
}

}  // namespace manygate
