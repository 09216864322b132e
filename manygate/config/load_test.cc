// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "manygate/base/file.h"

namespace manygate::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kText[] = R"(# a comment
train_input_path: "train.csv"
train_config {
  dense_optimizer { adam_optimizer { lr: 1e-3 } }
  num_epochs: 3;
}
data_config { missing_values: ["?", 'NA'] missing_values: "-" }
feature_configs { id_feature { feature_name: "a" "b" one_hot: true } }
feature_configs {
  raw_feature < feature_name: "c" boundaries: [1, 2.5f, inf] >
}
model_config {
  mmoe {
    expert_mlp { hidden_units: [64, 32] }
    task_towers: [{ label_name: "click" }, { label_name: "buy" }]
  }
}
)";

LoadedPipeline Load(std::string_view text, std::vector<std::string> overrides = {}) {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", text, overrides);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? *std::move(loaded) : LoadedPipeline();
}

std::string ErrorOf(std::string_view text, std::vector<std::string> overrides = {}) {
  const StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", text, overrides);
  EXPECT_EQ(loaded.status().code(), StatusCode::kInvalidInput) << text;
  return loaded.status().message();
}

TEST(LoadTest, ReadsEveryFormOfTheText) {
  const LoadedPipeline loaded = Load(kText);
  EXPECT_EQ(loaded.pipeline.train_config().num_epochs(), 3u);
  EXPECT_EQ(loaded.pipeline.data_config().missing_values_size(), 3);
  EXPECT_EQ(loaded.pipeline.data_config().missing_values(2), "-");
  EXPECT_EQ(loaded.pipeline.feature_configs(0).id_feature().feature_name(), "ab");
  EXPECT_EQ(loaded.pipeline.feature_configs(1).raw_feature().boundaries(1), 2.5f);
  EXPECT_EQ(loaded.pipeline.model_config().mmoe().task_towers(1).label_name(), "buy");
  EXPECT_EQ(loaded.pipeline.model_config().mmoe().num_expert(), 3u);  // the schema's default
}

TEST(LoadTest, KnowsThePlaceOfEveryField) {
  const LoadedPipeline loaded = Load(kText);
  const Pipeline& pipeline = loaded.pipeline;
  EXPECT_EQ(loaded.Place(pipeline, "train_input_path"), "p.config:2:1");
  EXPECT_EQ(loaded.Place(pipeline.train_config(), "num_epochs"), "p.config:5:3");
  EXPECT_EQ(loaded.Place(pipeline.train_config().dense_optimizer().adam_optimizer(), "lr"), "p.config:4:38");
  EXPECT_EQ(loaded.Place(pipeline.data_config(), "missing_values", 1), "p.config:7:37");
  EXPECT_EQ(loaded.Place(pipeline.data_config(), "missing_values", 2), "p.config:7:43");
  EXPECT_EQ(loaded.Place(pipeline.data_config(), "missing_values"), "p.config:7:32");
  EXPECT_EQ(loaded.Place(pipeline.feature_configs(1).raw_feature(), "boundaries", 2), "p.config:10:57");
  const MMoE& mmoe = pipeline.model_config().mmoe();
  EXPECT_EQ(loaded.Place(mmoe.expert_mlp(), "hidden_units", 1), "p.config:14:37");
  EXPECT_EQ(loaded.Place(mmoe.task_towers(1), "label_name"), "p.config:15:46");
  EXPECT_EQ(loaded.Place(mmoe.task_towers(1)), "p.config:15:44");
}

TEST(LoadTest, AFieldThatWasNotWrittenHasThePlaceAroundIt) {
  LoadedPipeline loaded = Load(kText);
  const Pipeline& pipeline = loaded.pipeline;
  EXPECT_EQ(loaded.Place(pipeline.model_config().mmoe(), "num_expert"), "p.config:13:3");
  EXPECT_EQ(loaded.Place(pipeline.model_config().mmoe().task_towers(0), "weight"), "p.config:15:19");
  EXPECT_EQ(loaded.Place(pipeline, "eval_config"), "p.config");
  EXPECT_EQ(loaded.Place(pipeline.eval_config(), "num_steps"), "p.config");  // no such message: the default instance
  loaded.pipeline.add_feature_configs()->mutable_id_feature()->set_feature_name("new");
  EXPECT_EQ(loaded.Place(loaded.pipeline.feature_configs(2).id_feature(), "feature_name"), "p.config");
}

