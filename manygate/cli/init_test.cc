// SPDX-License-Identifier: Apache-2.0
// manygate init, and training from what it writes, as a user runs them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "manygate/base/file.h"
#include "manygate/cli/cli.h"
#include "manygate/cli/command_testing.h"

namespace manygate::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

// Each test runs in a folder of its own that holds rows.data (without names) and shop.2024.csv (with).
class InitTest : public testing::Test {
 protected:
  InitTest() : before_(std::filesystem::current_path()) {
    EXPECT_TRUE(RemoveTree(folder_).ok());
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    std::filesystem::current_path(folder_);
    std::string rows;
    for (int i = 0; i < 300; ++i)
      rows +=
          fmt::format("{}, {}, 7, {}\n", 18 + i * 7 % 60, i % 3 ? "Rome" : "Oslo", i * 7 % 60 > 30 ? ">50K" : "<=50K");
    EXPECT_TRUE(WriteFileAtomic("rows.data", rows).ok());
    EXPECT_TRUE(WriteFileAtomic("shop.2024.csv", "age,city,same,income\n" + rows).ok());
  }
  ~InitTest() override {
    std::filesystem::current_path(before_);
    EXPECT_TRUE(RemoveTree(folder_).ok());
  }

  std::string folder_ = fmt::format("{}/manygate_init_{}", testing::TempDir(), getpid());
  std::filesystem::path before_;
};

