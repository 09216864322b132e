// SPDX-License-Identifier: Apache-2.0
// How input files are to be read.
//
//   MG_ASSIGN_OR_RETURN(SourceOptions options, SourceOptionsFromConfig(pipeline.data_config()));
#ifndef MANYGATE_DATA_SOURCE_OPTIONS_H_
#define MANYGATE_DATA_SOURCE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate {

struct SourceOptions {
  config::DatasetType dataset_type = config::CsvDataset;
  // Text only, up to trim_blanks.
  char delimiter = ',';
  // A value is quoted when its first character (after blanks, with trim_blanks) is this one; inside, two of them stand
  // for one, and delimiters and line ends are text. Elsewhere in a value it is an ordinary character. '\0': no quoting.
  char quote = '"';
  bool with_header = false;
  // Without a header: the columns in order; of lists of fields, those before the fields. Empty: they are named column_0,
  // column_1, ...
  std::vector<std::string> names = {};
  uint64_t skip_lines = 0;  // physical lines dropped before the header or the first row
  // Lines that start with this text, blanks included, are dropped wherever a row may begin (not inside quotes); quotes in
  // them do not count. "": none.
  std::string comment = "";
  bool trim_blanks = true;  // spaces and tabs around values that are not quoted
  // Texts that mean "missing", compared after trimming, quoted or not; the empty text always does.
  std::vector<std::string> missing_values = {};

  // Everything above that changes what is read, as one text: part of the key of a cache.
  std::string Fingerprint() const;
};

// InvalidInput, one line per problem: delimiter or quote not a single character, equal to each other, or a line end, a
// NUL or (quote) a blank; a comment with a line end or a NUL; a field without a name or with a name twice.
StatusOr<SourceOptions> SourceOptionsFromConfig(const config::DataConfig& config);

}  // namespace manygate

#endif  // MANYGATE_DATA_SOURCE_OPTIONS_H_
