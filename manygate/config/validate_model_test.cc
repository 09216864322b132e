// SPDX-License-Identifier: Apache-2.0
// Rules of each model and of towers: losses, metrics, weights. The places of problems: validate_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const std::string& model, std::vector<std::string> overrides = {}) {
  const std::string text = R"(data_config { with_header: true }
feature_configs { id_feature { feature_name: "city" embedding_dim: 8 } }
feature_configs { raw_feature { feature_name: "age" } }
model_config {
)" + model + "\n}\n";
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", text, overrides);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  if (!loaded.ok()) return "";
  const Status status = ValidatePipeline(*loaded);
  if (status.ok()) {
    ResolveDefaults(&loaded->pipeline);
    EXPECT_EQ(ValidatePipeline(*loaded).message(), "") << "after ResolveDefaults: " << model;
  }
  return status.message();
}

constexpr char kTwo[] = " task_towers { label_name: 'a' } task_towers { label_name: 'b' } }";
constexpr char kNets[] = " task_expert_net { hidden_units: [16, 8] } share_expert_net { hidden_units: [32, 8] } ";

TEST(ValidateModelTest, EveryModelHasAValidForm) {
  const std::string needs_mlp = " { expert_mlp { hidden_units: 8 }" + std::string(kTwo);
  for (const std::string& model : {
           "simple_multi_task {" + std::string(kTwo),
           "mmoe" + needs_mlp,
           "omoe" + needs_mlp,
           "escm2" + needs_mlp,
           "dselect_k" + needs_mlp,
           "dbmtl" + needs_mlp,
           "dc2vr" + needs_mlp,
           "dc2vr {" + std::string(kTwo),
           "dbmtl { mask_net { n_mask_blocks: 2 mask_block { hidden_dim: 4 } }" + std::string(kTwo),
           "esmm {" + std::string(kTwo),
           "dbmtl {" + std::string(kTwo),
           "shared_bottom { bottom_mlp { hidden_units: 8 }" + std::string(kTwo),
           "aitm { bottom_mlp { hidden_units: 8 }" + std::string(kTwo),
           "pepnet {" + std::string(kTwo),
           std::string("cgc {") + kNets + kTwo,
           std::string("ple { extraction_networks {") + kNets + "} extraction_networks {" + kNets + "}" + kTwo,
           "adatt { expert_mlps { hidden_units: 8 } expert_mlps { hidden_units: 4 }" + std::string(kTwo),
       }) {
    EXPECT_EQ(ErrorOf(model), "");
    EXPECT_EQ(ErrorOf(model + " cross { cross_num: 2 low_rank: 0 }"), "");
  }
}

TEST(ValidateModelTest, GatingIsForSoftmaxGatesOverExperts) {
  const std::string gating = " gating { dropout_ratio: 0.1 temperature: 2 load_balance_weight: 0.5 }";
  const std::string experts = " { expert_mlp { hidden_units: 8 }" + std::string(kTwo);
  for (const std::string& model :
       {"mmoe" + experts, "omoe" + experts, "escm2" + experts, "dbmtl" + experts, std::string("cgc {") + kNets + kTwo,
        std::string("ple { extraction_networks {") + kNets + "}" + kTwo,
        "adatt { expert_mlps { hidden_units: 8 }" + std::string(kTwo)}) {
    EXPECT_EQ(ErrorOf(model + gating), "");
  }
  const std::string bottom = " { bottom_mlp { hidden_units: 8 }" + std::string(kTwo);
  for (const auto& [name, model] :
       std::initializer_list<std::pair<std::string, std::string>>{{"shared_bottom", bottom},
                                                                  {"aitm", bottom},
                                                                  {"esmm", bottom},
                                                                  {"dselect_k", experts},
                                                                  {"pepnet", " {" + std::string(kTwo)},
                                                                  {"simple_multi_task", " {" + std::string(kTwo)}}) {
    EXPECT_EQ(ErrorOf(name + model + "\n" + gating.substr(1)),
              "p.config:6:1: model_config.gating has no effect: " + name +
                  " has no softmax gates over experts. Models that have: mmoe, omoe, cgc, ple, escm2, adatt, and dbmtl "
                  "and dc2vr with expert_mlp");
  }
  EXPECT_EQ(ErrorOf("dbmtl {" + std::string(kTwo) + "\n" + gating.substr(1)),
            "p.config:6:1: model_config.gating has no effect without dbmtl.expert_mlp: dbmtl has gates where it has "
            "experts");
}

