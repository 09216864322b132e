// SPDX-License-Identifier: Apache-2.0
// manygate predict MODEL_DIR --data F --output O
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <ostream>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/catalog/outputs.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/data/csv_writer.h"
#include "manygate/data/paths.h"
#include "manygate/data/source.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"

namespace manygate::cli {
namespace {

// One column of the output: a value of each row.
struct OutputColumn {
  std::string name;
  const std::vector<float>* values;
  int64_t width, offset;  // row r is at values[r * width + offset]
};

// A CSV writes the numbers of an output one by one.
std::vector<OutputColumn> OutputColumns(const Model& model, const Predictions& predictions, bool logits) {
  std::vector<OutputColumn> columns;
  size_t extra = 0;
  for (const ModelOutput& output : ListOutputs(model)) {
    const bool is_logits = output.kind == ModelOutput::Kind::kLogits;
    const std::vector<float>& values = output.kind == ModelOutput::Kind::kExtra ? predictions.extras[extra++]
                                       : is_logits                              ? predictions.logits[output.index]
                                                                                : predictions.values[output.index];
    for (int64_t c = 0; c < (is_logits && !logits ? 0 : output.width); ++c)
      columns.push_back({output.columns[static_cast<size_t>(c)], &values, output.width, c});
  }
  return columns;
}

Status CheckOutput(const PredictFlags& flags) {
  MG_RETURN_IF_ERROR(CheckOutputPath(flags.output));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, ExpandSources(JoinPaths(flags.data)));
  for (const std::string& input : inputs) {
    std::error_code error;
    if (std::filesystem::equivalent(input, flags.output, error))
      return InvalidInput(fmt::format("--output {}: this is the data to predict; name another file", flags.output));
  }
  for (size_t i = 0; i < flags.keep.size(); ++i) {
    if (std::find(flags.keep.begin(), flags.keep.begin() + static_cast<std::ptrdiff_t>(i), flags.keep[i]) !=
        flags.keep.begin() + static_cast<std::ptrdiff_t>(i))
      return InvalidInput(fmt::format("--keep {}: given twice", flags.keep[i]));
  }
  return OkStatus();
}

// The columns to repeat, as texts; a column that a feature reads too comes from the same cache.
StatusOr<Table> ReadKept(const Model& model, const PredictFlags& flags, ThreadPool& pool, const std::string& cache,
                         std::vector<std::string>* notes) {
  if (flags.keep.empty()) return Table();
  std::vector<ColumnRequest> wanted;
  for (const std::string& name : flags.keep) wanted.push_back({name, ColumnKind::kCategory});
  return ReadTable(JoinPaths(flags.data), model.pipeline.data_config(), wanted, pool, cache, notes);
}

Status WriteRows(int64_t rows, const std::vector<OutputColumn>& columns, const Table& kept, const PredictFlags& flags,
                 const std::vector<std::string>& names) {
  MG_CHECK(flags.keep.empty() || kept.rows == rows, "{} rows kept, {} predicted", kept.rows, rows);
  std::vector<const Column*> kept_columns;
  for (const std::string& name : flags.keep) kept_columns.push_back(&kept.columns[kept.Find(name)]);
  CsvWriter out;
  MG_RETURN_IF_ERROR(out.Open(flags.output, names));
  for (int64_t row = 0; row < rows; ++row) {
    for (const Column* column : kept_columns) out.Text(column->dictionary[column->Code(row)]);
    for (const OutputColumn& column : columns) out.Number((*column.values)[row * column.width + column.offset]);
    MG_RETURN_IF_ERROR(out.EndRow());
  }
  return out.Close();
}

}  // namespace

Status RunPredict(const PredictFlags& flags, const Console& console) {
  const auto start = std::chrono::steady_clock::now();
  const std::string dir = WithoutSlash(flags.model_dir);
  MG_ASSIGN_OR_RETURN(const auto members, LoadMembers(dir));
  const Model* model = members[0].get();
  MG_RETURN_IF_ERROR(CheckOutput(flags));
  ThreadPool pool(flags.threads);
  const std::string cache = CacheDirectory(model->pipeline, dir);
  std::vector<std::string> notes;
  MG_ASSIGN_OR_RETURN(const RowSelection selection,
                      PrepareRows(model->pipeline, model->schema, JoinPaths(flags.data), false, pool, cache, &notes));
  MG_ASSIGN_OR_RETURN(const Table kept, ReadKept(*model, flags, pool, cache, &notes));
  PrintNotes(notes, console);
  const Predictions predictions = Evaluator(Pointers(members), pool).Predict(selection);
  const std::vector<OutputColumn> columns = OutputColumns(*model, predictions, flags.logits);
  std::vector<std::string> names = flags.keep;
  for (const OutputColumn& column : columns) names.push_back(column.name);
  MG_RETURN_IF_ERROR(WriteRows(predictions.rows, columns, kept, flags, names));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto rows = static_cast<int64_t>(selection.rows.size());
  console.err << fmt::format("{}: {} rows, columns {}; {}", flags.output, FormatCount(rows), JoinNames(names),
                             FormatSeconds(seconds.count()))
              << std::endl;
  if (flags.json) console.out << fmt::format("{{\"output\": {}, \"rows\": {}}}\n", JsonString(flags.output), rows);
  return OkStatus();
}

}  // namespace manygate::cli
