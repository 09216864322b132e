// SPDX-License-Identifier: Apache-2.0
// Rules of train_config: how long, which schedules, what is watched.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

// Of the optimizer that is set, Adam's default where none is.
float LearningRate(const Optimizer& optimizer) {
  const google::protobuf::Reflection& reflection = *optimizer.GetReflection();
  const auto* chosen =
      reflection.GetOneofFieldDescriptor(optimizer, Optimizer::descriptor()->FindOneofByName("optimizer"));
  if (chosen == nullptr) return AdamOptimizer().lr();
  const google::protobuf::Message& message = reflection.GetMessage(optimizer, chosen);
  return message.GetReflection()->GetFloat(message, message.GetDescriptor()->FindFieldByName("lr"));
}

// field: dense_optimizer or sparse_optimizer of train_config.
void CheckOptimizer(const TrainConfig& train, const std::string& field, const Optimizer& optimizer,
                    Problems* problems) {
  const SgdOptimizer& sgd = optimizer.sgd_optimizer();
  if (sgd.nesterov() && sgd.momentum() == 0) problems->Add(sgd, "nesterov", "needs momentum, which is 0");
  if (sgd.nesterov() && sgd.dampening() != 0) {
    problems->Add(sgd, "nesterov", fmt::format("needs momentum without dampening, which is {}", sgd.dampening()));
  }
  if (field == "sparse_optimizer" && optimizer.adam_optimizer().amsgrad()) {
    problems->Add(optimizer.adam_optimizer(), "amsgrad",
                  "is for dense parameters only: write it in dense_optimizer, and leave it out here");
  }
  const bool row_wise = optimizer.has_rowwise_adagrad_optimizer() || optimizer.has_partial_rowwise_adam_optimizer();
  if (field == "dense_optimizer" && row_wise) {
    problems->Add(train, field,
                  fmt::format("is {}, which is for embedding tables only: write it as sparse_optimizer, and here "
                              "{} or another one",
                              OptimizerName(optimizer),
                              optimizer.has_rowwise_adagrad_optimizer() ? "adagrad_optimizer" : "adam_optimizer"));
  }
}

void CheckManualStep(const ManualStepLR& schedule, Problems* problems) {
  const int sizes = schedule.schedule_sizes_size(), rates = schedule.learning_rates_size();
  if (sizes == 0) problems->AddTo(schedule, "has no schedule_sizes");
  if (sizes != rates) {
    problems->Add(schedule, "learning_rates",
                  fmt::format("has {} values for {} schedule_sizes, expected as many", rates, sizes));
  }
  for (int i = 1; i < sizes; ++i) {
    if (schedule.schedule_sizes(i) > schedule.schedule_sizes(i - 1)) continue;
    problems->Add(schedule, "schedule_sizes", i,
                  fmt::format("is {}, expected more than the one before it ({}): steps ascend",
                              schedule.schedule_sizes(i), schedule.schedule_sizes(i - 1)));
  }
}

// A lowest rate above the rate itself would raise it.
template <typename Schedule>
void CheckLowestRate(const Optimizer& optimizer, const Schedule& schedule, Problems* problems) {
  if (!(schedule.min_learning_rate() > LearningRate(optimizer))) return;
  problems->Add(
      schedule, "min_learning_rate",
      fmt::format("is {}, above the learning rate itself ({})", schedule.min_learning_rate(), LearningRate(optimizer)));
}