TEST(ValidateModelTest, NeededNetworks) {
  EXPECT_EQ(ErrorOf(std::string("mmoe {") + kTwo),
            "p.config:5:1: model_config.mmoe has no expert_mlp. Write expert_mlp { hidden_units: [64, 32] }");
  EXPECT_EQ(ErrorOf(std::string("adatt {") + kTwo),
            "p.config:5:1: model_config.adatt has no expert_mlps. Write expert_mlps { hidden_units: [64, 32] } for "
            "each level");
  EXPECT_EQ(ErrorOf(std::string("ple {") + kTwo),
            "p.config:5:1: model_config.ple has no extraction_networks. Write extraction_networks { task_expert_net { "
            "hidden_units: [64, 32] } share_expert_net { hidden_units: [64, 32] } } for each level");
  EXPECT_EQ(ErrorOf(std::string("ple { extraction_networks { task_expert_net { hidden_units: 8 } }") + kTwo),
            "p.config:5:7: model_config.ple.extraction_networks[0] has no share_expert_net. Write share_expert_net { "
            "hidden_units: [64, 32] }");
  EXPECT_EQ(ErrorOf(std::string("cgc { share_num: 0 task_expert_net { hidden_units: 8 }") + kTwo), "");
  EXPECT_EQ(ErrorOf(std::string("cgc { expert_num_per_task: 0 share_expert_net { hidden_units: 8 }") + kTwo), "");
}

// Of two towers "a", 4 wide, and "b", 6 wide.
std::string Dc2vr(const std::string& fields) {
  return "dc2vr { task_towers { label_name: 'a' mlp { hidden_units: 4 } } task_towers { label_name: 'b' mlp { "
         "hidden_units: 6 } " +
         fields + " } }";
}

struct ModelCase {
  std::string model;
  const char* message;  // stands in the error
};

std::ostream& operator<<(std::ostream& out, const ModelCase& one) { return out << one.model; }

class ValidateModelErrorTest : public ::testing::TestWithParam<ModelCase> {};

TEST_P(ValidateModelErrorTest, SaysWhereWhatAndHow) {
  EXPECT_THAT(ErrorOf(GetParam().model), HasSubstr(GetParam().message));
}

// An MMoE whose first tower holds `fields`.
std::string Tower(const std::string& fields) {
  return "mmoe { expert_mlp { hidden_units: 8 } task_towers { label_name: 'a' " + fields +
         " } task_towers { label_name: 'b' } }";
}

constexpr char kTower0[] = "model_config.mmoe.task_towers[0]";

INSTANTIATE_TEST_SUITE_P(
    Networks, ValidateModelErrorTest,
    ::testing::Values(
        ModelCase{"mmoe { expert_mlp { hidden_units: [4, 4, 4] init_scale: [1, 2] }" + std::string(kTwo),
                  "model_config.mmoe.expert_mlp.init_scale has 2 values for 3 layers, expected one for all or one per"},
        ModelCase{"mmoe { expert_mlp { hidden_units: 4 init_scale: 0 }" + std::string(kTwo),
                  "model_config.mmoe.expert_mlp.init_scale[0] is 0, expected a number above 0"},
        ModelCase{"adatt { expert_mlps { hidden_units: 4 } expert_mlps { activation: 'none' }" + std::string(kTwo),
                  "model_config.adatt.expert_mlps[1] has no hidden_units."},
        ModelCase{std::string("ple { extraction_networks { share_expert_net { hidden_units: 8 } task_expert_net { "
                              "hidden_units: 8 activation: 'nn.Relu' } }") +
                      kTwo,
                  "model_config.ple.extraction_networks[0].task_expert_net.activation \"nn.Relu\" is unknown. Did you "
                  "mean \"nn.ReLU\"?"},
        ModelCase{Tower("") + " gating { dropout_ratio: 1 }",
                  "model_config.gating.dropout_ratio is 1, expected a number in [0, 1)"},
        ModelCase{Tower("") + " gating { temperature: 0 }",
                  "model_config.gating.temperature is 0, expected a number above 0"},
        ModelCase{Tower("") + " gating { load_balance_weight: -0.5 }",
                  "model_config.gating.load_balance_weight is -0.5, expected at least 0"},
        ModelCase{Tower("mlp { hidden_units: [4, 4, 4] dropout_ratio: [0.1, 0.2] }"),
                  "task_towers[0].mlp.dropout_ratio has 2 values for 3 layers"},
        ModelCase{"simple_multi_task {" + std::string(kTwo) + " cross { cross_num: 0 }",
                  "model_config.cross.cross_num is 0, expected 1 to 64"}));

