// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/infer_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "manygate/base/file.h"
#include "manygate/config/accessors.h"
#include "manygate/config/validate.h"

namespace manygate::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

using Values = std::vector<std::pair<std::string, int64_t>>;

TEST(ChoosePositiveTest, WordsBeforeCounts) {
  EXPECT_EQ(ChoosePositive(Values{{"no", 3}, {"yes", 90}}), "yes");
  EXPECT_EQ(ChoosePositive(Values{{"TRUE", 90}, {"FALSE", 3}}), "TRUE");
  EXPECT_EQ(ChoosePositive(Values{{"no", 3}, {"perhaps", 90}}), "perhaps");
  EXPECT_EQ(ChoosePositive(Values{{"<=50K", 3}, {">50K", 90}}), ">50K");
  EXPECT_EQ(ChoosePositive(Values{{"50000+.", 90}, {"- 50000.", 3}}), "50000+.");
  EXPECT_EQ(ChoosePositive(Values{{"male", 90}, {"female", 3}}), "female");
}

Column Category(std::vector<std::string> dictionary, const std::vector<uint8_t>& codes) {
  Column column;
  column.codes = codes.data();
  column.dictionary = std::move(dictionary);
  return column;
}

TEST(GivesAwayTest, OnlyWhenEveryFilledRowIsPositive) {
  // 60 rows: the label is 1 in the first 25; the amount is there in the first 20.
  std::vector<uint8_t> label_codes(60, 1), amount_codes(60, 0);
  for (int i = 0; i < 25; ++i) label_codes[i] = 2;
  for (int i = 0; i < 20; ++i) amount_codes[i] = 1;
  const Column label = Category({"", "0", "1"}, label_codes);
  const Column amount = Category({"", "9.5"}, amount_codes);
  const std::vector<bool> positive = {false, false, true};
  EXPECT_TRUE(GivesAway(amount, label, positive, 60));
  std::vector<uint8_t> zero_codes(60, 1);  // zeros are as good as missing
  std::fill_n(zero_codes.begin(), 20, uint8_t{2});
  EXPECT_TRUE(GivesAway(Category({"", "0.0", "9.5"}, zero_codes), label, positive, 60));
  amount_codes[40] = 1;  // one row with an amount and without the outcome
  EXPECT_FALSE(GivesAway(amount, label, positive, 60));
  amount_codes[40] = 0;
  amount_codes[0] = 0;  // 19 rows are too few to say so
  EXPECT_FALSE(GivesAway(amount, label, positive, 60));
}

TEST(GivesAwayTest, NotWhenMostRowsArePositive) {
  const std::vector<uint8_t> label_codes(60, 2);
  std::vector<uint8_t> filled(60, 0);
  for (int i = 0; i < 30; ++i) filled[i] = 1;
  EXPECT_FALSE(GivesAway(Category({"", "x"}, filled), Category({"", "0", "1"}, label_codes), {false, false, true}, 60));
}

// 400 rows of every kind of column.
class InferPipelineTest : public testing::Test {
 protected:
  InferPipelineTest() : path_(testing::TempDir() + "/infer_config_test.csv") {
    std::string text = "row,city,income,age,constant,hour,code:x,click,answer,amount,spend\n";
    for (int i = 0; i < 400; ++i) {
      const bool click = i % 4 == 0;
      text += fmt::format("{},{},{},{},7,{},{},{},{},{},{}\n", 1000 + i, i % 2 == 0 ? "Rome" : "Oslo", 100 * i + 0.5,
                          i % 5 == 0 ? "NA" : fmt::format("{}", 20.5 + i % 40), i % 3, i % 7, click ? 1 : 0,
                          i % 3 == 0 ? "yes" : "no", click ? fmt::format("{}.25", i) : "", i % 10 == 0 ? 2 : 6);
    }
    EXPECT_TRUE(WriteFileAtomic(path_, text).ok());
  }

