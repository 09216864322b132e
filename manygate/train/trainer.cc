// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <ostream>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/report/metrics_log.h"
#include "manygate/report/progress.h"
#include "manygate/report/tensorboard.h"
#include "manygate/train/checkpoint.h"
#include "manygate/train/dataset.h"
#include "manygate/train/drawing.h"
#include "manygate/train/ensemble.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/health.h"
#include "manygate/train/model_directory.h"
#include "manygate/train/stepper.h"
#include "manygate/train/training_batches.h"

namespace manygate {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

RunLength LengthOf(const config::Pipeline& pipeline, int64_t rows) {
  const int64_t batch = pipeline.data_config().batch_size();
  RunLength run;
  run.steps_per_epoch = pipeline.data_config().drop_remainder() ? rows / batch : (rows + batch - 1) / batch;
  const auto& train = pipeline.train_config();
  run.total_steps = train.num_steps() > 0 ? static_cast<int64_t>(train.num_steps())
                                          : run.steps_per_epoch * static_cast<int64_t>(train.num_epochs());
  return run;
}

class Trainer {
 public:
  // data: rows that are prepared already, or null.
  Trainer(config::LoadedPipeline loaded, const TrainOptions& options, const Dataset* data)
      : loaded_(std::move(loaded)),
        pipeline_(loaded_.pipeline),
        options_(options),
        prepared_(data),
        pool_(std::max(1, options.num_threads)),
        progress_(options.log, {.is_terminal = options.log_is_terminal,
                                .terminal_columns = options.terminal_columns,
                                .log_every_steps = pipeline_.train_config().log_step_count_steps()}) {}

  StatusOr<TrainResult> Run() {
    const ScopedFlushDenormals flush;
    const double start = Now();
    MG_RETURN_IF_ERROR(Prepare());
    started_ = start - state_.seconds;  // a resumed run counts the time of its earlier parts
    MG_RETURN_IF_ERROR(RunEpochs());
    MG_RETURN_IF_ERROR(Finish());
    result_.seconds = Now() - started_;
    progress_.Finish();
    return std::move(result_);
  }

 private:
  Status Prepare() {
    const double start = Now();
    std::vector<std::string> notes;
    if (prepared_ != nullptr) {
      data_ = *prepared_;
    } else {
      const std::string cache = CacheDirectory(pipeline_, options_.model_dir);
      MG_ASSIGN_OR_RETURN(data_, PrepareTraining(loaded_, pool_, cache, &notes));
    }
    for (const std::string& note : notes) Say(note);
    run_ = LengthOf(pipeline_, static_cast<int64_t>(data_.train.rows.size()));
    if (run_.steps_per_epoch == 0) {
      return InvalidInput(
          fmt::format("{} training rows do not fill one batch of {} (data_config.drop_remainder is set). "
                      "Use a smaller data_config.batch_size.",
                      data_.train.rows.size(), pipeline_.data_config().batch_size()));
    }
    if (data_.validation.rows.empty() && (pipeline_.train_config().has_early_stopping() || !BestMetrics().empty()))
      return InvalidInput(
          "early_stopping and best_metrics need validation rows: set eval_input_path or "
          "data_config.split.validation_fraction");
    model_ = MakeTrainingModel(pipeline_, data_.schema);
    stepper_ = std::make_unique<Stepper>(*model_, run_, pool_);
    evaluator_ = std::make_unique<Evaluator>(*model_, pool_);
    monitor_ = std::make_unique<HealthMonitor>(*model_, *stepper_, data_, pool_);
    batches_ = std::make_unique<TrainingBatches>(data_, pipeline_, pool_);
    MG_RETURN_IF_ERROR(PrepareDirectory());
    result_.phases.read = Now() - start;
    Say(fmt::format("{} training rows, {} validation, {} test; {} parameters; {} steps per epoch",
                    FormatCount(static_cast<int64_t>(data_.train.rows.size())),
                    FormatCount(static_cast<int64_t>(data_.validation.rows.size())),
                    FormatCount(static_cast<int64_t>(data_.test.rows.size())),
                    FormatCount(model_->graph.NumParameters()), FormatCount(run_.steps_per_epoch)));
    if (options_.draw_model) Say(DrawModel(*model_));
    return OkStatus();
  }

