// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/checkpoint.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/base/safetensors.h"
#include "manygate/base/version.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/features/schema.h"

namespace manygate {
namespace {

constexpr char kFolder[] = "checkpoints";
constexpr char kPrefix[] = "step-";
constexpr char kOptimizerFileName[] = "optimizer.safetensors";
constexpr char kStateFileName[] = "state.json";

// The arrays of optimizer.safetensors, as they lie in memory.
std::vector<std::pair<std::string, std::span<float>>> RawArrays(Model& model, Stepper& stepper) {
  ParameterStore& store = *model.store;
  std::vector<std::pair<std::string, std::span<float>>> arrays;
  const size_t size = static_cast<size_t>(store.size());
  arrays.emplace_back("dense.weights", std::span<float>(store.weights(), size));
  for (int k = 0; k < store.num_states(); ++k)
    arrays.emplace_back(fmt::format("dense.state.{}", k), std::span<float>(store.state(k), size));
  for (size_t t = 0; t < store.tables().size(); ++t) {
    RowTable& table = *store.tables()[t];
    arrays.emplace_back(fmt::format("table.{}.records", t),
                        std::span<float>(table.records(), static_cast<size_t>(table.size())));
  }
  for (auto& part : stepper.CheckpointParts()) arrays.push_back(part);
  return arrays;
}

std::string PendingName(size_t table) { return fmt::format("table.{}.steps_behind", table); }

// By how many steps each row is behind `step`: 0 = up to date. Small whole numbers, exact as floats.
std::vector<float> StepsBehind(RowTable& table, int64_t step) {
  std::vector<float> behind;
  for (const int32_t pending : table.first_pending())
    behind.push_back(static_cast<float>(std::max<int64_t>(0, step + 1 - pending)));
  return behind;
}

Status SaveOptimizer(const std::string& path, Model& model, Stepper& stepper) {
  std::vector<std::vector<float>> behind;
  std::vector<TensorView> views;
  for (const auto& [name, values] : RawArrays(model, stepper))
    views.push_back({name, {static_cast<int64_t>(values.size())}, values});
  for (const auto& table : model.store->tables()) behind.push_back(StepsBehind(*table, stepper.step()));
  for (size_t t = 0; t < behind.size(); ++t)
    views.push_back({PendingName(t), {static_cast<int64_t>(behind[t].size())}, behind[t]});
  return WriteSafetensors(path, views, {{"format", "manygate optimizer"}});
}

// Weights as an evaluation would see them now; afterwards everything stands as before.
Status SaveSettledWeights(const std::string& path, Model& model, Stepper& stepper) {
  if (stepper.settled_step() == stepper.step()) {
    stepper.SwapAverage();
    const Status status = SaveWeights(model, path);
    stepper.SwapAverage();
    return status;
  }
  const int64_t step = stepper.step(), settled = stepper.settled_step();
  std::vector<std::vector<float>> records;
  std::vector<std::vector<int32_t>> pending;
  for (const auto& table : model.store->tables()) {
    records.emplace_back(table->records(), table->records() + table->size());
    pending.push_back(table->first_pending());
  }
  stepper.Settle();
  const Status status = SaveSettledWeights(path, model, stepper);
  for (size_t t = 0; t < records.size(); ++t) {
    std::copy(records[t].begin(), records[t].end(), model.store->tables()[t]->records());
    model.store->tables()[t]->first_pending() = pending[t];
  }
  stepper.Restart(step, settled);
  return status;
}

nlohmann::json StateToJson(const RunState& state, const Stepper& stepper) {
  nlohmann::json best = nlohmann::json::object();
  for (const auto& [metric, value] : state.best) best[metric] = {{"value", value.value}, {"step", value.step}};
  return {{"step", stepper.step()},
          {"settled_step", stepper.settled_step()},
          {"evaluated", state.evaluated},
          {"seconds", state.seconds},
          {"evaluations_without_gain", state.evaluations_without_gain},
          {"best", best}};
}

// What may differ between a checkpoint's configuration and that of the run that goes on from it.
void ClearFreeFields(config::Pipeline* pipeline) {
  pipeline->clear_model_dir();
  pipeline->clear_train_input_path();  // the schema tells whether the rows are the same
  pipeline->clear_eval_input_path();
  pipeline->clear_eval_config();
  pipeline->mutable_data_config()->clear_cache_dir();
  pipeline->mutable_data_config()->clear_eval_batch_size();
  config::TrainConfig* train = pipeline->mutable_train_config();
  train->clear_num_epochs();
  train->clear_num_steps();
  train->clear_keep_checkpoint_max();
  train->clear_log_step_count_steps();
  train->clear_use_tensorboard();
}

Status CheckSameRun(const std::string& dir, const Model& model) {
  const std::string path = JoinPath(dir, kConfigFileName);
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline saved, config::LoadPipeline(path));
  config::ResolveDefaults(&saved.pipeline);
  config::Pipeline now = model.pipeline;
  ClearFreeFields(&saved.pipeline);
  ClearFreeFields(&now);
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  if (!differencer.Compare(saved.pipeline, now)) {
    while (!differences.empty() && differences.back() == '\n') differences.pop_back();
    return InvalidInput(
        fmt::format("{}: --resume goes on only with the configuration of the checkpoint. Differences:\n{}\n"
                    "Train into another --model_dir, or leave --resume out to start anew.",
                    path, differences));
  }
  MG_ASSIGN_OR_RETURN(const std::string schema, ReadFile(JoinPath(dir, features::kSchemaFileName)));
  if (schema != features::SchemaToText(model.schema)) {
    return InvalidInput(
        fmt::format("{}: the training rows are not those of the checkpoint (their fitted features differ). "
                    "Leave --resume out to start anew.",
                    JoinPath(dir, features::kSchemaFileName)));
  }
  return OkStatus();
}

Status LoadOptimizer(const std::string& path, Model& model, Stepper& stepper, int64_t step) {
  MG_ASSIGN_OR_RETURN(std::vector<TensorEntry> entries, ReadSafetensors(path));
  std::map<std::string, std::vector<float>> by_name;
  for (TensorEntry& entry : entries) by_name[entry.name] = std::move(entry.values);
  const auto missing = [&](const std::string& name, size_t size) {
    return InvalidInput(fmt::format("{}: array \"{}\" of {} numbers is missing", path, name, size));
  };
  for (auto& [name, values] : RawArrays(model, stepper)) {
    if (by_name[name].size() != values.size()) return missing(name, values.size());
    std::copy(by_name[name].begin(), by_name[name].end(), values.begin());
  }
  for (size_t t = 0; t < model.store->tables().size(); ++t) {
    std::vector<int32_t>& pending = model.store->tables()[t]->first_pending();
    const std::vector<float>& behind = by_name[PendingName(t)];
    if (behind.size() != pending.size()) return missing(PendingName(t), pending.size());
    for (size_t r = 0; r < pending.size(); ++r)
      pending[r] = static_cast<int32_t>(step + 1 - static_cast<int64_t>(behind[r]));
  }
  return OkStatus();
}

StatusOr<nlohmann::json> ReadState(const std::string& path) {
  MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto number = [&](const char* key) { return json.contains(key) && json[key].is_number(); };
  if (!json.is_object() || !number("step") || !number("settled_step") || !number("seconds") ||
      !number("evaluations_without_gain") || !json.contains("evaluated") || !json["evaluated"].is_boolean() ||
      !json.contains("best") || !json["best"].is_object())
    return InvalidInput(fmt::format("{}: not the state of a training", path));
  return json;
}

}  // namespace