void CheckSchedule(const Optimizer& optimizer, Problems* problems) {
  if (optimizer.has_manual_step_learning_rate()) CheckManualStep(optimizer.manual_step_learning_rate(), problems);
  if (optimizer.has_exponential_decay_learning_rate()) {
    CheckLowestRate(optimizer, optimizer.exponential_decay_learning_rate(), problems);
  }
  if (optimizer.has_cosine_annealing_warm_restarts_learning_rate()) {
    const auto& restarts = optimizer.cosine_annealing_warm_restarts_learning_rate();
    CheckLowestRate(optimizer, restarts, problems);
    if (!restarts.has_t_0()) problems->AddTo(restarts, "has no T_0: the steps (or epochs) of the first run");
  }
  if (!optimizer.has_cosine_annealing_learning_rate()) return;
  const CosineAnnealingLR& cosine = optimizer.cosine_annealing_learning_rate();
  CheckLowestRate(optimizer, cosine, problems);
  if (cosine.epochs() > 0) {
    for (const char* field : {"T_max", "warmup_size", "by_epoch"}) {
      if (!cosine.GetReflection()->HasField(cosine, CosineAnnealingLR::descriptor()->FindFieldByName(field))) continue;
      problems->Add(cosine, field, "has no effect with epochs: remove one of them");
    }
  } else if (cosine.warmup_share() > 0) {
    problems->Add(cosine, "warmup_share", "is a share of epochs, which is not set");
  }
  if (cosine.t_max() > 0 && cosine.warmup_size() >= cosine.t_max()) {
    problems->Add(cosine, "warmup_size",
                  fmt::format("is {}, expected less than T_max ({})", cosine.warmup_size(), cosine.t_max()));
  }
}

void CheckClipping(const GradClipping& clipping, Problems* problems) {
  const std::vector<std::string> types = {"norm", "value", "none"};
  const std::string& type = clipping.clipping_type();
  if (std::find(types.begin(), types.end(), type) == types.end()) {
    problems->Add(clipping, "clipping_type",
                  fmt::format("\"{}\" is unknown. {}", type, Suggestion(type, types, "Known")));
  }
  const float norm = clipping.norm_type();
  if (norm != 2 && norm != std::numeric_limits<float>::infinity()) {
    problems->Add(clipping, "norm_type",
                  fmt::format("is {}, expected 2 (Euclidean) or inf (the largest number)", norm));
  }
}

void CheckWatchedMetrics(const Pipeline& pipeline, Problems* problems) {
  const TrainConfig& train = pipeline.train_config();
  if (TaskTowers(pipeline.model_config()).empty()) return;  // reported already, and then no name can be right
  const std::vector<std::string> names = EvaluationMetricNames(pipeline.model_config());
  const auto unknown = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) == names.end();
  };
  const auto text = [&](const std::string& name) {
    return fmt::format("\"{}\" is not measured. {}", name, Suggestion(name, names, "Metrics"));
  };
  const std::string& watched = train.early_stopping().metric();
  if (!watched.empty() && unknown(watched)) problems->Add(train.early_stopping(), "metric", text(watched));
  UniqueNames best(problems);
  for (int i = 0; i < train.best_metrics_size(); ++i) {
    best.Note(train.best_metrics(i), train, "best_metrics", i);
    if (unknown(train.best_metrics(i))) problems->Add(train, "best_metrics", i, text(train.best_metrics(i)));
  }
}

}  // namespace

void CheckTraining(const Pipeline& pipeline, Problems* problems) {
  const TrainConfig& train = pipeline.train_config();
  if (train.num_epochs() == 0 && train.num_steps() == 0) {
    problems->Add(train, "num_epochs", "is 0 and num_steps is 0: nothing would be trained");
  }
  if (train.save_checkpoints_epochs() == 0 && train.save_checkpoints_steps() == 0) {
    problems->Add(train, "save_checkpoints_epochs",
                  "is 0 and save_checkpoints_steps is 0: one of them must be at least 1");
  }
  for (const char* field : {"sparse_optimizer", "dense_optimizer"}) {
    const bool sparse = field[0] == 's';
    if (!(sparse ? train.has_sparse_optimizer() : train.has_dense_optimizer())) continue;
    const Optimizer& optimizer = sparse ? train.sparse_optimizer() : train.dense_optimizer();
    CheckOptimizer(train, field, optimizer, problems);
    CheckSchedule(optimizer, problems);
  }
  if (train.has_grad_clipping()) CheckClipping(train.grad_clipping(), problems);
  CheckBalancing(pipeline, problems);
  CheckWatchedMetrics(pipeline, problems);
}

}  // namespace manygate::config
