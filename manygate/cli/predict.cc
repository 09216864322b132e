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
#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/catalog/model.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/config/accessors.h"
#include "manygate/data/csv_writer.h"
#include "manygate/data/source.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"

namespace manygate::cli {
namespace {

// The names that TorchEasyRec gives to the same columns.
std::vector<std::string> OutputColumns(const Model& model, const PredictFlags& flags) {
  std::vector<std::string> columns = flags.keep;
  for (const config::TaskTower& tower : config::TaskTowers(model.pipeline.model_config())) {
    const bool binary = config::LossName(tower) == "binary_cross_entropy";
    columns.push_back((binary ? "probs_" : "y_") + config::TowerName(tower));
    if (flags.logits) columns.push_back("logits_" + config::TowerName(tower));
  }
  return columns;
}

Status CheckOutput(const PredictFlags& flags) {
  MG_RETURN_IF_ERROR(CheckOutputPath(flags.output));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, ExpandPaths(JoinPaths(flags.data)));
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

Status WriteRows(const Predictions& predictions, const Table& kept, const PredictFlags& flags,
                 const std::vector<std::string>& columns) {
  const size_t rows = predictions.values.empty() ? 0 : predictions.values[0].size();
  MG_CHECK(flags.keep.empty() || kept.rows == static_cast<int64_t>(rows), "{} rows kept, {} predicted", kept.rows,
           rows);
  std::vector<const Column*> kept_columns;
  for (const std::string& name : flags.keep) kept_columns.push_back(&kept.columns[kept.Find(name)]);
  CsvWriter out;
  MG_RETURN_IF_ERROR(out.Open(flags.output, columns));
  for (size_t row = 0; row < rows; ++row) {
    for (const Column* column : kept_columns) out.Text(column->dictionary[column->Code(static_cast<int64_t>(row))]);
    for (size_t task = 0; task < predictions.values.size(); ++task) {
      out.Number(predictions.values[task][row]);
      if (flags.logits) out.Number(predictions.logits[task][row]);
    }
    MG_RETURN_IF_ERROR(out.EndRow());
  }
  return out.Close();
}

}  // namespace

Status RunPredict(const PredictFlags& flags, const Console& console) {
  const auto start = std::chrono::steady_clock::now();
  const std::string dir = WithoutSlash(flags.model_dir);
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, LoadModel(dir));
  MG_RETURN_IF_ERROR(CheckOutput(flags));
  ThreadPool pool(flags.threads);
  const std::string cache = CacheDirectory(model->pipeline, dir);
  std::vector<std::string> notes;
  MG_ASSIGN_OR_RETURN(const RowSelection selection,
                      PrepareRows(model->pipeline, model->schema, JoinPaths(flags.data), false, pool, cache, &notes));
  MG_ASSIGN_OR_RETURN(const Table kept, ReadKept(*model, flags, pool, cache, &notes));
  PrintNotes(notes, console);
  const std::vector<std::string> columns = OutputColumns(*model, flags);
  MG_RETURN_IF_ERROR(WriteRows(Evaluator(*model, pool).Predict(selection), kept, flags, columns));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto rows = static_cast<int64_t>(selection.rows.size());
  console.err << fmt::format("{}: {} rows, columns {}; {}", flags.output, FormatCount(rows), JoinNames(columns),
                             FormatSeconds(seconds.count()))
              << std::endl;
  if (flags.json) console.out << fmt::format("{{\"output\": {}, \"rows\": {}}}\n", JsonString(flags.output), rows);
  return OkStatus();
}

}  // namespace manygate::cli
