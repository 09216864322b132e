// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"

namespace manygate::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A valid configuration. Each case replaces one piece of it, so that lines and columns of the rest stay.
constexpr char kValid[] = R"(train_input_path: "train.csv"
train_config {
  dense_optimizer { adam_optimizer { lr: 0.001 } }
  num_epochs: 3
}
data_config {
  with_header: true
  label_fields: ["click", "buy"]
}
feature_configs { id_feature { feature_name: "city" embedding_dim: 8 } }
feature_configs { raw_feature { feature_name: "age" } }
model_config {
  feature_groups { group_name: "all" feature_names: ["city", "age"] }
  mmoe {
    expert_mlp { hidden_units: [64, 32] }
    num_expert: 4
    task_towers { label_name: "click" mlp { hidden_units: 8 } }
    task_towers { tower_name: "bought" label_name: "buy" }
  }
}
)";

std::string Replaced(std::string_view old_piece, std::string_view new_piece) {
  std::string text = kValid;
  const size_t position = text.find(old_piece);
  EXPECT_NE(position, std::string::npos) << old_piece;
  return position == std::string::npos ? text : text.replace(position, old_piece.size(), new_piece);
}

std::string ErrorOf(const std::string& text, std::vector<std::string> overrides = {}) {
  const StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", text, overrides);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  if (!loaded.ok()) return "";
  const Status status = ValidatePipeline(*loaded);
  EXPECT_EQ(status.code(), status.message().empty() ? StatusCode::kOk : StatusCode::kInvalidInput);
  return status.message();
}

TEST(ValidateTest, AValidConfigurationPasses) { EXPECT_EQ(ErrorOf(kValid), ""); }

struct ValidateCase {
  const char* old_piece;
  const char* new_piece;
  const char* message;  // start of one of the lines of the error
};

std::ostream& operator<<(std::ostream& out, const ValidateCase& one) { return out << one.new_piece; }

class ValidateErrorTest : public ::testing::TestWithParam<ValidateCase> {};

TEST_P(ValidateErrorTest, SaysWhereWhatAndHow) {
  const ValidateCase& one = GetParam();
  EXPECT_THAT("\n" + ErrorOf(Replaced(one.old_piece, one.new_piece)), HasSubstr(std::string("\n") + one.message));
}

constexpr char kTrain[] = "num_epochs: 3";
constexpr char kOptimizer[] = "adam_optimizer { lr: 0.001 }";
constexpr char kData[] = "with_header: true";
constexpr char kCity[] = "embedding_dim: 8";
constexpr char kAge[] = "feature_name: \"age\" }";
constexpr char kExpert[] = "hidden_units: [64, 32]";
constexpr char kTower[] = "mlp { hidden_units: 8 }";

