// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/base/random.h"
#include "manygate/data/csv_writer.h"
#include "manygate/data/generate.h"

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

// Means, variances and covariance of pairs, in one pass (Welford 1962).
class Moments {
 public:
  void Add(const std::array<double, 2>& y) {
    ++count_;
    const double d0 = y[0] - mean_[0], d1 = y[1] - mean_[1];
    mean_[0] += d0 / count_;
    mean_[1] += d1 / count_;
    square_[0] += d0 * (y[0] - mean_[0]);
    square_[1] += d1 * (y[1] - mean_[1]);
    product_ += d0 * (y[1] - mean_[1]);
  }
  void Finish(PaperSummary* summary) const {
    for (size_t k = 0; k < 2; ++k) {
      summary->mean[k] = mean_[k];
      summary->variance[k] = square_[k] / count_;
    }
    const double scale = std::sqrt(square_[0] * square_[1]);
    summary->label_correlation = scale > 0 ? product_ / scale : 0;
  }

 private:
  double count_ = 0;
  double mean_[2] = {0, 0}, square_[2] = {0, 0}, product_ = 0;
};

}  // namespace

StatusOr<PaperSummary> GeneratePaper(const PaperOptions& options, const std::string& path) {
  MG_RETURN_IF_ERROR(CheckOptions(options));
  PaperSummary summary;
  summary.rows = options.rows;
  summary.noise_variance = options.noise_deviation * options.noise_deviation;
  for (int i = 0; i < options.num_sines; ++i) {
    const std::array<double, 2> pair = NormalPair(Philox(options.seed, kSineStream).Block(static_cast<uint64_t>(i)));
    summary.alpha.push_back(pair[0]);
    summary.beta.push_back(pair[1]);
  }
  const std::array<std::vector<double>, 2> weights = DrawWeights(options);
  const auto dimension = static_cast<size_t>(options.dimension);
  std::vector<std::string> columns;
  for (size_t i = 0; i < dimension; ++i) columns.push_back(fmt::format("x_{}", i));
  columns.insert(columns.end(), {"y_1", "y_2"});
  CsvWriter out;
  MG_RETURN_IF_ERROR(out.Open(path, columns));
  Moments moments;
  std::vector<float> x(dimension);
  const Philox inputs(options.seed, kInputStream), noises(options.seed, kNoiseStream);
  const uint64_t blocks_per_row = (dimension + 1) / 2;
  for (uint64_t row = 0; row < static_cast<uint64_t>(options.rows); ++row) {
    double projection[2] = {0, 0};
    for (size_t i = 0; i < dimension; ++i) {
      if (i % 2 == 0) {
        const std::array<double, 2> pair = NormalPair(inputs.Block(row * blocks_per_row + i / 2));
        x[i] = static_cast<float>(pair[0]);
        if (i + 1 < dimension) x[i + 1] = static_cast<float>(pair[1]);
      }
      // From the number as it is written, so that the labels are exact functions of the file's inputs.
      for (size_t k = 0; k < 2; ++k) projection[k] += weights[k][i] * static_cast<double>(x[i]);
      out.Number(x[i]);
    }
    const std::array<double, 2> noise = NormalPair(noises.Block(row));
    std::array<double, 2> y;
    for (size_t k = 0; k < 2; ++k) {
      y[k] = projection[k] + options.noise_deviation * noise[k];
      for (size_t i = 0; i < summary.alpha.size(); ++i)
        y[k] += std::sin(summary.alpha[i] * projection[k] + summary.beta[i]);
      out.Number(static_cast<float>(y[k]));
    }
    moments.Add(y);
    MG_RETURN_IF_ERROR(out.EndRow());
  }
  MG_RETURN_IF_ERROR(out.Close());
  moments.Finish(&summary);
  return summary;
}

}  // namespace manygate
