// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/commented_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "manygate/base/file.h"
#include "manygate/config/accessors.h"
#include "manygate/config/validate.h"

namespace manygate::cli {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;
using testing::StartsWith;

class CommentedConfigTest : public testing::Test {
 protected:
  ~CommentedConfigTest() override { EXPECT_TRUE(RemoveTree(path_).ok()); }

  InferredPipeline Make(const std::string& text, std::vector<std::string> labels, const std::string& model = "mmoe",
                        std::vector<std::string> names = {}) {
    EXPECT_TRUE(WriteFileAtomic(path_, text).ok());
    auto made =
        InferPipeline({.paths = path_, .labels = std::move(labels), .names = std::move(names), .model = model}, pool_);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.ok() ? *std::move(made) : InferredPipeline();
  }

  void ExpectLoadsAgain(const InferredPipeline& made) {
    const std::string text = CommentedConfig(made, "f.config");
    const auto loaded = config::LoadPipelineFromText("f.config", text);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message() << "\n" << text;
    EXPECT_TRUE(MessageDifferencer::Equals(loaded->pipeline, made.loaded.pipeline)) << text;
    const Status status = config::ValidatePipeline(*loaded);
    EXPECT_TRUE(status.ok()) << status.message();
  }

  std::string path_ = fmt::format("{}/commented_config_test_{}.csv", testing::TempDir(), getpid());
  ThreadPool pool_{1};
};

std::string Rows() {
  std::string text = "row,city,income,hour,click,answer,amount\n";
  for (int i = 0; i < 400; ++i)
    text += fmt::format("{},{},{},{},{},{},{}\n", 1000 + i, i % 2 == 0 ? "Rome" : "Oslo",
                        i % 8 == 0 ? "" : fmt::format("{}.5", 100 * i), i % 3, i % 4 == 0 ? 1 : 0,
                        i % 3 == 0 ? "yes" : "no", i % 4 == 0 ? "9.5" : "0");
  return text;
}

TEST_F(CommentedConfigTest, EveryModelLoadsAgain) {
  for (const std::string& model : config::ModelNames()) {
    SCOPED_TRACE(model);
    ExpectLoadsAgain(Make(Rows(), {"click", "answer"}, model));
  }
}

TEST_F(CommentedConfigTest, EveryChoiceHasItsComment) {
  const std::string text = CommentedConfig(Make(Rows(), {"click", "answer"}), "f.config");
  EXPECT_THAT(text, StartsWith(fmt::format("# Made by \"manygate init\" from {}:\n"
                                           "# 400 rows, 7 columns separated by \",\", named by the first line.\n"
                                           "# Train:      manygate train f.config\n",
                                           path_)));
  for (const char* line : {
           "\n#   click: binary, 1 in 25.00 % of the rows\n",
           "\n#   answer: binary, 1 where it is \"yes\", in 33.50 % of the rows\n",
           "\n# city: text, 2 different values\nfeature_configs { id_feature { feature_name: \"city\" ",
           "\n# hour: whole numbers of only 3 values: an id, 0 to 2\nfeature_configs { id_feature {",
           "\n# income: numbers, 350 different values, 100.5 to 39900.5, 12.50 % missing\nfeature_configs { "
           "raw_feature {",
           "\n# Left out:\n#   row: a number of its own in every row\n#   amount: where it is filled in, click is "
           "always "
           "1: it would give the label away\n",
           "\n# Training: batches of 32 and 40 epochs, as suits 400 rows; the weights with the best mean_log_loss on "
           "the ",
           "\n# Model: mmoe; --model NAME takes another one with the same features and towers.\nmodel_config {\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(CommentedConfigTest, AwkwardNamesAndValuesLoadAgain) {
  std::string text = "\"a\nb\",\"say \"\"hi\"\" {\",#c,d:e,größe,y\n";
  for (int i = 0; i < 40; ++i)
    text += fmt::format("{},v{},{},{},{},{}\n", i * 7 % 13, i % 3, i % 5, i % 9, i % 11, i % 2 ? "\"no {\"" : "}");
  const InferredPipeline made = Make(text, {"y"});
  ASSERT_GE(made.loaded.pipeline.feature_configs_size(), 5);
  ExpectLoadsAgain(made);
  EXPECT_THAT(CommentedConfig(made, "f.config"), HasSubstr("\n# a b: whole numbers"));
}

TEST_F(CommentedConfigTest, ColumnsOfAFileWithoutNamesAreALineEach) {
  const InferredPipeline made = Make("1,a,0\n2,b,1\n3,a,0\n4,b,1\n", {"y"}, "mmoe", {"x", "c", "y"});
  ExpectLoadsAgain(made);
  EXPECT_THAT(CommentedConfig(made, "f.config"), HasSubstr("\n  input_fields { input_name: \"x\" }\n"
                                                           "  input_fields { input_name: \"c\" }\n"));
}

TEST(ShellWordTest, QuotedWhereNeeded) {
  EXPECT_EQ(ShellWord("out/a-1.config"), "out/a-1.config");
  EXPECT_EQ(ShellWord("my data.config"), "'my data.config'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord(""), "''");
}

}  // namespace
}  // namespace manygate::cli