INSTANTIATE_TEST_SUITE_P(
    Training, ValidateErrorTest,
    ::testing::Values(
        ValidateCase{kTrain, "num_epochs: 0",
                     "p.config:4:3: train_config.num_epochs is 0 and num_steps is 0: nothing would be trained"},
        ValidateCase{kTrain, "save_checkpoints_epochs: 0",
                     "p.config:4:3: train_config.save_checkpoints_epochs is 0 and"},
        ValidateCase{kTrain, "log_step_count_steps: 0",
                     "p.config:4:3: train_config.log_step_count_steps is 0, expected at least 1"},
        ValidateCase{kTrain, "slice_rows: 0", "p.config:4:3: train_config.slice_rows is 0, expected 1 to 16777216"},
        ValidateCase{kOptimizer, "adam_optimizer { lr: 0 }",
                     "p.config:3:38: train_config.dense_optimizer.adam_optimizer.lr is 0, expected a number above 0"},
        ValidateCase{kOptimizer, "adam_optimizer { lr: nan }",
                     "p.config:3:38: train_config.dense_optimizer.adam_optimizer.lr is nan, expected a number above 0"},
        ValidateCase{
            kOptimizer, "adam_optimizer { beta1: 1 }",
            "p.config:3:38: train_config.dense_optimizer.adam_optimizer.beta1 is 1, expected a number in [0, 1)"},
        ValidateCase{kOptimizer, "adam_optimizer { eps: 0 }",
                     "p.config:3:38: train_config.dense_optimizer.adam_optimizer.eps is 0, expected a number above 0"},
        ValidateCase{kOptimizer, "sgd_optimizer { momentum: -0.5 }",
                     "p.config:3:37: train_config.dense_optimizer.sgd_optimizer.momentum is -0.5, expected a number in "
                     "[0, 1)"},
        ValidateCase{
            kOptimizer, "adamw_optimizer { weight_decay: -1 }",
            "p.config:3:39: train_config.dense_optimizer.adamw_optimizer.weight_decay is -1, expected at least 0"},
        ValidateCase{kOptimizer, "exponential_decay_learning_rate { decay_factor: 1.5 }",
                     "p.config:3:55: train_config.dense_optimizer.exponential_decay_learning_rate.decay_factor is 1.5, "
                     "expected a number in (0, 1]"},
        ValidateCase{kOptimizer, "manual_step_learning_rate { schedule_sizes: [5, 5] learning_rates: 1 }",
                     "p.config:3:69: train_config.dense_optimizer.manual_step_learning_rate.schedule_sizes[1] is 5, "
                     "expected more than the one before it (5): steps ascend"},
        ValidateCase{
            kOptimizer, "manual_step_learning_rate { schedule_sizes: [5, 6] learning_rates: 1 }",
            "p.config:3:72: train_config.dense_optimizer.manual_step_learning_rate.learning_rates has 1 values "
            "for 2 schedule_sizes, expected as many"},
        ValidateCase{kOptimizer, "manual_step_learning_rate { }",
                     "p.config:3:21: train_config.dense_optimizer.manual_step_learning_rate has no schedule_sizes"},
        ValidateCase{kOptimizer, "cosine_annealing_learning_rate { T_max: 10 warmup_size: 10 }",
                     "p.config:3:64: train_config.dense_optimizer.cosine_annealing_learning_rate.warmup_size is 10, "
                     "expected less than T_max (10)"},
        ValidateCase{kOptimizer, "cosine_annealing_learning_rate { min_learning_rate: 0.1 }",
                     "p.config:3:54: train_config.dense_optimizer.cosine_annealing_learning_rate.min_learning_rate is "
                     "0.1, above the learning rate itself (0.002)"},
        ValidateCase{kOptimizer, "cosine_annealing_learning_rate { epochs: 8 warmup_size: 10 }",
                     "p.config:3:64: train_config.dense_optimizer.cosine_annealing_learning_rate.warmup_size has no "
                     "effect with epochs: remove one of them"},
        ValidateCase{kOptimizer, "cosine_annealing_learning_rate { warmup_share: 0.1 }",
                     "p.config:3:54: train_config.dense_optimizer.cosine_annealing_learning_rate.warmup_share is a "
                     "share of epochs, which is not set"},
        ValidateCase{kOptimizer, "cosine_annealing_learning_rate { epochs: 8 warmup_share: 1 }",
                     "p.config:3:64: train_config.dense_optimizer.cosine_annealing_learning_rate.warmup_share is 1, "
                     "expected a number in [0, 1)"},
        ValidateCase{
            kOptimizer, "noam_learning_rate { warmup_size: 0 }",
            "p.config:3:42: train_config.dense_optimizer.noam_learning_rate.warmup_size is 0, expected at least "
            "1"},
        ValidateCase{kTrain, "grad_clipping { clipping_type: \"nrom\" }",
                     "p.config:4:19: train_config.grad_clipping.clipping_type \"nrom\" is unknown. Did you mean "
                     "\"norm\"? Known: norm, value, none"},
        ValidateCase{kTrain, "grad_clipping { norm_type: 1 }",
                     "p.config:4:19: train_config.grad_clipping.norm_type is 1, expected 2 (Euclidean) or inf (the "
                     "largest number)"},
        ValidateCase{kOptimizer, "sgd_optimizer { nesterov: true }",
                     "p.config:3:37: train_config.dense_optimizer.sgd_optimizer.nesterov needs momentum, which is 0"},
        ValidateCase{kOptimizer, "sgd_optimizer { momentum: 0.5 nesterov: true dampening: 0.5 }",
                     "p.config:3:51: train_config.dense_optimizer.sgd_optimizer.nesterov needs momentum without "
                     "dampening, which is 0.5"},
        ValidateCase{kOptimizer, "rowwise_adagrad_optimizer { }",
                     "p.config:3:3: train_config.dense_optimizer is rowwise_adagrad_optimizer, which is for embedding "
                     "tables only: write it as sparse_optimizer, and here adagrad_optimizer or another one"},
        ValidateCase{kOptimizer, "partial_rowwise_adam_optimizer { }",
                     "p.config:3:3: train_config.dense_optimizer is partial_rowwise_adam_optimizer, which is for "
                     "embedding tables only: write it as sparse_optimizer, and here adam_optimizer or another one"},
        ValidateCase{kTrain, "sparse_optimizer { adam_optimizer { amsgrad: true } }",
                     "p.config:4:39: train_config.sparse_optimizer.adam_optimizer.amsgrad is for dense parameters "
                     "only: write it in dense_optimizer, and leave it out here"},
        ValidateCase{kOptimizer, "adadelta_optimizer { max_gradient: 0 }",
                     "p.config:3:42: train_config.dense_optimizer.adadelta_optimizer.max_gradient is 0, expected a "
                     "number above 0"},
        ValidateCase{kOptimizer, "ftrl_optimizer { l1: -1 }",
                     "p.config:3:38: train_config.dense_optimizer.ftrl_optimizer.l1 is -1, expected at least 0"},
        ValidateCase{kOptimizer, "cosine_annealing_warm_restarts_learning_rate { T_mult: 0 }",
                     "p.config:3:68: train_config.dense_optimizer.cosine_annealing_warm_restarts_learning_rate.T_mult "
                     "is 0, expected at least 1"},
        ValidateCase{kOptimizer, "cosine_annealing_warm_restarts_learning_rate { }",
                     "p.config:3:21: train_config.dense_optimizer.cosine_annealing_warm_restarts_learning_rate has no "
                     "T_0: the steps (or epochs) of the first run"},
        ValidateCase{kOptimizer,
                     "rmsprop_optimizer { lr: 0.01 } cosine_annealing_warm_restarts_learning_rate { T_0: 9 "
                     "min_learning_rate: 0.1 }",
                     "p.config:3:106: train_config.dense_optimizer.cosine_annealing_warm_restarts_learning_rate."
                     "min_learning_rate is 0.1, above the learning rate itself (0.01)"},
        ValidateCase{kTrain, "grad_clipping { max_gradient: 0 }",
                     "p.config:4:19: train_config.grad_clipping.max_gradient is 0, expected a number above 0"},
        ValidateCase{kTrain, "ema { decay: 1 }",
                     "p.config:4:9: train_config.ema.decay is 1, expected a number in (0, 1)"},
        ValidateCase{kTrain, "early_stopping { patience: 0 }",
                     "p.config:4:20: train_config.early_stopping.patience is 0, expected at least 1"},
        ValidateCase{kTrain, "early_stopping { metric: \"auc_bougt\" }",
                     "p.config:4:20: train_config.early_stopping.metric \"auc_bougt\" is not measured. Did you mean "
                     "\"auc_bought\"? Metrics: loss, auc_click,"},
        ValidateCase{kTrain, "best_metrics: [\"mean_auc\", \"auc_clik\"]",
                     "p.config:4:30: train_config.best_metrics[1] \"auc_clik\" is not measured. Did you mean "
                     "\"auc_click\"?"},
        ValidateCase{kTrain, "best_metrics: [\"loss\", \"loss\"]",
                     "p.config:4:26: train_config.best_metrics[1] \"loss\" is used twice, first at p.config:4:18"}));

