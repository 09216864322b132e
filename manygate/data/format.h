// SPDX-License-Identifier: Apache-2.0
// Which format a file has that nobody has described, by its first bytes.
//
//   MG_ASSIGN_OR_RETURN(options.dataset_type, DetectFormat(files[0]));
#ifndef MANYGATE_DATA_FORMAT_H_
#define MANYGATE_DATA_FORMAT_H_

#include <string>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Parquet: begins with "PAR1", or is named .parquet (its reader then says what is wrong with it). All else is text. A
// file that cannot be opened is text too: the reader of text says why. InvalidInput: a read error of the system.
StatusOr<config::DatasetType> DetectFormat(const std::string& file);

}  // namespace manygate

#endif  // MANYGATE_DATA_FORMAT_H_
