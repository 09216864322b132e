// SPDX-License-Identifier: Apache-2.0
// The text of a configuration that was made from data, with a comment beside every choice that the data led to.
//
//   MG_ASSIGN_OR_RETURN(InferredPipeline made, InferPipeline(request, pool));
//   MG_RETURN_IF_ERROR(WriteFileAtomic("adult.config", CommentedConfig(made, "adult.config")));
//
//   # age: whole numbers, 73 different values, 17 to 90
//   feature_configs { raw_feature { feature_name: "age" expression: "age" transform { standardise: true } } }
#ifndef MANYGATE_CLI_COMMENTED_CONFIG_H_
#define MANYGATE_CLI_COMMENTED_CONFIG_H_

#include <string>

#include "manygate/cli/infer_config.h"

namespace manygate::cli {

// Loads again to a pipeline equal to made.loaded.pipeline. file: the name it will have, for the commands in it.
std::string CommentedConfig(const InferredPipeline& made, const std::string& file);

// As a shell takes it for one word: "adult.config", "'my data.config'".
std::string ShellWord(const std::string& text);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_COMMENTED_CONFIG_H_