  StatusOr<InferredPipeline> Infer(std::vector<std::string> labels, std::string model = "mmoe",
                                   std::vector<std::string> overrides = {}) {
    return InferPipeline(
        {.paths = path_, .labels = std::move(labels), .model = std::move(model), .overrides = std::move(overrides)},
        pool_);
  }
  std::string Error(std::vector<std::string> labels, std::string model = "mmoe") {
    const auto result = Infer(std::move(labels), std::move(model));
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput);
    return result.status().message();
  }

  std::string path_;
  ThreadPool pool_{1};
};

const config::FeatureConfig* Find(const config::Pipeline& pipeline, const std::string& name) {
  for (const auto& feature : pipeline.feature_configs())
    if (config::FeatureName(feature) == name) return &feature;
  return nullptr;
}

TEST_F(InferPipelineTest, EveryColumnFindsItsPlace) {
  const auto made = Infer({"click"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  const config::Pipeline& pipeline = made->loaded.pipeline;
  EXPECT_TRUE(config::ValidatePipeline(made->loaded).ok()) << config::ValidatePipeline(made->loaded).message();
  EXPECT_EQ(pipeline.train_input_path(), path_);
  EXPECT_TRUE(pipeline.data_config().with_header());
  EXPECT_EQ(Find(pipeline, "city")->id_feature().embedding_dim(), 8u);
  EXPECT_TRUE(Find(pipeline, "hour")->has_id_feature());  // 3 whole numbers, 400 rows
  const auto& income = Find(pipeline, "income")->raw_feature().transform();
  EXPECT_TRUE(income.standardise() && income.log1p());
  EXPECT_FALSE(income.missing_indicator());
  const auto& age = Find(pipeline, "age")->raw_feature().transform();
  EXPECT_TRUE(age.standardise() && age.missing_indicator());
  EXPECT_FALSE(age.log1p());
  EXPECT_EQ(config::FeatureColumn(*Find(pipeline, "code:x")), "code:x");
  for (const char* left_out : {"row", "constant", "amount", "click"})
    EXPECT_EQ(Find(pipeline, left_out), nullptr) << left_out;
  EXPECT_THAT(made->notes, Contains(HasSubstr("row left out: ")));
  EXPECT_THAT(made->notes, Contains("constant left out: the same value in every row"));
  EXPECT_THAT(made->notes,
              Contains("amount left out: where it is filled in, click is always 1: it would give the label away"));
  EXPECT_THAT(made->notes, Contains("label click: binary"));
}

TEST_F(InferPipelineTest, Labels) {
  const auto labels = Infer({"click:binary", "answer", "income", "spend"});
  ASSERT_TRUE(labels.ok()) << labels.status().message();
  const auto& towers = config::TaskTowers(labels->loaded.pipeline.model_config());
  ASSERT_EQ(towers.size(), 4);
  EXPECT_EQ(towers[0].tower_name(), "click");
  EXPECT_EQ(config::LossName(towers[1]), "binary_cross_entropy");
  EXPECT_EQ(config::LossName(towers[2]), "l2_loss");
  // 100 i + 0.5 for i = 0 .. 399: variance 100^2 (400^2 - 1) / 12.
  EXPECT_FLOAT_EQ(towers[2].weight(), 12.f / (10000.f * 159999.f));
  EXPECT_EQ(config::LossName(towers[3]), "binary_cross_entropy");
  const auto& label_configs = labels->loaded.pipeline.data_config().label_configs();
  ASSERT_EQ(label_configs.size(), 2);  // click holds 0 and 1 already
  EXPECT_EQ(label_configs[0].label_name(), "answer");
  EXPECT_THAT(label_configs[0].positive_values(), ElementsAre("yes"));
  EXPECT_THAT(label_configs[1].positive_values(),
              ElementsAre("6"));  // the greater of two numbers, though the more frequent
  EXPECT_THAT(labels->notes, Contains("label answer: binary, 1 where it is \"yes\""));
  EXPECT_THAT(labels->notes, Contains("label income: regression, its loss divided by the label's variance"));
}

TEST_F(InferPipelineTest, EveryModelIsValid) {
  for (const char* model : {"simple_multi_task", "shared_bottom", "omoe", "mmoe"}) {
    const auto made = Infer({"click", "income"}, model);
    ASSERT_TRUE(made.ok()) << made.status().message();
    EXPECT_EQ(config::ModelName(made->loaded.pipeline.model_config()), model);
    EXPECT_EQ(config::TaskTowers(made->loaded.pipeline.model_config()).size(), 2);
    EXPECT_TRUE(config::ValidatePipeline(made->loaded).ok());
  }
}

TEST_F(InferPipelineTest, OverridesApplyAndKeepTheirPlaces) {
  const auto made = Infer({"click"}, "mmoe", {"model_config.mmoe.num_expert=3", "data_config.batch_size=0"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ(made->loaded.pipeline.model_config().mmoe().num_expert(), 3u);
  const Status status = config::ValidatePipeline(made->loaded);
  EXPECT_THAT(status.message(), testing::StartsWith("--set data_config.batch_size=0: "));
}

TEST_F(InferPipelineTest, SmallDataAreGoneThroughMoreOften) {
  const auto made = Infer({"click"});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->loaded.pipeline.train_config().num_epochs(), 30u);
  EXPECT_EQ(made->loaded.pipeline.train_config().early_stopping().metric(), "mean_auc");
}

TEST_F(InferPipelineTest, WrongLabelsAndModels) {
  EXPECT_THAT(Error({"clik"}),
              HasSubstr("--label clik: \"clik\" is not a column of the data. Did you mean \"click\"?"));
  EXPECT_THAT(Error({"click", "click:binary"}), HasSubstr("--label click: given twice"));
  EXPECT_THAT(Error({"click:binray"}), HasSubstr("\"binray\" is no kind of label. Did you mean \"binary\"?"));
  EXPECT_THAT(Error({"click:multiclass"}), HasSubstr("multiclass tasks are not supported yet"));
  EXPECT_THAT(Error({"hour:count"}), HasSubstr("Use --label hour:regression"));
  EXPECT_THAT(Error({"hour:binary"}),
              HasSubstr("label \"hour\" has 3 values (\"0\", \"1\", \"2\"); a binary task needs two"));
  EXPECT_THAT(Error({"city:regression"}), HasSubstr("the column holds texts (\"Rome\", \"Oslo\")"));
  EXPECT_THAT(Error({"constant"}), HasSubstr("label \"constant\" is \"7\" in all rows"));
  EXPECT_THAT(Error({"click"}, "mmeo"), HasSubstr("--model mmeo: no such model. Did you mean \"mmoe\"?"));
}

TEST_F(InferPipelineTest, ManyTextsAreNoLabelYet) {
  const std::string path = testing::TempDir() + "/infer_config_texts.csv";
  ASSERT_TRUE(WriteFileAtomic(path, "kind,x\na,1.5\nb,2.5\nc,3\na,4\n").ok());
  const auto result = InferPipeline({.paths = path, .labels = {"kind"}}, pool_);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.status().message(), HasSubstr("label \"kind\" has 3 different texts (\"a\", \"b\", \"c\")"));
  EXPECT_THAT(result.status().message(), HasSubstr("positive_values"));
}

TEST_F(InferPipelineTest, ALineOfNamesIsFoundByTheLabel) {
  const std::string path = testing::TempDir() + "/infer_config_names.csv";
  ASSERT_TRUE(WriteFileAtomic(path, "a,b,b\n1,2,3\n").ok());  // a name twice looks like a row of values
  const auto result = InferPipeline({.paths = path, .labels = {"a"}}, pool_);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.status().message(), HasSubstr("infer_config_names.csv:1:"));
  EXPECT_THAT(result.status().message(), HasSubstr("\"b\""));
}

}  // namespace
}  // namespace manygate::cli