INSTANTIATE_TEST_SUITE_P(
    Models, ValidateModelErrorTest,
    ::testing::Values(
        ModelCase{std::string("cgc { expert_num_per_task: 0 share_num: 0") + kNets + kTwo,
                  "p.config:5:7: model_config.cgc.expert_num_per_task is 0, and so is the number of the other experts: "
                  "one of the two must be at least 1"},
        ModelCase{
            std::string("cgc { task_expert_net { hidden_units: [8, 4] } share_expert_net { hidden_units: [4, 8] }") +
                kTwo,
            "p.config:5:85: model_config.cgc.share_expert_net.hidden_units[1] is 8, but the last width of "
            "task_expert_net is 4: experts that are mixed are equally wide"},
        ModelCase{std::string("ple { extraction_networks { share_num: 0") + kNets + "} extraction_networks {" + kNets +
                      "}" + kTwo,
                  "model_config.ple.extraction_networks[0].share_num is 0, expected at least 1: only the last level"},
        ModelCase{std::string("ple { extraction_networks { network_name: 'x'") + kNets +
                      "} extraction_networks { network_name: 'x'" + kNets + "}" + kTwo,
                  "model_config.ple.extraction_networks[1].network_name \"x\" is used twice"},
        ModelCase{"esmm { task_towers { label_name: 'a' } task_towers { label_name: 'b' losses { l2_loss {} } } }",
                  "p.config:5:1: model_config.esmm has 1 binary tower, expected at least 2: the steps of the funnel"},
        ModelCase{
            "esmm { task_towers { label_name: 'a' } task_towers { label_name: 'b' } task_towers { label_name: 'c' "
            "num_class: 2 losses { jrc_loss { session_name: 's' } } } }",
            "model_config.esmm.task_towers[2].losses[0] is jrc_loss with 2 outputs: a step of a funnel needs"},
        ModelCase{"escm2 { expert_mlp { hidden_units: 8 } counterfact_mode: 'IWP'" + std::string(kTwo),
                  "model_config.escm2.counterfact_mode \"IWP\" is unknown. Did you mean \"IPW\"? Known: IPW, DR"},
        ModelCase{"escm2 { expert_mlp { hidden_units: 8 } task_towers { label_name: 'a' } }",
                  "model_config.escm2 has 1 binary tower, expected at least 2"},
        ModelCase{"escm2 { expert_mlp { hidden_units: 8 } max_inverse_propensity: 0.5" + std::string(kTwo),
                  "model_config.escm2.max_inverse_propensity is 0.5, expected at least 1"},
        ModelCase{"aitm { bottom_mlp { hidden_units: 8 } task_towers { label_name: 'a' } }",
                  "model_config.aitm has 1 task_towers, expected at least 2"},
        ModelCase{"adatt { expert_num_per_task: 0 expert_mlps { hidden_units: 8 }" + std::string(kTwo),
                  "model_config.adatt.expert_num_per_task is 0, expected 1 to 4096"},
        ModelCase{"dselect_k { num_selected: 5 expert_mlp { hidden_units: 8 }" + std::string(kTwo),
                  "model_config.dselect_k.num_selected is 5, expected at most num_expert (4)"},
        ModelCase{"pepnet { ppnet_dropout_ratio: [0.1, 0.1, 0.1]" + std::string(kTwo),
                  "model_config.pepnet.ppnet_dropout_ratio has 3 values for 2 layers"},
        ModelCase{"pepnet { ppnet_activation: 'ReLU'" + std::string(kTwo),
                  "model_config.pepnet.ppnet_activation \"ReLU\" is unknown. Did you mean \"nn.ReLU\"?"},
        ModelCase{"dbmtl { num_expert: 4" + std::string(kTwo),
                  "model_config.dbmtl.num_expert has no effect without expert_mlp"},
        ModelCase{
            "dbmtl { task_towers { label_name: 'a' } task_towers { label_name: 'buy' relation_tower_names: 'b' } }",
            "model_config.dbmtl.task_towers[1].relation_tower_names[0] \"b\" is not a tower. Towers: a"},
        ModelCase{"dbmtl { task_towers { label_name: 'a' relation_tower_names: 'a' } task_towers { label_name: 'b' } }",
                  "model_config.dbmtl.task_towers[0].relation_tower_names[0] \"a\" is this tower itself"},
        ModelCase{"dbmtl { task_towers { label_name: 'z' relation_tower_names: 'a' } task_towers { label_name: 'a' "
                  "relation_tower_names: 'b' } task_towers { label_name: 'b' relation_tower_names: 'a' } }",
                  "model_config.dbmtl.task_towers[1].relation_tower_names closes a circle: a reads b reads a"},
        ModelCase{"dbmtl { task_towers { label_name: 'a' relation_mlp { hidden_units: 8 } } }",
                  "model_config.dbmtl.task_towers[0].relation_mlp has no effect without relation_tower_names"},
        ModelCase{Tower("relation_tower_names: 'b'"),
                  "task_towers[0].relation_tower_names is for dbmtl; mmoe does not read it"},
        ModelCase{Tower("low_rank_dim: 4"), "task_towers[0].low_rank_dim is for dc2vr; mmoe does not read it"},
        ModelCase{
            std::string("pepnet { task_domain_num: 3") + kTwo,
            "model_config.pepnet.task_domain_num is 3, expected 1: train one model per domain, or make the domain "
            "a feature of the group \"domain\""}));

