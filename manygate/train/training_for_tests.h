// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: small runs on generated data.
//
//   FunnelRun run(Recipe::kMmoe);                              // 1,500 rows in a folder of their own
//   const TrainResult result = run.MustTrain("a", {.overrides = {"train_config.num_epochs=2"}, .threads = 4});
//   EXPECT_EQ(run.Weights("a"), run.Weights("b"));
#ifndef MANYGATE_TRAIN_TRAINING_FOR_TESTS_H_
#define MANYGATE_TRAIN_TRAINING_FOR_TESTS_H_

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/catalog/model.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/data/generate.h"
#include "manygate/data/test_files.h"
#include "manygate/train/checkpoint.h"
#include "manygate/train/dataset.h"
#include "manygate/train/stepper.h"
#include "manygate/train/trainer.h"

namespace manygate {

// Sets a flag as soon as the log tells of a step: stops a run exactly there.
class StopAtStep : private std::streambuf, public std::ostream {
 public:
  explicit StopAtStep(int64_t step) : std::ostream(this), mark_(fmt::format(" step {}/", step)) {}
  const std::atomic<bool>* flag() const { return &flag_; }

 private:
  int overflow(int c) override {
    if (c == '\n') {
      if (line_.find(mark_) != std::string::npos) flag_ = true;
      line_.clear();
    } else {
      line_ += static_cast<char>(c);
    }
    return c;
  }

  const std::string mark_;
  std::string line_;
  std::atomic<bool> flag_ = false;
};

// Between them: every model but one, every optimizer, tables and one-hot columns and numbers, missing labels (amount is
// there only for the bought), dropout, both normalisations, clipping, average of weights.
enum class Recipe { kMmoe, kSharedBottom, kOmoe, kBatchNorm };

inline const std::vector<Recipe> kAllRecipes = {Recipe::kMmoe, Recipe::kSharedBottom, Recipe::kOmoe,
                                                Recipe::kBatchNorm};

inline std::string NameOf(Recipe recipe) {
  switch (recipe) {
    case Recipe::kMmoe: return "mmoe";
    case Recipe::kSharedBottom: return "shared_bottom";
    case Recipe::kOmoe: return "omoe";
    case Recipe::kBatchNorm: return "batch_norm";
  }
  return "";
}

// What the recipe says in train_config.
inline std::string TrainText(Recipe recipe) {
  switch (recipe) {
    case Recipe::kMmoe: return "dense_optimizer { adam_optimizer { lr: 0.01 } cosine_annealing_learning_rate {} }";
    case Recipe::kSharedBottom:
      return "ema { decay: 0.9 } grad_clipping { max_gradient: 0.5 } "
             "dense_optimizer { adamw_optimizer { lr: 0.01 weight_decay: 0.05 } }";
    case Recipe::kOmoe:
      return "dense_optimizer { sgd_optimizer { lr: 0.02 momentum: 0.9 } "
             "exponential_decay_learning_rate { decay_size: 20 decay_factor: 0.9 warmup_size: 10 } }";
    case Recipe::kBatchNorm:
      return "dense_optimizer { adam_optimizer { lr: 0.01 } } sparse_optimizer { adagrad_optimizer { lr: 0.05 } }";
  }
  return "";
}

// And in model_config: two binary tasks and a regression each.
inline std::string ModelText(Recipe recipe) {
  const std::string towers =
      R"(task_towers { label_name: "click" mlp { hidden_units: 4 } }
         task_towers { label_name: "purchase" weight: 0.5 mlp { hidden_units: 4 } }
         task_towers { label_name: "amount" weight: 0.001 losses { l2_loss {} } })";
  switch (recipe) {
    case Recipe::kMmoe:
      return "mmoe { num_expert: 3 expert_mlp { hidden_units: [8, 6] dropout_ratio: 0.2 } gate_mlp { hidden_units: 5 "
             "} " +
             towers + "}";
    case Recipe::kSharedBottom: return "shared_bottom { bottom_mlp { hidden_units: [12, 8] } " + towers + "}";
    case Recipe::kOmoe: return "omoe { num_expert: 2 expert_mlp { hidden_units: 8 use_ln: true } " + towers + "}";
    case Recipe::kBatchNorm: return "mmoe { num_expert: 2 expert_mlp { hidden_units: 8 use_bn: true } " + towers + "}";
  }
  return "";
}

