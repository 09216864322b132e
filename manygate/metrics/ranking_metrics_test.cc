// SPDX-License-Identifier: Apache-2.0
// The metrics of order by hand: the interval of auc, grouped_auc, multiclass_auc, pr_auc, xauc.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "manygate/metrics/metric_testing.h"

namespace manygate {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::pair<double, double> AucInterval(const Rows& rows) {
  const auto auc = Auc();
  Add(auc.get(), rows);
  return auc->Interval();
}

TEST(AucIntervalTest, ByHand) {
  // Positives 0.8, 0.5, 0.4, negatives 0.6, 0.4. Of the negatives 0.8 beats both, 0.5 one, 0.4 half of one: shares 1,
  // 1/2, 1/4; of the positives 0.6 loses to one: 1/3, 0.4 to two and a half: 5/6. Area 7/12.
  const Rows rows{.predictions = {0.8f, 0.6f, 0.5f, 0.4f, 0.4f}, .labels = {1, 0, 1, 1, 0}};
  EXPECT_NEAR(ValueOf(Auc(), rows), 7.0 / 12, 1e-15);
  const double of_positives = (5.0 * 5 + 1 + 4 * 4) / 144 / 2;  // deviations 5/12, -1/12, -4/12 over m - 1
  const double of_negatives = (3.0 * 3 + 3 * 3) / 144 / 1;      // -3/12 and 3/12
  const double margin = 1.959963984540054 * std::sqrt(of_positives / 3 + of_negatives / 2);
  const auto [low, high] = AucInterval(rows);
  EXPECT_EQ(low, 0.0);  // 0.583 - 0.653
  EXPECT_EQ(high, 1.0);
  // A hundred times the rows: the same shares, and ends inside [0, 1].
  Rows many;
  for (int i = 0; i < 100; ++i) {
    many.predictions.insert(many.predictions.end(), rows.predictions.begin(), rows.predictions.end());
    many.labels.insert(many.labels.end(), rows.labels.begin(), rows.labels.end());
  }
  const double many_margin =
      1.959963984540054 * std::sqrt(of_positives * 2 * 100 / 299 / 300 + of_negatives * 100 / 199 / 200);
  EXPECT_GT(margin, many_margin);
  EXPECT_NEAR(AucInterval(many).first, 7.0 / 12 - many_margin, 1e-14);
  EXPECT_NEAR(AucInterval(many).second, 7.0 / 12 + many_margin, 1e-14);
}

TEST(AucIntervalTest, ScaleOfWeightsDoesNotMatter) {
  const Rows rows{.predictions = {0.9f, 0.6f, 0.5f, 0.55f, 0.1f, 0.2f}, .labels = {1, 0, 1, 1, 0, 0}};
  Rows weighted = rows;
  weighted.weights.assign(6, 0.25f);
  EXPECT_EQ(AucInterval(weighted), AucInterval(rows));
}

TEST(AucIntervalTest, EndsAndWhereThereIsNone) {
  const Rows perfect{.predictions = {0.9f, 0.8f, 0.1f, 0.2f}, .labels = {1, 1, 0, 0}};
  EXPECT_EQ(AucInterval(perfect), std::make_pair(1.0, 1.0));
  const Rows tied{.predictions = {0.5f, 0.5f, 0.5f, 0.5f}, .labels = {1, 1, 0, 0}};
  EXPECT_EQ(AucInterval(tied), std::make_pair(0.5, 0.5));
  const auto none = [](const Rows& rows) {
    const auto [low, high] = AucInterval(rows);
    return std::isnan(low) && std::isnan(high);
  };
  EXPECT_TRUE(none({.predictions = {0.9f, 0.1f, 0.2f}, .labels = {1, 0, 0}}));  // a single positive
  EXPECT_TRUE(none({.predictions = {0.9f, 0.1f}, .labels = {1, 1}}));           // one class
  EXPECT_TRUE(none({.predictions = {}, .labels = {}}));
  EXPECT_TRUE(none({.predictions = {0.9f, 0.8f, kNaN, 0.2f}, .labels = {1, 1, 0, 0}}));
  const auto histogram = Auc(5);
  Add(histogram.get(), perfect);
  EXPECT_TRUE(std::isnan(histogram->Interval().first));
  const auto error = MakeMeanSquaredError(config::MeanSquaredError());
  Add(error.get(), perfect);
  EXPECT_TRUE(std::isnan(error->Interval().second));
}

TEST(AucIntervalTest, CoversTheTruth) {
  // Scores of positives are normal around 1, of negatives around 0: the true area is Φ(1 / √2) = 0.76025.
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  int covered = 0;
  for (int trial = 0; trial < 400; ++trial) {
    Rows rows;
    for (int i = 0; i < 120; ++i) {
      rows.labels.push_back(i % 3 == 0);
      rows.predictions.push_back(normal(random) + rows.labels.back());
    }
    const auto [low, high] = AucInterval(rows);
    covered += low < 0.76025 && 0.76025 < high;
  }
  EXPECT_GE(covered, 366);  // 95 % of 400 less three deviations
  EXPECT_LE(covered, 393);
}

TEST(GroupedAucTest, ByHand) {
  // Group 7: 0.9 over 0.3 and 0.5: 1. Group -2: 0.4 ties one of two, loses to the other: 1/4, of 3 rows. Group 3: one
  // class.
  const Rows rows{.predictions = {0.9f, 0.4f, 0.3f, 0.4f, 0.99f, 0.5f, 0.6f, 0.98f},
                  .labels = {1, 1, 0, 0, 0, 0, 0, 0},
                  .groups = {7, -2, 7, -2, 3, 7, -2, 3}};
  EXPECT_NEAR(ValueOf(GroupedAucBy("user"), rows), (3 * 1.0 + 3 * 0.25) / 6, 1e-15);
  Rows weighted = rows;
  weighted.weights = {1, 2, 1, 1, 5, 1, 3, 5};
  // Group 7 weighs 3; group -2 weighs 6, of the pairs 2·1 are tied and 2·3 lost: 1/8.
  EXPECT_NEAR(ValueOf(GroupedAucBy("user"), weighted), (3 * 1.0 + 6 * 0.125) / 9, 1e-15);
  EXPECT_EQ(GroupedAucBy("user")->GroupColumn(), "user");
}

TEST(GroupedAucTest, OneGroupIsTheAuc) {
  const Rows rows{.predictions = {0.8f, 0.3f, 0.3f, 0.6f}, .labels = {1, 1, 0, 0}};
  EXPECT_EQ(ValueOf(GroupedAucBy("user"), rows), ValueOf(Auc(), rows));
}

TEST(GroupedAucTest, GroupsOfOneClassOnly) {
  const auto metric = GroupedAucBy("user");
  Add(metric.get(), {.predictions = {0.8f, 0.3f}, .labels = {1, 0}, .groups = {1, 2}});
  EXPECT_TRUE(std::isnan(metric->Value()));
  EXPECT_EQ(metric->Reason(), "one class in every group");
  Add(metric.get(), {.predictions = {0.5f}, .labels = {0}, .groups = {1}});
  EXPECT_EQ(metric->Value(), 1.0);  // the groups of both calls are the same
  EXPECT_EQ(metric->Reason(), "");
}

TEST(GroupedAucDeathTest, NeedsGroups) {
  const float number = 0;
  EXPECT_DEATH(GroupedAucBy("user")->Add({.predictions = &number, .labels = &number, .rows = 1}),
               "grouped_auc without the groups of user");
  EXPECT_DEATH(GroupedAucBy("")->Value(), "grouped_auc without a grouping_key");
  const auto user = GroupedAucBy("user"), item = GroupedAucBy("item");
  EXPECT_DEATH(user->Merge(*item), "merging grouped_auc by item into grouped_auc by user");
}

Rows ThreeClasses() {
  // Class 0 against the others: 0.7 and 0.2 over 0.1, 0.3, 0.2: 1 and (1 + 1/2) / 3. Class 1: 0.5 over 0.2, 0.6, 0.3,
  // 0.3. Class 2: 0.6 and 0.5 over 0.1, 0.2, 0.2: all.
  return {.predictions = {0.7f, 0.2f, 0.1f, 0.2f, 0.6f, 0.2f, 0.3f, 0.5f, 0.2f, 0.1f, 0.3f, 0.6f, 0.2f, 0.3f, 0.5f},
          .labels = {0, 0, 1, 2, 2},
          .width = 3};
}

TEST(MulticlassAucTest, ByHand) {
  const double of_class[] = {(3 + 1.5) / 6, 3.0 / 4, 1.0};
  EXPECT_NEAR(ValueOf(MulticlassAuc("macro"), ThreeClasses()), (of_class[0] + of_class[1] + of_class[2]) / 3, 1e-15);
  EXPECT_NEAR(ValueOf(MulticlassAuc("weighted"), ThreeClasses()), (2 * of_class[0] + of_class[1] + 2 * of_class[2]) / 5,
              1e-15);
}

TEST(MulticlassAucTest, ClassesThatDoNotOccur) {
  Rows rows = ThreeClasses();
  rows.weights = {1, 1, 0, 1, 1};  // class 1 is gone; class 0: 0.7 over 0.2, 0.1; 0.2 over 0.1, tied with 0.2
  EXPECT_NEAR(ValueOf(MulticlassAuc("macro"), rows), ((2 + 1.5) / 4 + 1.0) / 2, 1e-15);
  rows.weights = {1, 1, 0, 0, 0};
  const auto metric = MulticlassAuc("macro");
  Add(metric.get(), rows);
  EXPECT_TRUE(std::isnan(metric->Value()));
  EXPECT_EQ(metric->Reason(), "one class");
}

TEST(MulticlassAucDeathTest, IsForClasses) {
  const Rows one{.predictions = {0.5f}, .labels = {1}};
  EXPECT_DEATH(ValueOf(MulticlassAuc("macro"), one), "multiclass_auc of 1 predictions per row");
  EXPECT_DEATH(ValueOf(Auc(), ThreeClasses()), "auc of 3 predictions per row");
  EXPECT_DEATH(MulticlassAuc("mean"), "multiclass_auc with average mean");
  const auto macro = MulticlassAuc("macro"), weighted = MulticlassAuc("weighted");
  EXPECT_DEATH(macro->Merge(*weighted), "merging weighted multiclass_auc into macro multiclass_auc");
  Rows rows = ThreeClasses();
  rows.labels[1] = 3;
  EXPECT_DEATH(ValueOf(MulticlassAuc("macro"), rows), "label 3 of 3 classes");
}

TEST(PrAucTest, ByHand) {
  // 0.9 +: precision 1; 0.8 -; 0.7 + and -, tied: 2 of 4; 0.1 +: 3 of 5.
  const Rows rows{.predictions = {0.9f, 0.8f, 0.7f, 0.7f, 0.1f}, .labels = {1, 0, 1, 0, 1}};
  EXPECT_NEAR(ValueOf(MakePrAuc(config::PrAUC()), rows), (1.0 + 2.0 / 4 + 3.0 / 5) / 3, 1e-15);
  Rows weighted = rows;
  weighted.weights = {2, 1, 1, 3, 1};
  EXPECT_NEAR(ValueOf(MakePrAuc(config::PrAUC()), weighted), (2 * 1.0 + 3.0 / 7 + 4.0 / 8) / 4, 1e-15);
  EXPECT_EQ(ValueOf(MakePrAuc(config::PrAUC()), {.predictions = {0.5f, 0.1f}, .labels = {1, 1}}), 1.0);
}

TEST(XaucTest, ByHand) {
  // Of the five pairs of different labels four are right and one, 3 and 5, is tied.
  const Rows rows{.predictions = {2.0f, 1.0f, 2.5f, 2.5f}, .labels = {1, 1, 3, 5}};
  EXPECT_NEAR(ValueOf(MakeXauc(config::XAUC()), rows), 4.5 / 5, 1e-15);
  const Rows wrong{.predictions = {2.0f, 3.0f, 2.5f, -1.0f}, .labels = {1, 1, 3, 5}};
  EXPECT_NEAR(ValueOf(MakeXauc(config::XAUC()), wrong), 1.0 / 5, 1e-15);
  Rows weighted = rows;
  weighted.weights = {2, 1, 3, 0.5f};
  // 1 + 0.5 + half of 1.5 + 6 + 3 of 12.
  EXPECT_NEAR(ValueOf(MakeXauc(config::XAUC()), weighted), (1 + 0.5 + 0.75 + 6 + 3) / 12, 1e-15);
}

TEST(XaucTest, IsTheAucOfBinaryLabels) {
  const Rows rows{.predictions = {0.8f, 0.3f, 0.3f, 0.6f, -0.0f, 0.0f}, .labels = {1, 1, 0, 0, 1, 0}};
  EXPECT_NEAR(ValueOf(MakeXauc(config::XAUC()), rows), ValueOf(Auc(), rows), 1e-15);
}

TEST(XaucTest, ManyRowsAreFast) {
  constexpr int64_t kRows = 100000;
  std::mt19937 random(1);
  Rows rows;
  for (int64_t i = 0; i < kRows; ++i) {
    rows.predictions.push_back(static_cast<float>(i));
    rows.labels.push_back(static_cast<float>(i) + 1e-3f * static_cast<float>(random() % 100));
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ValueOf(MakeXauc(config::XAUC()), rows), 1.0);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 5.0);  // all pairs: 5e9
}