INSTANTIATE_TEST_SUITE_P(
    Data, ValidateErrorTest,
    ::testing::Values(
        ValidateCase{kData, "batch_size: 0", "p.config:7:3: data_config.batch_size is 0, expected 1 to 16777216"},
        ValidateCase{kData, "eval_batch_size: 0", "p.config:7:3: data_config.eval_batch_size is 0, expected 1 to"},
        ValidateCase{kData, "with_header: false",
                     "p.config:6:1: data_config has no names of columns: set data_config.with_header: true, or list"},
        ValidateCase{kData, "with_header: true delimiter: \"||\"",
                     "p.config:7:21: data_config.delimiter is \"||\", expected one character such as"},
        ValidateCase{kData, "with_header: true delimiter: \"\\n\"",
                     "p.config:7:21: data_config.delimiter is a line end, expected one character"},
        ValidateCase{kData, "with_header: true quote: \"''\"",
                     "p.config:7:21: data_config.quote is \"''\", expected one character, or \"\" for no quoting"},
        ValidateCase{kData, "with_header: true delimiter: \"\\\"\"",
                     "p.config:7:21: data_config.delimiter \"\"\" is both delimiter and quote: they must differ"},
        ValidateCase{
            kData, "input_fields [{ input_name: \"x\" }, { input_name: \"x\" }]",
            "p.config:7:40: data_config.input_fields[1].input_name \"x\" is used twice, first at p.config:7:19"},
        ValidateCase{kData, "input_fields { input_type: FLOAT }",
                     "p.config:7:3: data_config.input_fields[0] has no input_name"},
        ValidateCase{
            kData, "input_fields { input_name: \"ages\" }",
            "p.config:11:33: feature_configs[1].raw_feature.feature_name \"age\" is not among the input_fields. "
            "Did you mean \"ages\"? Columns: ages"},
        ValidateCase{kData, "input_fields { input_name: \"clicks\" }",
                     "p.config:8:18: data_config.label_fields[0] \"click\" is not among the input_fields. Did you mean "
                     "\"clicks\"?"},
        ValidateCase{kData, "input_fields { input_name: \"age\" input_type: STRING }",
                     "p.config:11:33: feature_configs[1].raw_feature.feature_name reads \"age\", whose input_type is "
                     "STRING: a raw_feature needs numbers"},
        ValidateCase{kData, "with_header: true sample_weight_fields: [\"a\", \"a\"]",
                     "p.config:7:49: data_config.sample_weight_fields[1] \"a\" is used twice, first at p.config:7:44"},
        ValidateCase{kData, "with_header: true sample_weight_fields: [\"a\", \"b\"]",
                     "p.config:17:5: model_config.mmoe.task_towers[0] has no sample_weight_name, but data_config has 2 "
                     "sample_weight_fields: a, b"},
        ValidateCase{kData, "input_fields { input_name: \"w1\" } sample_weight_fields: \"w\"",
                     "p.config:7:37: data_config.sample_weight_fields[0] \"w\" is not among the input_fields."},
        ValidateCase{"[\"click\", \"buy\"]", "[\"clicks\", \"buy\"]",
                     "p.config:17:19: model_config.mmoe.task_towers[0].label_name \"click\" is not among the "
                     "label_fields. Did you mean \"clicks\"? Labels: clicks, buy"},
        ValidateCase{"[\"click\", \"buy\"]", "[\"click\", \"buy\", \"buy\"]",
                     "p.config:8:34: data_config.label_fields[2] \"buy\" is used twice, first at p.config:8:27"},
        ValidateCase{kData, "with_header: true label_configs { column: \"x\" }",
                     "p.config:7:21: data_config.label_configs[0] has no label_name"},
        ValidateCase{
            kData, "with_header: true label_configs { label_name: \"clik\" }",
            "p.config:7:37: data_config.label_configs[0].label_name \"clik\" is no tower's label. Did you mean "
            "\"click\"? Labels: click, buy"},
        ValidateCase{kData, "with_header: true label_configs { label_name: \"buy\" positive_values: [\"y\", \"y\"] }",
                     "p.config:7:78: data_config.label_configs[0].positive_values[1] \"y\" is used twice"},
        ValidateCase{kData, "with_header: true label_configs { label_name: \"buy\" column: \"age\" }",
                     "p.config:11:33: feature_configs[1].raw_feature.feature_name reads \"age\", the label of tower "
                     "\"bought\": the answer would be among the inputs. Remove this feature"},
        ValidateCase{kAge, "feature_name: \"x\" expression: \"item:click\" }",
                     "p.config:11:51: feature_configs[1].raw_feature.expression reads \"click\", the label of tower "
                     "\"click\""},
        ValidateCase{kData, "with_header: true split { validation_fraction: 1 }",
                     "p.config:7:29: data_config.split.validation_fraction is 1, expected a number in [0, 1)"},
        ValidateCase{kData, "with_header: true split { validation_fraction: 0.5 test_fraction: 0.5 }",
                     "p.config:7:54: data_config.split.test_fraction and validation_fraction sum to 1: less than 1"},
        ValidateCase{kData, "with_header: true split { eval_halves: true }",
                     "p.config:7:29: data_config.split.eval_halves needs eval_input_path, the file that is halved"},
        ValidateCase{kData, "with_header: true split { eval_halves: true test_fraction: 0.1 }",
                     "p.config:7:47: data_config.split.test_fraction excludes eval_halves: keep one of them"}));

