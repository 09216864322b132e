// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/load_or_infer.h"

#include <utility>

#include "manygate/base/thread_pool.h"
#include "manygate/cli/infer_config.h"
#include "manygate/cli/printing.h"

namespace manygate::cli {

StatusOr<config::LoadedPipeline> LoadOrInfer(const ConfigurationFlags& flags, const Console& console) {
  const std::string paths = JoinPaths(flags.data);
  if (!flags.config.empty()) {
    const bool other_model = !flags.model.empty();
    MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded,
                        config::LoadPipeline(flags.config, other_model ? std::vector<std::string>() : flags.overrides));
    if (other_model) {
      MG_ASSIGN_OR_RETURN(loaded, ReplaceModel(loaded, flags.model, flags.overrides));
    }
    if (!paths.empty()) {
      loaded.pipeline.set_train_input_path(paths);
      loaded.places["train_input_path"] = "--data";
    }
    return loaded;
  }
  ThreadPool pool(flags.threads);
  InferRequest request{.paths = paths, .labels = flags.labels, .overrides = flags.overrides};
  if (!flags.columns.empty()) {
    MG_ASSIGN_OR_RETURN(request.names, ParseColumnNames(flags.columns));
  }
  if (!flags.model.empty()) request.model = flags.model;
  MG_ASSIGN_OR_RETURN(InferredPipeline made, InferPipeline(request, pool));
  PrintNotes(made.notes, console);
  return std::move(made.loaded);
}

}  // namespace manygate::cli
