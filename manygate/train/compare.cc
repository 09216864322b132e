// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <ostream>
#include <set>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/base/text.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/catalog/model.h"
#include "manygate/catalog/task.h"
#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/metrics/paired.h"
#include "manygate/train/compared_rows.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/gbdt.h"
#include "manygate/train/trainer.h"
#include "manygate/train/twins.h"

namespace manygate {
namespace {

constexpr char kAlone[] = "alone";
constexpr char kSharedBottom[] = "shared_bottom";
constexpr char kGbdt[] = "gbdt";

// One network to be trained with every seed.
struct Contender {
  std::string model;  // as in TransferCell
  std::string folder;
  int tower = -1;  // of a single-task twin; -1: all
  config::Pipeline pipeline;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// "alone-<tower>", with nothing in it that a path gives a meaning to; number: to tell towers apart that then look alike.
std::string FolderOf(const std::string& tower, std::set<std::string>* taken) {
  std::string folder = "alone-" + tower;
  for (char& c : folder)
    if (std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos || static_cast<unsigned char>(c) <= ' ')
      c = '_';
  while (!taken->insert(folder).second) folder += "_";
  return folder;
}

// "test rows of census-income.test.gz": which rows, and the last parts of the paths that they are from.
std::string RowsName(const config::Pipeline& pipeline, bool test) {
  const bool separate = !pipeline.eval_input_path().empty() && (test || !pipeline.data_config().split().eval_is_test());
  std::string files;
  for (const std::string& path : Split(separate ? pipeline.eval_input_path() : pipeline.train_input_path(), ','))
    files += (files.empty() ? "" : ", ") + BaseName(path);
  return fmt::format("{} rows of {}", test ? "test" : "validation", files);
}

class Comparison {
 public:
  Comparison(config::LoadedPipeline loaded, const CompareOptions& options, std::ostream& log)
      : loaded_(std::move(loaded)), options_(options), log_(log), pool_(std::max(1, options.num_threads)) {}

  StatusOr<TransferTable> Run() {
    MG_RETURN_IF_ERROR(Prepare());
    Plan();
    for (const uint64_t seed : table_.seeds)
      for (const Contender& contender : contenders_) MG_RETURN_IF_ERROR(RunOne(contender, seed));
    for (size_t t = 0; t < tasks_.size() && options_.gbdt; ++t) MG_RETURN_IF_ERROR(RunGbdt(t));
    FillTable();
    MG_RETURN_IF_ERROR(Write());
    return std::move(table_);
  }

 private:
  Status Prepare() {
    if (options_.gbdt) {
      MG_ASSIGN_OR_RETURN(xgboost_, XgboostLibrary::Load(options_.xgboost_library));
    }
    MG_RETURN_IF_ERROR(CheckConfiguration());
    config::Pipeline& pipeline = loaded_.pipeline;
    config::ResolveDefaults(&pipeline);
    if (NumMembers(pipeline) > 1) log_ << "note: one network of the ensemble is compared, not all" << std::endl;
    pipeline.clear_ensemble();
    std::vector<std::string> notes;
    MG_ASSIGN_OR_RETURN(data_, PrepareTraining(loaded_, pool_, CacheDirectory(pipeline, options_.model_dir), &notes));
    for (const std::string& note : notes) log_ << "note: " << note << std::endl;
    const bool test = !data_.test.rows.empty();
    holdout_ = test ? data_.test : data_.validation;
    if (holdout_.rows.empty()) {
      return InvalidInput(
          fmt::format("{}: no rows are held out to compare on: set eval_input_path, or data_config.split.test_fraction",
                      loaded_.name));
    }
    if (!test) {
      log_ << "note: no test rows are held out: the models are compared on the validation rows, by which their weights "
              "may have been chosen"
           << std::endl;
    }
    if (options_.gbdt && data_.stream != nullptr) {
      return InvalidInput(fmt::format(
          "{}: gbdt needs all training rows in memory: raise data_config.memory_limit_mb, or leave out --with "
          "gbdt",
          loaded_.name));
    }
    if (options_.gbdt && data_.validation.rows.empty()) {
      return InvalidInput(
          fmt::format("{}: gbdt is tuned on validation rows, and none are held out: set "
                      "data_config.split.validation_fraction",
                      loaded_.name));
    }
    table_.rows_name = RowsName(pipeline, test);
    for (int i = 0; i < options_.num_seeds; ++i) table_.seeds.push_back(pipeline.train_config().seed() + i);
    tasks_ = MakeTasks(pipeline, data_.schema);
    for (const Task& task : tasks_) rows_.push_back(ComparedRows::Of(task, holdout_));
    return OkStatus();
  }

