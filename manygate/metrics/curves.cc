// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/base/check.h"
#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

constexpr double kNormal95 = 1.959963984540054;

struct Row {
  float prediction, label, weight;
};

// Those that take part, the highest prediction first.
std::vector<Row> RankedDown(const ScoredRows& rows) {
  MG_CHECK(rows.labels.size() == rows.predictions.size(), "{} labels, {} predictions", rows.labels.size(),
           rows.predictions.size());
  MG_CHECK(rows.weights.empty() || rows.weights.size() == rows.labels.size(), "{} weights, {} labels",
           rows.weights.size(), rows.labels.size());
  std::vector<Row> ranked;
  ranked.reserve(rows.labels.size());
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    const Row row{rows.predictions[i], rows.labels[i], rows.weights.empty() ? 1.f : rows.weights[i]};
    if (TakesPart(row.label, row.weight) && std::isfinite(row.prediction)) ranked.push_back(row);
  }
  // All three fields, so that sums do not depend on the order in which the rows came.
  std::sort(ranked.begin(), ranked.end(), [](const Row& a, const Row& b) {
    if (a.prediction != b.prediction) return a.prediction > b.prediction;
    return a.label != b.label ? a.label > b.label : a.weight > b.weight;
  });
  return ranked;
}

// At or above a threshold.
struct Counted {
  double threshold = 0, positive = 0, negative = 0;
};

// By distinct prediction, from the highest down; counts add up.
std::vector<Counted> CountDown(const ScoredRows& rows) {
  std::vector<Counted> counted;
  Counted now;
  const std::vector<Row> ranked = RankedDown(rows);
  for (size_t i = 0; i < ranked.size(); ++i) {
    (IsPositive(ranked[i].label) ? now.positive : now.negative) += ranked[i].weight;
    if (i + 1 < ranked.size() && ranked[i + 1].prediction == ranked[i].prediction) continue;
    now.threshold = ranked[i].prediction;
    counted.push_back(now);
  }
  return counted;
}

// Keeps both ends, and a point wherever another 1 / (most - 1) of the path's length |dx| + |dy| is done.
std::vector<CurvePoint> Thinned(std::vector<CurvePoint> points, int most) {
  MG_CHECK(most >= 2, "a curve of {} points", most);
  if (points.size() <= static_cast<size_t>(most)) return points;
  const auto step = [&](size_t i) {
    return std::fabs(points[i].x - points[i - 1].x) + std::fabs(points[i].y - points[i - 1].y);
  };
  double length = 0;
  for (size_t i = 1; i < points.size(); ++i) length += step(i);
  std::vector<CurvePoint> kept = {points[0]};
  double done = 0, due = length / (most - 1);
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    done += step(i);
    if (done < due) continue;
    kept.push_back(points[i]);
    while (due <= done) due += length / (most - 1);
  }
  kept.push_back(points.back());
  return kept;
}

// The interval of a bin from its sums.
struct BinSums {
  int64_t rows = 0;
  double weight = 0, squares = 0, prediction = 0, label = 0, label_squares = 0;
};

CalibrationBin Finish(const BinSums& sums, BinInterval interval) {
  CalibrationBin bin{
      .rows = sums.rows, .mean_prediction = sums.prediction / sums.weight, .mean_label = sums.label / sums.weight};
  const double n = sums.weight * sums.weight / sums.squares, mean = bin.mean_label;
  double middle = mean, half = std::numeric_limits<double>::quiet_NaN();
  if (interval == BinInterval::kShare) {
    const double z2 = kNormal95 * kNormal95;
    middle = (mean + z2 / (2 * n)) / (1 + z2 / n);
    half = kNormal95 / (1 + z2 / n) * std::sqrt(std::max(0.0, mean * (1 - mean)) / n + z2 / (4 * n * n));
  } else if (n > 1) {
    half = kNormal95 * std::sqrt(sums.label_squares / sums.weight / (n - 1));
  }
  bin.low = middle - half;
  bin.high = middle + half;
  if (interval == BinInterval::kShare) {
    // Exact where rounding would leave a few bits.
    bin.low = mean == 0 ? 0 : std::max(0.0, bin.low);
    bin.high = mean == 1 ? 1 : std::min(1.0, bin.high);
  }
  return bin;
}

}  // namespace

std::vector<CurvePoint> RocCurve(const ScoredRows& rows, int most_points) {
  const std::vector<Counted> counted = CountDown(rows);
  if (counted.empty() || counted.back().positive == 0 || counted.back().negative == 0) return {};
  std::vector<CurvePoint> points = {{0, 0, std::numeric_limits<double>::infinity()}};
  for (const Counted& at : counted)
    points.push_back({at.negative / counted.back().negative, at.positive / counted.back().positive, at.threshold});
  return Thinned(std::move(points), most_points);
}

std::vector<CurvePoint> PrecisionRecallCurve(const ScoredRows& rows, int most_points) {
  const std::vector<Counted> counted = CountDown(rows);
  if (counted.empty() || counted.back().positive == 0) return {};
  std::vector<CurvePoint> points;
  for (const Counted& at : counted) {
    points.push_back({at.positive / counted.back().positive, at.positive / (at.positive + at.negative), at.threshold});
    // With all positives found, lower thresholds only lose precision.
    if (at.positive == counted.back().positive) break;
  }
  return Thinned(std::move(points), most_points);
}

std::vector<CalibrationBin> CalibrationBins(const ScoredRows& rows, int bins, BinInterval interval) {
  MG_CHECK(bins >= 1, "{} bins", bins);
  std::vector<Row> ranked = RankedDown(rows);
  std::reverse(ranked.begin(), ranked.end());
  double total = 0;
  for (const Row& row : ranked) total += row.weight;
  // First the bin of each row, then sums: the deviations of the labels need their mean.
  std::vector<std::pair<size_t, size_t>> ranges(bins, {ranked.size(), 0});
  double before = 0;
  for (size_t first = 0, end = 0; first < ranked.size(); first = end) {
    double tied = 0;
    for (; end < ranked.size() && ranked[end].prediction == ranked[first].prediction; ++end) tied += ranked[end].weight;
    const int bin = std::clamp(static_cast<int>(bins * ((before + tied / 2) / total)), 0, bins - 1);
    ranges[bin] = {std::min(ranges[bin].first, first), end};
    before += tied;
  }
  std::vector<CalibrationBin> filled;
  for (const auto& [first, end] : ranges) {
    if (first >= end) continue;
    BinSums sums;
    for (size_t i = first; i < end; ++i) {
      const double weight = ranked[i].weight;
      ++sums.rows;
      sums.weight += weight;
      sums.squares += weight * weight;
      sums.prediction += weight * ranked[i].prediction;
      sums.label += weight * ranked[i].label;
    }
    for (size_t i = first; i < end; ++i) {
      const double deviation = ranked[i].label - sums.label / sums.weight;
      sums.label_squares += ranked[i].weight * deviation * deviation;
    }
    filled.push_back(Finish(sums, interval));
  }
  return filled;
}

}  // namespace manygate