TEST_F(InitTest, WhatItWritesTrainsWithoutAnEdit) {
  const Ran made = Command({"init", "shop.2024.csv", "--label", "income"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  EXPECT_EQ(made.out, "shop.2024.config\ntrain it: manygate train shop.2024.config\n");
  EXPECT_THAT(made.err, HasSubstr("note: same left out: the same value in every row\n"));
  const Ran trained = Command(
      {"train", "shop.2024.config", "--set", "train_config.num_epochs=1", "--threads", "1", "--format", "json"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_EQ(json::parse(trained.out)["model_dir"], "out/shop.2024");
  EXPECT_TRUE(FileExists("out/shop.2024/MANIFEST.json"));
}

TEST_F(InitTest, WhatLooksWrongIsADoubt) {
  const Ran made = Command({"init", "shop.2024.csv", "--label", "income"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  const std::string doubt =
      "feature \"age\" gives label \"income\" away: ranked by this number alone, the rows have an AUC";
  EXPECT_THAT(made.err, HasSubstr("note: " + doubt));
  EXPECT_THAT(*ReadFile("shop.2024.config"), HasSubstr("# Please check: " + doubt));
}

TEST_F(InitTest, DatesAreLeftOutWithTheReason) {
  std::string rows = "day,size,sold\n";
  for (int i = 0; i < 300; ++i)
    rows += fmt::format("2024-{:02}-{:02},{},{}\n", 1 + i % 12, 1 + i % 28, i % 37, i % 5 ? 0 : 1);
  ASSERT_TRUE(WriteFileAtomic("sales.csv", rows).ok());
  const Ran made = Command({"init", "sales.csv", "--label", "sold"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  EXPECT_THAT(made.err, HasSubstr("note: day left out: dates, like \"2024-01-01\""));
  EXPECT_THAT(*ReadFile("sales.config"),
              HasSubstr("#   day: dates, like \"2024-01-01\": days to come are unknown to a model"));
}

TEST_F(InitTest, TextsOfSeveralValuesTrain) {
  const std::vector<std::string> kinds = {"action", "comedy", "crime", "drama", "horror", "war"};
  std::string rows = "genres,year,seen\n";
  for (int i = 0; i < 600; ++i) {
    std::string genres;
    for (size_t kind = 0; kind < 6; ++kind)
      if ((1 + i % 63) >> kind & 1) genres += (genres.empty() ? "" : "|") + kinds[kind];
    rows += fmt::format("{},{},{}\n", genres, 1980 + i % 41, i % 63 % 2);
  }
  ASSERT_TRUE(WriteFileAtomic("films.csv", rows).ok());
  const Ran made = Command({"init", "films.csv", "--label", "seen"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  const std::string config = *ReadFile("films.config");
  EXPECT_THAT(config, HasSubstr("# genres: texts of several values between \"|\", 6 different ones"));
  EXPECT_THAT(config, HasSubstr("pooling: \"mean\" separator: \"|\""));
  const Ran trained = Command({"train", "films.config", "--threads", "1", "--format", "json"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  // Whether "action" is among the genres.
  EXPECT_GT(json::parse(trained.out)["validation"]["tasks"]["seen"]["auc"], 0.95);
}

TEST_F(InitTest, AConfigurationIsNotReplacedUnasked) {
  ASSERT_TRUE(WriteFileAtomic("rows.config", "mine").ok());
  const std::vector<std::string> args = {"init", "rows.data", "--label", "income", "--columns", "age,city,same,income"};
  const Ran refused = Command(args);
  EXPECT_EQ(refused.code, kExitWrongInput);
  EXPECT_EQ(refused.err,
            "manygate: rows.config: exists already. --force replaces it, --output FILE writes another one\n");
  EXPECT_EQ(*ReadFile("rows.config"), "mine");
  std::vector<std::string> other = args;
  other.insert(other.end(), {"--output", "other.config"});
  EXPECT_EQ(Command(other).code, kExitDone);
  other = args;
  other.push_back("--force");
  EXPECT_EQ(Command(other).code, kExitDone);
  EXPECT_THAT(*ReadFile("rows.config"), StartsWith("# Made by \"manygate init\" from rows.data:\n"));
}

TEST_F(InitTest, JsonSaysWhatWasInferred) {
  const Ran made = Command({"init", "rows.data", "--label", "income", "--columns", "age,city,same,income", "--model",
                            "shared_bottom", "--format", "json"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  const json result = json::parse(made.out);
  EXPECT_EQ(result["output"], "rows.config");
  EXPECT_EQ(result["rows"], 300);
  EXPECT_EQ(result["with_header"], false);
  EXPECT_EQ(result["model"], "shared_bottom");
  ASSERT_EQ(result["labels"].size(), 1u);
  EXPECT_EQ(result["labels"][0]["kind"], "binary");
  EXPECT_EQ(result["labels"][0]["positive_value"], ">50K");
  EXPECT_EQ(result["labels"][0]["positives"], 145);  // 29 of every 60 rows
  ASSERT_EQ(result["features"].size(), 2u);
  EXPECT_EQ(result["features"][0]["column"], "age");
  EXPECT_EQ(result["features"][0]["as"], "number");
  EXPECT_EQ(result["features"][1]["as"], "id");
  EXPECT_EQ(result["left_out"], json::parse(R"([{"column": "same", "reason": "the same value in every row"}])"));
}

TEST_F(InitTest, TrainTakesNamesTooWithTheSameResult) {
  ASSERT_EQ(Command({"init", "rows.data", "--label", "income", "--columns", "age,city,same,income"}).code, kExitDone);
  const std::vector<std::string> common = {"--set", "train_config.num_epochs=1", "--threads", "1", "--model_dir"};
  std::vector<std::string> direct = {"train",  "--data",    "rows.data",           "--label",
                                     "income", "--columns", "age,city,same,income"};
  std::vector<std::string> written = {"train", "rows.config"};
  direct.insert(direct.end(), common.begin(), common.end());
  written.insert(written.end(), common.begin(), common.end());
  direct.push_back("direct");
  written.push_back("written");
  const Ran ran = Command(direct);
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  ASSERT_EQ(Command(written).code, kExitDone);
  EXPECT_EQ(*ReadFile("direct/weights.safetensors"), *ReadFile("written/weights.safetensors"));
}

// As PaddleRec's text of Census-Income: two labels, then 499 numbers, and no line of names.
TEST_F(InitTest, ManyColumnsNamedByARange) {
  std::string rows;
  for (int i = 0; i < 300; ++i) {
    rows += fmt::format("{},{}", i % 3 == 0, i * 7 % 5 == 0);
    for (int f = 1; f <= 499; ++f) rows += f == 1 ? fmt::format(",{}", i % 50) : f % 9 == i % 9 ? ",1" : ",0";
    rows += "\n";
  }
  ASSERT_TRUE(WriteFileAtomic("train.txt", rows).ok());
  const Ran made = Command({"init", "train.txt", "--columns", "marital,income,f1..f499", "--label", "marital",
                            "--label", "income", "--threads", "1"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  EXPECT_THAT(made.err, HasSubstr("300 rows, 501 columns"));
  EXPECT_THAT(*ReadFile("train.config"), HasSubstr("input_fields { input_name: \"f499\" }"));
  const Ran trained = Command({"train", "train.config", "--set", "train_config.num_epochs=1", "--threads", "1"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_TRUE(FileExists("out/train/MANIFEST.json"));
}

// As Ali-CCP comes for ESMM.
TEST_F(InitTest, ListsOfFieldsTrain) {
  std::string rows;
  for (int i = 0; i < 300; ++i) {
    rows += fmt::format("{},{},{},101:{},205:{}", i + 1, i % 3 == 0, i % 6 == 0, i % 20, 100 + i % 7);
    for (int k = 0; k <= i % 4; ++k) rows += fmt::format(",109_14:{}", 200 + (i + k) % 30);
    rows += "\n";
  }
  ASSERT_TRUE(WriteFileAtomic("small.txt", rows).ok());
  const Ran made = Command({"init", "small.txt", "--columns", "sample_id,click,purchase", "--label", "click", "--label",
                            "purchase", "--model", "esmm", "--threads", "1"});
  ASSERT_EQ(made.code, kExitDone) << made.err;
  EXPECT_THAT(made.err, HasSubstr("small.txt: 300 rows, 6 columns of lists of fields separated by \",\""));
  const std::string config = *ReadFile("small.config");
  EXPECT_THAT(config, HasSubstr("dataset_type: FieldListDataset"));
  EXPECT_THAT(config, HasSubstr("input_fields { input_name: \"purchase\" }"));
  EXPECT_THAT(config, testing::Not(HasSubstr("input_fields { input_name: \"101\" }")));
  EXPECT_THAT(config, HasSubstr("id_feature { feature_name: \"109_14\""));
  const Ran trained = Command({"train", "small.config", "--set", "train_config.num_epochs=1", "--threads", "1"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  const Ran predicted = Command({"predict", "out/small", "--data", "small.txt", "--output", "p.csv", "--threads", "1"});
  ASSERT_EQ(predicted.code, kExitDone) << predicted.err;
  EXPECT_EQ(Command({"inspect", "small.txt"}).out.substr(0, 58),
            "small.txt: 300 rows, 6 columns of lists of fields\n\ncolumn ");
}

TEST_F(InitTest, MistakesLeaveNothingBehind) {
  const Ran count = Command({"init", "rows.data", "--label", "income", "--columns", "age,city,income"});
  EXPECT_EQ(count.code, kExitWrongInput);
  EXPECT_THAT(count.err,
              HasSubstr("--columns gives 3 names, but the first line of rows.data has 4 fields: 18, Oslo, 7, "
                        "<=50K"));
  EXPECT_THAT(Command({"init", "rows.data", "--label", "income"}).err, HasSubstr("--columns a,b,c,..."));
  EXPECT_THAT(Command({"init", "rows.data", "--label", "age", "--columns", "age,city,same,age"}).err,
              HasSubstr("--columns: \"age\" is there twice"));
  EXPECT_THAT(Command({"init", "rows.date", "--label", "age"}).err, HasSubstr("rows.date"));
  // A funnel of regressions: the configuration would not train.
  EXPECT_EQ(
      Command({"init", "shop.2024.csv", "--label", "age:regression", "--label", "income", "--model", "esmm"}).code,
      kExitWrongInput);
  EXPECT_FALSE(FileExists("rows.config"));
  EXPECT_FALSE(FileExists("shop.2024.config"));
}

}  // namespace
}  // namespace manygate::cli
