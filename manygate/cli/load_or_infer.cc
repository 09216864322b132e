// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/load_or_infer.h"

#include <utility>

#include "manygate/base/thread_pool.h"
#include "manygate/cli/infer_config.h"
#include "manygate/cli/printing.h"

namespace manygate::cli {

StatusOr<config::LoadedPipeline> LoadOrInfer(const ConfigurationChoice& choice, const Console& console) {
  const std::string paths = JoinPaths(choice.data);
  if (!choice.config.empty()) {
    const bool other_model = !choice.model.empty();
    MG_ASSIGN_OR_RETURN(
        config::LoadedPipeline loaded,
        config::LoadPipeline(choice.config, other_model ? std::vector<std::string>() : choice.overrides));
    if (other_model) {
      MG_ASSIGN_OR_RETURN(loaded, ReplaceModel(loaded, choice.model, choice.overrides));
    }
    if (!paths.empty()) {
      loaded.pipeline.set_train_input_path(paths);
      loaded.places["train_input_path"] = "--data";
    }
    return loaded;
  }
  ThreadPool pool(choice.threads);
  InferRequest request{.paths = paths, .labels = choice.labels, .overrides = choice.overrides};
  if (!choice.columns.empty()) {
    MG_ASSIGN_OR_RETURN(request.names, ParseColumnNames(choice.columns));
  }
  if (!choice.model.empty()) request.model = choice.model;
  MG_ASSIGN_OR_RETURN(InferredPipeline made, InferPipeline(request, pool));
  PrintNotes(made.notes, console);
  return std::move(made.loaded);
}

}  // namespace manygate::cli