std::string CheckpointDirectory(const std::string& model_dir, int64_t step) {
  return JoinPath(JoinPath(model_dir, kFolder), fmt::format("{}{}", kPrefix, step));
}

std::vector<int64_t> ListCheckpoints(const std::string& model_dir) {
  std::vector<int64_t> steps;
  const auto names = ListDirectory(JoinPath(model_dir, kFolder));
  if (!names.ok()) return steps;
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    int64_t step = 0;
    const char* first = name.data() + sizeof(kPrefix) - 1;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(first, last, step);
    if (error == std::errc() && end == last) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Status SaveCheckpoint(const std::string& model_dir, Model& model, Stepper& stepper, const RunState& state) {
  const std::string dir = CheckpointDirectory(model_dir, stepper.step());
  const std::string unfinished = dir + ".tmp";
  MG_RETURN_IF_ERROR(RemoveTree(unfinished));
  MG_RETURN_IF_ERROR(MakeDirectories(unfinished));
  MG_RETURN_IF_ERROR(SaveOptimizer(JoinPath(unfinished, kOptimizerFileName), model, stepper));
  MG_RETURN_IF_ERROR(SaveSettledWeights(JoinPath(unfinished, kWeightsFileName), model, stepper));
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(unfinished, kConfigFileName), config::PrintPipeline(model.pipeline)));
  MG_RETURN_IF_ERROR(
      WriteFileAtomic(JoinPath(unfinished, features::kSchemaFileName), features::SchemaToText(model.schema)));
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(unfinished, kStateFileName), StateToJson(state, stepper).dump(2) + "\n"));
  const std::vector<std::string> files = {kConfigFileName, kOptimizerFileName, features::kSchemaFileName,
                                          kStateFileName, kWeightsFileName};
  MG_RETURN_IF_ERROR(WriteManifest(unfinished, kModelFormatVersion, kProgramVersion, files));
  // An older checkpoint of the same step moves out of the way in one go: a half-removed one would be the last.
  const std::string replaced = dir + ".old.tmp";
  MG_RETURN_IF_ERROR(RemoveTree(replaced));
  if (FileExists(dir) && std::rename(dir.c_str(), replaced.c_str()) != 0)
    return Failed(fmt::format("{}: cannot be renamed to {}", dir, replaced));
  if (std::rename(unfinished.c_str(), dir.c_str()) != 0)
    return Failed(fmt::format("{}: cannot rename {} to it", dir, unfinished));
  MG_RETURN_IF_ERROR(SyncFolder(DirectoryOf(dir)));
  return RemoveTree(replaced);
}

