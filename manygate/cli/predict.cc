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

// "0", "1", ..., or the texts that stand for the classes.
std::string ClassName(const features::LabelSchema& label, int index) {
  return index < label.class_values_size() ? label.class_values(index) : std::to_string(index);
}

// The names that TorchEasyRec gives to the same columns; it writes the probabilities of classes as one vector, a CSV one
// by one.
std::vector<OutputColumn> OutputColumns(const Model& model, const Predictions& predictions, bool logits) {
  std::vector<OutputColumn> columns;
  for (size_t t = 0; t < model.tasks.size(); ++t) {
    const Task& task = model.tasks[t];
    const int width = task.num_predictions();
    const bool binary = task.kind == config::TaskKind::kBinary;
    const std::string prefix = task.num_logits() == 2 && binary ? "probs1_" : binary ? "probs_" : "y_";
    if (task.kind == config::TaskKind::kClasses) {
      for (int c = 0; c < width; ++c)
        columns.push_back({fmt::format("probs_{}_{}", task.tower, ClassName(model.schema.labels(task.label), c)),
                           &predictions.values[t], width, c});
    } else {
      columns.push_back({prefix + task.tower, &predictions.values[t], 1, 0});
    }
    for (int c = 0; c < (logits ? task.num_logits() : 0); ++c) {
      const std::string name = "logits_" + task.tower;
      columns.push_back({task.num_logits() == 1 ? name : fmt::format("{}_{}", name, c), &predictions.logits[t],
                         task.num_logits(), c});
    }
  }
  size_t extra = 0;
  for (const Graph::Output& output : model.graph.outputs)
    if (output.kind == Graph::Output::Kind::kExtra)
      columns.push_back({"probs_" + output.name, &predictions.extras[extra++], 1, 0});
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