  // A run that starts anew replaces what an earlier one left, but only now that its own input has proved good.
  Status PrepareDirectory() {
    const std::string& dir = options_.model_dir;
    if (options_.resume) {
      MG_ASSIGN_OR_RETURN(state_, LoadLastCheckpoint(dir, *model_, *stepper_));
      stop_early_ = OutOfPatience();
      Say(fmt::format("resuming from step {}", FormatCount(state_.step)));
    } else {
      MG_RETURN_IF_ERROR(ClearModelDirectory(dir));
    }
    MG_RETURN_IF_ERROR(TruncateAfter(JoinPath(dir, kMetricsFileName), state_.step));
    if (pipeline_.train_config().use_tensorboard()) {
      MG_ASSIGN_OR_RETURN(events_, EventWriter::Open(dir, state_.step));
    }
    return OkStatus();
  }

  Status RunEpochs() {
    const int64_t rows = batches_->rows();
    const int64_t batch_size = pipeline_.data_config().batch_size();
    progress_.Start(stepper_->step(), 0);
    while (stepper_->step() < run_.total_steps && !stop_early_) {
      const int64_t epoch = stepper_->step() / run_.steps_per_epoch;
      int64_t in_epoch = stepper_->step() % run_.steps_per_epoch;
      for (; in_epoch < run_.steps_per_epoch && stepper_->step() < run_.total_steps && !stop_early_; ++in_epoch) {
        const int64_t first = in_epoch * batch_size;
        const int64_t n = std::min(batch_size, rows - first);
        const double start = Now();
        const TrainingBatches::Batch batch = batches_->Take(epoch, first, n);
        stepper_->phases().batch += Now() - start;
        MG_RETURN_IF_ERROR(stepper_->Step(*batch.table, batch.rows, static_cast<int>(n)));
        rows_trained_ += n;
        if (progress_.Due(stepper_->step())) ShowProgress(epoch);
        if (CheckpointDue()) MG_RETURN_IF_ERROR(EvaluateAndSave());
        if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) return StopByUser();
      }
    }
    if (!Evaluated()) MG_RETURN_IF_ERROR(EvaluateAndSave());
    return OkStatus();
  }

  bool CheckpointDue() const {
    const auto& train = pipeline_.train_config();
    const int64_t step = stepper_->step();
    if (train.save_checkpoints_steps() > 0) return step % static_cast<int64_t>(train.save_checkpoints_steps()) == 0;
    const int64_t every = run_.steps_per_epoch * std::max<int64_t>(1, train.save_checkpoints_epochs());
    return step % every == 0;
  }

  bool Evaluated() const { return state_.evaluated && state_.step == stepper_->step(); }

  Status StopByUser() {
    if (!Evaluated()) {
      state_.seconds = Now() - started_;
      state_.evaluated = false;
      MG_RETURN_IF_ERROR(SaveCheckpoint(options_.model_dir, *model_, *stepper_, state_));
    }
    progress_.Finish();
    return Cancelled(fmt::format("stopped at step {}; a checkpoint is in {}. The same command with --resume goes on.",
                                 FormatCount(stepper_->step()),
                                 CheckpointDirectory(options_.model_dir, stepper_->step())));
  }

  void ShowProgress(int64_t epoch) {
    progress_.Update({.epoch = epoch + 1,
                      .num_epochs = (run_.total_steps + run_.steps_per_epoch - 1) / run_.steps_per_epoch,
                      .step = stepper_->step(),
                      .num_steps = run_.total_steps,
                      .rows = rows_trained_,
                      .losses = stepper_->Losses()});
  }

  // The metrics whose best checkpoints are kept; the first one chooses the weights that the model ends with.
  std::vector<std::string> BestMetrics() const {
    std::vector<std::string> names;
    const auto& train = pipeline_.train_config();
    if (train.has_early_stopping()) names.push_back(train.early_stopping().metric());
    for (const std::string& name : train.best_metrics())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
  }