TEST(ValidateModelTest, Interventions) {
  EXPECT_EQ(ErrorOf(Dc2vr("intervention_tower_names: 'a' low_rank_dim: 4 dropout_ratio: 0")), "");
  EXPECT_EQ(ErrorOf("dc2vr { bottom_mlp { hidden_units: 8 } task_towers { label_name: 'a' intervention_tower_names: "
                    "['b', 'c'] low_rank_dim: 8 } task_towers { label_name: 'b' } task_towers { label_name: 'c' } }"),
            "");
}

INSTANTIATE_TEST_SUITE_P(
    Interventions, ValidateModelErrorTest,
    testing::Values(
        ModelCase{Dc2vr("intervention_tower_names: 'c' low_rank_dim: 2"),
                  "task_towers[1].intervention_tower_names[0] \"c\" is not a tower. Towers: a"},
        ModelCase{Dc2vr("intervention_tower_names: 'a'"),
                  "task_towers[1] has intervention_tower_names, but no low_rank_dim: the width of the rotation"},
        ModelCase{Dc2vr("low_rank_dim: 2"),
                  "task_towers[1].low_rank_dim has no effect without intervention_tower_names"},
        ModelCase{Dc2vr("dropout_ratio: 0.5"),
                  "task_towers[1].dropout_ratio has no effect without intervention_tower_names"},
        ModelCase{Dc2vr("intervention_tower_names: 'a' low_rank_dim: 7"),
                  "task_towers[1].low_rank_dim is 7, expected at most 6: the hidden output of \"b\" is as wide"},
        ModelCase{Dc2vr("intervention_tower_names: 'a' low_rank_dim: 5"),
                  "task_towers[1].low_rank_dim is 5, expected at most 4: the hidden output of its intervention towers "
                  "together is as wide"},
        ModelCase{Dc2vr("intervention_tower_names: 'a' low_rank_dim: 0"),
                  "task_towers[1].low_rank_dim is 0, expected 1 to 65536"},
        ModelCase{"dc2vr { task_towers { label_name: 'a' mlp { hidden_units: 4 } } task_towers { label_name: 'b' "
                  "intervention_tower_names: 'a' low_rank_dim: 2 } }",
                  "task_towers[1].low_rank_dim needs hidden layers to rotate: \"b\" has none. Give it an mlp, or dc2vr "
                  "a bottom_mlp"},
        ModelCase{"dc2vr { task_towers { label_name: 'a' intervention_tower_names: 'b' low_rank_dim: 1 mlp { "
                  "hidden_units: 4 } } task_towers { label_name: 'b' intervention_tower_names: 'a' low_rank_dim: 1 mlp "
                  "{ hidden_units: 4 } } }",
                  "task_towers[0].intervention_tower_names closes a circle: a reads b reads a"},
        ModelCase{std::string("dc2vr { gate_mlp { hidden_units: 4 }") + kTwo,
                  "model_config.dc2vr.gate_mlp has no effect without expert_mlp"},
        ModelCase{std::string("dbmtl { mask_net { mask_block { hidden_dim: 4 } }") + kTwo,
                  "model_config.dbmtl.mask_net has no n_mask_blocks: the number of blocks"},
        ModelCase{std::string("dbmtl { mask_net { n_mask_blocks: 2 }") + kTwo,
                  "model_config.dbmtl.mask_net has no mask_block. Write mask_block { hidden_dim: 64 }"},
        ModelCase{std::string("dbmtl { mask_net { n_mask_blocks: 2 mask_block { } }") + kTwo,
                  "model_config.dbmtl.mask_net.mask_block has no hidden_dim: the units of a block's output"},
        ModelCase{std::string("dbmtl { mask_net { n_mask_blocks: 2 mask_block { hidden_dim: 4 reduction_ratio: 2 "
                              "aggregation_dim: 3 } }") +
                      kTwo,
                  "mask_net.mask_block.aggregation_dim excludes reduction_ratio: keep one of them"},
        ModelCase{std::string("dbmtl { mask_net { n_mask_blocks: 2 mask_block { hidden_dim: 4 } top_mlp { } }") + kTwo,
                  "model_config.dbmtl.mask_net.top_mlp has no hidden_units"}));

