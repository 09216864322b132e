// SPDX-License-Identifier: Apache-2.0
// Appends blocks of rows to one table: joins their dictionaries, widens codes as they grow.
//
//   TableBuilder builder(requests, options.missing_values);
//   reader->ReadRows(requests, pool, [&](RowBlock& block) { builder.Append(block); });
//   Table table = builder.Finish(source);
#ifndef MANYGATE_DATA_TABLE_BUILDER_H_
#define MANYGATE_DATA_TABLE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "manygate/data/row_block.h"
#include "manygate/data/table.h"

namespace manygate {

class ColumnBuilder;

class TableBuilder {
 public:
  // missing_values: texts that become code 0. Both must outlive the builder. folder: for files without a name, in which a
  // table of over 256 MiB is kept; "": in memory.
  TableBuilder(std::span<const ColumnRequest> requests, std::span<const std::string> missing_values,
               std::string folder = "");
  ~TableBuilder();

  void Append(const RowBlock& block);
  int64_t rows() const { return rows_; }
  // Gives the table away. source: Table::source.
  Table Finish(std::string source);

 private:
  std::span<const ColumnRequest> requests_;
  std::string folder_;
  std::vector<ColumnBuilder> columns_;
  int64_t rows_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_TABLE_BUILDER_H_
