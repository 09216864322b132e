// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/twins.h"

#include "manygate/config/accessors.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A funnel's configuration with the model given, resolved, and the schema of its rows.
struct Prepared {
  config::Pipeline pipeline;
  features::Schema schema;
};

Prepared Prepare(const std::string& model, const std::string& train = "",
                 const std::vector<std::string>& overrides = {}) {
  const FunnelRun run(PipelineText(train, model, kFunnelText), "");
  const auto made = GenerateFunnel({.rows = 600, .seed = 3}, run.DataPath());
  EXPECT_TRUE(made.ok());
  config::LoadedPipeline loaded = run.Load(overrides);
  const Status valid = config::ValidatePipeline(loaded);
  EXPECT_TRUE(valid.ok()) << valid.message();
  config::ResolveDefaults(&loaded.pipeline);
  ThreadPool pool(1);
  std::vector<std::string> notes;
  auto data = PrepareTraining(loaded, pool, "", &notes);
  EXPECT_TRUE(data.ok()) << data.status().message();
  return {loaded.pipeline, data->schema};
}

// Whether the program would take it, and it is what it resolves to.
void ExpectValid(const config::Pipeline& pipeline) {
  const Status valid = config::ValidatePipeline({.pipeline = pipeline, .name = "twin", .places = {}});
  EXPECT_TRUE(valid.ok()) << valid.message();
  config::Pipeline resolved = pipeline;
  config::ResolveDefaults(&resolved);
  EXPECT_EQ(config::PrintPipeline(resolved), config::PrintPipeline(pipeline));
}

int64_t Parameters(const Prepared& prepared, const config::Pipeline& pipeline) {
  return MakeTrainingModel(pipeline, prepared.schema)->graph.NumParameters();
}

std::string Towers(const std::string& mlp = "mlp { hidden_units: 4 }") {
  return fmt::format(
      "task_towers {{ label_name: 'click' {} }} task_towers {{ label_name: 'purchase' {} }} "
      "task_towers {{ label_name: 'amount' weight: 0 losses {{ l2_loss {{}} }} }}",
      mlp, mlp);
}

std::vector<std::string> AllModels() {
  const std::string expert = " expert_mlp { hidden_units: [8, 6] activation: 'nn.SiLU' dropout_ratio: 0.25 } ";
  const std::string two = "task_towers { label_name: 'click' } task_towers { label_name: 'purchase' } ";
  return {"mmoe { num_expert: 3" + expert + Towers() + "}",
          "omoe {" + expert + Towers() + "}",
          "simple_multi_task {" + Towers() + "}",
          "cgc { task_expert_net { hidden_units: 6 } share_expert_net { hidden_units: [9, 6] }" + Towers() + "}",
          "ple { extraction_networks { task_expert_net { hidden_units: 8 } share_expert_net { hidden_units: 8 } } "
          "extraction_networks { task_expert_net { hidden_units: 6 } share_expert_net { hidden_units: 6 } }" +
              Towers() + "}",
          "esmm { " + two + "}",
          "escm2 {" + expert + two + "}",
          "aitm { bottom_mlp { hidden_units: 6 }" + two + "}",
          "dbmtl { bottom_mlp { hidden_units: 8 } expert_mlp { hidden_units: 6 } task_towers { label_name: 'click' } "
          "task_towers { label_name: 'purchase' relation_tower_names: 'click' relation_mlp { hidden_units: 3 } } }",
          "adatt { expert_mlps { hidden_units: 8 } expert_mlps { hidden_units: 6 }" + Towers() + "}",
          "dselect_k {" + expert + Towers() + "}",
          "pepnet { ppnet_hidden_units: [8, 4]" + Towers("") + "}"};
}

TEST(TwinsTest, EveryModelHasThemAndTheyAreValid) {
  for (const std::string& model : AllModels()) {
    SCOPED_TRACE(model);
    const Prepared prepared = Prepare(model);
    const config::Pipeline bottom = SharedBottomTwin(prepared.pipeline, prepared.schema);
    ExpectValid(bottom);
    EXPECT_EQ(config::ModelName(bottom.model_config()), "shared_bottom");
    const int towers = config::TaskTowers(prepared.pipeline.model_config()).size();
    EXPECT_EQ(config::TaskTowers(bottom.model_config()).size(), towers);
    const int64_t most = Parameters(prepared, prepared.pipeline), has = Parameters(prepared, bottom);
    EXPECT_LE(has, most);
    EXPECT_GT(has, 0.8 * static_cast<double>(most));
    for (int tower = 0; tower < towers; ++tower) {
      const config::Pipeline alone = SingleTaskTwin(prepared.pipeline, prepared.schema, tower);
      ExpectValid(alone);
      ASSERT_EQ(config::TaskTowers(alone.model_config()).size(), 1);
      EXPECT_EQ(config::TaskTowers(alone.model_config())[0].label_name(),
                config::TaskTowers(prepared.pipeline.model_config())[tower].label_name());
      EXPECT_GT(config::TaskTowers(alone.model_config())[0].weight(), 0);
      EXPECT_LT(Parameters(prepared, alone), most);
    }
  }
}

