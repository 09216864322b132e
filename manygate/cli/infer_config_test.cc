// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/infer_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "manygate/base/file.h"
#include "manygate/config/feature_list.h"
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
  for (const auto& feature : pipeline.feature_configs()) {
    const std::string& its =
        feature.has_raw_feature() ? feature.raw_feature().feature_name() : feature.id_feature().feature_name();
    if (its == name) return &feature;
  }
  return nullptr;
}

std::string ColumnOf(const config::Pipeline& pipeline, const std::string& name) {
  for (const config::ListedFeature& feature : config::ListFeatures(pipeline))
    if (feature.name == name) return feature.column;
  return "";
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
  EXPECT_EQ(ColumnOf(pipeline, "code:x"), "code:x");
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
  EXPECT_TRUE(towers[2].losses(0).l2_loss().standardise());
  EXPECT_EQ(config::LossName(towers[3]), "binary_cross_entropy");
  const auto& label_configs = labels->loaded.pipeline.data_config().label_configs();
  ASSERT_EQ(label_configs.size(), 2);  // click holds 0 and 1 already
  EXPECT_EQ(label_configs[0].label_name(), "answer");
  EXPECT_THAT(label_configs[0].positive_values(), ElementsAre("yes"));
  EXPECT_THAT(label_configs[1].positive_values(),
              ElementsAre("6"));  // the greater of two numbers, though the more frequent
  EXPECT_THAT(labels->notes, Contains("label answer: binary, 1 where it is \"yes\""));
  EXPECT_THAT(labels->notes, Contains("label income: regression, standardised"));
}