  Status CheckConfiguration() const {
    const config::Pipeline& pipeline = loaded_.pipeline;
    std::string problems;
    if (pipeline.train_input_path().empty()) {
      problems = fmt::format("{}: train_input_path is missing: which rows are to be trained on? Set it, or --data F\n",
                             loaded_.Place(pipeline, "train_input_path"));
    }
    if (const Status status = config::ValidatePipeline(loaded_); !status.ok()) problems += status.message() + "\n";
    if (problems.empty() && config::TaskTowers(pipeline.model_config()).size() < 2) {
      problems = fmt::format("{}: there is one tower: nothing is shared, and nothing to compare. Add task_towers\n",
                             loaded_.Place(*config::ModelMessage(pipeline.model_config())));
    }
    if (problems.empty()) return OkStatus();
    problems.pop_back();
    return InvalidInput(problems);
  }

  void Plan() {
    const config::Pipeline& pipeline = loaded_.pipeline;
    model_ = config::ModelName(pipeline.model_config());
    std::set<std::string> folders = {model_, kSharedBottom};
    contenders_.push_back({model_, model_, -1, pipeline});
    if (model_ != kSharedBottom)
      contenders_.push_back({kSharedBottom, kSharedBottom, -1, SharedBottomTwin(pipeline, data_.schema)});
    for (size_t t = 0; t < tasks_.size(); ++t) {
      contenders_.push_back({kAlone, FolderOf(tasks_[t].tower, &folders), static_cast<int>(t),
                             SingleTaskTwin(pipeline, data_.schema, static_cast<int>(t))});
    }
    trainings_ = contenders_.size() * table_.seeds.size() + (options_.gbdt ? tasks_.size() : 0);
  }

  std::string DirectoryOf(const Contender& contender, uint64_t seed) const {
    return JoinPath(JoinPath(options_.model_dir, contender.folder), fmt::format("seed-{}", seed));
  }

  // Begins the line of a training; what becomes of it ends the line.
  void Announce(const std::string& what) {
    log_ << fmt::format("training {} of {}: {} ... ", ++started_, trainings_, what) << std::flush;
  }

  Status Stopped() const {
    return Cancelled(
        fmt::format("stopped in training {} of {}. The same command with --resume keeps the models that "
                    "are complete.",
                    started_, trainings_));
  }

  Status RunOne(const Contender& contender, uint64_t seed) {
    const std::string dir = DirectoryOf(contender, seed);
    config::LoadedPipeline one{.pipeline = contender.pipeline, .name = loaded_.name, .places = {}};
    one.pipeline.mutable_train_config()->set_seed(seed);
    one.pipeline.set_model_dir(dir);
    Announce(fmt::format("{}{}, seed {}", contender.model,
                         contender.tower < 0 ? "" : ", " + tasks_[contender.tower].tower, seed));
    if (options_.resume && IsComplete(dir, one.pipeline)) {
      log_ << "complete already" << std::endl;
    } else {
      static std::ostream silent(nullptr);
      const double start = Now();
      const auto trained = TrainNetwork(
          std::move(one),
          {.model_dir = dir, .num_threads = options_.num_threads, .stop = options_.stop, .log = &silent}, &data_);
      log_ << (trained.ok() ? FormatSeconds(Now() - start) : "") << std::endl;
      if (trained.status().code() == StatusCode::kCancelled) return Stopped();
      MG_RETURN_IF_ERROR(trained.status());
    }
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, LoadModel(dir));
    const Predictions predictions = Evaluator(*model, pool_).Predict(holdout_);
    for (size_t t = 0; t < predictions.values.size(); ++t) {
      const size_t task = contender.tower < 0 ? t : contender.tower;
      scores_[{task, contender.model}].push_back(rows_[task].Scores(predictions.values[t]));
    }
    return OkStatus();
  }

  bool IsComplete(const std::string& dir, const config::Pipeline& pipeline) const {
    if (!VerifyManifest(dir, kModelFormatVersion).ok()) return false;
    const auto config_text = ReadFile(JoinPath(dir, kConfigFileName));
    const auto schema_text = ReadFile(JoinPath(dir, features::kSchemaFileName));
    return config_text.ok() && schema_text.ok() && *config_text == config::PrintPipeline(pipeline) &&
           *schema_text == features::SchemaToText(data_.schema);
  }

