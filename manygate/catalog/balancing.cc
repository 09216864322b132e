// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/balancing.h"

#include "manygate/config/accessors.h"

namespace manygate {

BalancedTasks BalancedTasksOf(const config::Pipeline& pipeline, int shared_parameters) {
  BalancedTasks tasks;
  tasks.shared_parameters = shared_parameters;
  tasks.seed = pipeline.train_config().seed();
  const std::string& target = pipeline.train_config().balancing().metabalance().target_tower();
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config())) {
    if (config::TowerName(tower) == target) tasks.target = tasks.size();
    tasks.is_regression.push_back(config::KindOf(tower) == config::TaskKind::kRegression);
    tasks.lower_bounds.push_back(tower.pareto_min_loss_weight());
  }
  return tasks;
}

std::unique_ptr<Balancer> MakeBalancer(const config::Pipeline& pipeline, int shared_parameters) {
  const config::Balancing& balancing = pipeline.train_config().balancing();
  const BalancedTasks tasks = BalancedTasksOf(pipeline, shared_parameters);
  switch (balancing.method_case()) {
    case config::Balancing::kUncertainty: return MakeUncertaintyWeights(balancing.uncertainty(), tasks);
    case config::Balancing::kDwa: return MakeDynamicWeightAverage(balancing.dwa(), tasks);
    case config::Balancing::kGradnorm: return MakeGradNorm(balancing.gradnorm(), tasks);
    case config::Balancing::kMetabalance: return MakeMetaBalance(balancing.metabalance(), tasks);
    case config::Balancing::kPcgrad: return MakePcGrad(balancing.pcgrad(), tasks);
    case config::Balancing::kCagrad: return MakeCaGrad(balancing.cagrad(), tasks);
    case config::Balancing::kFamo: return MakeFamo(balancing.famo(), tasks);
    case config::Balancing::kDbMtl: return MakeDbMtl(balancing.db_mtl(), tasks);
    case config::Balancing::kPareto: return MakePareto(balancing.pareto(), tasks);
    case config::Balancing::METHOD_NOT_SET: break;
  }
  return nullptr;
}

}  // namespace manygate
