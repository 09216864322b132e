// SPDX-License-Identifier: Apache-2.0
// The fitted features and labels as a table to read, for `manygate inspect`.
//
//   std::fputs(features::DescribeSchema(schema).c_str(), stdout);
#ifndef MANYGATE_FEATURES_DESCRIBE_H_
#define MANYGATE_FEATURES_DESCRIBE_H_

#include <string>

#include "manygate/features/schema.h"

namespace manygate::features {

// One line per feature and per label, columns aligned; the schema has passed ValidateSchema.
std::string DescribeSchema(const Schema& schema);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_DESCRIBE_H_
