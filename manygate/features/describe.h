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

// Parts of those lines.
const char* KindText(const FeatureSchema& feature);    // "learnt vocabulary", "number"
std::string InputText(const FeatureSchema& feature);   // "one-hot 17", "embedding 4,000 x 8"
const char* KindText(const LabelSchema& label);        // "binary", "number", "classes"
std::string StatisticsText(const LabelSchema& label);  // "9,312 positive (6.2 %)", "mean 3.5, deviation 1.25"

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_DESCRIBE_H_