inline constexpr char kFunnelText[] = R"(
  data_config { batch_size: 32 with_header: true cache_dir: "off"
    split { validation_fraction: 0.2 test_fraction: 0.1 } }
  feature_configs { id_feature { feature_name: "user_id" embedding_dim: 5 } }
  feature_configs { id_feature { feature_name: "item_id" embedding_dim: 4 hash_bucket_size: 300 } }
  feature_configs { id_feature { feature_name: "category" one_hot: true } }
  feature_configs { id_feature { feature_name: "device" one_hot: true } }
  feature_configs { raw_feature { feature_name: "price" transform { log1p: true standardise: true } } }
  feature_configs { raw_feature { feature_name: "age" transform { standardise: true missing_indicator: true } } }
)";

inline std::string PipelineText(const std::string& train, const std::string& model, const std::string& rest) {
  return fmt::format("train_config {{ num_epochs: 2 seed: 7 use_tensorboard: false {} }} model_config {{ {} }} {}",
                     train, model, rest);
}

struct RunChoice {
  std::vector<std::string> overrides = {};
  int threads = 1;
  bool resume = false;
  int64_t stop_at_step = -1;
};

// Configurations and runs on one file of rows, in a folder that goes with the object.
class FunnelRun {
 public:
  explicit FunnelRun(Recipe recipe, int64_t rows = 1500)
      : text_(PipelineText(TrainText(recipe), ModelText(recipe), kFunnelText)) {
    const auto made = GenerateFunnel({.rows = rows, .seed = 3}, DataPath());
    EXPECT_TRUE(made.ok()) << made.status().message();
  }
  // On text and rows of the test's own; the configuration must not name train_input_path.
  FunnelRun(const std::string& text, const std::string& csv) : text_(text) { folder_.Write("rows.csv", csv); }

  std::string DataPath() const { return folder_.Path("rows.csv"); }
  std::string Dir(const std::string& name) const { return folder_.Path(name); }
  const TestFolder& folder() const { return folder_; }

  config::LoadedPipeline Load(std::vector<std::string> overrides = {}) const {
    overrides.insert(overrides.begin(), fmt::format("train_input_path=\"{}\"", DataPath()));
    auto loaded = config::LoadPipelineFromText("test.config", text_, overrides);
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    return loaded.ok() ? std::move(*loaded) : config::LoadedPipeline();
  }

  StatusOr<TrainResult> Train(const std::string& name, const RunChoice& choice = {}) const {
    StopAtStep log(choice.stop_at_step);
    std::vector<std::string> overrides = choice.overrides;
    if (choice.stop_at_step >= 0) overrides.push_back("train_config.log_step_count_steps=1");
    return manygate::Train(Load(overrides), {.model_dir = Dir(name),
                                             .num_threads = choice.threads,
                                             .resume = choice.resume,
                                             .stop = log.flag(),
                                             .log = choice.stop_at_step >= 0 ? &log : nullptr});
  }
  TrainResult MustTrain(const std::string& name, const RunChoice& choice = {}) const {
    auto result = Train(name, choice);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? std::move(*result) : TrainResult();
  }

  // Contents of files; not empty.
  std::string Content(const std::string& name, const std::string& file) const {
    const std::string content = FileContent(JoinPath(Dir(name), file));
    EXPECT_FALSE(content.empty()) << name << "/" << file;
    return content;
  }
  std::string Weights(const std::string& name) const { return Content(name, "weights.safetensors"); }
  std::string LastOptimizer(const std::string& name) const {
    const auto steps = ListCheckpoints(Dir(name));
    EXPECT_FALSE(steps.empty());
    return steps.empty() ? "" : Content(name, fmt::format("checkpoints/step-{}/optimizer.safetensors", steps.back()));
  }
  std::vector<nlohmann::json> Metrics(const std::string& name) const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(Content(name, "metrics.jsonl"));
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  std::vector<int64_t> LoggedSteps(const std::string& name) const {
    std::vector<int64_t> steps;
    for (const auto& line : Metrics(name)) steps.push_back(line["step"].get<int64_t>());
    return steps;
  }