INSTANTIATE_TEST_SUITE_P(
    Features, ValidateErrorTest,
    ::testing::Values(
        ValidateCase{kCity, "",
                     "p.config:10:19: feature_configs[0].id_feature has no embedding_dim. Write "
                     "embedding_dim: 16 or one_hot: true"},
        ValidateCase{kCity, "embedding_dim: 0",
                     "p.config:10:53: feature_configs[0].id_feature.embedding_dim is 0, expected 1 to 65536"},
        ValidateCase{kCity, "embedding_dim: 8 one_hot: true",
                     "p.config:10:53: feature_configs[0].id_feature.embedding_dim excludes one_hot: keep one of them"},
        ValidateCase{kCity, "embedding_dim: 8 num_buckets: 4 hash_bucket_size: 4",
                     "p.config:10:85: feature_configs[0].id_feature.hash_bucket_size excludes num_buckets: keep one"},
        ValidateCase{kCity, "embedding_dim: 8 vocab_list: \"a\" num_buckets: 4",
                     "p.config:10:70: feature_configs[0].id_feature.vocab_list excludes num_buckets"},
        ValidateCase{kCity, "embedding_dim: 8 vocab_list: [\"a\", \"a\"]",
                     "p.config:10:88: feature_configs[0].id_feature.vocab_list[1] \"a\" is used twice"},
        ValidateCase{
            kCity, "embedding_dim: 8 num_buckets: 4 min_count: 2",
            "p.config:10:85: feature_configs[0].id_feature.min_count is for a vocabulary learnt from the data, "
            "but num_buckets is given"},
        ValidateCase{kCity, "embedding_dim: 8 min_count: 0",
                     "p.config:10:70: feature_configs[0].id_feature.min_count is 0, expected at least 1"},
        ValidateCase{
            kCity, "embedding_dim: 8 num_buckets: 4 default_value: \"4\"",
            "p.config:10:85: feature_configs[0].id_feature.default_value is \"4\", expected a whole number below "
            "num_buckets (4)"},
        ValidateCase{
            kCity, "embedding_dim: 8 init_fn: \"nn.init.unifrom_\"",
            "p.config:10:70: feature_configs[0].id_feature.init_fn \"nn.init.unifrom_\": unknown initial values "
            "\"nn.init.unifrom_\". Did you mean \"nn.init.uniform_\"?"},
        ValidateCase{
            kCity, "one_hot: true init_fn: \"nn.init.uniform_\"",
            "p.config:10:67: feature_configs[0].id_feature.init_fn has no meaning: the feature has no embedding"},
        ValidateCase{kCity, "one_hot: true embedding_name: \"t\"",
                     "p.config:10:67: feature_configs[0].id_feature.embedding_name has no meaning"},
        ValidateCase{
            kCity, "embedding_dim: 8 expression: \"user:\"",
            "p.config:10:70: feature_configs[0].id_feature.expression is \"user:\", expected \"side:column\" or"},
        ValidateCase{"feature_name: \"city\" embedding_dim: 8", "embedding_dim: 8",
                     "p.config:10:19: feature_configs[0].id_feature has no feature_name"},
        ValidateCase{"feature_name: \"city\"", "feature_name: \"age\"",
                     "p.config:11:33: feature_configs[1].raw_feature.feature_name \"age\" is used twice, first at "
                     "p.config:10:32"},
        ValidateCase{"raw_feature { feature_name: \"age\" }", "",
                     "p.config:11:1: feature_configs[1] is empty, expected id_feature { ... } or raw_feature { ... }"},
        ValidateCase{kAge, "feature_name: \"age\" embedding_dim: 4 }",
                     "p.config:11:53: feature_configs[1].raw_feature.embedding_dim needs bins: add boundaries or "
                     "transform { quantile_bins: 10 }"},
        ValidateCase{kAge, "feature_name: \"age\" boundaries: [1, 2] }",
                     "p.config:11:19: feature_configs[1].raw_feature has bins but no embedding_dim."},
        ValidateCase{kAge, "feature_name: \"age\" one_hot: true boundaries: [1, 3, 2] }",
                     "p.config:11:86: feature_configs[1].raw_feature.boundaries[2] is 2, expected more than the one "
                     "before it (3): boundaries ascend"},
        ValidateCase{kAge, "feature_name: \"age\" one_hot: true boundaries: [inf] }",
                     "p.config:11:80: feature_configs[1].raw_feature.boundaries[0] is inf, expected a finite number"},
        ValidateCase{kAge, "feature_name: \"age\" one_hot: true boundaries: 1 transform { quantile_bins: 4 } }",
                     "p.config:11:93: feature_configs[1].raw_feature.transform.quantile_bins excludes boundaries"},
        ValidateCase{
            kAge, "feature_name: \"age\" one_hot: true transform { quantile_bins: 1 } }",
            "p.config:11:79: feature_configs[1].raw_feature.transform.quantile_bins is 1, expected 0 (none) or "
            "at least 2"},
        ValidateCase{
            kAge, "feature_name: \"age\" one_hot: true transform { quantile_bins: 4 log1p: true } }",
            "p.config:11:96: feature_configs[1].raw_feature.transform.log1p has no effect on a feature that is "
            "cut into bins"},
        ValidateCase{kAge, "feature_name: \"age\" transform { clip_min: 2 clip_max: 1 } }",
                     "p.config:11:77: feature_configs[1].raw_feature.transform.clip_max is 1, expected more than "
                     "clip_min (2)"},
        ValidateCase{
            kAge, "feature_name: \"age\" transform { piecewise_linear: 8 quantile_bins: 4 } one_hot: true }",
            "p.config:11:65: feature_configs[1].raw_feature.transform.piecewise_linear excludes quantile_bins: "
            "write a second feature for the bins"},
        ValidateCase{
            kAge, "feature_name: \"age\" transform { piecewise_linear: 8 log1p: true } }",
            "p.config:11:85: feature_configs[1].raw_feature.transform.log1p has no effect on a feature that is "
            "cut into pieces"},
        ValidateCase{kAge, "feature_name: \"age\" transform { piecewise_linear: 8 } one_hot: true }",
                     "p.config:11:87: feature_configs[1].raw_feature.one_hot has no meaning: piecewise_linear makes "
                     "numbers, not bins"},
        ValidateCase{kAge,
                     "feature_name: \"age\" transform { piecewise_linear: 8 } embedding_dim: 4 "
                     "embedding_name: \"t\" }",
                     "p.config:11:104: feature_configs[1].raw_feature.embedding_name has no meaning: a linear map over "
                     "pieces is not shared"},
        ValidateCase{
            "[\"city\", \"age\"]", "[\"city\", \"aeg\"]",
            "p.config:13:62: model_config.feature_groups[0].feature_names[1] \"aeg\" is not a feature. Did you "
            "mean \"age\"? Features: city, age"},
        ValidateCase{"[\"city\", \"age\"]", "[\"city\", \"city\"]",
                     "p.config:13:62: model_config.feature_groups[0].feature_names[1] \"city\" is used twice"},
        ValidateCase{"group_name: \"all\"", "", "p.config:13:3: model_config.feature_groups[0] has no group_name"}));

