// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>

#include "manygate/base/file.h"
#include "manygate/base/random.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/data/paths.h"
#include "manygate/data/reader.h"
#include "manygate/data/source.h"
#include "manygate/data/split.h"
#include "manygate/features/fit.h"
#include "manygate/features/generated_column.h"

namespace manygate {
namespace {

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

constexpr int64_t kSampleRows = 65536;      // of a streamed table
constexpr int64_t kGatheredRows = 1 << 16;  // that are encoded at once to pick some of them
constexpr uint64_t kSampleStream = 0x53616D70;

uint64_t EncodedBytes(const features::Schema& schema, int64_t rows) {
  return static_cast<uint64_t>(rows) * features::LayoutOf(schema, true).record_bytes;
}

bool FitsMemory(const config::Pipeline& pipeline, const features::Schema& schema, int64_t rows) {
  return EncodedBytes(schema, rows) <= pipeline.data_config().memory_limit_mb() << 20;
}

StatusOr<std::shared_ptr<const features::EncodedTable>> EncodeRows(const features::Schema& schema, const Table& table,
                                                                   bool with_labels, ThreadPool& pool) {
  MG_ASSIGN_OR_RETURN(features::EncodedTable encoded, features::Encode(schema, table, with_labels, pool));
  return std::make_shared<const features::EncodedTable>(std::move(encoded));
}

void CopyRow(const features::EncodedTable& from, int64_t from_row, int64_t to_row, features::EncodedTable* to) {
  std::memcpy(to->record(to_row), from.record(from_row), from.layout().record_bytes);
  for (int k = 0; k < from.num_groups(); ++k) to->mutable_groups(k)[to_row] = from.groups(k)[from_row];
}

// Only those rows (ascending), as a table of their own.
RowSelection Gather(const features::TableEncoder& encoder, const Table& raw, std::vector<uint32_t> rows,
                    ThreadPool& pool) {
  RowSelection selection;
  auto gathered = std::make_shared<features::EncodedTable>(encoder.NewTable(static_cast<int64_t>(rows.size())));
  features::EncodedTable block = encoder.NewTable(kGatheredRows);
  size_t done = 0;
  while (done < rows.size()) {
    const int64_t begin = rows[done];
    const int64_t end = std::min(begin + kGatheredRows, raw.rows);
    encoder.EncodeRows(begin, end - begin, 0, pool, &block);
    for (; done < rows.size() && rows[done] < end; ++done)
      CopyRow(block, rows[done] - begin, static_cast<int64_t>(done), gathered.get());
    raw.Release(begin, end);
  }
  selection.table = std::move(gathered);
  selection.rows = AllRows(static_cast<int64_t>(rows.size()));
  selection.numbers = std::move(rows);
  return selection;
}

// Encodes the parts of one raw table: all its rows together, or else what is evaluated alone, and the training rows later.
Status EncodeParts(const config::Pipeline& pipeline, Table table, RowSplit split, ThreadPool& pool,
                   std::vector<std::string>* notes, Dataset* data) {
  if (FitsMemory(pipeline, data->schema, table.rows)) {
    MG_ASSIGN_OR_RETURN(data->train.table, EncodeRows(data->schema, table, true, pool));
    data->train.rows = std::move(split.train);
    data->validation = {data->train.table, std::move(split.validation), {}};
    data->test = {data->train.table, std::move(split.test), {}};
    data->sample = data->train;
    return OkStatus();
  }
  auto stream = std::make_shared<StreamedTable>();
  stream->raw = std::move(table);
  stream->schema = data->schema;
  MG_ASSIGN_OR_RETURN(features::TableEncoder encoder,
                      features::TableEncoder::Create(stream->schema, stream->raw, true));
  stream->encoder = std::make_unique<const features::TableEncoder>(std::move(encoder));
  data->validation = Gather(*stream->encoder, stream->raw, std::move(split.validation), pool);
  data->test = Gather(*stream->encoder, stream->raw, std::move(split.test), pool);
  data->train.rows = std::move(split.train);
  if (data->train.rows.empty()) return OkStatus();
  const Philox random(pipeline.data_config().split().seed(), kSampleStream);
  std::set<uint32_t> sample;
  for (int64_t i = 0; i < kSampleRows; ++i)
    sample.insert(data->train.rows[random.Block(static_cast<uint64_t>(i))[0] % data->train.rows.size()]);
  data->sample = Gather(*stream->encoder, stream->raw, {sample.begin(), sample.end()}, pool);
  data->stream = std::move(stream);
  if (notes != nullptr) {
    notes->push_back(
        fmt::format("The rows of {} take {} when encoded, more than data_config.memory_limit_mb ({} MiB): training "
                    "rows are read in "
                    "blocks, shuffled within what fits.",
                    data->stream->raw.source, FormatBytes(EncodedBytes(data->schema, data->stream->raw.rows)),
                    pipeline.data_config().memory_limit_mb()));
  }
  return OkStatus();
}

bool HasValues(const Column& column, int64_t rows) {
  if (column.kind == ColumnKind::kCategory) return column.dictionary.size() > 1;
  return std::any_of(column.numbers, column.numbers + rows, [](float value) { return !std::isnan(value); });
}

StatusOr<Columns> TrainingColumns(const config::Pipeline& pipeline, bool all) {
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(pipeline.train_input_path()));
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(pipeline.data_config()));
  return ReadColumns(files, options, all);
}

