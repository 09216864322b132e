// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/paired.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "manygate/base/check.h"
#include "manygate/base/random.h"
#include "manygate/metrics/metric.h"
#include "manygate/metrics/ranked_rows.h"

namespace manygate {
namespace {

constexpr double kDeviationsOf95Percent = 1.959963984540054;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kResamples = 1000;
constexpr uint64_t kBootstrapSeed = 1979;

PairedDifference Undefined() { return {kNaN, kNaN, kNaN, kNaN, kNaN}; }

bool AllFinite(RowsBySeed seeds) {
  return std::all_of(seeds.begin(), seeds.end(), [](const std::vector<float>& rows) {
    return std::all_of(rows.begin(), rows.end(), [](float value) { return std::isfinite(value); });
  });
}

void CheckShape(size_t rows, RowsBySeed model, RowsBySeed baseline) {
  MG_CHECK(!model.empty() && model.size() == baseline.size(), "{} and {} seeds", model.size(), baseline.size());
  for (const RowsBySeed seeds : {model, baseline})
    for (const auto& one : seeds) MG_CHECK(one.size() == rows, "{} numbers for {} rows", one.size(), rows);
}

// by_seed: the difference of each seed.
PairedDifference Interval(const std::vector<double>& by_seed, double row_variance) {
  const double seeds = static_cast<double>(by_seed.size());
  PairedDifference result;
  result.difference = std::accumulate(by_seed.begin(), by_seed.end(), 0.0) / seeds;
  result.row_error = std::sqrt(row_variance);
  double quantile = 0;
  if (by_seed.size() > 1) {
    double squares = 0;
    for (const double one : by_seed) squares += (one - result.difference) * (one - result.difference);
    result.seed_error = std::sqrt(squares / (seeds - 1) / seeds);
    quantile = StudentQuantile975(static_cast<int>(by_seed.size()) - 1);
  }
  const double half = std::hypot(kDeviationsOf95Percent * result.row_error, quantile * result.seed_error);
  result.low = result.difference - half;
  result.high = result.difference + half;
  return result;
}

// ------------------------------------------------------------------------------------------------ AUC
// The rows of both classes and their weights.
struct Classes {
  double weight[2] = {0, 0}, squares[2] = {0, 0};
  int64_t rows[2] = {0, 0};
};

Classes ClassesOf(std::span<const float> labels, std::span<const float> weights) {
  Classes classes;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int c = IsPositive(labels[i]);
    classes.weight[c] += weights[i];
    classes.squares[c] += static_cast<double>(weights[i]) * weights[i];
    ++classes.rows[c];
  }
  return classes;
}

// Adds `factor` times each row's share of the other class that it is on the right side of.
void AddShares(std::span<const float> labels, std::span<const float> weights, const std::vector<float>& predictions,
               const Classes& classes, double factor, std::vector<double>* shares) {
  std::vector<std::pair<uint32_t, uint32_t>> order(labels.size());  // (key of the score, row), ascending
  for (size_t i = 0; i < order.size(); ++i) order[i] = {OrderedKey(predictions[i]), static_cast<uint32_t>(i)};
  std::sort(order.begin(), order.end());
  double below[2] = {0, 0};
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    double tied[2] = {0, 0};
    for (end = first; end < order.size() && order[end].first == order[first].first; ++end)
      tied[IsPositive(labels[order[end].second])] += weights[order[end].second];
    const double of_positive = (below[0] + 0.5 * tied[0]) / classes.weight[0];
    const double of_negative = 1.0 - (below[1] + 0.5 * tied[1]) / classes.weight[1];
    for (size_t i = first; i < end; ++i) {
      const uint32_t row = order[i].second;
      (*shares)[row] += factor * (IsPositive(labels[row]) ? of_positive : of_negative);
    }
    below[0] += tied[0];
    below[1] += tied[1];
  }
}

// ------------------------------------------------------------------------------------------------ bootstrap
// How many copies a resample holds of a row: Poisson(1), by the inverse of its distribution function.
class PoissonCopies {
 public:
  PoissonCopies() {
    double term = std::exp(-1.0), sum = 0;
    for (size_t k = 0; k < bounds_.size(); ++k) {
      sum += term;
      bounds_[k] = static_cast<uint32_t>(std::min(sum * 0x1p32, 4294967295.0));
      term /= static_cast<double>(k + 1);
    }
  }
  float operator()(uint32_t bits) const {
    int copies = 0;
    while (copies < static_cast<int>(bounds_.size()) && bits >= bounds_[copies]) ++copies;
    return static_cast<float>(copies);
  }

 private:
  std::array<uint32_t, 12> bounds_;
};

// The weighted means of `width` losses per row, [rows, width], in a resample; false if it is empty.
bool ResampledMeans(std::span<const float> weights, const std::vector<float>& losses, size_t width, uint64_t resample,
                    std::vector<double>* means) {
  static const PoissonCopies copies;
  const Philox random(kBootstrapSeed, resample);
  means->assign(width, 0.0);
  double total = 0;
  std::array<uint32_t, 4> bits{};
  for (size_t row = 0; row < weights.size(); ++row) {
    if (row % 4 == 0) bits = random.Block(row / 4);
    const float count = copies(bits[row % 4]);
    if (count == 0) continue;
    const double weight = static_cast<double>(count) * weights[row];
    total += weight;
    for (size_t i = 0; i < width; ++i) (*means)[i] += weight * losses[row * width + i];
  }
  for (double& mean : *means) mean /= total;
  return total > 0;
}