INSTANTIATE_TEST_SUITE_P(
    Model, ValidateErrorTest,
    ::testing::Values(
        ValidateCase{"expert_mlp { hidden_units: [64, 32] }", "",
                     "p.config:14:3: model_config.mmoe has no expert_mlp. Write expert_mlp { hidden_units: [64, 32] }"},
        ValidateCase{kExpert, "", "p.config:15:5: model_config.mmoe.expert_mlp has no hidden_units."},
        ValidateCase{kExpert, "hidden_units: [64, 0]",
                     "p.config:15:37: model_config.mmoe.expert_mlp.hidden_units[1] is 0, expected 1 to 65536"},
        ValidateCase{kExpert, "hidden_units: 4 dropout_ratio: 1",
                     "p.config:15:34: model_config.mmoe.expert_mlp.dropout_ratio[0] is 1, expected a number in [0, 1)"},
        ValidateCase{kExpert, "hidden_units: [4, 4, 4] dropout_ratio: [0.1, 0.1]",
                     "p.config:15:58: model_config.mmoe.expert_mlp.dropout_ratio has 2 values for 3 layers"},
        ValidateCase{kExpert, "hidden_units: 4 activation: \"nn.Relu6\"",
                     "p.config:15:34: model_config.mmoe.expert_mlp.activation \"nn.Relu6\" is unknown. Did you mean "
                     "\"nn.ReLU\"? Known: nn.ReLU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.LeakyReLU, none"},
        ValidateCase{kExpert, "hidden_units: 4 use_bn: true use_ln: true",
                     "p.config:15:47: model_config.mmoe.expert_mlp.use_ln excludes use_bn: keep one of them"},
        ValidateCase{"num_expert: 4", "num_expert: 0",
                     "p.config:16:5: model_config.mmoe.num_expert is 0, expected 1 to 4096"},
        ValidateCase{"num_expert: 4", "gate_mlp { }", "p.config:16:5: model_config.mmoe.gate_mlp has no hidden_units."},
        ValidateCase{"label_name: \"click\"", "tower_name: \"click\"",
                     "p.config:17:5: model_config.mmoe.task_towers[0] has no label_name"},
        ValidateCase{"tower_name: \"bought\"", "tower_name: \"click\"",
                     "p.config:18:19: model_config.mmoe.task_towers[1].tower_name \"click\" is used twice, first at "
                     "p.config:17:19"},
        ValidateCase{kTower, "num_class: 3",
                     "p.config:17:39: model_config.mmoe.task_towers[0].num_class is 3, but the loss is "
                     "binary_cross_entropy: leave it out, or write losses { softmax_cross_entropy {} }"},
        ValidateCase{kTower, "mlp { }", "p.config:17:39: model_config.mmoe.task_towers[0].mlp has no hidden_units."},
        ValidateCase{kTower, "weight: -1",
                     "p.config:17:39: model_config.mmoe.task_towers[0].weight is -1, expected at least 0"},
        ValidateCase{kTower, "losses { }",
                     "p.config:17:39: model_config.mmoe.task_towers[0].losses[0] is empty, expected a loss "
                     "such as binary_cross_entropy {} or l2_loss {}"},
        ValidateCase{kTower, "losses { l2_loss {} } losses { l2_loss {} }",
                     "p.config:17:61: model_config.mmoe.task_towers[0].losses[1] is a second l2_loss: give the first "
                     "one a weight instead"},
        ValidateCase{
            kTower, "losses { binary_cross_entropy { label_smoothing: 1 } }",
            "p.config:17:71: model_config.mmoe.task_towers[0].losses[0].binary_cross_entropy.label_smoothing is "
            "1, expected a number in [0, 1)"},
        ValidateCase{kTower, "metrics { }", "p.config:17:39: model_config.mmoe.task_towers[0].metrics[0] is empty"},
        ValidateCase{kTower, "metrics { auc {} } metrics { auc {} }",
                     "p.config:17:58: model_config.mmoe.task_towers[0].metrics[1] is a second auc"},
        ValidateCase{kTower, "metrics { auc { thresholds: 1 } }",
                     "p.config:17:55: model_config.mmoe.task_towers[0].metrics[0].auc.thresholds is 1, expected 0"},
        ValidateCase{
            kTower, "metrics { accuracy { threshold: 1.5 } }",
            "p.config:17:60: model_config.mmoe.task_towers[0].metrics[0].accuracy.threshold is 1.5, expected 0 "
            "to 1"}));

