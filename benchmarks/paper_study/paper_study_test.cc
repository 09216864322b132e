// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "benchmarks/paper_study/findings.h"
#include "benchmarks/paper_study/results.h"
#include "benchmarks/paper_study/schedule.h"
#include "benchmarks/paper_study/signal.h"
#include "benchmarks/paper_study/statistics.h"
#include "benchmarks/paper_study/training.h"

namespace manygate::paper_study {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Signal, OfALineAndOfOneSine) {
  const Signal line = SignalOf({}, 0.1);
  EXPECT_NEAR(line.mean, 0, 1e-9);
  EXPECT_NEAR(line.variance, 1.01, 1e-9);
  EXPECT_NEAR(line.linear_share, 1 / 1.01, 1e-9);
  // y = z + sin(z): E[z sin z] = e^{-1/2}, E[sin^2 z] = (1 - e^{-2}) / 2.
  const Signal sine = SignalOf({.alpha = {1}, .beta = {0}}, 0);
  const double product = std::exp(-0.5), variance = 1 + 2 * product + (1 - std::exp(-2.0)) / 2;
  EXPECT_NEAR(sine.variance, variance, 1e-9);
  EXPECT_NEAR(sine.linear_share, (1 + product) * (1 + product) / variance, 1e-9);
  // z + 1 where the sine is constant.
  EXPECT_NEAR(SignalOf({.alpha = {0}, .beta = {std::acos(0.0)}}, 0).mean, 1, 1e-9);
}

TEST(Signal, ChoiceIsTheFirstThatPasses) {
  const SineChoice choice = FirstStrongSines(10);
  EXPECT_EQ(choice.seed, 1u);
  EXPECT_GE(choice.signal.variance, kMinVariance);
  EXPECT_LE(choice.signal.linear_share, kMaxLinearShare);
  EXPECT_EQ(choice.sines.alpha, DrawPaperSines(1, 10).alpha);
  const SineChoice rising = RisingSines(10);
  EXPECT_EQ(rising.sines.alpha[2], 3);
  EXPECT_EQ(rising.sines.beta[2], 4);
  EXPECT_NEAR(rising.signal.variance, 7.04, 0.05);  // measured from 200,000 rows of another implementation
  EXPECT_NEAR(rising.signal.linear_share, 0.42, 0.01);
}

TEST(Statistics, SummaryByHand) {
  const Summary summary = Summarise({4, 1, 3, 2, 10});
  EXPECT_DOUBLE_EQ(summary.mean, 4);
  EXPECT_DOUBLE_EQ(summary.sd, std::sqrt((0 + 9 + 1 + 4 + 36) / 4.0));
  EXPECT_DOUBLE_EQ(summary.min, 1);
  EXPECT_DOUBLE_EQ(summary.q05, 1.2);
  EXPECT_DOUBLE_EQ(summary.q25, 2);
  EXPECT_DOUBLE_EQ(summary.q50, 3);
  EXPECT_DOUBLE_EQ(summary.q95, 8.8);
  EXPECT_DOUBLE_EQ(summary.max, 10);
  EXPECT_DOUBLE_EQ(Summarise({7}).sd, 0);
}

TEST(Statistics, BootstrapOfAMean) {
  // 100 runs of 0 and 1, half each: the mean's deviation is 0.05, so the interval is about 0.5 +- 1.96 * 0.05.
  std::vector<double> values(100);
  for (size_t i = 0; i < 50; ++i) values[i] = 1;
  const Interval interval = Bootstrap(100, [&](std::span<const uint32_t> runs) { return Mean(values, runs); });
  EXPECT_NEAR(interval.low, 0.40, 0.015);
  EXPECT_NEAR(interval.high, 0.60, 0.015);
  // What never differs within a run has no spread, however much the runs do.
  std::vector<double> more = values;
  for (double& value : more) value += 0.25;
  const Interval paired =
      Bootstrap(100, [&](std::span<const uint32_t> runs) { return Mean(more, runs) - Mean(values, runs); });
  EXPECT_NEAR(paired.low, 0.25, 1e-12);
  EXPECT_NEAR(paired.high, 0.25, 1e-12);
  const Interval undefined = Bootstrap(3, [](std::span<const uint32_t>) { return std::nan(""); });
  EXPECT_EQ(undefined.high, kInfinity);
}

TEST(Findings, Rule) {
  EXPECT_EQ(Judge({0.1, 0.3}, {0, kInfinity}), Verdict::kHolds);
  EXPECT_EQ(Judge({-0.3, -0.1}, {0, kInfinity}), Verdict::kDoesNotHold);
  EXPECT_EQ(Judge({-0.1, 0.1}, {0, kInfinity}), Verdict::kNotDecided);
  EXPECT_EQ(Judge({0.8, 1.2}, {0.5, 2}), Verdict::kHolds);
  EXPECT_EQ(Judge({2.1, 3}, {0.5, 2}), Verdict::kDoesNotHold);
  EXPECT_STREQ(VerdictName(Verdict::kNotDecided), "not decided");
}

// Losses around `mean` with the deviation `sd`, the runs in the same order: paired differences of means have little
// spread.
std::vector<double> Around(double mean, double sd) {
  std::vector<double> losses;
  for (size_t run = 0; run < 40; ++run)
    losses.push_back(mean + sd * (static_cast<double>(run * 7 % 40) - 19.5) / std::sqrt(40 * 41 / 12.0));
  return losses;
}