TEST_F(InferPipelineTest, EveryKindOfLabel) {
  const auto made = Infer({"click", "hour:multiclass", "age:regression", "code:x:count", "amount:amount"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_TRUE(config::ValidatePipeline(made->loaded).ok()) << config::ValidatePipeline(made->loaded).message();
  std::vector<std::string> losses;
  const auto& towers = config::TaskTowers(made->loaded.pipeline.model_config());
  for (const auto& tower : towers) losses.push_back(config::LossName(tower));
  EXPECT_THAT(losses,
              ElementsAre("binary_cross_entropy", "softmax_cross_entropy", "l2_loss", "poisson_loss", "ziln_loss"));
  EXPECT_EQ(towers[1].num_class(), 3u);
  const auto& label_configs = made->loaded.pipeline.data_config().label_configs();
  ASSERT_EQ(label_configs.size(), 1);
  EXPECT_THAT(label_configs[0].class_values(), ElementsAre("0", "1", "2"));
  EXPECT_THAT(made->notes, Contains("label hour: multi-class, 3 classes: 0, 1, 2"));
  EXPECT_EQ(made->loaded.pipeline.train_config().grad_clipping().max_gradient(), 0.5f);
  EXPECT_FALSE(Infer({"click"})->loaded.pipeline.train_config().has_grad_clipping());
}

TEST_F(InferPipelineTest, EveryModelIsValid) {
  for (const std::string& model : config::ModelNames()) {
    SCOPED_TRACE(model);
    const auto made = Infer({"click", "answer", "income"}, model);
    ASSERT_TRUE(made.ok()) << made.status().message();
    EXPECT_EQ(config::ModelName(made->loaded.pipeline.model_config()), model);
    EXPECT_EQ(config::TaskTowers(made->loaded.pipeline.model_config()).size(), 3);
    const Status status = config::ValidatePipeline(made->loaded);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST_F(InferPipelineTest, ANumberEntersTwiceAndInLargeDataThreeTimes) {
  const auto made = Infer({"click"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  const config::Pipeline& pipeline = made->loaded.pipeline;
  const auto& pieces = Find(pipeline, "age_pieces")->raw_feature();
  EXPECT_EQ(ColumnOf(pipeline, "age_pieces"), "age");
  EXPECT_EQ(pieces.transform().piecewise_linear(), 48u);
  EXPECT_EQ(pieces.init_fn(), "nn.init.normal_,mean=0.0,std=0.05");
  EXPECT_EQ(Find(pipeline, "age_bins"), nullptr);
  ASSERT_EQ(pipeline.model_config().feature_groups_size(), 1);
  EXPECT_EQ(pipeline.model_config().feature_groups(0).group_type(), config::WIDE);
}

TEST_F(InferPipelineTest, TheModelOfAConfigurationIsReplaced) {
  const auto made = Infer({"click", "answer"});
  ASSERT_TRUE(made.ok());
  const auto replaced = ReplaceModel(made->loaded, "ple", {"model_config.ple.extraction_networks[0].share_num=3"});
  ASSERT_TRUE(replaced.ok()) << replaced.status().message();
  const config::ModelConfig& model = replaced->pipeline.model_config();
  EXPECT_EQ(config::ModelName(model), "ple");
  EXPECT_EQ(model.ple().extraction_networks(0).share_num(), 3u);
  EXPECT_EQ(model.feature_groups_size(), 1);
  EXPECT_EQ(config::TowerName(config::TaskTowers(model)[1]), "answer");
  EXPECT_TRUE(config::ValidatePipeline(*replaced).ok());
  EXPECT_THAT(ReplaceModel(made->loaded, "plr", {}).status().message(),
              HasSubstr("--model plr: no such model. Did you mean \"ple\"?"));
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
  EXPECT_EQ(made->loaded.pipeline.train_config().num_epochs(), 40u);
  EXPECT_EQ(made->loaded.pipeline.data_config().batch_size(), 32u);
  EXPECT_EQ(made->loaded.pipeline.train_config().early_stopping().metric(), "mean_log_loss");
}

TEST_F(InferPipelineTest, WrongLabelsAndModels) {
  EXPECT_THAT(Error({"clik"}),
              HasSubstr("--label clik: \"clik\" is not a column of the data. Did you mean \"click\"?"));
  EXPECT_THAT(Error({"click", "click:binary"}), HasSubstr("--label click: given twice"));
  EXPECT_THAT(Error({"click:binray"}), HasSubstr("\"binray\" is no kind of label. Did you mean \"binary\"?"));
  EXPECT_THAT(Error({"city:count"}), HasSubstr("the column holds texts (\"Rome\", \"Oslo\"), count needs numbers"));
  EXPECT_THAT(Error({"hour:binary"}),
              HasSubstr("label \"hour\" has 3 values (\"0\", \"1\", \"2\"); a binary task needs two"));
  EXPECT_THAT(Error({"city:regression"}), HasSubstr("the column holds texts (\"Rome\", \"Oslo\")"));
  EXPECT_THAT(Error({"constant"}), HasSubstr("label \"constant\" is \"7\" in all rows"));
  EXPECT_THAT(Error({"click"}, "mmeo"), HasSubstr("--model mmeo: no such model. Did you mean \"mmoe\"?"));
}

TEST_F(InferPipelineTest, TextsAreClassesUpToTwenty) {
  const std::string path = testing::TempDir() + "/infer_config_texts.csv";
  ASSERT_TRUE(WriteFileAtomic(path, "kind,x\nb,1.5\na,2.5\nc,3\na,4\n").ok());
  const auto few = InferPipeline({.paths = path, .labels = {"kind"}}, pool_);
  ASSERT_TRUE(few.ok()) << few.status().message();
  EXPECT_THAT(few->loaded.pipeline.data_config().label_configs(0).class_values(), ElementsAre("a", "b", "c"));
  std::string text = "kind,x\n";
  for (int i = 0; i < 21; ++i) text += fmt::format("k{},{}\n", i, i * 0.5);
  ASSERT_TRUE(WriteFileAtomic(path, text).ok());
  const auto many = InferPipeline({.paths = path, .labels = {"kind"}}, pool_);
  ASSERT_FALSE(many.ok());
  EXPECT_THAT(many.status().message(), HasSubstr("label \"kind\" has 21 different texts"));
  EXPECT_THAT(many.status().message(), HasSubstr("--label kind:multiclass"));
}

TEST_F(InferPipelineTest, AmountsStartAtZero) {
  const std::string path = testing::TempDir() + "/infer_config_amounts.csv";
  ASSERT_TRUE(WriteFileAtomic(path, "gain,x\n-1.5,1.5\n2,2.5\n3,3\n0,4\n").ok());
  const auto result = InferPipeline({.paths = path, .labels = {"gain:amount"}}, pool_);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.status().message(), HasSubstr("--label gain:amount: the column's smallest value is -1.5"));
  EXPECT_THAT(result.status().message(), HasSubstr("Use --label gain:regression"));
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