TEST(ValidateTest, MissingParts) {
  EXPECT_EQ(ErrorOf(""),
            "p.config: no names of columns: set data_config.with_header: true, or list the columns in "
            "data_config.input_fields\n"
            "p.config: no feature_configs: a model needs at least one feature\n"
            "p.config: model_config is missing; it has no model: write one of " +
                JoinNames(ModelNames(), 100) + " { ... }");
  EXPECT_THAT(ErrorOf("data_config { dataset_type: ParquetDataset }"),
              StartsWith("p.config: no feature_configs: a model needs"));
  EXPECT_THAT(ErrorOf("model_config { }"), HasSubstr("p.config:1:1: model_config has no model: write one of simple"));
  EXPECT_THAT(ErrorOf("model_config {\n shared_bottom { } }"),
              HasSubstr("p.config:2:2: model_config.shared_bottom has no bottom_mlp. Write bottom_mlp"));
  EXPECT_THAT(ErrorOf("model_config {\n simple_multi_task { } }"),
              HasSubstr("p.config:2:2: model_config.simple_multi_task has no task_towers: write task_towers"));
  EXPECT_THAT(ErrorOf("model_config {\n omoe { } }"), HasSubstr("p.config:2:2: model_config.omoe has no expert_mlp"));
  EXPECT_THAT(ErrorOf("model_config { simple_multi_task { task_towers { label_name: 'a' weight: 0 } } }"),
              HasSubstr("weight is 0 as in all towers: nothing would be trained"));
}