  Status RunGbdt(size_t t) {
    const Task& task = tasks_[t];
    Announce(fmt::format("{}, {}", kGbdt, task.tower));
    const double start = Now();
    const GbdtFeatures features(data_.schema);
    GbdtTask trees{.kind = task.kind, .num_class = task.num_predictions()};
    trees.train = TrainingRows(task, data_.train, features);
    const ComparedRows validation = ComparedRows::Of(task, data_.validation);
    trees.validation = {features.Matrix(*data_.validation.table, validation.rows), validation.labels,
                        validation.weights};
    if (trees.train.labels.empty() || validation.labels.empty() || validation.HasOneClass()) {
      log_ << "left out: its validation rows do not hold enough labels to tune on" << std::endl;
      return OkStatus();
    }
    trees.holdout = features.Matrix(*holdout_.table, holdout_.rows);  // all, as the networks predict them
    const auto result =
        TrainGbdt(*xgboost_, trees, table_.seeds, {.num_threads = options_.num_threads, .stop = options_.stop});
    log_ << (result.ok() ? fmt::format("{} ({})", FormatSeconds(Now() - start), result->setting) : "") << std::endl;
    if (result.status().code() == StatusCode::kCancelled) return Stopped();
    MG_RETURN_IF_ERROR(result.status());
    for (const std::vector<float>& predictions : result->predictions)
      scores_[{t, kGbdt}].push_back(rows_[t].Scores(predictions));
    return OkStatus();
  }

  void FillTable() {
    std::vector<std::string> models = {kAlone};
    if (model_ != kSharedBottom) models.push_back(kSharedBottom);
    models.push_back(model_);
    models.push_back(kGbdt);
    for (size_t t = 0; t < tasks_.size(); ++t) {
      const ComparedRows& rows = rows_[t];
      TransferTask& task = table_.tasks.emplace_back();
      task.tower = tasks_[t].tower;
      task.metric = rows.MetricName();
      task.higher_is_better = rows.metric == ComparedMetric::kAuc;
      task.rows = static_cast<int64_t>(rows.labels.size());
      const RowsBySeed alone = scores_[{t, kAlone}];
      for (const std::string& model : models) {
        const auto found = scores_.find({t, model});
        if (found == scores_.end()) continue;
        TransferCell& cell = task.cells.emplace_back();
        cell.model = model;
        for (const std::vector<float>& scores : found->second) cell.values.push_back(rows.Value(scores));
        cell.mean =
            std::accumulate(cell.values.begin(), cell.values.end(), 0.0) / static_cast<double>(cell.values.size());
        if (model == kAlone) continue;
        const PairedDifference paired = rows.Difference(found->second, alone, pool_);
        cell.difference = paired.difference;
        cell.low = paired.low;
        cell.high = paired.high;
        cell.verdict = VerdictOf(paired.low, paired.high);
      }
    }
  }

  Status Write() const {
    const std::string text = ToJson(table_) + "\n";
    MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(options_.model_dir, kTransferFileName), text));
    for (const uint64_t seed : table_.seeds)
      MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(DirectoryOf(contenders_[0], seed), kTransferFileName), text));
    return OkStatus();
  }

  config::LoadedPipeline loaded_;
  const CompareOptions& options_;
  std::ostream& log_;
  ThreadPool pool_;
  std::optional<XgboostLibrary> xgboost_;
  Dataset data_;
  RowSelection holdout_;
  std::string model_;
  std::vector<Task> tasks_;
  std::vector<ComparedRows> rows_;     // by task
  std::vector<Contender> contenders_;  // the configured model first
  size_t trainings_ = 0, started_ = 0;
  // (task, model) -> what each seed's model makes of the rows (ComparedRows::Scores).
  std::map<std::pair<size_t, std::string>, std::vector<std::vector<float>>> scores_;
  TransferTable table_;
};

}  // namespace

StatusOr<TransferTable> Compare(config::LoadedPipeline loaded, const CompareOptions& options) {
  std::ostream silent(nullptr);
  return Comparison(std::move(loaded), options, options.log == nullptr ? silent : *options.log).Run();
}

}  // namespace manygate
