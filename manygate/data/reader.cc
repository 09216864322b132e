// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/data/csv.h"
#include "manygate/data/field_list.h"
#include "manygate/data/memory_reader.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/parquet.h"
#include "manygate/data/table_builder.h"
#include "manygate/data/tfrecord.h"

namespace manygate {
namespace {

std::string JoinSources(std::span<const std::string> files) {
  std::string joined;
  for (size_t i = 0; i < std::min<size_t>(files.size(), 3); ++i) joined += (i == 0 ? "" : ", ") + files[i];
  if (files.size() > 3) joined += fmt::format(", ... ({} files)", files.size());
  return joined;
}

}  // namespace

bool Columns::MayHave(std::string_view name) const {
  return open || std::find(names.begin(), names.end(), name) != names.end();
}

StatusOr<std::unique_ptr<Reader>> MakeReader(std::span<const std::string> files, const SourceOptions& options) {
  if (files.empty()) return InvalidInput("no input files; name at least one");
  if (std::any_of(files.begin(), files.end(), IsMemoryPath)) {
    const auto file = std::find_if_not(files.begin(), files.end(), IsMemoryPath);
    if (file == files.end()) return MakeMemoryReader(files, options);
    return InvalidInput(fmt::format("{}: cannot be read as one with {}; give either tables in memory or files", *file,
                                    JoinSources(files)));
  }
  switch (options.dataset_type) {
    case config::CsvDataset: return MakeCsvReader(files, options);
    case config::ParquetDataset: return MakeParquetReader(files, options);
    case config::TFRecordDataset: return MakeTfRecordReader(files, options);
    case config::FieldListDataset: return MakeFieldListReader(files, options);
    default: return InvalidInput("no reader");
  }
}

StatusOr<Columns> ReadColumns(std::span<const std::string> files, const SourceOptions& options, bool all) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Reader> reader, MakeReader(files, options));
  return reader->ReadColumns(all);
}

StatusOr<Table> ReadFiles(std::span<const std::string> files, const SourceOptions& options,
                          std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& folder) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Reader> reader, MakeReader(files, options));
  TableBuilder builder(requests, options.missing_values, folder);
  MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, [&](RowBlock& block) { builder.Append(block); }));
  std::string source = JoinSources(files);
  if (builder.rows() == 0) return InvalidInput(fmt::format("{}: has no rows", source));
  return builder.Finish(std::move(source));
}

}  // namespace manygate
