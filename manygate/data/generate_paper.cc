// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/data/csv_writer.h"
#include "manygate/data/generate.h"
#include "manygate/data/paper_rows.h"

namespace manygate {
namespace {

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
  MG_ASSIGN_OR_RETURN(const PaperRows rows, PaperRows::Create(options));
  PaperSummary summary;
  summary.rows = options.rows;
  summary.noise_variance = options.noise_deviation * options.noise_deviation;
  summary.alpha = rows.sines().alpha;
  summary.beta = rows.sines().beta;
  const auto dimension = static_cast<size_t>(options.dimension);
  std::vector<std::string> columns;
  for (size_t i = 0; i < dimension; ++i) columns.push_back(fmt::format("x_{}", i));
  columns.insert(columns.end(), {"y_1", "y_2"});
  CsvWriter out;
  MG_RETURN_IF_ERROR(out.Open(path, columns));
  Moments moments;
  std::vector<float> x(dimension);
  for (uint64_t row = 0; row < static_cast<uint64_t>(options.rows); ++row) {
    const std::array<double, 2> y = rows.Row(row, x.data());
    for (const float number : x) out.Number(number);
    for (const double label : y) out.Number(static_cast<float>(label));
    moments.Add(y);
    MG_RETURN_IF_ERROR(out.EndRow());
  }
  MG_RETURN_IF_ERROR(out.Close());
  moments.Finish(&summary);
  return summary;
}

}  // namespace manygate
