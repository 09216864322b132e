// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/data/infer.h"
#include "manygate/data/paper_rows.h"
#include "manygate/data/reader.h"
#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

Table ReadNumbers(const std::string& path, const std::vector<std::string>& columns) {
  SourceOptions options;
  options.with_header = true;
  std::vector<ColumnRequest> requests;
  for (const std::string& column : columns) requests.push_back({column, ColumnKind::kNumber});
  ThreadPool pool(2);
  StatusOr<Table> table = ReadFiles({&path, 1}, options, requests, pool);
  EXPECT_TRUE(table.ok()) << table.status().message();
  return table.ok() ? *std::move(table) : Table();
}

TEST(GenerateFunnel, IsAFunnelAndTheSummaryIsTrue) {
  const TestFolder folder;
  const std::string path = folder.Path("funnel.csv.gz");
  const StatusOr<FunnelSummary> summary = GenerateFunnel({.rows = 50000, .seed = 7}, path);
  ASSERT_TRUE(summary.ok()) << summary.status().message();
  const Table table = ReadNumbers(path, {"click", "purchase", "amount", "age", "days_since_visit", "hour", "price"});
  ASSERT_EQ(table.rows, 50000);
  int64_t clicks = 0, purchases = 0, missing_age = 0, missing_visit = 0;
  double amount_sum = 0;
  for (int64_t row = 0; row < table.rows; ++row) {
    const float click = table.columns[0].numbers[row], purchase = table.columns[1].numbers[row];
    const float amount = table.columns[2].numbers[row], age = table.columns[3].numbers[row];
    ASSERT_TRUE(click == 0 || click == 1);
    ASSERT_LE(purchase, click) << "no purchase without a click";
    ASSERT_EQ(std::isnan(amount), purchase == 0) << "an amount exactly where something was bought";
    clicks += click == 1;
    purchases += purchase == 1;
    if (purchase == 1) {
      ASSERT_GT(amount, 0);
      amount_sum += amount;
    }
    missing_age += std::isnan(age);
    ASSERT_TRUE(std::isnan(age) || (age >= 16 && age <= 74)) << age;
    missing_visit += std::isnan(table.columns[4].numbers[row]);
    ASSERT_THAT(table.columns[5].numbers[row], AllOf(Ge(0), Le(23)));
    ASSERT_GT(table.columns[6].numbers[row], 0);
  }
  EXPECT_EQ(summary->rows, 50000);
  EXPECT_EQ(summary->clicks, clicks);
  EXPECT_EQ(summary->purchases, purchases);
  EXPECT_NEAR(summary->amount_sum, amount_sum, 1e-3 * amount_sum);
  EXPECT_NEAR(static_cast<double>(clicks) / 50000, 0.08, 0.03);
  EXPECT_NEAR(static_cast<double>(purchases) / static_cast<double>(clicks), 0.15, 0.06);
  EXPECT_NEAR(static_cast<double>(missing_age) / 50000, 0.08, 0.01);
  EXPECT_NEAR(static_cast<double>(missing_visit) / 50000, 0.15, 0.01);
  EXPECT_THAT(summary->best_click_auc, AllOf(Ge(0.76), Le(0.84)));
  EXPECT_THAT(summary->best_purchase_auc, AllOf(Ge(0.68), Le(0.83)));
}

TEST(GenerateFunnel, VisibleColumnsTellWhoClicks) {
  const TestFolder folder;
  const std::string path = folder.Path("funnel.csv");
  ASSERT_TRUE(GenerateFunnel({.rows = 50000, .seed = 3}, path).ok());
  const Table table = ReadNumbers(path, {"click", "past_clicks"});
  double clicks[2] = {0, 0}, rows[2] = {0, 0};
  for (int64_t row = 0; row < table.rows; ++row) {
    const int often = table.columns[1].numbers[row] >= 5;
    rows[often] += 1;
    clicks[often] += table.columns[0].numbers[row];
  }
  EXPECT_GT(clicks[1] / rows[1], 1.4 * clicks[0] / rows[0]);
}

TEST(GenerateFunnel, ColumnsAreUnderstoodWithoutAConfiguration) {
  const TestFolder folder;
  const std::string path = folder.Path("funnel.csv");
  ASSERT_TRUE(GenerateFunnel({.rows = 20000, .seed = 1}, path).ok());
  ThreadPool pool(2);
  const StatusOr<SourceOptions> options = DetectDialect(path, SourceOptions());
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->with_header);
  const StatusOr<InferredSchema> schema = InferColumns({&path, 1}, *options, pool);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  std::string kinds;
  for (const InferredColumn& column : schema->columns)
    kinds += std::string(FeatureSuggestionName(column.suggestion)) + " ";
  EXPECT_EQ(kinds, "id id id id id id number number number number number number number number number ");
  // The most frequent user is far more frequent than one of them all, but most users occur more than once.
  EXPECT_THAT(schema->columns[0].distinct, AllOf(Ge(700), Le(1000)));
}