TEST(ValidateTest, OptimizersThatGoTogether) {
  EXPECT_EQ(ErrorOf(Replaced(kTrain,
                             "grad_clipping { clipping_type: 'none' norm_type: inf } sparse_optimizer { "
                             "rowwise_adagrad_optimizer { weight_decay_mode: L2 weight_decay: 0.1 } }")),
            "");
  EXPECT_EQ(ErrorOf(Replaced(kOptimizer, "adam_optimizer { amsgrad: true }")), "");
  StatusOr<LoadedPipeline> loaded =
      LoadPipelineFromText("p.config", Replaced(kOptimizer, "adam_optimizer { amsgrad: true }"), {});
  ASSERT_TRUE(loaded.ok());
  ResolveDefaults(&loaded->pipeline);
  EXPECT_EQ(ValidatePipeline(*loaded).message(), "") << "sparse_optimizer is a copy without amsgrad";
  EXPECT_TRUE(loaded->pipeline.train_config().dense_optimizer().adam_optimizer().amsgrad());
  EXPECT_EQ(ErrorOf(Replaced(kOptimizer, "sgd_optimizer { momentum: 0.5 nesterov: true }")), "");
}

TEST(ValidateTest, FractionsBesideAnEvaluationFile) {
  EXPECT_THAT(ErrorOf(kValid, {"eval_input_path=x.csv", "data_config.split.test_fraction=0.1"}),
              HasSubstr("--set data_config.split.test_fraction=0.1: data_config.split.test_fraction has no effect with "
                        "eval_input_path"));
  EXPECT_EQ(ErrorOf(kValid, {"eval_input_path=x.csv", "data_config.split.eval_halves=true"}), "");
  const std::string test = "data_config.split.eval_is_test=true";
  EXPECT_EQ(ErrorOf(kValid, {"eval_input_path=x.csv", test, "data_config.split.validation_fraction=0.2"}), "");
  EXPECT_THAT(ErrorOf(kValid, {"eval_input_path=x.csv", test, "data_config.split.test_fraction=0.2"}),
              HasSubstr("data_config.split.test_fraction excludes eval_is_test: keep one of them"));
  EXPECT_THAT(ErrorOf(kValid, {"eval_input_path=x.csv", test, "data_config.split.eval_halves=true"}),
              HasSubstr("data_config.split.eval_is_test excludes eval_halves: keep one of them"));
  EXPECT_THAT(ErrorOf(kValid, {test}), HasSubstr("data_config.split.eval_is_test needs eval_input_path"));
}