// Features and labels whose column the training files do not have, each at the place where it is configured. Reading would
// find them too, but could not say where they come from.
Status CheckColumns(const config::LoadedPipeline& loaded, const std::function<bool(const std::string&)>& has) {
  const config::Pipeline& pipeline = loaded.pipeline;
  std::vector<std::array<std::string, 3>> absent;  // column, place, what
  const auto check = [&](const std::string& column, const std::string& place, const std::string& what) {
    if (!has(column)) absent.push_back({column, place, what});
  };
  for (const config::ListedFeature& feature : config::ListFeatures(pipeline))
    for (const std::string& column : config::FileColumns(feature))
      check(column, loaded.PlaceOfPath(feature.path), "feature " + feature.name);
  for (const auto& label : pipeline.data_config().label_configs())
    check(label.column(), loaded.Place(label), "label " + label.label_name());
  for (const std::string& column : pipeline.data_config().sample_weight_fields())
    check(column, loaded.Place(pipeline.data_config(), "sample_weight_fields"), "row weight");
  if (absent.empty()) return OkStatus();
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(pipeline.train_input_path()));
  MG_ASSIGN_OR_RETURN(const Columns columns, TrainingColumns(pipeline, true));
  std::string problems;
  for (const auto& [column, place, what] : absent)
    problems += fmt::format("{}{}: {}: \"{}\" is not a column of {}. {}", problems.empty() ? "" : "\n", place, what,
                            column, files[0], Suggestion(column, columns.names, "Columns"));
  return InvalidInput(problems);
}

// eval_config.num_steps: the first so many batches only.
void LimitEvaluation(const config::Pipeline& pipeline, RowSplit* split) {
  const uint64_t batches = pipeline.eval_config().num_steps();
  if (batches == 0) return;
  const uint64_t most = batches * pipeline.data_config().eval_batch_size();
  for (std::vector<uint32_t>* rows : {&split->validation, &split->test})
    if (rows->size() > most) rows->resize(most);
}

// Row numbers are 32 bits wide, and a run needs something to learn from.
Status CheckRows(const std::string& path, int64_t rows) {
  if (rows == 0) return InvalidInput(fmt::format("{}: there are no rows", path));
  if (rows > 0xffffffffll)
    return InvalidInput(fmt::format("{}: {} rows; at most {} can be read at once", path, rows, 0xffffffffll));
  return OkStatus();
}

StatusOr<Table> ReadForSchema(const config::Pipeline& pipeline, const features::Schema& schema,
                              const std::string& paths, bool with_labels, ThreadPool& pool,
                              const std::string& cache_dir, std::vector<std::string>* notes) {
  const auto requests = features::RequiredColumns(schema, {.labels = with_labels, .weight = with_labels});
  MG_ASSIGN_OR_RETURN(Table table, ReadTable(paths, pipeline.data_config(), requests, pool, cache_dir, notes));
  MG_RETURN_IF_ERROR(CheckRows(paths, table.rows));
  MG_RETURN_IF_ERROR(features::AddGeneratedColumns({schema.generators().begin(), schema.generators().end()}, &table));
  return table;
}

