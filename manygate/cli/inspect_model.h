// SPDX-License-Identifier: Apache-2.0
// What a model directory tells about itself, for manygate inspect.
#ifndef MANYGATE_CLI_INSPECT_MODEL_H_
#define MANYGATE_CLI_INSPECT_MODEL_H_

#include <string>

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"

namespace manygate::cli {

// Drawing, parameters, fitted columns, plan, last evaluation of the training, checkpoints. Errors: those of LoadModel.
Status InspectModel(const std::string& dir, bool json, const Console& console);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_INSPECT_MODEL_H_
