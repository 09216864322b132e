// SPDX-License-Identifier: Apache-2.0
// The configuration of a run, for the verbs that train: read, or made from data and labels.
//
//   MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, LoadOrInfer(flags, console));
#ifndef MANYGATE_CLI_LOAD_OR_INFER_H_
#define MANYGATE_CLI_LOAD_OR_INFER_H_

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"
#include "manygate/cli/flags.h"
#include "manygate/config/load.h"

namespace manygate::cli {

// Notes about a configuration that is made here go to console.err. InvalidInput: as config::LoadPipeline, ReplaceModel
// and InferPipeline.
StatusOr<config::LoadedPipeline> LoadOrInfer(const ConfigurationFlags& flags, const Console& console);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_LOAD_OR_INFER_H_