TEST(GroupedXaucTest, ByHand) {
  // User 0: labels 1, 2, 4 predicted 0.1, 0.3, 0.2: two of three pairs. User 1: 5 and 3 at the same prediction: half of one.
  // User 2: equal labels. Weighted by pairs: 2.5 of 4.
  const Rows rows{.predictions = {0.1f, 0.3f, 0.2f, 0.7f, 0.7f, 0.9f, 0.1f},
                  .labels = {1, 2, 4, 5, 3, 6, 6},
                  .groups = {0, 0, 0, 1, 1, 2, 2}};
  EXPECT_NEAR(ValueOf(GroupedXaucBy("user"), rows), 2.5 / 4, 1e-15);
  // A pair weighs the product of its rows' weights: (2·1 + 2·3 + 0) + 0.5 of 2 + 6 + 3 + 1.
  Rows weighted = rows;
  weighted.weights = {2, 1, 3, 1, 1, 1, 1};
  EXPECT_NEAR(ValueOf(GroupedXaucBy("user"), weighted), 8.5 / 12, 1e-15);
  const auto reason = [](const Rows& of) {
    const auto metric = GroupedXaucBy("user");
    Add(metric.get(), of);
    return metric->Reason();
  };
  EXPECT_EQ(reason({.predictions = {0.1f, 0.2f}, .labels = {3, 3}}), "labels all equal");
  EXPECT_EQ(reason({.predictions = {0.1f, 0.2f}, .labels = {3, 4}, .groups = {0, 1}}),
            "labels all equal in every group");
}