TEST(ValidateModelTest, TowersMayReadOneAnotherWithoutACircle) {
  EXPECT_EQ(
      ErrorOf("dbmtl { task_towers { label_name: 'a' relation_tower_names: ['b', 'c'] relation_mlp { hidden_units: "
              "4 } } task_towers { label_name: 'b' relation_tower_names: 'c' } task_towers { label_name: 'c' } }"),
      "");
}

INSTANTIATE_TEST_SUITE_P(
    Losses, ValidateModelErrorTest,
    ::testing::Values(
        ModelCase{Tower("losses { binary_cross_entropy {} } losses { poisson_loss {} }"),
                  "losses[1] is poisson_loss (count), but the first loss is binary_cross_entropy (binary): the losses "
                  "of a tower share its output and must be of one kind"},
        ModelCase{Tower("losses { pairwise_loss {} } losses { l2_loss {} }"),
                  "must be of one kind; write pairwise_loss after the other"},
        ModelCase{Tower("losses { binary_cross_entropy {} } losses { jrc_loss { session_name: 's' } }"),
                  "losses[1] is jrc_loss, which reads 2 outputs, but the first loss, binary_cross_entropy, reads 1"},
        ModelCase{
            Tower("num_class: 3 losses { softmax_cross_entropy {} } losses { pairwise_loss {} }"),
            "losses[1] is pairwise_loss, which reads 1 output, but the first loss, softmax_cross_entropy, reads 3"},
        ModelCase{Tower("losses { l2_loss { standardise: true } } losses { huber_loss {} }"),
                  "huber_loss.standardise is false, but that of l2_loss is true: both read the same output"},
        ModelCase{Tower("num_class: 2 losses { jrc_loss {} }"),
                  "losses[0].jrc_loss has no session_name: the column whose equal values are one session"},
        ModelCase{Tower("losses { softmax_cross_entropy {} }"),
                  "task_towers[0].num_class is 1, expected at least 2 for softmax_cross_entropy"},
        ModelCase{Tower("num_class: 3 losses { jrc_loss { session_name: 's' } }"),
                  "task_towers[0].num_class is 3, expected 2 for jrc_loss"},
        ModelCase{Tower("num_class: 0"), "task_towers[0].num_class is 0, expected 1 to 65536"},
        ModelCase{Tower("losses { binary_focal_loss { alpha: 1 } }"), "alpha is 1, expected a number in (0, 1)"},
        ModelCase{Tower("losses { binary_focal_loss { gamma: -1 } }"), "gamma is -1, expected at least 0"},
        ModelCase{Tower("losses { huber_loss { delta: 0 } }"), "delta is 0, expected a number above 0"},
        ModelCase{Tower("losses { l2_loss {} weight: -1 }"), "losses[0].weight is -1, expected at least 0"}));

