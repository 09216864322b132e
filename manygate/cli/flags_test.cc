// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

StatusOr<VerbFlags> Parse(const std::vector<std::string>& args) { return ParseFlags(args); }

TEST(ParseFlagsTest, TrainWithConfiguration) {
  const auto parsed = Parse({"train", "--set", "train_config.num_epochs=3", "a.config", "--set", "b.c=[1,2]", "--seed",
                             "7", "--threads=3", "--resume", "--format", "json", "--model_dir", "out/a"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& flags = std::get<TrainFlags>(*parsed);
  EXPECT_EQ(flags.config, "a.config");
  EXPECT_THAT(flags.overrides, ElementsAre("train_config.num_epochs=3", "b.c=[1,2]"));
  EXPECT_EQ(flags.seed, 7u);
  EXPECT_EQ(flags.threads, 3);
  EXPECT_TRUE(flags.resume);
  EXPECT_TRUE(flags.json);
  EXPECT_EQ(flags.model_dir, "out/a");
}

TEST(ParseFlagsTest, TrainWithDataAndLabels) {
  const auto parsed =
      Parse({"train", "--data", "a.csv", "--label", "click", "--data", "b.csv", "--label", "age:regression"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& flags = std::get<TrainFlags>(*parsed);
  EXPECT_EQ(flags.config, "");
  EXPECT_THAT(flags.data, ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(flags.labels, ElementsAre("click", "age:regression"));
  EXPECT_FALSE(flags.seed.has_value());
  EXPECT_GE(flags.threads, 1);
  EXPECT_FALSE(flags.resume);
  EXPECT_FALSE(flags.json);
}

TEST(ParseFlagsTest, Init) {
  const auto parsed = Parse({"init", "a.csv", "b.csv", "--label", "click", "--label", "age:count", "--columns", "a,b",
                             "--force", "--model", "ple", "--output", "o.config"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& flags = std::get<InitFlags>(*parsed);
  EXPECT_THAT(flags.data, ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(flags.labels, ElementsAre("click", "age:count"));
  EXPECT_EQ(flags.columns, "a,b");
  EXPECT_EQ(flags.model, "ple");
  EXPECT_EQ(flags.output, "o.config");
  EXPECT_TRUE(flags.force);
  EXPECT_THAT(Parse({"init", "a.csv"}).status().message(), HasSubstr("--label"));
  EXPECT_THAT(Parse({"init", "--label", "click"}).status().message(), HasSubstr("DATA"));
}

TEST(ParseFlagsTest, NamesOfColumnsAreForRunsWithoutConfiguration) {
  EXPECT_EQ(std::get<TrainFlags>(*Parse({"train", "--data", "a", "--label", "b", "--columns", "a,b"})).columns, "a,b");
  EXPECT_EQ(std::get<CompareFlags>(*Parse({"compare", "--data", "a", "--label", "b", "--columns", "b"})).columns, "b");
  for (const char* verb : {"train", "compare"})
    EXPECT_THAT(Parse({verb, "a.config", "--columns", "a,b"}).status().message(),
                HasSubstr("--columns is for runs without CONFIG"));
}

TEST(ParseFlagsTest, EvaluateTakesSeveralModels) {
  const auto parsed = Parse({"evaluate", "--data", "a.csv", "out/a", "out/b"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_THAT(std::get<EvaluateFlags>(*parsed).model_dirs, ElementsAre("out/a", "out/b"));
  EXPECT_THAT(std::get<EvaluateFlags>(*parsed).data, ElementsAre("a.csv"));
}

TEST(ParseFlagsTest, Predict) {
  const auto parsed = Parse({"predict", "m", "--data", "a.csv", "--logits", "--keep", "id", "--output", "o.csv"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& flags = std::get<PredictFlags>(*parsed);
  EXPECT_EQ(flags.model_dir, "m");
  EXPECT_TRUE(flags.logits);
  EXPECT_THAT(flags.keep, ElementsAre("id"));
  EXPECT_EQ(flags.output, "o.csv");
}

TEST(ParseFlagsTest, GenerateDefaultsAndNegativeNumbers) {
  const auto parsed = Parse({"generate", "paper", "--output", "o.csv", "--correlation", "-0.5", "--dimension", "10"});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& flags = std::get<GenerateFlags>(*parsed);
  EXPECT_EQ(flags.kind, "paper");
  EXPECT_EQ(flags.rows, 100000);
  EXPECT_EQ(flags.seed, 1u);
  EXPECT_EQ(flags.correlation, -0.5);
  EXPECT_EQ(flags.dimension, 10);
}

TEST(ParseFlagsTest, HelpNamesEveryFlagAndHasAnExample) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> verbs = {
      {"train",
       {"--data", "--label", "--model", "--model_dir", "--seed", "--threads", "--set", "--resume", "--format"}},
      {"evaluate", {"MODEL_DIR...", "--data", "--threads", "--format"}},
      {"predict", {"--data", "--output", "--keep", "--logits", "--threads"}},
      {"export", {"MODEL_DIR", "--to", "--output", "--name", "--format"}},
      {"inspect", {"PATH", "--format"}},
      {"generate", {"--rows", "--seed", "--output", "--correlation", "--dimension"}}};
  for (const auto& [verb, flags] : verbs) {
    const auto parsed = Parse({verb, "--help"});
    ASSERT_TRUE(parsed.ok());
    const std::string& text = std::get<HelpText>(*parsed).text;
    for (const std::string& flag : flags) EXPECT_THAT(text, HasSubstr(flag));
    EXPECT_THAT(text, HasSubstr("Usage: manygate " + verb));
    EXPECT_THAT(text, HasSubstr("  manygate " + verb + " "));
    EXPECT_THAT(ProgramHelp(), HasSubstr("\n  " + verb + " "));
  }
}

TEST(ParseFlagsTest, HelpIsGivenWhateverElseIsThere) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"predict", "-h"}, {"predict", "--wrong", "--help"}, {"help", "predict"}}) {
    const auto parsed = Parse(args);
    ASSERT_TRUE(parsed.ok()) << args[0];
    EXPECT_THAT(std::get<HelpText>(*parsed).text, HasSubstr("Usage: manygate predict MODEL_DIR"));
  }
}

TEST(ParseFlagsTest, Version) {
  const auto parsed = Parse({"--version"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(std::get<HelpText>(*parsed).text, testing::MatchesRegex("manygate [0-9.]+\n"));
}

struct WrongCase {
  std::vector<std::string> args;
  std::string message;
};

class WrongFlagsTest : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongFlagsTest, SaysWhatIsWrong) {
  const auto parsed = Parse(GetParam().args);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(parsed.status().message(), HasSubstr(GetParam().message));
  EXPECT_THAT(parsed.status().message(), HasSubstr("\nFor help: manygate "));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongFlagsTest,
    testing::Values(
        WrongCase{{"trian"}, "unknown verb \"trian\". Did you mean \"train\"?"},
        WrongCase{{"--hlep"}, "unknown flag \"--hlep\". Did you mean \"--help\"?"},
        WrongCase{{"train", "a", "--model_dri", "out"},
                  "train: unknown flag --model_dri. Did you mean \"--model_dir\"?"},
        WrongCase{{"train", "a", "--model_dri=out"}, "unknown flag --model_dri. Did you mean"},
        WrongCase{{"train", "a", "-x"}, "unknown flag -x."},
        WrongCase{{"train", "a", "--model_dir"}, "--model_dir needs a value: --model_dir DIR"},
        WrongCase{{"train", "a", "--model_dir", "--resume"}, "--model_dir needs a value"},
        WrongCase{{"train", "a", "--model_dir", ""}, "--model_dir is empty"},
        WrongCase{{"train", "a", "b"}, "one value too many: \"b\""},
        WrongCase{{"train", "a", "--seed", "1", "--seed", "2"}, "--seed: give it once"},
        WrongCase{{"train", "a", "--seed", "-1"}, "--seed is \"-1\", expected a whole number from 0"},
        WrongCase{{"train", "a", "--threads", "0"}, "--threads is \"0\", expected a whole number from 1 to 1024"},
        WrongCase{{"train", "a", "--threads", "2x"}, "--threads is \"2x\""},
        WrongCase{{"train", "a", "--format", "jsn"},
                  "--format is \"jsn\". Did you mean \"json\"? Possible: text, json"},
        WrongCase{{"train", "a", "--label", "click"}, "--label is for runs without CONFIG"},
        WrongCase{{"train"}, "manygate train --data FILE --label COLUMN"},
        WrongCase{{"train", "--label", "click"}, "--data is missing"},
        WrongCase{{"train", "--data", "a.csv"}, "--label is missing"}, WrongCase{{"evaluate"}, "MODEL_DIR is missing"},
        WrongCase{{"predict", "m", "--output", "o"}, "--data is missing"},
        WrongCase{{"export", "m", "--to", "onx", "--output", "o"}, "Did you mean \"onnx\"?"},
        WrongCase{{"export", "m", "--to", "onnx"}, "--output is missing"},
        WrongCase{{"predict", "m", "--data", "a"}, "--output is missing"}, WrongCase{{"inspect"}, "PATH is missing"},
        WrongCase{{"generate", "funel", "--output", "o"},
                  "KIND is \"funel\". Did you mean \"funnel\"? Possible: funnel, paper"},
        WrongCase{{"generate", "funnel", "--output", "o", "--rows", "0"},
                  "--rows is \"0\", expected a whole number from 1"},
        WrongCase{{"generate", "funnel", "--output", "o", "--correlation", "1"},
                  "--correlation belongs to generate paper"},
        WrongCase{{"generate", "paper", "--output", "o", "--correlation", "1.5"},
                  "--correlation is \"1.5\", expected a number from -1 to 1"},
        WrongCase{{"generate", "paper", "--output", "o", "--correlation", "nan"}, "--correlation is \"nan\""},
        WrongCase{{"generate", "paper", "--output", "o", "--dimension", "1"}, "--dimension is \"1\""}));

}  // namespace
}  // namespace manygate::cli
