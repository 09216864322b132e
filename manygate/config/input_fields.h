// SPDX-License-Identifier: Apache-2.0
// The columns of a file without a header, however they are written.
//
//   for (const Field& field : InputFields(data_config)) Use(field.input_name(), field.input_type());
#ifndef MANYGATE_CONFIG_INPUT_FIELDS_H_
#define MANYGATE_CONFIG_INPUT_FIELDS_H_

#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

// "uid:BIGINT;price:DOUBLE;": names, and types by FieldType's names or MaxCompute's (BIGINT, INT, ARRAY<STRING>,
// MAP<STRING,BIGINT>). InvalidInput: what is wrong, as a clause.
StatusOr<std::vector<Field>> ParseInputFields(std::string_view text);

// data_config.input_fields or, of a valid configuration, input_fields_str.
std::vector<Field> InputFields(const DataConfig& data);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_INPUT_FIELDS_H_