// Half of `means` are the baseline's, the others the model's: by seed.
std::vector<double> DifferencesBySeed(const std::vector<double>& means, bool root) {
  const size_t seeds = means.size() / 2;
  std::vector<double> differences(seeds);
  for (size_t s = 0; s < seeds; ++s) {
    differences[s] = root ? std::sqrt(means[s]) - std::sqrt(means[seeds + s]) : means[s] - means[seeds + s];
  }
  return differences;
}

PairedDifference PairedLosses(std::span<const float> weights, RowsBySeed model, RowsBySeed baseline, bool root,
                              ThreadPool& pool) {
  CheckShape(weights.size(), model, baseline);
  if (weights.empty() || !AllFinite(model) || !AllFinite(baseline)) return Undefined();
  const size_t seeds = model.size(), width = 2 * seeds;
  std::vector<float> losses(weights.size() * width);  // beside each other by row: a resample passes over them once
  std::vector<double> means(width, 0.0);
  double total = 0;
  for (size_t row = 0; row < weights.size(); ++row) {
    total += weights[row];
    for (size_t i = 0; i < width; ++i) {
      const float loss = losses[row * width + i] = i < seeds ? baseline[i][row] : model[i - seeds][row];
      means[i] += static_cast<double>(weights[row]) * loss;
    }
  }
  for (double& mean : means) mean /= total;
  std::vector<double> resampled(kResamples, kNaN);
  pool.ParallelFor(kResamples, [&](int64_t resample, int) {
    std::vector<double> of_resample;
    if (!ResampledMeans(weights, losses, width, static_cast<uint64_t>(resample), &of_resample)) return;
    const std::vector<double> differences = DifferencesBySeed(of_resample, root);
    resampled[resample] = std::accumulate(differences.begin(), differences.end(), 0.0) / static_cast<double>(seeds);
  });
  std::erase_if(resampled, [](double value) { return std::isnan(value); });
  const double count = static_cast<double>(resampled.size());
  if (count < 2) return Undefined();
  const double mean = std::accumulate(resampled.begin(), resampled.end(), 0.0) / count;
  double squares = 0;
  for (const double value : resampled) squares += (value - mean) * (value - mean);
  return Interval(DifferencesBySeed(means, root), squares / (count - 1));
}

// Student's distribution function at t > 0 (Abramowitz & Stegun 26.7.3 and 26.7.4), of |T| <= t.
double StudentWithin(double t, int degrees) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(theta), square = cosine * cosine;
  const bool odd = degrees % 2 == 1;
  double term = odd ? cosine : 1.0, sum = degrees == 1 ? 0.0 : term;
  for (int k = odd ? 2 : 1; k <= degrees - 3; k += 2) {
    term *= square * k / (k + 1);
    sum += term;
  }
  return odd ? (theta + std::sin(theta) * sum) * 2.0 / std::numbers::pi : std::sin(theta) * sum;
}

}  // namespace

double AucOf(std::span<const float> labels, std::span<const float> weights, std::span<const float> predictions) {
  const std::unique_ptr<Metric> auc = MakeAuc(config::AUC());
  auc->Add({.predictions = predictions.data(),
            .labels = labels.data(),
            .weights = weights.data(),
            .rows = static_cast<int64_t>(labels.size())});
  return auc->Value();
}

PairedDifference PairedAuc(std::span<const float> labels, std::span<const float> weights, RowsBySeed model,
                           RowsBySeed baseline) {
  CheckShape(labels.size(), model, baseline);
  MG_CHECK(labels.size() == weights.size(), "{} labels, {} weights", labels.size(), weights.size());
  const Classes classes = ClassesOf(labels, weights);
  if (classes.rows[0] < 2 || classes.rows[1] < 2 || !AllFinite(model) || !AllFinite(baseline)) return Undefined();
  std::vector<double> by_seed, shares(labels.size(), 0.0);
  for (size_t s = 0; s < model.size(); ++s) {
    const double factor = 1.0 / static_cast<double>(model.size());
    AddShares(labels, weights, model[s], classes, factor, &shares);
    AddShares(labels, weights, baseline[s], classes, -factor, &shares);
    by_seed.push_back(AucOf(labels, weights, model[s]) - AucOf(labels, weights, baseline[s]));
  }
  double mean[2] = {0, 0}, deviations[2] = {0, 0};
  for (size_t i = 0; i < labels.size(); ++i) {
    const int c = IsPositive(labels[i]);
    mean[c] += weights[i] * shares[i] / classes.weight[c];
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const int c = IsPositive(labels[i]);
    const double deviation = weights[i] * (shares[i] - mean[c]);
    deviations[c] += deviation * deviation;
  }
  double variance = 0;
  for (const int c : {0, 1}) {
    const double square = classes.weight[c] * classes.weight[c], effective = square / classes.squares[c];
    variance += effective / (effective - 1) * deviations[c] / square;
  }
  return Interval(by_seed, variance);
}

PairedDifference PairedMean(std::span<const float> weights, RowsBySeed model_losses, RowsBySeed baseline_losses,
                            ThreadPool& pool) {
  return PairedLosses(weights, model_losses, baseline_losses, false, pool);
}

PairedDifference PairedRootMean(std::span<const float> weights, RowsBySeed model_losses, RowsBySeed baseline_losses,
                                ThreadPool& pool) {
  return PairedLosses(weights, model_losses, baseline_losses, true, pool);
}

double StudentQuantile975(int degrees) {
  MG_CHECK(degrees >= 1, "{} degrees of freedom", degrees);
  double low = 0, high = 20;
  while (high - low > 1e-12) {
    const double middle = 0.5 * (low + high);
    (StudentWithin(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace manygate