TEST(ValidateModelTest, LossesThatGoTogether) {
  for (const char* losses :
       {"losses { binary_cross_entropy {} } losses { binary_focal_loss {} } losses { pairwise_loss { } weight: 0.5 }",
        "losses { l2_loss {} } losses { pairwise_loss {} }", "losses { l2_loss {} } losses { huber_loss {} }",
        "losses { poisson_loss {} } losses { pairwise_loss {} }", "losses { ziln_loss {} }",
        "losses { pairwise_loss {} }", "num_class: 2 losses { jrc_loss { session_name: 's' } }",
        "num_class: 3 losses { softmax_cross_entropy {} }"}) {
    EXPECT_EQ(ErrorOf(Tower(losses)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Metrics, ValidateModelErrorTest,
    ::testing::Values(
        ModelCase{Tower("metrics { multiclass_auc {} }"),
                  "metrics[0] is multiclass_auc, which is not for binary labels (the loss is binary_cross_entropy). "
                  "Those that are: auc, log_loss,"},
        ModelCase{Tower("metrics { r2 {} }"), "metrics[0] is r2, which is not for binary labels"},
        ModelCase{Tower("losses { l2_loss {} } metrics { auc {} }"),
                  "metrics[0] is auc, which is not for regression labels (the loss is l2_loss)"},
        ModelCase{Tower("losses { ziln_loss {} } metrics { log_loss {} }"),
                  "metrics[0] is log_loss, which is not for amount labels"},
        ModelCase{Tower("num_class: 3 losses { softmax_cross_entropy {} } metrics { auc {} }"),
                  "metrics[0] is auc, which is not for multi-class labels (the loss is softmax_cross_entropy). Those "
                  "that are: accuracy, multiclass_auc, log_loss"},
        ModelCase{Tower("metrics { grouped_xauc {} }"), "metrics[0].grouped_xauc has no grouping_key: the column"},
        ModelCase{Tower("metrics { recall_at_k {} }"), "metrics[0] is recall_at_k, which is not for binary labels"},
        ModelCase{Tower("num_class: 5 losses { softmax_cross_entropy {} } metrics { recall_at_k {} }"),
                  "recall_at_k.top_k is 5 of 5 classes: every row would be right"},
        ModelCase{Tower("num_class: 5 losses { softmax_cross_entropy {} } metrics { recall_at_k { top_k: 0 } }"),
                  "recall_at_k.top_k is 0, expected 1 to 65536"},
        ModelCase{
            Tower("num_class: 5 losses { softmax_cross_entropy {} } metrics { multiclass_auc { thresholds: 1 } }"),
            "multiclass_auc.thresholds is 1, expected 0 (exact) or at least 2"},
        ModelCase{Tower("losses { l2_loss {} } metrics { flattened_auc {} }"),
                  "metrics[0] is flattened_auc, which is not for regression labels"},
        ModelCase{Tower("metrics { grouped_auc {} }"), "metrics[0].grouped_auc has no grouping_key: the column"},
        ModelCase{Tower("metrics { accuracy { top_k: 2 } }"), "accuracy.top_k is 2, but the tower has no classes"},
        ModelCase{Tower("num_class: 3 losses { softmax_cross_entropy {} } metrics { accuracy { top_k: 3 } }"),
                  "accuracy.top_k is 3 of 3 classes: every row would be right"},
        ModelCase{
            Tower("num_class: 3 losses { softmax_cross_entropy {} } metrics { multiclass_auc { average: 'micro' } }"),
            "multiclass_auc.average \"micro\" is unknown. Did you mean \"macro\"? Known: macro, weighted"},
        ModelCase{Tower("metrics { expected_calibration_error { bins: 0 } }"), "bins is 0, expected 1 to 1000000"}));

INSTANTIATE_TEST_SUITE_P(
    Weights, ValidateModelErrorTest,
    ::testing::Values(
        ModelCase{
            Tower("sample_weight_name: 'w'"),
            "task_towers[0].sample_weight_name \"w\" is not among data_config.sample_weight_fields. Weights: none"},
        ModelCase{Tower("in_task_space_weight: 2"),
                  "task_towers[0].in_task_space_weight has no effect without task_space_indicator_label"},
        ModelCase{Tower("task_space_indicator_label: 'b' out_task_space_weight: -1"),
                  "task_towers[0].out_task_space_weight is -1, expected at least 0"},
        ModelCase{Tower("class_weights: [1, 2, 3]"), "class_weights has 3 values, expected one per class: 2"},
        ModelCase{Tower("num_class: 4 losses { softmax_cross_entropy {} } class_weights: [1, 2, 3]"),
                  "class_weights has 3 values, expected one per class: 4"},
        ModelCase{Tower("losses { poisson_loss {} } class_weights: [1, 2]"),
                  "class_weights has no meaning: count labels have no classes"},
        ModelCase{Tower("class_weights: [1, -2]"), "class_weights[1] is -2, expected at least 0"}));

TEST(ValidateModelTest, WeightsAndIndicators) {
  const std::string model = Tower("task_space_indicator_label: 'b' out_task_space_weight: 0 class_weights: [1, 2]");
  EXPECT_EQ(ErrorOf(model), "");
  EXPECT_THAT(
      ErrorOf(Tower("task_space_indicator_label: 'clik'"), {"data_config.label_fields=['a', 'b', 'click']"}),
      HasSubstr(std::string(kTower0) + ".task_space_indicator_label \"clik\" is not among the label_fields. Did "
                                       "you mean \"click\"?"));
  EXPECT_EQ(ErrorOf(Tower("sample_weight_name: 'v'"), {"data_config.sample_weight_fields=['v']"}), "");
  EXPECT_THAT(ErrorOf(Tower("sample_weight_name: 'weigth'"), {"data_config.sample_weight_fields=['weight', 'v']"}),
              HasSubstr("\"weigth\" is not among data_config.sample_weight_fields. Did you mean \"weight\"?"));
}

TEST(ValidateModelTest, ColumnsThatTowersName) {
  const std::string fields =
      "data_config.input_fields=[{input_name: 'city'}, {input_name: 'age'}, {input_name: 'a'}, "
      "{input_name: 'b'}, {input_name: 'user'}]";
  const auto error = [&](const std::string& tower) {
    return ErrorOf(Tower(tower), {"data_config.with_header=false", fields});
  };
  EXPECT_EQ(error("metrics { grouped_auc { grouping_key: 'user' } }"), "");
  EXPECT_THAT(error("metrics { grouped_auc { grouping_key: 'usr' } }"),
              HasSubstr("grouped_auc.grouping_key \"usr\" is not among the input_fields. Did you mean \"user\"?"));
  EXPECT_THAT(error("num_class: 2 losses { jrc_loss { session_name: 'usr' } }"),
              HasSubstr("jrc_loss.session_name \"usr\" is not among the input_fields."));
  EXPECT_THAT(error("task_space_indicator_label: 'bb'"),
              HasSubstr("task_space_indicator_label \"bb\" is not among the input_fields."));
}

TEST(ValidateModelTest, ValuesOfLabels) {
  const auto error = [](const std::string& tower, const std::string& label) {
    return ErrorOf(Tower(tower), {"data_config.label_configs=[{label_name: 'a' " + label + "}]"});
  };
  const std::string softmax = "num_class: 3 losses { softmax_cross_entropy {} }";
  EXPECT_EQ(error(softmax, "class_values: ['x', 'y', 'z']"), "");
  EXPECT_EQ(error("", "class_values: ['no', 'yes']"), "");
  EXPECT_THAT(error(softmax, "class_values: ['x', 'y']"),
              HasSubstr("label_configs[0].class_values has 2 values, but tower \"a\" has 3 classes"));
  EXPECT_THAT(error(softmax, "class_values: ['x', 'y', 'x']"), HasSubstr("class_values[2] \"x\" is used twice"));
  EXPECT_THAT(error(softmax, "positive_values: 'x'"),
              HasSubstr("positive_values makes 0 and 1, but tower \"a\" has 3 classes: write class_values"));
  EXPECT_THAT(error("", "positive_values: 'x' class_values: ['x', 'y']"),
              HasSubstr("class_values excludes positive_values: keep one of them"));
  EXPECT_THAT(error("losses { l2_loss {} }", "class_values: ['x', 'y']"),
              HasSubstr("class_values makes classes, but the loss of tower \"a\" is l2_loss"));
}

TEST(ValidateModelTest, TheSharedExpertsKeepTheirName) {
  const std::string tower = " task_towers { tower_name: 'shared' label_name: 'click' } }";
  EXPECT_THAT(ErrorOf(std::string("cgc {") + kNets + tower),
              HasSubstr("model_config.cgc.task_towers[0] is called \"shared\", as the shared experts of cgc are"));
  EXPECT_EQ(ErrorOf("mmoe { expert_mlp { hidden_units: 8 }" + tower), "");
}

TEST(ValidateModelTest, FeatureGroups) {
  const std::string group = "feature_groups { feature_names: 'age' group_name: ";
  const std::string towers = std::string(kTwo);
  const std::string wide = group + "'w' group_type: WIDE } ";
  EXPECT_EQ(ErrorOf(group + "'all' } " + wide + "simple_multi_task {" + towers), "");
  EXPECT_EQ(ErrorOf(group + "'all' } " + group + "'domain' } " + wide + group + "'uia' } pepnet {" + towers), "");
  EXPECT_EQ(ErrorOf(group + "'all' } " + group + "'uai' } pepnet {" + towers),
            "p.config:5:97: model_config.feature_groups[1].group_name \"uai\" is not read by pepnet. Did you mean "
            "\"uia\"? It reads the first group and: domain, uia");
  EXPECT_THAT(ErrorOf(group + "'all' } " + group + "'more' } simple_multi_task {" + towers),
              HasSubstr("model_config.feature_groups[1] is a second group of type DEEP: simple_multi_task reads the "
                        "first only"));
  EXPECT_EQ(ErrorOf(wide + "simple_multi_task {" + towers), "");
  EXPECT_THAT(ErrorOf(group + "'all' } " + wide + group + "'v' group_type: WIDE } simple_multi_task {" + towers),
              HasSubstr("feature_groups[2].group_type is WIDE for the second time: at most one group is"));
}

TEST(ValidateModelTest, Ensemble) {
  const std::string model = std::string("simple_multi_task {") + kTwo;
  EXPECT_EQ(ErrorOf(model, {"ensemble.members=5"}), "");
  EXPECT_THAT(ErrorOf(model, {"ensemble.members=0"}), HasSubstr("ensemble.members is 0, expected 1 to 64"));
  EXPECT_THAT(ErrorOf(model, {"ensemble.members=65"}), HasSubstr("ensemble.members is 65, expected 1 to 64"));
}

}  // namespace
}  // namespace manygate::config
