// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/catalog.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/catalog/inputs.h"
#include "manygate/catalog/task.h"
#include "manygate/config/accessors.h"
#include "manygate/models/models.h"
#include "manygate/ops/lookup_products.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/piecewise_products.h"

namespace manygate {
namespace {

// A tower starts from its label's base rate, so that the first steps are not spent on finding it. Where outputs are
// products along a funnel, a tower's own logits are those of a conditional probability.
void SetOutputBiases(Graph& graph, const config::Pipeline& pipeline, const features::Schema& schema) {
  const config::ModelConfig& model = pipeline.model_config();
  int steps = model.has_esmm() ? config::TaskTowers(model).size() : model.has_escm2() ? 2 : 0;  // of the funnel, left
  double reached = 1;  // share of the rows that came so far down
  for (const config::TaskTower& tower : config::TaskTowers(model)) {
    const int label = FindLabel(schema, tower.label_name());
    MG_CHECK(label >= 0, "label {} is not in the schema", tower.label_name());
    LabelStatistics statistics = StatisticsOf(schema.labels(label));
    if (steps > 0 && config::KindOf(tower) == config::TaskKind::kBinary) {
      --steps;
      const double mean = statistics.mean;
      statistics.mean = std::min(1.0, mean / reached);
      if (mean > 0) reached = mean;
    }
    const auto loss = MakeLoss(tower.losses(0), tower, statistics);
    std::vector<float> bias(loss->NumLogits());
    loss->InitialBias(statistics, bias.data());
    for (Parameter& parameter : graph.parameters) {
      if (parameter.name != "towers." + tower.tower_name() + ".output.bias") continue;
      parameter.initializer = {.kind = Initializer::Kind::kValues, .values = bias};
    }
  }
}

// What the purpose has no use for, and the nodes that only it needs.
void DropOutputs(Graph& graph, Purpose purpose) {
  const auto unused = purpose == Purpose::kTrain ? Graph::Output::Kind::kExtra : Graph::Output::Kind::kRowLoss;
  if (std::erase_if(graph.outputs, [&](const Graph::Output& output) { return output.kind == unused; }) > 0)
    RemoveUnusedNodes(graph);
}

}  // namespace

void RewriteGraph(Graph& graph, int64_t batch_rows) {
  MergeParallelProducts(graph);
  SumInsteadOfPieces(graph);
  LookUpInsteadOfMultiply(graph, {.batch_rows = batch_rows});
}

Graph BuildGraph(const config::Pipeline& pipeline, const features::Schema& schema, GraphChoice choice) {
  Graph graph;
  ModelInputs inputs = BuildInputs(graph, pipeline.model_config(), schema);
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config()))
    inputs.labels.push_back(FindLabel(schema, tower.label_name()));
  inputs.gating = pipeline.model_config().gating();
  if (choice.purpose == Purpose::kPredict) inputs.gating.clear_dropout_ratio();
  WireModel(graph, inputs, pipeline.model_config());
  SetOutputBiases(graph, pipeline, schema);
  DropOutputs(graph, choice.purpose);
  if (choice.rewrite) RewriteGraph(graph, pipeline.data_config().batch_size());
  return graph;
}

std::unique_ptr<Loss> MakeLoss(const config::LossConfig& config, const config::TaskTower& tower,
                               const LabelStatistics& labels) {
  switch (config.loss_case()) {
    case config::LossConfig::kL2Loss: return MakeL2Loss(config.l2_loss(), labels);
    case config::LossConfig::kHuberLoss: return MakeHuberLoss(config.huber_loss(), labels);
    case config::LossConfig::kSoftmaxCrossEntropy:
      return MakeSoftmaxCrossEntropy(config.softmax_cross_entropy(), static_cast<int>(tower.num_class()));
    case config::LossConfig::kJrcLoss: return MakeJrcLoss(config.jrc_loss());
    case config::LossConfig::kBinaryFocalLoss: return MakeBinaryFocalLoss(config.binary_focal_loss());
    case config::LossConfig::kPairwiseLoss: return MakePairwiseLoss(config.pairwise_loss());
    case config::LossConfig::kPoissonLoss: return MakePoissonLoss(config.poisson_loss());
    case config::LossConfig::kZilnLoss: return MakeZilnLoss(config.ziln_loss(), labels);
    default: return MakeBinaryCrossEntropy(config.binary_cross_entropy());
  }
}

}  // namespace manygate