// Validation and test rows of eval_input_path.
StatusOr<Dataset> PrepareEvaluationFile(const config::Pipeline& pipeline, const features::Schema& schema,
                                        ThreadPool& pool, const std::string& cache_dir,
                                        std::vector<std::string>* notes) {
  MG_ASSIGN_OR_RETURN(Table table,
                      ReadForSchema(pipeline, schema, pipeline.eval_input_path(), true, pool, cache_dir, notes));
  RowSplit split = SplitEvaluation(pipeline.data_config().split(), table.rows);
  LimitEvaluation(pipeline, &split);
  Dataset data;
  data.schema = schema;
  MG_RETURN_IF_ERROR(EncodeParts(pipeline, std::move(table), std::move(split), pool, notes, &data));
  return data;
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
  MG_ASSIGN_OR_RETURN(const Columns columns, TrainingColumns(pipeline, false));
  MG_RETURN_IF_ERROR(CheckColumns(loaded, [&](const std::string& name) { return columns.MayHave(name); }));
  const auto requests = features::RequiredColumns(pipeline);
  MG_ASSIGN_OR_RETURN(Table table,
                      ReadTable(pipeline.train_input_path(), pipeline.data_config(), requests, pool, cache_dir, notes));
  MG_RETURN_IF_ERROR(CheckRows(pipeline.train_input_path(), table.rows));
  if (columns.open) {  // only the rows show which columns there are
    MG_RETURN_IF_ERROR(CheckColumns(loaded, [&](const std::string& name) {
      const int index = table.Find(name);
      return index < 0 || HasValues(table.columns[index], table.rows);
    }));
  }
  MG_RETURN_IF_ERROR(features::AddGeneratedColumns(config::ListGenerators(config::ListFeatures(pipeline)), &table));
  const config::SplitConfig& split_config = pipeline.data_config().split();
  const bool separate = !pipeline.eval_input_path().empty();
  const bool validates = !separate || split_config.eval_is_test();  // the training file holds the validation rows too
  RowSplit split = SplitTraining(pipeline, table.rows);
  if (split.train.empty() || (validates && split.validation.empty() && split_config.validation_fraction() > 0)) {
    return InvalidInput(fmt::format("{}: {} rows are too few to hold out {} for validation and {} for test",
                                    pipeline.train_input_path(), table.rows, split_config.validation_fraction(),
                                    split_config.test_fraction()));
  }
  LimitEvaluation(pipeline, &split);
  Dataset data;
  MG_ASSIGN_OR_RETURN(data.schema, features::FitFeatures(loaded, table, split.train, notes));
  MG_RETURN_IF_ERROR(EncodeParts(pipeline, std::move(table), std::move(split), pool, notes, &data));
  if (!separate) return data;
  MG_ASSIGN_OR_RETURN(Dataset evaluation, PrepareEvaluationFile(pipeline, data.schema, pool, cache_dir, notes));
  data.test = std::move(evaluation.test);
  if (!validates) data.validation = std::move(evaluation.validation);
  return data;
}

StatusOr<Dataset> PrepareHoldOut(const config::Pipeline& pipeline, const features::Schema& schema, ThreadPool& pool,
                                 const std::string& cache_dir, std::vector<std::string>* notes) {
  const bool separate = !pipeline.eval_input_path().empty();
  Dataset data;
  data.schema = schema;
  if (separate) {
    MG_ASSIGN_OR_RETURN(data, PrepareEvaluationFile(pipeline, schema, pool, cache_dir, notes));
    if (!pipeline.data_config().split().eval_is_test()) return data;
  }
  MG_ASSIGN_OR_RETURN(Table table,
                      ReadForSchema(pipeline, schema, pipeline.train_input_path(), true, pool, cache_dir, notes));
  RowSplit split = SplitTraining(pipeline, table.rows);
  split.train.clear();
  LimitEvaluation(pipeline, &split);
  Dataset held_out;
  held_out.schema = schema;
  MG_RETURN_IF_ERROR(EncodeParts(pipeline, std::move(table), std::move(split), pool, notes, &held_out));
  if (separate) held_out.test = std::move(data.test);
  return held_out;
}

StatusOr<RowSelection> PrepareRows(const config::Pipeline& pipeline, const features::Schema& schema,
                                   const std::string& paths, bool with_labels, ThreadPool& pool,
                                   const std::string& cache_dir, std::vector<std::string>* notes) {
  MG_ASSIGN_OR_RETURN(const Table table, ReadForSchema(pipeline, schema, paths, with_labels, pool, cache_dir, notes));
  RowSelection selection;
  MG_ASSIGN_OR_RETURN(selection.table, EncodeRows(schema, table, with_labels, pool));
  selection.rows = AllRows(table.rows);
  return selection;
}

}  // namespace manygate