TEST(GenerateFunnel, DependsOnRowsAndSeedOnly) {
  const TestFolder folder;
  for (const auto& [name, seed] : {std::pair{"a", 5}, {"b", 5}, {"c", 6}}) {
    ASSERT_TRUE(GenerateFunnel({.rows = 2000, .seed = static_cast<uint64_t>(seed)}, folder.Path(name)).ok());
  }
  EXPECT_EQ(FileContent(folder.Path("a")), FileContent(folder.Path("b")));
  EXPECT_NE(FileContent(folder.Path("a")), FileContent(folder.Path("c")));
}

TEST(Generate, BadOptions) {
  const TestFolder folder;
  EXPECT_EQ(GenerateFunnel({.rows = 0, .seed = 1}, folder.Path("x")).status().message(),
            "rows: found 0, expected at least 1");
  const StatusOr<PaperSummary> paper =
      GeneratePaper({.rows = 10, .correlation = 1.5, .dimension = 1, .noise_deviation = -1}, folder.Path("x"));
  EXPECT_EQ(paper.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(paper.status().message(),
            "correlation: found 1.5, expected -1 .. 1\ndimension: found 1, expected at least 2\n"
            "noise_deviation: found -1, expected at least 0");
  EXPECT_FALSE(std::filesystem::exists(folder.Path("x")));
  EXPECT_THAT(GenerateFunnel({.rows = 5, .seed = 1}, folder.Path("no/x")).status().message(), HasSubstr("no/x"));
}

std::vector<std::string> PaperColumns(int dimension) {
  std::vector<std::string> columns = {"y_1", "y_2"};
  for (int i = 0; i < dimension; ++i) columns.push_back("x_" + std::to_string(i));
  return columns;
}

// Least squares of y on x by normal equations, solved by Gauss; the result is w when y is linear.
std::vector<double> FitLinear(const Table& table, size_t label, size_t dimension) {
  std::vector<std::vector<double>> a(dimension, std::vector<double>(dimension + 1, 0.0));
  for (int64_t row = 0; row < table.rows; ++row) {
    for (size_t i = 0; i < dimension; ++i) {
      const double x = table.columns[2 + i].numbers[row];
      for (size_t j = 0; j < dimension; ++j) a[i][j] += x * table.columns[2 + j].numbers[row];
      a[i][dimension] += x * table.columns[label].numbers[row];
    }
  }
  for (size_t i = 0; i < dimension; ++i) {
    for (size_t k = 0; k < dimension; ++k) {
      if (k == i) continue;
      const double factor = a[k][i] / a[i][i];
      for (size_t j = i; j <= dimension; ++j) a[k][j] -= factor * a[i][j];
    }
  }
  std::vector<double> w(dimension);
  for (size_t i = 0; i < dimension; ++i) w[i] = a[i][dimension] / a[i][i];
  return w;
}

TEST(GeneratePaper, WeightsHaveTheChosenLengthAndCosine) {
  const TestFolder folder;
  const std::string path = folder.Path("paper.csv");
  // Without sines and noise the labels are w.x, so the weights can be read off the data.
  const StatusOr<PaperSummary> summary = GeneratePaper(
      {.rows = 500, .seed = 2, .correlation = 0.6, .dimension = 7, .scale = 2.0, .num_sines = 0, .noise_deviation = 0},
      path);
  ASSERT_TRUE(summary.ok()) << summary.status().message();
  EXPECT_EQ(summary->noise_variance, 0);
  const Table table = ReadNumbers(path, PaperColumns(7));
  ASSERT_EQ(table.rows, 500);
  const std::vector<double> w1 = FitLinear(table, 0, 7), w2 = FitLinear(table, 1, 7);
  double length1 = 0, length2 = 0, product = 0;
  for (size_t i = 0; i < 7; ++i) length1 += w1[i] * w1[i], length2 += w2[i] * w2[i], product += w1[i] * w2[i];
  EXPECT_NEAR(std::sqrt(length1), 2.0, 1e-5);
  EXPECT_NEAR(std::sqrt(length2), 2.0, 1e-5);
  EXPECT_NEAR(product / std::sqrt(length1 * length2), 0.6, 1e-5);
}

TEST(GeneratePaper, LabelsAreTheFormula) {
  const TestFolder folder;
  const std::string linear_path = folder.Path("linear.csv"), path = folder.Path("sines.csv");
  PaperOptions options{
      .rows = 200, .seed = 4, .correlation = 0.3, .dimension = 5, .num_sines = 0, .noise_deviation = 0};
  ASSERT_TRUE(GeneratePaper(options, linear_path).ok());
  options.num_sines = 3;
  const StatusOr<PaperSummary> summary = GeneratePaper(options, path);
  ASSERT_TRUE(summary.ok());
  ASSERT_EQ(summary->alpha.size(), 3u);
  ASSERT_EQ(summary->beta.size(), 3u);
  const Table linear = ReadNumbers(linear_path, PaperColumns(5)), full = ReadNumbers(path, PaperColumns(5));
  double sum = 0;
  for (int64_t row = 0; row < 200; ++row) {
    ASSERT_EQ(linear.columns[2].numbers[row], full.columns[2].numbers[row]) << "the inputs do not depend on the sines";
    for (size_t k = 0; k < 2; ++k) {
      const double projection = linear.columns[k].numbers[row];
      double expected = projection;
      for (size_t i = 0; i < 3; ++i) expected += std::sin(summary->alpha[i] * projection + summary->beta[i]);
      ASSERT_NEAR(full.columns[k].numbers[row], expected, 2e-5);
    }
    sum += full.columns[0].numbers[row];
  }
  EXPECT_NEAR(summary->mean[0], sum / 200, 1e-5);
}

TEST(GeneratePaper, NoiseAndCorrelation) {
  const TestFolder folder;
  // p = 1: the same function twice, so the labels differ by the two noises only, of variance 2 * 0.1^2.
  const StatusOr<PaperSummary> same =
      GeneratePaper({.rows = 20000, .correlation = 1, .dimension = 10}, folder.Path("same.csv"));
  ASSERT_TRUE(same.ok());
  EXPECT_NEAR(same->noise_variance, 0.01, 1e-12);
  const Table table = ReadNumbers(folder.Path("same.csv"), {"y_1", "y_2"});
  double squares = 0;
  for (int64_t row = 0; row < table.rows; ++row) {
    squares += std::pow(table.columns[0].numbers[row] - table.columns[1].numbers[row], 2);
  }
  EXPECT_NEAR(squares / static_cast<double>(table.rows), 0.02, 0.001);
  EXPECT_GT(same->label_correlation, 0.9);
  // The labels' correlation grows with p and lies below it (figure 2 of the paper).
  double before = -0.05;
  for (const double p : {0.1, 0.5, 0.9}) {
    const StatusOr<PaperSummary> summary =
        GeneratePaper({.rows = 20000, .correlation = p, .dimension = 10}, folder.Path("p.csv"));
    ASSERT_TRUE(summary.ok());
    EXPECT_GT(summary->label_correlation, before);
    EXPECT_LT(summary->label_correlation, p + 0.02);
    before = summary->label_correlation;
  }
}

TEST(PaperRows, AreTheRowsOfTheFile) {
  const TestFolder folder;
  const PaperOptions options{.rows = 50, .seed = 4, .correlation = 0.3, .dimension = 5};
  ASSERT_TRUE(GeneratePaper(options, folder.Path("file.csv")).ok());
  const Table table = ReadNumbers(folder.Path("file.csv"), PaperColumns(5));
  const StatusOr<PaperRows> rows = PaperRows::Create(options);
  ASSERT_TRUE(rows.ok());
  std::vector<float> x(5);
  for (const uint64_t row : {49u, 0u, 7u}) {
    const std::array<double, 2> y = rows->Row(row, x.data());
    for (size_t k = 0; k < 2; ++k) EXPECT_EQ(static_cast<float>(y[k]), table.columns[k].numbers[row]);
    for (size_t i = 0; i < 5; ++i) EXPECT_EQ(x[i], table.columns[2 + i].numbers[row]);
  }
}

TEST(PaperRows, GivenSinesReplaceTheDrawnOnes) {
  const auto rows = PaperRows::Create(
      {.seed = 4, .correlation = 1, .dimension = 2, .noise_deviation = 0, .alpha = {0.0}, .beta = {std::acos(0.0)}});
  const auto line =
      PaperRows::Create({.seed = 4, .correlation = 1, .dimension = 2, .num_sines = 0, .noise_deviation = 0});
  ASSERT_TRUE(rows.ok() && line.ok());
  std::vector<float> x(2);
  const double z = line->Row(3, x.data())[0];
  EXPECT_NEAR(rows->Row(3, x.data())[0], z + 1, 1e-12) << "sin(0 z + pi / 2) = 1";
  EXPECT_NEAR(rows->sines()(0.25, 0.5), 1.75, 1e-12);
  EXPECT_EQ(PaperRows::Create({.alpha = {1.0}, .beta = {}}).status().message(),
            "number of beta: found 0, expected as many as alpha");
}

}  // namespace
}  // namespace manygate
