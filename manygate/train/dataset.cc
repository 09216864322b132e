// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/data/reader.h"
#include "manygate/data/source.h"
#include "manygate/data/split.h"
#include "manygate/features/fit.h"

namespace manygate {
namespace {

std::vector<uint32_t> AllRows(int64_t rows) {
  std::vector<uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

// The rows of eval_input_path: validation and test.
RowSplit SplitEvaluation(const config::SplitConfig& split, int64_t rows) {
  if (split.eval_is_test()) return {{}, {}, AllRows(rows)};
  if (split.eval_halves()) return HalvesSplit(static_cast<uint32_t>(rows), static_cast<uint32_t>(split.seed()));
  return {{}, AllRows(rows), {}};
}

// The rows of train_input_path.
RowSplit SplitTraining(const config::Pipeline& pipeline, int64_t rows) {
  const config::SplitConfig& split = pipeline.data_config().split();
  if (!pipeline.eval_input_path().empty() && !split.eval_is_test()) return {AllRows(rows), {}, {}};
  return FractionSplit(static_cast<uint32_t>(rows), split.validation_fraction(), split.test_fraction(), split.seed());
}

StatusOr<std::shared_ptr<const features::EncodedTable>> EncodeRows(const features::Schema& schema, const Table& table,
                                                                   bool with_labels, ThreadPool& pool) {
  MG_ASSIGN_OR_RETURN(features::EncodedTable encoded, features::Encode(schema, table, with_labels, pool));
  return std::make_shared<const features::EncodedTable>(std::move(encoded));
}

// Features and labels whose column the files do not have, each at the place where it is configured. Reading would find them
// too, but could not say where they come from.
Status CheckColumns(const config::LoadedPipeline& loaded) {
  const config::Pipeline& pipeline = loaded.pipeline;
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandPaths(pipeline.train_input_path()));
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(pipeline.data_config()));
  MG_ASSIGN_OR_RETURN(const Columns columns, ReadColumns(files, options, false));
  std::string problems;
  const auto check = [&](const std::string& column, const std::string& place, const std::string& what) {
    if (columns.MayHave(column)) return;
    problems += fmt::format("{}{}: {}: \"{}\" is not a column of {}. {}", problems.empty() ? "" : "\n", place, what,
                            column, files[0], Suggestion(column, columns.names, "Columns"));
  };
  for (const auto& feature : pipeline.feature_configs())
    check(config::FeatureColumn(feature), loaded.Place(feature), "feature " + config::FeatureName(feature));
  for (const auto& label : pipeline.data_config().label_configs())
    check(label.column(), loaded.Place(label), "label " + label.label_name());
  for (const std::string& column : pipeline.data_config().sample_weight_fields())
    check(column, loaded.Place(pipeline.data_config(), "sample_weight_fields"), "row weight");
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

// eval_config.num_steps: the first so many batches only.
void LimitEvaluation(const config::Pipeline& pipeline, Dataset* data) {
  const uint64_t batches = pipeline.eval_config().num_steps();
  if (batches == 0) return;
  const uint64_t most = batches * pipeline.data_config().eval_batch_size();
  for (std::vector<uint32_t>* rows : {&data->validation.rows, &data->test.rows})
    if (rows->size() > most) rows->resize(most);
}

// Row numbers are 32 bits wide, and a run needs something to learn from.
Status CheckRows(const std::string& path, int64_t rows) {
  if (rows == 0) return InvalidInput(fmt::format("{}: there are no rows", path));
  if (rows > 0xffffffffll)
    return InvalidInput(fmt::format("{}: {} rows; at most {} can be read at once", path, rows, 0xffffffffll));
  return OkStatus();
}

}  // namespace

std::string CacheDirectory(const config::Pipeline& pipeline, const std::string& model_dir) {
  const std::string& configured = pipeline.data_config().cache_dir();
  if (configured == "off") return "";
  if (!configured.empty()) return configured;
  return JoinPath(DirectoryOf(model_dir), ".manygate_cache");
}

StatusOr<Dataset> PrepareTraining(const config::LoadedPipeline& loaded, ThreadPool& pool, const std::string& cache_dir,
                                  std::vector<std::string>* notes) {
  const config::Pipeline& pipeline = loaded.pipeline;
  MG_RETURN_IF_ERROR(CheckColumns(loaded));
  const auto requests = features::RequiredColumns(pipeline);
  MG_ASSIGN_OR_RETURN(const Table table,
                      ReadTable(pipeline.train_input_path(), pipeline.data_config(), requests, pool, cache_dir, notes));
  MG_RETURN_IF_ERROR(CheckRows(pipeline.train_input_path(), table.rows));
  const config::SplitConfig& split_config = pipeline.data_config().split();
  const bool separate = !pipeline.eval_input_path().empty();
  const bool validates = !separate || split_config.eval_is_test();  // the training file holds the validation rows too
  RowSplit split = SplitTraining(pipeline, table.rows);
  if (split.train.empty() || (validates && split.validation.empty() && split_config.validation_fraction() > 0)) {
    return InvalidInput(fmt::format("{}: {} rows are too few to hold out {} for validation and {} for test",
                                    pipeline.train_input_path(), table.rows, split_config.validation_fraction(),
                                    split_config.test_fraction()));
  }
  Dataset data;
  MG_ASSIGN_OR_RETURN(data.schema, features::FitFeatures(loaded, table, split.train, notes));
  MG_ASSIGN_OR_RETURN(data.train.table, EncodeRows(data.schema, table, true, pool));
  data.validation.table = data.test.table = data.train.table;
  if (separate) {
    MG_ASSIGN_OR_RETURN(RowSelection all,
                        PrepareRows(pipeline, data.schema, pipeline.eval_input_path(), true, pool, cache_dir, notes));
    RowSplit evaluation = SplitEvaluation(split_config, all.table->rows());
    data.test.table = all.table;
    split.test = std::move(evaluation.test);
    if (!validates) {
      data.validation.table = all.table;
      split.validation = std::move(evaluation.validation);
    }
  }
  data.train.rows = std::move(split.train);
  data.validation.rows = std::move(split.validation);
  data.test.rows = std::move(split.test);
  LimitEvaluation(pipeline, &data);
  return data;
}

StatusOr<Dataset> PrepareHoldOut(const config::Pipeline& pipeline, const features::Schema& schema, ThreadPool& pool,
                                 const std::string& cache_dir, std::vector<std::string>* notes) {
  const bool separate = !pipeline.eval_input_path().empty();
  const std::string& path = separate ? pipeline.eval_input_path() : pipeline.train_input_path();
  MG_ASSIGN_OR_RETURN(RowSelection all, PrepareRows(pipeline, schema, path, true, pool, cache_dir, notes));
  const int64_t rows = all.table->rows();
  const config::SplitConfig& split_config = pipeline.data_config().split();
  RowSplit split = separate ? SplitEvaluation(split_config, rows) : SplitTraining(pipeline, rows);
  Dataset data;
  data.schema = schema;
  data.train = {all.table, {}};
  data.validation = {all.table, std::move(split.validation)};
  data.test = {all.table, std::move(split.test)};
  if (separate && split_config.eval_is_test()) {
    MG_ASSIGN_OR_RETURN(RowSelection file,
                        PrepareRows(pipeline, schema, pipeline.train_input_path(), true, pool, cache_dir, notes));
    data.validation = {file.table, SplitTraining(pipeline, file.table->rows()).validation};
  }
  LimitEvaluation(pipeline, &data);
  return data;
}

StatusOr<RowSelection> PrepareRows(const config::Pipeline& pipeline, const features::Schema& schema,
                                   const std::string& paths, bool with_labels, ThreadPool& pool,
                                   const std::string& cache_dir, std::vector<std::string>* notes) {
  const auto requests = features::RequiredColumns(schema, {.labels = with_labels, .weight = with_labels});
  MG_ASSIGN_OR_RETURN(const Table table, ReadTable(paths, pipeline.data_config(), requests, pool, cache_dir, notes));
  MG_RETURN_IF_ERROR(CheckRows(paths, table.rows));
  RowSelection selection;
  MG_ASSIGN_OR_RETURN(selection.table, EncodeRows(schema, table, with_labels, pool));
  selection.rows = AllRows(table.rows);
  return selection;
}

}  // namespace manygate
