// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

using ::testing::StartsWith;

struct BalancingCase {
  const char* balancing;  // of train_config, line 3
  const char* model;      // a field of model_config, line 9
  const char* towers;     // line 12
  const char* message;    // the error's start; "" for none
};

std::ostream& operator<<(std::ostream& out, const BalancingCase& one) {
  return out << one.balancing << " " << one.model << " " << one.towers;
}

std::string TextOf(const BalancingCase& one) {
  return fmt::format(R"(train_input_path: "train.csv"
train_config {{
  {}
}}
data_config {{ with_header: true label_fields: ["click", "buy"] }}
feature_configs {{ raw_feature {{ feature_name: "age" }} }}
model_config {{
  feature_groups {{ group_name: "all" feature_names: "age" }}
  {}
  mmoe {{
    expert_mlp {{ hidden_units: 8 }}
    {}
  }}
}}
)",
                     one.balancing, one.model, one.towers);
}

constexpr char kPlain[] = "task_towers { label_name: \"click\" } task_towers { label_name: \"buy\" }";
constexpr char kOne[] = "task_towers { label_name: \"click\" }";
constexpr char kCounts[] =
    "task_towers { label_name: \"click\" } task_towers { label_name: \"buy\" losses { poisson_loss {} } }";
constexpr char kAmounts[] =
    "task_towers { label_name: \"click\" } task_towers { label_name: \"buy\" losses { ziln_loss {} } }";
constexpr char kBounds[] =
    "task_towers { label_name: \"click\" pareto_min_loss_weight: 0.5 } "
    "task_towers { label_name: \"buy\" pareto_min_loss_weight: 0.25 }";
constexpr char kFullBounds[] =
    "task_towers { label_name: \"click\" pareto_min_loss_weight: 0.5 } "
    "task_towers { label_name: \"buy\" pareto_min_loss_weight: 0.5 }";

class BalancingErrorTest : public ::testing::TestWithParam<BalancingCase> {};

TEST_P(BalancingErrorTest, SaysWhereWhatAndHow) {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", TextOf(GetParam()));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const std::string message = ValidatePipeline(*loaded).message();
  if (*GetParam().message != '\0') {
    EXPECT_THAT(message, StartsWith(GetParam().message));
    return;
  }
  EXPECT_EQ(message, "");
  // A resolved configuration is valid, too.
  ResolveDefaults(&loaded->pipeline);
  const StatusOr<LoadedPipeline> resolved = LoadPipelineFromText("r.config", PrintPipeline(loaded->pipeline));
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  EXPECT_EQ(ValidatePipeline(*resolved).message(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BalancingErrorTest,
    ::testing::Values(
        BalancingCase{"balancing { famo {} }", "", kPlain, ""},
        BalancingCase{"balancing { pareto {} }", "use_pareto_loss_weight: true", kPlain, ""},
        BalancingCase{"", "use_pareto_loss_weight: true", kBounds, ""},
        BalancingCase{"balancing { metabalance { target_tower: \"buy\" strategy: \"reduce\" } }", "", kPlain, ""},
        BalancingCase{"balancing { cagrad {} }", "", kCounts, ""},
        BalancingCase{"balancing {}", "", kPlain,
                      "p.config:3:3: train_config.balancing names no method. Methods: uncertainty, dwa, gradnorm, "
                      "metabalance, pcgrad, cagrad, famo, db_mtl, pareto"},
        BalancingCase{"balancing { metabalance { target_tower: \"by\" } }", "", kPlain,
                      "p.config:3:29: train_config.balancing.metabalance.target_tower \"by\" is no tower. Did you mean "
                      "\"buy\"? Towers: click, buy"},
        BalancingCase{
            "balancing { metabalance { strategy: \"enlarged\" } }", "", kPlain,
            "p.config:3:29: train_config.balancing.metabalance.strategy \"enlarged\" is unknown. Did you mean "
            "\"enlarge\"? Known: both, reduce, enlarge"},
        BalancingCase{
            "balancing { pareto {} }", "", kFullBounds,
            "p.config:12:101: model_config.mmoe.task_towers[1].pareto_min_loss_weight brings the sum over the "
            "towers to 1, expected less than 1"},
        BalancingCase{"balancing { pcgrad {} }", "", kBounds,
                      "p.config:12:39: model_config.mmoe.task_towers[0].pareto_min_loss_weight has no effect without "
                      "train_config.balancing { pareto {} }"},
        BalancingCase{"balancing { gradnorm {} }", "use_pareto_loss_weight: true", kPlain,
                      "p.config:9:3: model_config.use_pareto_loss_weight asks for pareto, but train_config.balancing "
                      "names gradnorm: remove one of them"},
        BalancingCase{"balancing { famo {} }", "", kOne,
                      "p.config:3:3: train_config.balancing has no effect with one tower: remove it"},
        BalancingCase{"", "use_pareto_loss_weight: true", kOne,
                      "p.config:9:3: model_config.use_pareto_loss_weight has no effect with one tower: remove it"},
        BalancingCase{
            "balancing { famo {} }", "", kCounts,
            "p.config:3:15: train_config.balancing.famo takes logs of losses, which can be negative with the "
            "poisson_loss of tower \"buy\": use another loss there, or metabalance, pcgrad, cagrad or pareto"},
        BalancingCase{
            "balancing { db_mtl {} }", "", kAmounts,
            "p.config:3:15: train_config.balancing.db_mtl takes logs of losses, which can be negative with the "
            "ziln_loss of tower \"buy\""},
        BalancingCase{
            "balancing { dwa {} }", "", kAmounts,
            "p.config:3:15: train_config.balancing.dwa divides losses by earlier ones, which can be negative"},
        BalancingCase{"balancing { uncertainty {} }", "", kAmounts,
                      "p.config:3:15: train_config.balancing.uncertainty scales losses by a learnt variance, which can "
                      "be negative with"}));

}  // namespace
}  // namespace manygate::config