TEST(LoadTest, PlacesSurviveCopiesAndMoves) {
  LoadedPipeline first = Load(kText);
  const LoadedPipeline copy = first;
  EXPECT_EQ(copy.Place(copy.pipeline.train_config(), "num_epochs"), "p.config:5:3");
  const LoadedPipeline moved = std::move(first);
  EXPECT_EQ(moved.Place(moved.pipeline.train_config(), "num_epochs"), "p.config:5:3");
  EXPECT_EQ(moved.Path(moved.pipeline.model_config().mmoe().expert_mlp(), "hidden_units", 1),
            "model_config.mmoe.expert_mlp.hidden_units[1]");
}

struct TextCase {
  const char* text;
  const char* message;  // a whole line of the error, or its start
};

class LoadErrorTest : public ::testing::TestWithParam<TextCase> {};

TEST_P(LoadErrorTest, SaysWhereAndWhat) {
  EXPECT_THAT("\n" + ErrorOf(GetParam().text), HasSubstr(std::string("\n") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LoadErrorTest,
    ::testing::Values(
        TextCase{
            "model_config {\n  mmoe { num_experts: 3 }\n}",
            "p.config:2:10: unknown field \"num_experts\" in MMoE. Did you mean \"num_expert\"? Fields: expert_mlp, "
            "gate_mlp, num_expert, task_towers"},
        TextCase{"model_config { mmoe { expert_num: 3 } }",
                 "p.config:1:23: expert_num is EasyRec's name: write num_expert"},
        TextCase{"model_config { deepfm { deep { hidden_units: [8] } } }",
                 "p.config:1:16: deepfm is a model of a single task or of candidate generation. For one task: "
                 "simple_multi_task { task_towers { ... } }"},
        TextCase{
            "feature_configs { lookup_feature { use_mask: true } }",
            "p.config:1:36: use_mask hides values at random while training, which is not supported: take it out, or "
            "use dropout_ratio in an MLP"},
        TextCase{"train_conifg { }",
                 "p.config:1:1: unknown field \"train_conifg\" in Pipeline. Did you mean "
                 "\"train_config\"?"},
        TextCase{"model_config { num_expert: 3 }",
                 "p.config:1:16: unknown field \"num_expert\" in ModelConfig. It belongs inside mmoe or "
                 "dbmtl or dc2vr or omoe or escm2 or dselect_k { }"},
        TextCase{"train_config {\n num_epochs: 1\ndata_config { batch_size: 3 }\n}",
                 "p.config:3:1: unknown field \"data_config\" in TrainConfig. It is a field of Pipeline: is a \"}\" "
                 "missing above?"},
        TextCase{"train_config { num_epochs: -1 }",
                 "p.config:1:28: num_epochs needs a whole number from 0 to 4294967295, found -1"},
        TextCase{"train_config { num_epochs: 99999999999 }",
                 "p.config:1:28: num_epochs needs a whole number from 0 to 4294967295, found 99999999999"},
        TextCase{"train_config { num_epochs: 1.5 }",
                 "p.config:1:28: num_epochs needs a whole number from 0 to "
                 "4294967295, found 1.5"},
        TextCase{"train_config { num_epochs: \"3\" }",
                 "p.config:1:28: num_epochs needs a whole number from 0 to "
                 "4294967295, found \"3\""},
        TextCase{"train_config { num_steps: 99999999999999999999 }",
                 "p.config:1:27: num_steps needs a whole number from 0 to 18446744073709551615"},
        TextCase{"train_config { use_tensorboard: yes }",
                 "p.config:1:33: use_tensorboard needs true or false, found yes"},
        TextCase{"train_config { ema { decay: high } }", "p.config:1:29: decay needs a number, found high"},
        TextCase{"model_dir: out", "p.config:1:12: model_dir needs a text in quotes, found out"},
        TextCase{"data_config { input_fields { input_type: STRNG } }",
                 "p.config:1:42: input_type has no value \"STRNG\". Did you mean \"STRING\"? Values: STRING, INT32, "
                 "INT64, FLOAT, DOUBLE"},
        TextCase{"data_config { input_fields { input_type: 70 } }", "p.config:1:42: input_type has no value \"70\"."},
        TextCase{"train_config { seed: 1\n seed: 2 }", "p.config:2:2: seed is given twice, first in line 1"},
        TextCase{"train_config { }\ntrain_config { }", "p.config:2:1: train_config is given twice, first in line 1"},
        TextCase{"model_config { mmoe { }\n omoe { } }",
                 "p.config:2:2: omoe cannot stand beside mmoe (line 1): only one model can be chosen"},
        TextCase{"train_config: 3", "p.config:1:15: train_config needs fields in { }, found \"3\""},
        TextCase{"train_config { seed { } }", "p.config:1:21: expected \":\" after seed, found \"{\""},
        TextCase{"train_config { seed 4 }", "p.config:1:21: expected \":\" after seed, found \"4\""},
        TextCase{"train_config { seed: [1, 2] }", "p.config:1:22: seed takes one value, found \"[\""},
        TextCase{"train_config {\n seed:\n num_epochs: 2 }", "p.config:2:2: seed has no value"},
        TextCase{"train_config { seed: }", "p.config:1:16: seed has no value"},
        TextCase{"train_config {\n seed: 1", "p.config:1:14: this block has no closing \"}\""},
        TextCase{"model_config { mmoe { }", "p.config:1:14: this block has no closing \"}\""},
        TextCase{"train_config { seed: 1 > }", "p.config:1:24: expected \"}\", found \">\""},
        TextCase{"}\n", "p.config:1:1: \"}\" closes nothing"},
        TextCase{"3: 4", "p.config:1:1: expected the name of a field, found \"3\""},
        TextCase{"model_dir: \"out\n", "p.config:1:16: String literals cannot cross line boundaries."},
        TextCase{"data_config { missing_values: [\"a\" 3] }",
                 "p.config:1:36: expected \",\" or \"]\" in the list missing_values, found \"3\""},
        TextCase{"data_config { missing_values: [\"a\", \"b\"", "p.config:1:31: this list has no closing \"]\""},
        TextCase{"unknown { a { b: [1, 2] }", "p.config:1:9: this block is not closed"},
        TextCase{"model_dir: \"${MANYGATE_LOAD_TEST_ABSENT}/x\"",
                 "p.config:1:1: \"${MANYGATE_LOAD_TEST_ABSENT}/x\": the environment variable "
                 "MANYGATE_LOAD_TEST_ABSENT is not set."},
        TextCase{"data_config { cache_dir: \"${A\" }", "p.config:1:15: \"${A\": \"${\" without a closing \"}\"."}));

TEST(LoadTest, ReportsAllProblemsInOrder) {
  EXPECT_EQ(ErrorOf("train_config {\n  num_epoch: 3\n  seed: x\n}\nmodel_config {\n  mmoe { gates: { a: [1] b { } } "
                    "num_expert: 4 }\n"
                    "  mmoe { num_expert: a }\n}\n"),
            "p.config:2:3: unknown field \"num_epoch\" in TrainConfig. Did you mean \"num_epochs\"? Fields: "
            "sparse_optimizer, dense_optimizer, num_epochs, num_steps, save_checkpoints_steps, "
            "save_checkpoints_epochs, keep_checkpoint_max, log_step_count_steps, use_tensorboard, grad_clipping, ema, "
            "early_stopping, ... (17 in all)\n"
            "p.config:3:9: seed needs a whole number from 0 to 18446744073709551615, found x\n"
            "p.config:6:10: unknown field \"gates\" in MMoE. Fields: expert_mlp, gate_mlp, "
            "num_expert, task_towers\n"
            "p.config:7:3: mmoe is given twice, first in line 6\n"
            "p.config:7:22: num_expert needs a whole number from 0 to 4294967295, found a");
}

TEST(LoadTest, StopsAtTwentyProblems) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "nothing: 1\n";
  const std::string error = ErrorOf(text);
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 19);
  EXPECT_THAT(error, HasSubstr("p.config:20:1:"));
}

