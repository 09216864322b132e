// SPDX-License-Identifier: Apache-2.0
// manygate evaluate MODEL_DIR... [--data F]...
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/catalog/model.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/report/text_table.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"

namespace manygate::cli {
namespace {

struct Evaluated {
  std::string rows_name;  // "test rows of a.csv", for people
  EvaluationResult result;
};

StatusOr<Evaluated> EvaluateModel(const std::string& dir, const std::string& paths, ThreadPool& pool,
                                  const Console& console) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, LoadModel(dir));
  std::vector<std::string> notes;
  const std::string cache = CacheDirectory(model->pipeline, dir);
  Evaluated evaluated;
  RowSelection selection;
  if (!paths.empty()) {
    MG_ASSIGN_OR_RETURN(selection, PrepareRows(model->pipeline, model->schema, paths, true, pool, cache, &notes));
    evaluated.rows_name = paths;
  } else {
    MG_ASSIGN_OR_RETURN(Dataset data, PrepareHoldOut(model->pipeline, model->schema, pool, cache, &notes));
    const bool has_test = !data.test.rows.empty();
    selection = has_test ? std::move(data.test) : std::move(data.validation);
    if (selection.rows.empty())
      return InvalidInput(fmt::format("{}: its training held out no rows; name data to evaluate on: --data FILE", dir));
    const std::string& source = model->pipeline.eval_input_path().empty() ? model->pipeline.train_input_path()
                                                                          : model->pipeline.eval_input_path();
    evaluated.rows_name = fmt::format("{} rows held out of {}", has_test ? "test" : "validation", source);
  }
  PrintNotes(notes, console);
  evaluated.result = Evaluator(*model, pool).Evaluate(selection);
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
    console.out << ToJson(evaluated.result) << "\n";
    return;
  }
  console.out << fmt::format("{} on {} ({} rows)\n\n{}", dir, evaluated.rows_name, FormatCount(evaluated.result.rows),
                             EvaluationTable(evaluated.result));
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
  const std::string paths = JoinPaths(flags.data);
  std::vector<std::string> dirs;
  for (const std::string& dir : flags.model_dirs) dirs.push_back(WithoutSlash(dir));
  std::vector<Evaluated> models;
  for (const std::string& dir : dirs) {
    MG_ASSIGN_OR_RETURN(Evaluated evaluated, EvaluateModel(dir, paths, pool, console));
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
