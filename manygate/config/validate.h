// SPDX-License-Identifier: Apache-2.0
// Every check of a configuration that does not need the data: what is required, what excludes what, names that refer to
// each other, the range of every number as pipeline.proto states it. Checks that need columns or values are features/
// and data/.
//
//   MG_RETURN_IF_ERROR(ValidatePipeline(loaded));   // before ResolveDefaults; a resolved configuration is valid too
//
// To add a range: one line in ranges.cc. To add a rule: validate_<part>.cc.
#ifndef MANYGATE_CONFIG_VALIDATE_H_
#define MANYGATE_CONFIG_VALIDATE_H_

#include "manygate/base/status.h"
#include "manygate/config/load.h"

namespace manygate::config {

// InvalidInput with all problems, one per line: "file:line:column: path value: what is expected".
Status ValidatePipeline(const LoadedPipeline& loaded);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_VALIDATE_H_