TEST(GroupedXaucDeathTest, GroupsAreNeeded) {
  EXPECT_DEATH(GroupedXaucBy(""), "grouped_xauc without a grouping_key");
  const auto user = GroupedXaucBy("user"), item = GroupedXaucBy("item");
  EXPECT_DEATH(user->Merge(*item), "merging grouped_xauc by item into grouped_xauc by user");
}

TEST(FlattenedAucTest, ByHand) {
  // Positives 0.75 and 1 - 0.25, negatives 0.25 and 0.25.
  EXPECT_EQ(ValueOf(MakeFlattenedAuc({}), {.predictions = {0.75f, 0.25f}, .labels = {1, 0}}), 1.0);
  // Positives 0.75 and 0.25, negatives 0.25 and 0.75: one pair right, one wrong, two tied.
  EXPECT_EQ(ValueOf(MakeFlattenedAuc({}), {.predictions = {0.75f, 0.75f}, .labels = {1, 0}}), 0.5);
  // Unlike auc it exists for one class.
  EXPECT_EQ(ValueOf(MakeFlattenedAuc({}), {.predictions = {0.75f}, .labels = {1}}), 1.0);
  // Classes: positives 0.5, 0.2; negatives 0.3, 0.2, 0.7, 0.1: of eight pairs 0.5 wins 3, 0.2 wins 1 and ties 1.
  EXPECT_NEAR(ValueOf(MakeFlattenedAuc({}),
                      {.predictions = {0.5f, 0.3f, 0.2f, 0.2f, 0.7f, 0.1f}, .labels = {0, 0}, .width = 3}),
              4.5 / 8, 1e-15);
}