// What the paper reports.
Losses PaperLosses() {
  const double means[3][3] = {{0.85, 0.5, 0.40}, {0.8, 0.45, 0.395}, {0.7, 0.38, 0.39}};
  const double deviations[3][3] = {{0.30, 0.10, 0.05}, {0.28, 0.06, 0.045}, {0.25, 0.045, 0.045}};
  Losses losses;
  for (size_t c = 0; c < 3; ++c)
    for (size_t m = 0; m < 3; ++m) losses[c][m] = Around(means[c][m], deviations[c][m]);
  return losses;
}

GateEntropies Entropies(double sparse) { return {Around(0.8, 0.05), Around(sparse, 0.05), Around(0.78, 0.04)}; }

TEST(Findings, OfThePaperAndOfItsOpposite) {
  const auto findings = JudgeFindings(PaperLosses(), Entropies(0.3));
  ASSERT_THAT(findings, SizeIs(5));
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(findings[i].number, static_cast<int>(i) + 1);
    for (const Part& part : findings[i].parts)
      EXPECT_EQ(part.verdict, Verdict::kHolds) << part.claim << " " << part.found.low << " " << part.found.high;
    EXPECT_EQ(findings[i].verdict, Verdict::kHolds);
  }
  EXPECT_NEAR(findings[0].parts[0].value, 0.05, 1e-9);
  EXPECT_THAT(findings[0].parts[0].claim, HasSubstr("Shared-Bottom: mean loss at 0.5 minus at 0.9"));
  // Finding 4: variances. (0.3 / 0.1)^2 = 9 and (0.3 / 0.05)^2 = 36.
  EXPECT_NEAR(findings[3].parts[0].value, 9, 1e-6);
  EXPECT_NEAR(findings[3].parts[1].value, 36, 1e-6);
  Losses worst = PaperLosses();
  for (auto& by_model : worst) std::swap(by_model[kSharedBottom], by_model[kMmoe]);
  const auto refuted = JudgeFindings(worst, Entropies(0.95));
  for (size_t i : {1, 2, 3, 4}) EXPECT_EQ(refuted[i].verdict, Verdict::kDoesNotHold) << i + 1;
  Losses same;
  for (auto& by_model : same)
    for (auto& losses : by_model) losses = Around(0.5, 0.1);
  const auto undecided = JudgeFindings(same, Entropies(0.8));
  EXPECT_EQ(undecided[0].verdict, Verdict::kNotDecided);
}

Length ShortLength(int64_t rows = 3000) {
  return {.train_rows = rows, .test_rows = 500, .curve_points = 10, .variance = FirstStrongSines(10).signal.variance};
}

TEST(Training, ANetworkDoesNotDependOnItsNeighbours) {
  const Rows rows{.correlation = 0.9, .seed = 5, .sines = FirstStrongSines(10)};
  const auto beside = TrainBeside(rows, ShortLength(), {{"shared_bottom", 1e-2}, {"omoe", 1e-2}, {"mmoe", 1e-2}});
  const auto alone = TrainBeside(rows, ShortLength(), {{"mmoe", 1e-2}});
  ASSERT_TRUE(beside.ok() && alone.ok());
  ASSERT_THAT(*beside, SizeIs(3));
  EXPECT_EQ((*beside)[2].loss, (*alone)[0].loss);
  EXPECT_EQ((*beside)[2].curve, (*alone)[0].curve);
  EXPECT_THAT((*beside)[2].curve, SizeIs(10));
  EXPECT_THAT((*beside)[0].gates, SizeIs(0));
  EXPECT_THAT((*beside)[1].gates, SizeIs(1));
  ASSERT_THAT((*beside)[2].gates, SizeIs(2));
  for (const GateUse& use : (*beside)[2].gates) {
    EXPECT_GT(use.entropy, 0.3);
    EXPECT_LE(use.entropy, 1);
    EXPECT_GE(use.top_expert_mean, 1.0 / kExperts);
  }
}

TEST(Training, LearnsAndRemovedLabelsMatterToTheirTask) {
  Rows rows{.correlation = 0.5, .seed = 6, .sines = FirstStrongSines(10)};
  const auto full = TrainBeside(rows, ShortLength(15000), {{"mmoe", 1e-2}});
  rows.removed_share = 0.9;
  const auto sparse = TrainBeside(rows, ShortLength(15000), {{"mmoe", 1e-2}});
  ASSERT_TRUE(full.ok() && sparse.ok());
  const std::array<double, 2> losses = (*full)[0].loss, sparse_losses = (*sparse)[0].loss;
  EXPECT_GT((*full)[0].curve.front(), 0.5);
  EXPECT_LT(losses[0], 0.35);
  EXPECT_LT(losses[1], 0.35);
  EXPECT_GT(sparse_losses[1], 1.5 * losses[1]);
  EXPECT_GT(losses[0], 0.01 / FirstStrongSines(10).signal.variance) << "below the noise floor";
}

TEST(Training, DivergenceIsAFailureThatNamesTheModel) {
  const Rows rows{.correlation = 0.5, .seed = 5, .sines = FirstStrongSines(10)};
  const auto result = TrainBeside(rows, ShortLength(), {{"omoe", 1e30}});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kFailed);
  EXPECT_THAT(result.status().message(), HasSubstr("training diverged"));
}

}  // namespace
}  // namespace manygate::paper_study
