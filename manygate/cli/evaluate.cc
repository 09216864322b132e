// SPDX-License-Identifier: Apache-2.0
// manygate evaluate MODEL_DIR... [--data F]... [--by COLUMN]...
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <ostream>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/data/source.h"
#include "manygate/report/text_table.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/evaluation_rows.h"

namespace manygate::cli {
namespace {

constexpr int64_t kMostSlices = 1000;

struct Evaluated {
  std::string rows_name;  // "test rows of a.csv", for people
  EvaluationResult result;
  std::vector<ColumnSlices> by;
};

// The metrics per value of each column, of the rows of `selection` that came from `paths`.
StatusOr<std::vector<ColumnSlices>> Slice(const Evaluator& evaluator, const Predictions& predictions,
                                          const RowSelection& selection, const config::Pipeline& pipeline,
                                          const std::string& paths, const std::vector<std::string>& columns,
                                          ThreadPool& pool, const std::string& cache, std::vector<std::string>* notes) {
  std::vector<ColumnSlices> by;
  if (columns.empty()) return by;
  std::vector<ColumnRequest> wanted;
  for (const std::string& column : columns) wanted.push_back({column, ColumnKind::kCategory});
  MG_ASSIGN_OR_RETURN(const Table table, ReadTable(paths, pipeline.data_config(), wanted, pool, cache, notes));
  for (const std::string& name : columns) {
    const Column& column = table.columns[table.Find(name)];
    // Values in the order of their rows: the most frequent first.
    std::vector<int64_t> rows_of(column.dictionary.size(), 0);
    for (const uint32_t row : selection.FileRows()) ++rows_of[column.Code(row)];
    std::vector<int32_t> order(rows_of.size()), place(rows_of.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return rows_of[a] > rows_of[b]; });
    std::vector<std::string> texts;
    for (size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<int32_t>(i);
      texts.push_back(order[i] == 0 ? "(missing)" : column.dictionary[order[i]]);
    }
    const auto with_rows = std::count_if(rows_of.begin(), rows_of.end(), [](int64_t rows) { return rows > 0; });
    if (with_rows > kMostSlices)
      return InvalidInput(fmt::format("--by {}: the column has {} values; at most {} can be shown", name,
                                      FormatCount(with_rows), kMostSlices));
    std::vector<int32_t> codes;
    for (const uint32_t row : selection.FileRows()) codes.push_back(place[column.Code(row)]);
    by.push_back(evaluator.ScoreBy(name, codes, texts, predictions, selection));
  }
  return by;
}

StatusOr<Evaluated> EvaluateModel(const std::string& dir, const EvaluateFlags& flags, ThreadPool& pool,
                                  const Console& console) {
  const std::string paths = JoinPaths(flags.data);
  MG_ASSIGN_OR_RETURN(const auto members, LoadMembers(dir));
  const Model* model = members[0].get();
  std::vector<std::string> notes;
  const std::string cache = CacheDirectory(model->pipeline, dir);
  Evaluated evaluated;
  MG_ASSIGN_OR_RETURN(const EvaluationRows rows, RowsToEvaluate(*model, dir, paths, pool, cache, &notes));
  evaluated.rows_name = rows.name;
  Evaluator evaluator(Pointers(members), pool);
  const Predictions predictions = evaluator.Predict(rows.selection);
  evaluated.result = evaluator.Score(predictions, rows.selection);
  MG_ASSIGN_OR_RETURN(evaluated.by, Slice(evaluator, predictions, rows.selection, model->pipeline, rows.source,
                                          flags.by, pool, cache, &notes));
  PrintNotes(notes, console);
  return evaluated;
}

// The last part of each path, or the whole paths where two would be alike.
std::vector<std::string> ModelNames(const std::vector<std::string>& dirs) {
  std::vector<std::string> names;
  for (const std::string& dir : dirs) names.push_back(BaseName(WithoutSlash(dir)));
  for (size_t i = 0; i < names.size(); ++i)
    if (std::count(names.begin(), names.end(), names[i]) > 1) return dirs;
  return names;
}

void PrintOne(const Evaluated& evaluated, const std::string& dir, bool json, const Console& console) {
  if (json) {
    console.err << "evaluated on " << evaluated.rows_name << std::endl;
    console.out << (evaluated.by.empty() ? ToJson(evaluated.result) : ToJson(evaluated.result, evaluated.by)) << "\n";
    return;
  }
  console.out << fmt::format("{} on {} ({} rows)\n\n{}", dir, evaluated.rows_name, FormatCount(evaluated.result.rows),
                             EvaluationTable(evaluated.result));
  for (const ColumnSlices& slices : evaluated.by)
    console.out << fmt::format("\nby {}\n\n{}", slices.column, SliceTable(evaluated.result, slices));
}

void PrintSeveral(const std::vector<std::string>& dirs, const std::vector<Evaluated>& models, bool json,
                  const Console& console) {
  const std::vector<std::string> names = ModelNames(dirs);
  if (json) {
    std::string text;
    for (size_t i = 0; i < models.size(); ++i)
      text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", JsonString(names[i]), ToJson(models[i].result));
    console.out << "{\"models\": {" << text << "}}\n";
    return;
  }
  std::vector<std::pair<std::string, EvaluationResult>> results;
  bool same_rows = true;
  for (size_t i = 0; i < models.size(); ++i) {
    results.emplace_back(names[i], models[i].result);
    same_rows = same_rows && models[i].rows_name == models[0].rows_name;
  }
  for (size_t i = 0; i < models.size() && (i == 0 || !same_rows); ++i) {
    console.out << fmt::format("{}on {} ({} rows)\n", same_rows ? "" : names[i] + " ", models[i].rows_name,
                               FormatCount(models[i].result.rows));
  }
  console.out << "\n" << ComparisonTable(results);
  if (!same_rows)
    console.err << "note: the models were evaluated on different rows; --data FILE compares them on one\n";
}

}  // namespace

Status RunEvaluate(const EvaluateFlags& flags, const Console& console) {
  ThreadPool pool(flags.threads);
  if (!flags.by.empty() && flags.model_dirs.size() > 1)
    return InvalidInput("--by splits the rows of one model; name one model directory");
  std::vector<std::string> dirs;
  for (const std::string& dir : flags.model_dirs) dirs.push_back(WithoutSlash(dir));
  std::vector<Evaluated> models;
  for (const std::string& dir : dirs) {
    MG_ASSIGN_OR_RETURN(Evaluated evaluated, EvaluateModel(dir, flags, pool, console));
    models.push_back(std::move(evaluated));
  }
  if (models.size() == 1) {
    PrintOne(models[0], dirs[0], flags.json, console);
  } else {
    PrintSeveral(dirs, models, flags.json, console);
  }
  return OkStatus();
}

}  // namespace manygate::cli