TEST(RecallAtKTest, ByHand) {
  const Rows rows{.predictions = {0.5f, 0.3f, 0.2f, 0.2f, 0.2f, 0.6f}, .labels = {1, 1}, .width = 3};
  EXPECT_EQ(ValueOf(Recall(1), rows), 0.0);
  // The second row's 0.2 of class 0 goes before that of class 1.
  EXPECT_EQ(ValueOf(Recall(2), rows), 0.5);
  EXPECT_EQ(ValueOf(Recall(3), rows), 1.0);
  EXPECT_DEATH(Recall(1)->Merge(*Recall(2)), "recall_at_k of the top 2 into recall_at_k of the top 1");
}

TEST(MulticlassAucTest, OverThresholds) {
  const auto five = MulticlassAuc("macro", 5), six = MulticlassAuc("macro", 6);
  EXPECT_DEATH(five->Merge(*six), "macro multiclass_auc over 6 thresholds into macro multiclass_auc over 5 thresholds");
  // The mean of auc over as many thresholds of each class against the other.
  const Rows rows{.predictions = {0.9f, 0.1f, 0.6f, 0.4f, 0.8f, 0.2f, 0.3f, 0.7f}, .labels = {0, 0, 1, 1}, .width = 2};
  Rows one{.predictions = {0.9f, 0.6f, 0.8f, 0.3f}, .labels = {1, 1, 0, 0}};
  Rows two{.predictions = {0.1f, 0.4f, 0.2f, 0.7f}, .labels = {0, 0, 1, 1}};
  const double mean = (ValueOf(Auc(5), one) + ValueOf(Auc(5), two)) / 2;
  EXPECT_NEAR(ValueOf(MulticlassAuc("macro", 5), rows), mean, 1e-15);
  EXPECT_GT(mean, 0.1);
}

}  // namespace
}  // namespace manygate