TEST(TwinsTest, TheBottomLooksLikeTheExperts) {
  const Prepared mmoe = Prepare(AllModels()[0]);
  const config::Pipeline twin = SharedBottomTwin(mmoe.pipeline, mmoe.schema);
  const config::MLP& bottom = twin.model_config().shared_bottom().bottom_mlp();
  ASSERT_EQ(bottom.hidden_units_size(), 2);
  EXPECT_GT(bottom.hidden_units(0), 8u);  // of three experts' parameters
  EXPECT_NEAR(static_cast<double>(bottom.hidden_units(1)) / bottom.hidden_units(0), 6.0 / 8, 0.06);
  EXPECT_EQ(bottom.activation(), "nn.SiLU");
  EXPECT_THAT(bottom.dropout_ratio(), ElementsAre(0.25f));
  const Prepared ple = Prepare(AllModels()[4]);  // two levels, one above the other
  EXPECT_EQ(SharedBottomTwin(ple.pipeline, ple.schema).model_config().shared_bottom().bottom_mlp().hidden_units_size(),
            2);
}

TEST(TwinsTest, AFunnelsTowerAloneIsSharedBottomOthersKeepTheirModel) {
  const Prepared esmm = Prepare(
      "esmm { bottom_mlp { hidden_units: 6 } task_towers { label_name: 'click' } task_towers { label_name: 'purchase' "
      "} }");
  EXPECT_EQ(config::ModelName(SingleTaskTwin(esmm.pipeline, esmm.schema, 1).model_config()), "shared_bottom");
  const Prepared mmoe = Prepare(AllModels()[0]);
  const config::Pipeline alone = SingleTaskTwin(mmoe.pipeline, mmoe.schema, 1);
  EXPECT_EQ(alone.model_config().mmoe().num_expert(), 3u);
  EXPECT_THAT(alone.model_config().mmoe().expert_mlp().hidden_units(), ElementsAre(8, 6));
}

TEST(TwinsTest, WatchedMetricsAreThoseOfTheTowerThatIsLeft) {
  const Prepared prepared =
      Prepare(AllModels()[0],
              "early_stopping { metric: 'auc_click' } best_metrics: 'auc_click' best_metrics: 'auc_purchase' "
              "best_metrics: 'mean_auc' best_metrics: 'r2_amount'");
  const auto watched = [&](int tower) {
    const config::TrainConfig train = SingleTaskTwin(prepared.pipeline, prepared.schema, tower).train_config();
    std::vector<std::string> names = {train.early_stopping().metric()};
    names.insert(names.end(), train.best_metrics().begin(), train.best_metrics().end());
    return names;
  };
  EXPECT_THAT(watched(0), ElementsAre("auc_click", "auc_click", "mean_auc", "loss"));
  EXPECT_THAT(watched(1), ElementsAre("auc_purchase", "auc_purchase", "mean_auc", "loss"));
  EXPECT_THAT(watched(2), ElementsAre("loss", "loss", "r2_amount"));
}

TEST(TwinsTest, WhatIsAboutSeveralTasksIsDropped) {
  const Prepared prepared = Prepare(AllModels()[8], "balancing { metabalance { target_tower: 'click' } }");
  const config::Pipeline alone = SingleTaskTwin(prepared.pipeline, prepared.schema, 1);
  EXPECT_FALSE(alone.train_config().has_balancing());
  EXPECT_THAT(alone.model_config().dbmtl().task_towers(0).relation_tower_names(), IsEmpty());
  // Shared-Bottom is trained as the model is.
  EXPECT_TRUE(SharedBottomTwin(prepared.pipeline, prepared.schema).train_config().balancing().has_metabalance());
}

TEST(TwinsTest, RowWeightsAndTaskSpacesStay) {
  const Prepared prepared = Prepare(
      "mmoe { expert_mlp { hidden_units: 4 } task_towers { label_name: 'click' sample_weight_name: 'price' } "
      "task_towers { label_name: 'purchase' sample_weight_name: 'hour' task_space_indicator_label: 'click' "
      "out_task_space_weight: 0 } }",
      "", {"data_config.sample_weight_fields=['price', 'hour']", "data_config.label_fields=['click', 'purchase']"});
  const config::Pipeline alone = SingleTaskTwin(prepared.pipeline, prepared.schema, 1);
  const config::TaskTower& tower = alone.model_config().mmoe().task_towers(0);
  EXPECT_EQ(tower.sample_weight_name(), "hour");
  EXPECT_EQ(tower.task_space_indicator_label(), "click");
  EXPECT_EQ(alone.data_config().sample_weight_fields_size(), 2);
  ExpectValid(alone);
}

}  // namespace
}  // namespace manygate
