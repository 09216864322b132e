// SPDX-License-Identifier: Apache-2.0
// manygate check as a user runs it, in-process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manygate/cli/cli.h"
#include "manygate/cli/command_testing.h"
#include "manygate/data/test_files.h"

namespace manygate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// 600 rows; the price of rows that were bought is above that of all others.
std::string Rows() {
  std::string text = "price,size,bought\n";
  for (int i = 0; i < 600; ++i)
    text += std::to_string(i % 3 == 0 ? 200 + i % 70 : 100 - i % 70) + "," + std::to_string(i * 7 % 11) +
            (i % 3 == 0 ? ",1\n" : ",0\n");
  return text;
}

std::string Configuration(const TestFolder& folder, const std::string& feature) {
  return folder.Write("shop.config", "train_input_path: \"" + folder.Write("rows.csv", Rows()) +
                                         "\"\n"
                                         "data_config { with_header: true }\n"
                                         "feature_configs { raw_feature { feature_name: \"" +
                                         feature +
                                         "\" } }\n"
                                         "model_config { shared_bottom { bottom_mlp { hidden_units: 4 }\n"
                                         "  task_towers { label_name: \"bought\" } } }\n");
}

TEST(CheckVerbTest, NoProblemFound) {
  const TestFolder folder;
  const std::string config = Configuration(folder, "size");
  const Ran ran = Command({"check", config});
  EXPECT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_EQ(ran.out, config + ": no problem found\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(Command({"check", config, "--format", "json"}).out, "{\"errors\":0,\"warnings\":0,\"findings\":[]}\n");
}

TEST(CheckVerbTest, AnErrorHasPlaceAndRemedyAndExitCode2) {
  const TestFolder folder;
  const std::string config = Configuration(folder, "price");
  const Ran ran = Command({"check", config});
  EXPECT_EQ(ran.code, kExitWrongInput);
  EXPECT_EQ(ran.out,
            "error: " + config +
                ":3:1: feature \"price\" gives label \"bought\" away: ranked by this number alone, the rows have an "
                "AUC of 1.00000.\n"
                "  Take the feature out unless its value is known before the answer is.\n");
  EXPECT_EQ(ran.err, "manygate: " + config + ": 1 error\n");
  const auto json = nlohmann::json::parse(Command({"check", config, "--format", "json"}).out);
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["findings"][0]["severity"], "error");
  EXPECT_EQ(json["findings"][0]["where"], config + ":3:1: feature \"price\"");
  const Ran told = Command({"check", config, "--exit_zero"});
  EXPECT_EQ(told.code, kExitDone);
  EXPECT_EQ(told.out, ran.out);
  EXPECT_EQ(told.err, "");
  EXPECT_EQ(Command({"check", folder.Path("absent.config"), "--exit_zero"}).code, kExitWrongInput);
}

TEST(CheckVerbTest, DataAndLabelsWithoutAConfiguration) {
  const TestFolder folder;
  const std::string rows = folder.Write("rows.csv", Rows());
  const Ran ran = Command({"check", "--data", rows, "--label", "bought"});
  EXPECT_EQ(ran.code, kExitWrongInput);
  EXPECT_THAT(ran.out, HasSubstr("feature \"price\" gives label \"bought\" away: ranked by this number alone"));
  EXPECT_THAT(ran.err, HasSubstr("note: label bought: binary"));
  EXPECT_THAT(ran.err, HasSubstr("manygate: " + rows + ": 1 error"));
  EXPECT_THAT(Command({"check"}).err, HasSubstr("nothing to check. Give a configuration (manygate check CONFIG), or"));
  EXPECT_THAT(Command({"check", Configuration(folder, "size"), "--label", "bought"}).err,
              HasSubstr("--label is for runs without CONFIG"));
}

TEST(CheckVerbTest, TrainingWarnsOfWhatIsSeenAtAGlance) {
  const TestFolder folder;
  const std::vector<std::string> more = {"--model_dir", folder.Path("model"),       "--threads", "1",
                                         "--set",       "train_config.num_epochs=1"};
  const auto train = [&](const std::string& feature, const std::vector<std::string>& set) {
    std::vector<std::string> args = {"train", Configuration(folder, feature)};
    args.insert(args.end(), more.begin(), more.end());
    args.insert(args.end(), set.begin(), set.end());
    return Command(args);
  };
  const Ran warned = train("price", {});
  EXPECT_EQ(warned.code, kExitDone) << warned.err;
  EXPECT_THAT(warned.err,
              HasSubstr("warning: " + folder.Path("shop.config") +
                        ":3:1: feature \"price\" gives label \"bought\" away: ranked by this number alone"));
  EXPECT_THAT(warned.err,
              HasSubstr("note: manygate check, with the same configuration or data and labels, looks closer"));
  EXPECT_THAT(train("size", {}).err, Not(HasSubstr("warning: ")));
  const Ran refused = train("prize", {});
  EXPECT_THAT(refused.err, HasSubstr("\"prize\" is not a column of"));
  EXPECT_THAT(refused.err, Not(HasSubstr("warning: "))) << "said once";
  EXPECT_THAT(train("price", {"--set", "data_config.cache_dir=off"}).err, Not(HasSubstr("warning: ")))
      << "the file would be read twice";
}

TEST(CheckVerbTest, SetReplacesAFieldAndDataTheFile) {
  const TestFolder folder;
  const std::string config = Configuration(folder, "price");
  EXPECT_EQ(Command({"check", config, "--set", "feature_configs[0].raw_feature.expression=size"}).code, kExitDone);
  const Ran absent = Command({"check", config, "--data", folder.Path("absent.csv")});
  EXPECT_EQ(absent.code, kExitWrongInput);
  EXPECT_THAT(absent.err, StartsWith("manygate: "));
  EXPECT_THAT(absent.err, HasSubstr("absent.csv"));
}

}  // namespace
}  // namespace manygate::cli