  Status EvaluateAndSave() {
    const double start = Now();
    stepper_->Settle();
    state_.step = stepper_->step();
    state_.evaluated = true;
    EvaluationResult evaluation;
    if (!data_.validation.rows.empty() || monitor_->active()) {
      stepper_->SwapAverage();
      if (!data_.validation.rows.empty()) evaluation = evaluator_->Evaluate(data_.validation);
      if (monitor_->active()) health_ = monitor_->Measure();
      stepper_->SwapAverage();
    }
    if (!data_.validation.rows.empty()) UpdateBest(evaluation);
    result_.phases.evaluate += Now() - start;
    state_.seconds = Now() - started_;
    MG_RETURN_IF_ERROR(Log(evaluation));
    const double save_start = Now();
    MG_RETURN_IF_ERROR(SaveCheckpoint(options_.model_dir, *model_, *stepper_, state_));
    MG_RETURN_IF_ERROR(RemoveOldCheckpoints(options_.model_dir,
                                            static_cast<int>(pipeline_.train_config().keep_checkpoint_max()), state_));
    result_.phases.save += Now() - save_start;
    last_evaluation_ = std::move(evaluation);
    progress_.Start(stepper_->step(), rows_trained_);
    return OkStatus();
  }

  void UpdateBest(const EvaluationResult& evaluation) {
    const auto& train = pipeline_.train_config();
    for (const std::string& metric : BestMetrics()) {
      const double value = evaluation.Find(metric);
      const bool stops = train.has_early_stopping() && metric == train.early_stopping().metric();
      const double margin = stops ? train.early_stopping().min_delta() : 0;
      const auto known = state_.best.find(metric);
      const double best = known == state_.best.end() ? std::numeric_limits<double>::quiet_NaN() : known->second.value;
      const bool better = IsBetter(metric, value, best, margin);
      if (better) state_.best[metric] = {value, stepper_->step()};
      if (stops) state_.evaluations_without_gain = better ? 0 : state_.evaluations_without_gain + 1;
    }
    stop_early_ = OutOfPatience();
  }

  bool OutOfPatience() const {
    const auto& train = pipeline_.train_config();
    return train.has_early_stopping() &&
           state_.evaluations_without_gain >= static_cast<int>(train.early_stopping().patience());
  }

  // TorchEasyRec's name of a tower's loss: "binary_cross_entropy_ctr".
  std::string LossTag(const std::string& name) const {
    for (const config::TaskTower& tower : config::TaskTowers(pipeline_.model_config()))
      if (config::TowerName(tower) == name) return config::LossName(tower) + "_" + name;
    return name;
  }

  Status Log(const EvaluationResult& evaluation) {
    const auto losses = stepper_->TakeLosses();
    const double training = TrainingSeconds();
    const double rows_per_second = training > 0 ? static_cast<double>(rows_trained_) / training : 0;
    const double epoch = static_cast<double>(stepper_->step()) / static_cast<double>(run_.steps_per_epoch);
    MG_RETURN_IF_ERROR(
        AppendMetrics(JoinPath(options_.model_dir, kMetricsFileName),
                      {stepper_->step(), epoch, state_.seconds, rows_per_second, losses, evaluation, health_}));
    std::string line = fmt::format("step {}, epoch {:.4g}: loss", FormatCount(stepper_->step()), epoch);
    for (const auto& [tower, loss] : losses) line += fmt::format(" {} {:.5f}", tower, loss);
    if (!evaluation.tasks.empty()) line += "; validation";
    for (const TaskResult& task : evaluation.tasks)
      if (!task.metrics.empty())
        line += fmt::format(" {}_{} {:.5f}", task.metrics[0].first, task.tower, task.metrics[0].second);
    Say(line);
    for (const std::string& change : AlarmChanges(health_.alarms, &told_alarms_)) Say(change);
    if (events_ == nullptr) return OkStatus();
    for (const auto& [tower, loss] : losses) events_->AddScalar("loss/" + LossTag(tower), stepper_->step(), loss);
    events_->AddScalar("learning_rate", stepper_->step(), stepper_->learning_rate());
    events_->AddScalar("rows_per_second", stepper_->step(), rows_per_second);
    for (const TaskResult& task : evaluation.tasks)
      for (const auto& [metric, value] : task.metrics)
        events_->AddScalar(fmt::format("metric/{}_{}", metric, task.tower), stepper_->step(), value);
    AddScalars(health_, stepper_->step(), *events_);
    return events_->Flush();
  }

  double TrainingSeconds() const {
    const PhaseSeconds& p = stepper_->phases();
    return p.batch + p.settle + p.forward_backward + p.optimizer;
  }