TEST(ValidateTest, SharedTables) {
  const std::string second = "feature_configs { id_feature { feature_name: \"home\" embedding_dim: ";
  const std::string first = Replaced(kCity, "embedding_dim: 8 embedding_name: \"t\" num_buckets: 9");
  EXPECT_EQ(ErrorOf(first + second + "8 embedding_name: \"t\" num_buckets: 9 } }"), "");
  EXPECT_THAT(ErrorOf(first + second + "4 embedding_name: \"t\" num_buckets: 9 } }"),
              HasSubstr("p.config:21:53: feature_configs[2].id_feature.embedding_dim is 4, but \"city\", which shares "
                        "the table \"t\", has 8"));
  EXPECT_THAT(
      ErrorOf(first + second + "8 embedding_name: \"t\" num_buckets: 7 } }"),
      HasSubstr("p.config:21:90: feature_configs[2].id_feature.num_buckets differs from that of \"city\", which "
                "shares the table \"t\""));
}

TEST(ValidateTest, AllProblemsAreReported) {
  std::string text = Replaced(kTrain, "num_epochs: 0");
  text.replace(text.find("embedding_dim: 8"), 16, "");
  text.replace(text.find("num_expert: 4"), 13, "num_expert: 0");
  EXPECT_EQ(ErrorOf(text, {"data_config.batch_size=0"}),
            "--set data_config.batch_size=0: data_config.batch_size is 0, expected 1 to 16777216\n"
            "p.config:16:5: model_config.mmoe.num_expert is 0, expected 1 to 4096\n"
            "p.config:4:3: train_config.num_epochs is 0 and num_steps is 0: nothing would be trained\n"
            "p.config:10:19: feature_configs[0].id_feature has no embedding_dim. Write embedding_dim: 16 or one_hot: "
            "true");
}

}  // namespace
}  // namespace manygate::config