TEST(LoadTest, HostileTextIsAnError) {
  EXPECT_THAT(ErrorOf(std::string(100000, '{')), HasSubstr("p.config:1:1: "));
  EXPECT_THAT(ErrorOf("a" + std::string(100000, '{')), HasSubstr("this block is not closed"));
  EXPECT_THAT(ErrorOf(std::string("\0\1\2", 3)), HasSubstr("p.config:1:1: "));
  EXPECT_THAT(ErrorOf(std::string((16 << 20) + 1, ' ')), HasSubstr("too large for a configuration"));
}

TEST(LoadTest, EmptyTextIsAnEmptyPipeline) { EXPECT_FALSE(Load("").pipeline.has_train_config()); }

TEST(LoadTest, ReplacesEnvironmentVariablesInPaths) {
  setenv("MANYGATE_LOAD_TEST", "/d", 1);
  unsetenv("MANYGATE_LOAD_TEST_ABSENT");
  const LoadedPipeline loaded = Load(
      "train_input_path: \"${MANYGATE_LOAD_TEST}/a\" eval_input_path: \"${MANYGATE_LOAD_TEST_ABSENT:-data}/b\"\n"
      "data_config { cache_dir: '${MANYGATE_LOAD_TEST}/c' delimiter: '$' }",
      {"model_dir=${MANYGATE_LOAD_TEST}/m"});
  EXPECT_EQ(loaded.pipeline.train_input_path(), "/d/a");
  EXPECT_EQ(loaded.pipeline.eval_input_path(), "data/b");
  EXPECT_EQ(loaded.pipeline.data_config().cache_dir(), "/d/c");
  EXPECT_EQ(loaded.pipeline.model_dir(), "/d/m");
}