 private:
  TestFolder folder_;
  const std::string text_;
};

// What Train() makes before the first step, to be driven by hand.
class PreparedRun {
 public:
  explicit PreparedRun(config::LoadedPipeline loaded, int threads = 1, RunLength length = {}) : pool_(threads) {
    const Status valid = config::ValidatePipeline(loaded);
    EXPECT_TRUE(valid.ok()) << valid.message();
    config::ResolveDefaults(&loaded.pipeline);
    std::vector<std::string> notes;
    auto prepared = PrepareTraining(loaded, pool_, "", &notes);
    EXPECT_TRUE(prepared.ok()) << prepared.status().message();
    data = std::move(*prepared);
    model = MakeTrainingModel(loaded.pipeline, data.schema);
    stepper = std::make_unique<Stepper>(*model, length, pool_);
  }

  // Steps on the training rows in their order, without shuffling; epochs follow each other.
  Status Steps(int64_t count) {
    const auto batch = static_cast<int64_t>(model->pipeline.data_config().batch_size());
    const auto rows = static_cast<int64_t>(data.train.rows.size());
    for (int64_t i = 0; i < count; ++i) {
      MG_RETURN_IF_ERROR(stepper->Step(*data.train.table, data.train.rows.data() + next_,
                                       static_cast<int>(std::min(batch, rows - next_))));
      next_ = next_ + batch < rows ? next_ + batch : 0;
    }
    return OkStatus();
  }

  // Values by name, all steps applied.
  std::map<std::string, std::vector<float>> Parameters() {
    stepper->Settle();
    std::map<std::string, std::vector<float>> values;
    for (size_t i = 0; i < model->graph.parameters.size(); ++i)
      values[model->graph.parameters[i].name] = model->store->Read(static_cast<int>(i));
    return values;
  }

  ThreadPool& pool() { return pool_; }

 private:
  ThreadPool pool_;

 public:
  Dataset data;
  std::unique_ptr<Model> model;
  std::unique_ptr<Stepper> stepper;

 private:
  int64_t next_ = 0;
};

// Rows of two binary tasks, a and b, that depend on an id and a number: "id,x,w,a,b". `edit` may change a row's fields.
inline std::string TwoTaskRows(int rows, const std::function<void(int, std::vector<std::string>&)>& edit = nullptr) {
  std::string csv = "id,x,w,a,b\n";
  for (int i = 0; i < rows; ++i) {
    const int id = i * 7 % 10, x = i * 13 % 17 - 8;
    std::vector<std::string> fields = {std::to_string(id), fmt::format("{}", x * 0.25), "1", id + x > 4 ? "1" : "0",
                                       (id * x + i) % 3 == 0 ? "1" : "0"};
    if (edit) edit(i, fields);
    csv += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return csv;
}

// Two networks that share nothing, so that what happens to one task must leave the bytes of the other alone.
inline std::string TwoTaskText(const std::string& train = "dense_optimizer { sgd_optimizer { lr: 0.1 } }",
                               const std::string& first_tower = "", const std::string& data = "") {
  return PipelineText(train,
                      "simple_multi_task { task_towers { label_name: \"a\" mlp { hidden_units: 4 } " + first_tower +
                          " } task_towers { label_name: \"b\" mlp { hidden_units: 4 } } }",
                      R"(feature_configs { id_feature { feature_name: "id" num_buckets: 10 one_hot: true } }
                         feature_configs { raw_feature { feature_name: "x" } }
                         data_config { batch_size: 8 with_header: true cache_dir: "off" shuffle: false
                           split { validation_fraction: 0.2 } )" +
                          data + " }");
}

}  // namespace manygate

#endif  // MANYGATE_TRAIN_TRAINING_FOR_TESTS_H_
