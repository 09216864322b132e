// SPDX-License-Identifier: Apache-2.0
// manygate compare as a user runs it, in-process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "manygate/base/file.h"
#include "manygate/cli/cli.h"
#include "manygate/cli/command_testing.h"

namespace manygate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CompareVerbTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/manygate_compare_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(folder_).ok());
    ASSERT_TRUE(MakeDirectories(folder_).ok());
    ASSERT_EQ(Command({"generate", "funnel", "--rows", "2000", "--seed", "5", "--output", At("f.csv")}).code,
              kExitDone);
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }

  std::string At(const std::string& name) const { return JoinPath(folder_, name); }
  // Without a configuration; quick.
  Ran Compare(std::vector<std::string> more) const {
    std::vector<std::string> args = {
        "compare", "--data", At("f.csv"), "--model_dir", At("c"), "--seeds", "2", "--set", "train_config.num_epochs=1"};
    args.insert(args.end(), more.begin(), more.end());
    return Command(args);
  }

  std::string folder_;
};

TEST_F(CompareVerbTest, TextThenJsonOfTheSameModels) {
  const Ran text = Compare({"--label", "click", "--label", "purchase"});
  ASSERT_EQ(text.code, kExitDone) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("compared on the test rows of f.csv, 2 seeds\n"), HasSubstr("click: auc on "),
                              HasSubstr("difference to alone"), HasSubstr("\nshared_bottom  0."),
                              HasSubstr("purchase: "), HasSubstr("transfer.json in ")));
  EXPECT_THAT(text.err, AllOf(HasSubstr("training 1 of 8: mmoe, seed 1 ... "), HasSubstr("alone, purchase, seed 2")));
  const Ran json = Compare({"--label", "click", "--label", "purchase", "--resume", "--format", "json"});
  ASSERT_EQ(json.code, kExitDone) << json.err;
  EXPECT_THAT(json.err, AllOf(HasSubstr("complete already"), Not(HasSubstr("note: no test rows"))));
  const auto file = ReadFile(At("c/transfer.json"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(json.out, *file);
  const auto table = nlohmann::json::parse(json.out);
  EXPECT_EQ(table["seeds"], nlohmann::json({1, 2}));
  ASSERT_EQ(table["tasks"].size(), 2u);
  EXPECT_EQ(table["tasks"][1]["tower"], "purchase");
  EXPECT_EQ(table["tasks"][1]["cells"].size(), 3u);
  EXPECT_EQ(table["tasks"][1]["cells"][2]["model"], "mmoe");
  EXPECT_EQ(table["tasks"][1]["cells"][2]["values"].size(), 2u);
}

TEST_F(CompareVerbTest, WithoutAModelDirectoryItGoesBesideTheModelsOwn) {
  const std::string config =
      "train_input_path: \"" + At("f.csv") + "\" model_dir: \"" + At("mine/") +
      "\" train_config { num_epochs: 1 } data_config { with_header: true cache_dir: \"off\" } feature_configs { "
      "id_feature { feature_name: \"device\" one_hot: true } } model_config { shared_bottom { bottom_mlp { "
      "hidden_units: 2 } task_towers { label_name: \"click\" } task_towers { label_name: \"purchase\" } } }";
  ASSERT_TRUE(WriteFileAtomic(At("c.config"), config).ok());
  const Ran ran = Command({"compare", At("c.config"), "--seeds", "2"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_TRUE(FileExists(At("mine_compare/alone-click/seed-2/MANIFEST.json")));
  EXPECT_TRUE(FileExists(At("mine_compare/shared_bottom/seed-1/transfer.json")));
  EXPECT_THAT(ran.err, HasSubstr("note: no test rows are held out"));
}

TEST_F(CompareVerbTest, WrongInputIsNamed) {
  const auto expect_wrong = [&](std::vector<std::string> more, const std::string& text) {
    const Ran ran = Compare(std::move(more));
    EXPECT_EQ(ran.code, kExitWrongInput);
    EXPECT_THAT(ran.err, HasSubstr(text));
    EXPECT_EQ(ran.out, "");
  };
  expect_wrong({"--label", "click"}, "there is one tower");
  expect_wrong({"--label", "click", "--label", "purchase", "--with", "catboost"},
               "--with catboost: there is only gbdt (XGBoost)");
  expect_wrong({"--label", "click", "--label", "purchase", "--with", "gbdt=" + At("absent.so")}, "libxgboost0");
  expect_wrong({"--label", "click", "--label", "purchase", "--set", "data_config.split={validation_fraction: 0}"},
               "no rows are held out");
  expect_wrong({"--label", "click", "--label", "purchase", "--seeds", "1"}, "--seeds");
  EXPECT_FALSE(FileExists(At("c/mmoe")));
}

}  // namespace
}  // namespace manygate::cli
