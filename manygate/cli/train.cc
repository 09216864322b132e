// SPDX-License-Identifier: Apache-2.0
// manygate train [CONFIG] [--data F]... [--label L]...
#include <fmt/format.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/cli/load_or_infer.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/quick_check.h"
#include "manygate/cli/verbs.h"
#include "manygate/report/health_table.h"
#include "manygate/report/text_table.h"
#include "manygate/train/dataset.h"
#include "manygate/train/trainer.h"

namespace manygate::cli {
namespace {

constexpr char kDefaultModelDir[] = "out/model";

// The flag, else the configuration, else a place of our own choice.
StatusOr<std::string> ModelDirectory(const TrainFlags& flags, const config::LoadedPipeline& loaded,
                                     const Console& console) {
  std::string dir = WithoutSlash(flags.model_dir.empty() ? loaded.pipeline.model_dir() : flags.model_dir);
  if (dir.empty()) {
    if (!flags.config.empty())
      return InvalidInput(fmt::format("{}: model_dir is missing. Set it there, or give --model_dir DIR", loaded.name));
    dir = kDefaultModelDir;
    console.err << fmt::format("note: the model goes to {}; --model_dir DIR chooses another folder", dir) << std::endl;
  }
  MG_RETURN_IF_ERROR(CheckModelDirectory(dir));
  return dir;
}

// What looks wrong with the data. Without a column cache nothing: it would read them a second time.
void PrintWarnings(const TrainFlags& flags, const config::LoadedPipeline& loaded, const std::string& model_dir,
                   const Console& console) {
  const std::string cache_dir = CacheDirectory(loaded.pipeline, model_dir);
  if (cache_dir.empty() || flags.resume) return;
  std::vector<std::string> notes;
  const std::vector<std::string> warnings = QuickFindings(loaded, cache_dir, flags.threads, &notes);
  PrintNotes(notes, console);
  for (const std::string& warning : warnings) console.err << "warning: " << warning << "\n";
  if (warnings.empty()) return;
  console.err << "note: manygate check, with the same configuration or data and labels, looks closer" << std::endl;
}

std::string SecondsText(const TrainResult& result) {
  return fmt::format("{} steps ({:.4g} epoch{}) in {}, {} rows/s", FormatCount(result.steps), result.epochs,
                     result.epochs == 1 ? "" : "s", FormatSeconds(result.seconds),
                     FormatCount(static_cast<int64_t>(result.rows_per_second)));
}

void PrintText(const TrainResult& result, const std::string& model_dir, const Console& console) {
  const bool has_test = result.test.rows > 0;
  const EvaluationResult& shown = has_test ? result.test : result.validation;
  if (shown.rows > 0) {
    if (has_test && result.validation.rows > 0)
      console.out << fmt::format("Validation, {} rows\n\n{}\n", FormatCount(result.validation.rows),
                                 EvaluationTable(result.validation));
    console.out << fmt::format("{}, {} rows\n\n{}\n", has_test ? "Test" : "Validation", FormatCount(shown.rows),
                               EvaluationTable(shown));
  }
  if (const std::string health = HealthTable(result.health); !health.empty()) console.out << health << "\n";
  if (!result.best_metric.empty())
    console.out << fmt::format("weights of step {}, the best by {}\n", FormatCount(result.best_step),
                               result.best_metric);
  console.out << SecondsText(result) << "\nmodel: " << model_dir << "\n";
}

// The rows and tasks of the hold-out stand at the top level too, as evaluate prints them.
void PrintJson(const TrainResult& result, const std::string& model_dir, const Console& console) {
  const std::string shown = ToJson(result.test.rows > 0 ? result.test : result.validation);
  console.out << fmt::format(
      "{}, \"model_dir\": {}, \"steps\": {}, \"epochs\": {}, \"seconds\": {}, \"rows_per_second\": {}, "
      "\"best_metric\": {}, \"best_step\": {}, \"validation\": {}, \"test\": {}, "
      "\"health\": {}}}\n",
      shown.substr(0, shown.rfind('}')), JsonString(model_dir), result.steps, JsonNumber(result.epochs),
      JsonNumber(result.seconds), JsonNumber(result.rows_per_second),
      result.best_metric.empty() ? "null" : JsonString(result.best_metric), result.best_step,
      result.validation.rows > 0 ? ToJson(result.validation) : "null",
      result.test.rows > 0 ? ToJson(result.test) : "null", result.health.empty() ? "null" : ToJson(result.health));
}

}  // namespace

Status RunTrain(const TrainFlags& flags, const Console& console) {
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, LoadOrInfer(flags, console));
  if (flags.seed.has_value()) {
    loaded.pipeline.mutable_train_config()->set_seed(*flags.seed);
    loaded.places["train_config.seed"] = "--seed";
  }
  MG_ASSIGN_OR_RETURN(const std::string model_dir, ModelDirectory(flags, loaded, console));
  if (const std::string ignored = loaded.IgnoredNote(); !ignored.empty()) PrintNotes({&ignored, 1}, console);
  PrintWarnings(flags, loaded, model_dir, console);
  const TrainOptions options{.model_dir = model_dir,
                             .num_threads = flags.threads,
                             .resume = flags.resume,
                             .stop = console.stop,
                             .log = &console.err,
                             .log_is_terminal = console.err_is_terminal,
                             .terminal_columns = console.terminal_columns,
                             .draw_model = true};
  MG_ASSIGN_OR_RETURN(const TrainResult result, Train(std::move(loaded), options));
  if (flags.json) {
    PrintJson(result, model_dir, console);
  } else {
    PrintText(result, model_dir, console);
  }
  return OkStatus();
}

}  // namespace manygate::cli