StatusOr<RunState> LoadLastCheckpoint(const std::string& model_dir, Model& model, Stepper& stepper) {
  const std::vector<int64_t> steps = ListCheckpoints(model_dir);
  if (steps.empty())
    return InvalidInput(fmt::format("{}: there is no checkpoint to resume from. Leave --resume out to start anew.",
                                    JoinPath(model_dir, kFolder)));
  const std::string dir = CheckpointDirectory(model_dir, steps.back());
  MG_RETURN_IF_ERROR(VerifyManifest(dir, kModelFormatVersion));
  MG_RETURN_IF_ERROR(CheckSameRun(dir, model));
  MG_ASSIGN_OR_RETURN(const nlohmann::json json, ReadState(JoinPath(dir, kStateFileName)));
  RunState state;
  state.step = json["step"].get<int64_t>();
  state.evaluated = json["evaluated"].get<bool>();
  state.seconds = json["seconds"].get<double>();
  state.evaluations_without_gain = json["evaluations_without_gain"].get<int>();
  for (const auto& [metric, best] : json["best"].items())
    state.best[metric] = {best.value("value", 0.0), best.value("step", int64_t{0})};
  MG_RETURN_IF_ERROR(LoadOptimizer(JoinPath(dir, kOptimizerFileName), model, stepper, state.step));
  stepper.Restart(state.step, json["settled_step"].get<int64_t>());
  return state;
}

Status RemoveOldCheckpoints(const std::string& model_dir, int keep, const RunState& state) {
  const std::string folder = JoinPath(model_dir, kFolder);
  const auto names = ListDirectory(folder);
  if (!names.ok()) return OkStatus();
  for (const std::string& name : *names)
    if (name.ends_with(".tmp")) MG_RETURN_IF_ERROR(RemoveTree(JoinPath(folder, name)));
  if (keep == 0) return OkStatus();
  std::set<int64_t> best;
  for (const auto& [metric, value] : state.best) best.insert(value.step);
  const std::vector<int64_t> steps = ListCheckpoints(model_dir);
  for (size_t i = 0; i + keep < steps.size(); ++i)
    if (!best.contains(steps[i])) MG_RETURN_IF_ERROR(RemoveTree(CheckpointDirectory(model_dir, steps[i])));
  return OkStatus();
}

}  // namespace manygate