  Status Finish() {
    const std::vector<std::string> metrics = BestMetrics();
    result_.best_step = stepper_->step();
    stepper_->SwapAverage();  // what is saved and evaluated from here on
    if (!metrics.empty() && state_.best.contains(metrics[0])) {
      result_.best_metric = metrics[0];
      result_.best_step = state_.best[metrics[0]].step;
      if (result_.best_step != stepper_->step()) {
        MG_RETURN_IF_ERROR(LoadWeights(
            JoinPath(CheckpointDirectory(options_.model_dir, result_.best_step), kWeightsFileName), *model_));
        last_evaluation_ = evaluator_->Evaluate(data_.validation);
        health_ = {};
        Say(fmt::format("the model keeps the weights of step {}, the best by {} ({:.5f})",
                        FormatCount(result_.best_step), metrics[0], state_.best[metrics[0]].value));
      }
    }
    MG_RETURN_IF_ERROR(SaveModel(*model_, options_.model_dir));
    if (last_evaluation_.rows == 0 && !data_.validation.rows.empty())
      last_evaluation_ = evaluator_->Evaluate(data_.validation);
    result_.validation = last_evaluation_;
    if (health_.empty() && monitor_->active()) health_ = monitor_->Measure();
    result_.health = health_;
    if (!data_.test.rows.empty()) result_.test = evaluator_->Evaluate(data_.test);
    result_.steps = stepper_->step();
    result_.epochs = static_cast<double>(stepper_->step()) / static_cast<double>(run_.steps_per_epoch);
    const PhaseSeconds& steps = stepper_->phases();
    result_.phases.batch = steps.batch;
    result_.phases.settle = steps.settle;
    result_.phases.forward_backward = steps.forward_backward;
    result_.phases.optimizer = steps.optimizer;
    result_.rows_per_second = TrainingSeconds() > 0 ? static_cast<double>(rows_trained_) / TrainingSeconds() : 0;
    return OkStatus();
  }

  void Say(std::string_view line) {
    if (options_.log != nullptr) progress_.PrintLine(line);
  }

  config::LoadedPipeline loaded_;
  const config::Pipeline& pipeline_;
  const TrainOptions options_;
  const Dataset* prepared_;
  ThreadPool pool_;
  Progress progress_;
  Dataset data_;
  RunLength run_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Stepper> stepper_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<HealthMonitor> monitor_;
  std::unique_ptr<TrainingBatches> batches_;
  std::unique_ptr<EventWriter> events_;
  RunState state_;
  TrainResult result_;
  EvaluationResult last_evaluation_;
  HealthReport health_;  // of the last evaluation
  std::vector<std::string> told_alarms_;
  int64_t rows_trained_ = 0;
  double started_ = 0;
  bool stop_early_ = false;
};

}  // namespace

StatusOr<TrainResult> TrainNetwork(config::LoadedPipeline loaded, const TrainOptions& options, const Dataset* data) {
  return Trainer(std::move(loaded), options, data).Run();
}

StatusOr<TrainResult> Train(config::LoadedPipeline loaded, const TrainOptions& options) {
  std::string problems;
  const auto add = [&](const std::string& problem) { problems += (problems.empty() ? "" : "\n") + problem; };
  if (loaded.pipeline.train_input_path().empty()) {
    add(fmt::format("{}: train_input_path is missing: which rows are to be trained on? Set it, or --data F",
                    loaded.Place(loaded.pipeline, "train_input_path")));
  }
  if (options.model_dir.empty()) {
    add(fmt::format("{}: model_dir is missing: where is the model to go? Set it, or --model_dir D",
                    loaded.Place(loaded.pipeline, "model_dir")));
  }
  if (const Status status = config::ValidatePipeline(loaded); !status.ok()) add(status.message());
  if (!problems.empty()) return InvalidInput(problems);
  config::ResolveDefaults(&loaded.pipeline);
  loaded.pipeline.set_model_dir(options.model_dir);
  // The null stream keeps the progress code free of questions.
  static std::ostream silent(nullptr);
  TrainOptions shown = options;
  if (shown.log == nullptr) shown.log = &silent;
  if (NumMembers(loaded.pipeline) > 1) return TrainEnsemble(loaded, shown);
  return TrainNetwork(std::move(loaded), shown, nullptr);
}

}  // namespace manygate
