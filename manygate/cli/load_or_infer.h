// SPDX-License-Identifier: Apache-2.0
// The configuration of a run, for the verbs that train: read, or made from data and labels.
//
//   MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, LoadOrInfer({.config = "mmoe.config", .threads = 2}, console));
#ifndef MANYGATE_CLI_LOAD_OR_INFER_H_
#define MANYGATE_CLI_LOAD_OR_INFER_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"
#include "manygate/config/load.h"

namespace manygate::cli {

// As the flags of train name them.
struct ConfigurationChoice {
  std::string config;                  // "": made from data and labels
  std::vector<std::string> data = {};  // with a configuration: instead of its train_input_path
  std::vector<std::string> labels = {};
  std::string columns = {};  // "a,b,c": of data without a header
  std::string model = {};    // "": the configuration's; without one mmoe
  std::vector<std::string> overrides = {};
  int threads = 1;
};

// Notes about a configuration that is made here go to console.err. InvalidInput: as config::LoadPipeline, ReplaceModel
// and InferPipeline.
StatusOr<config::LoadedPipeline> LoadOrInfer(const ConfigurationChoice& choice, const Console& console);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_LOAD_OR_INFER_H_
