// SPDX-License-Identifier: Apache-2.0
// Measured on Census-Income (102.7 MB of text, 42 columns all read, 199,523 rows), one core of an AMD EPYC (family 25
// model 1), 2026-11, csv_bench: 135 ms = 0.76 GB/s from plain text into columns, 142 ms = 0.72 GB/s into a column cache on
// disk, 210 ms from .gz; with two threads 77, 85 and 114 ms. Looking up texts takes a third of it, cutting rows into
// values a fifth, finding separators and copying from the file a tenth each. Without effect: keys of vectors instead of
// words, batches of a quarter or twice the rows, -O3, comparing with the row before where it mostly repeats.
#include "manygate/data/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "manygate/base/text.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/csv_pipeline.h"

namespace manygate {
namespace {

// Finds the requested columns; all that are unknown are reported together.
Status PlanTargets(std::span<const ColumnRequest> requests, const std::string& path, ParsePlan* plan) {
  std::string problems;
  for (const ColumnRequest& request : requests) {
    const auto found = std::find(plan->names.begin(), plan->names.end(), request.name);
    if (found == plan->names.end()) {
      problems += fmt::format("{}{}: column \"{}\" is not in the file. {}", problems.empty() ? "" : "\n", path,
                              request.name, Suggestion(request.name, plan->names, "Columns"));
    } else {
      plan->targets.push_back({static_cast<int>(found - plan->names.begin()), request.kind});
    }
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

class CsvReader : public Reader {
 public:
  CsvReader(std::span<const std::string> files, const SourceOptions& options)
      : files_(files.begin(), files.end()), options_(options) {}

  StatusOr<Columns> ReadColumns(bool) override {
    MG_ASSIGN_OR_RETURN(std::vector<std::string> names, FirstNames());
    MG_RETURN_IF_ERROR(ForEachFile(files_, options_, names, [](CsvFile&) { return OkStatus(); }));
    return Columns{std::move(names)};
  }

  Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) override {
    ParsePlan plan{.options = options_, .names = {}, .targets = {}};
    MG_ASSIGN_OR_RETURN(plan.names, FirstNames());
    MG_RETURN_IF_ERROR(PlanTargets(requests, files_[0], &plan));
    std::vector<BlockParser> parsers(static_cast<size_t>(pool.size()), BlockParser(plan));
    return ForEachFile(files_, options_, plan.names,
                       [&](CsvFile& file) { return ParseFile(file, parsers, pool, consume); });
  }

 private:
  StatusOr<std::vector<std::string>> FirstNames() const {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> first, CsvFile::Open(files_[0], options_));
    return first->names();
  }

  const std::vector<std::string> files_;
  const SourceOptions options_;
};

}  // namespace

std::unique_ptr<Reader> MakeCsvReader(std::span<const std::string> files, const SourceOptions& options) {
  return std::make_unique<CsvReader>(files, options);
}

}  // namespace manygate