TEST(LoadTest, ReadsFiles) {
  const std::string path = ::testing::TempDir() + "manygate_load_test_" + std::to_string(getpid());
  ASSERT_TRUE(WriteFileAtomic(path, "train_config { seed: 7 }").ok());
  StatusOr<LoadedPipeline> loaded = LoadPipeline(path);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->Place(loaded->pipeline.train_config(), "seed"), path + ":1:16");
  ASSERT_TRUE(RemoveTree(path).ok());
  EXPECT_EQ(LoadPipeline(path).status().message(), path + ": cannot read: No such file or directory");
}

// What is read over is named once, by what it is about; what lies inside is not looked at.
TEST(LoadTest, ForeignFields) {
  const StatusOr<LoadedPipeline> loaded = LoadPipelineFromText(
      "p.config",
      "data_config { num_workers: 8 batch_size: 7 pin_memory: true }\n"
      "train_config { mixed_precision: 'BF16' grad_scaler { init_scale: 1 what: { ever: [1, 2] } } num_epochs: 2 }\n"
      "export_config < exporter_type: 'best' >\n"
      "feature_configs { id_feature { feature_name: 'a' embedding_constraints { sharding_types: ['table_wise'] } } }");
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(loaded->pipeline.data_config().batch_size(), 7u);
  EXPECT_EQ(loaded->pipeline.train_config().num_epochs(), 2u);
  EXPECT_EQ(loaded->pipeline.feature_configs(0).id_feature().feature_name(), "a");
  EXPECT_EQ(
      loaded->IgnoredNote(),
      "p.config: ignored: data_config.num_workers (about worker processes (threads are set by --threads)); "
      "data_config.pin_memory, train_config.mixed_precision, train_config.grad_scaler (about GPUs and number formats "
      "(all is computed in 32 bits here)); export_config (about what is written beside the model); "
      "feature_configs[0].id_feature.embedding_constraints (about how tables are spread over machines)");
  EXPECT_EQ(LoadPipelineFromText("p.config", "train_config { num_epochs: 2 }")->IgnoredNote(), "");
}

}  // namespace
}  // namespace manygate::config
