// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/data/paths.h"
#include "manygate/data/reader.h"
#include "manygate/data/source.h"
#include "manygate/data/split.h"
#include "manygate/features/fit.h"
#include "manygate/features/labels.h"

namespace manygate::check {
namespace {

std::string FeatureWhere(const config::LoadedPipeline& loaded, const config::ListedFeature& feature) {
  const bool own = feature.generator.has_value() || feature.name == feature.column;
  return fmt::format("{}: feature \"{}\"{}", loaded.PlaceOfPath(feature.path), feature.name,
                     own ? "" : fmt::format(" (column \"{}\")", feature.column));
}

// Where the label is configured, or else where a tower names it.
std::string LabelWhere(const config::LoadedPipeline& loaded, const std::string& name) {
  const config::Pipeline& pipeline = loaded.pipeline;
  std::string place = loaded.name;
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config()))
    if (tower.label_name() == name) place = loaded.Place(tower, "label_name");
  for (const config::LabelConfig& label : pipeline.data_config().label_configs())
    if (label.label_name() == name && loaded.places.contains(loaded.Path(label))) place = loaded.Place(label);
  return fmt::format("{}: label \"{}\"", place, name);
}

// What the configuration names and the files of one path do not have.
StatusOr<std::vector<Finding>> FindAbsentColumns(const config::LoadedPipeline& loaded, const std::string& paths,
                                                 std::vector<std::string>* columns) {
  const config::DataConfig& data_config = loaded.pipeline.data_config();
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(paths));
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(data_config));
  MG_ASSIGN_OR_RETURN(Columns found, ReadColumns(files, options, false));
  std::vector<Finding> findings;
  const auto check = [&](const std::string& column, const std::string& where) {
    if (found.MayHave(column)) return;
    findings.push_back({Severity::kError, where,
                        fmt::format("needs column \"{}\", which {} does not have", column, files[0]),
                        Suggestion(column, found.names, "Columns")});
  };
  for (const config::ListedFeature& feature : config::ListFeatures(loaded.pipeline))
    for (const std::string& column : config::FileColumns(feature)) check(column, FeatureWhere(loaded, feature));
  for (const features::LabelSchema& label : features::LabelsOf(loaded.pipeline))
    check(label.column(), LabelWhere(loaded, label.name()));
  for (const std::string& column : data_config.sample_weight_fields())
    check(column, loaded.Place(data_config, "sample_weight_fields") + ": row weight");
  *columns = std::move(found.names);
  return findings;
}

// Reads both files; as the training would, or else, where a number column holds texts, everything as texts, so that the
// checks can tell what they are. refused: why the training could not read them, or OK.
Status ReadTables(ThreadPool& pool, const std::string& cache_dir, std::vector<std::string>* notes, CheckedRows* rows,
                  Status* refused) {
  const config::Pipeline& pipeline = rows->pipeline();
  std::vector<ColumnRequest> requests = features::RequiredColumns(pipeline);
  const auto read = [&]() -> Status {
    MG_ASSIGN_OR_RETURN(rows->train_table, ReadTable(pipeline.train_input_path(), pipeline.data_config(), requests,
                                                     pool, cache_dir, notes));
    if (!rows->separate) return OkStatus();
    MG_ASSIGN_OR_RETURN(rows->evaluation_table, ReadTable(pipeline.eval_input_path(), pipeline.data_config(), requests,
                                                          pool, cache_dir, notes));
    return OkStatus();
  };
  *refused = read();
  if (refused->code() != StatusCode::kInvalidInput || rows->sampled) return *refused;
  for (ColumnRequest& request : requests) request.kind = ColumnKind::kCategory;
  return read().ok() ? OkStatus() : *refused;
}

// As the training splits them; the evaluation file, if there is one, as a whole.
Status SplitRows(CheckedRows* rows) {
  const config::SplitConfig& split = rows->pipeline().data_config().split();
  for (const Table* table : {&rows->train_table, &rows->evaluation_table})
    if (table->rows > 0xffffffffll)
      return InvalidInput(fmt::format("{}: too many rows to check at once", table->source));
  const auto train_rows = static_cast<uint32_t>(rows->train_table.rows);
  if (rows->separate && !split.eval_is_test()) {
    rows->train = AllRows(train_rows);
  } else {
    RowSplit parts = FractionSplit(train_rows, split.validation_fraction(), split.test_fraction(), split.seed());
    rows->train = std::move(parts.train);
    std::merge(parts.validation.begin(), parts.validation.end(), parts.test.begin(), parts.test.end(),
               std::back_inserter(rows->evaluation));
  }
  if (rows->separate) rows->evaluation = AllRows(rows->evaluation_table.rows);
  if (!rows->train.empty()) return OkStatus();
  return InvalidInput(fmt::format("{}: {} rows are too few to hold any out", rows->train_table.source, train_rows));
}

void CollectColumns(CheckedRows* rows) {
  const auto in = [](const Table& table, const std::string& name) { return &table.columns[table.Find(name)]; };
  rows->listed_features = config::ListFeatures(rows->pipeline());
  for (const config::ListedFeature& feature : rows->listed_features) {
    const std::string& name = feature.column;
    if (rows->train_table.Find(name) < 0) continue;  // it is generated
    auto found = std::find_if(rows->features.begin(), rows->features.end(),
                              [&](const CheckedColumn& column) { return column.name == name; });
    if (found == rows->features.end()) {
      rows->features.push_back({name,
                                FeatureWhere(*rows->loaded, feature),
                                in(rows->train_table, name),
                                in(rows->evaluation_source(), name),
                                {}});
      found = std::prev(rows->features.end());
    }
    found->features.push_back(&feature);
  }
  for (const features::LabelSchema& label : features::LabelsOf(rows->pipeline())) {
    rows->labels.push_back({label, LabelWhere(*rows->loaded, label.name()), in(rows->train_table, label.column()),
                            in(rows->evaluation_source(), label.column())});
  }
}

void Append(std::vector<Finding>* findings, std::vector<Finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(*findings));
}

// What a part of the rows shows as well as all of them, at a small part of the cost of a training.
std::vector<Finding> RunQuickDetectors(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const auto detector :
       {FindSpareLabels, FindLeaks, FindBrokenOrder, FindWeights, FindNumberedIds, FindExplodingRanges,
        FindMissingMarkers, FindMarkerNumbers, FindDateIds, FindStrayBlanks, FindSpellings}) {
    Append(&findings, detector(rows));
  }
  return findings;
}

std::vector<Finding> RunDetectors(const CheckedRows& rows) {
  // One cause, one finding: in a shifted file nothing else is as it should be.
  std::vector<Finding> findings = FindShiftedRows(rows);
  if (!findings.empty()) return findings;
  findings = RunQuickDetectors(rows);
  for (const auto detector : {FindLabelFaults, FindOrderedLabels, FindConstants, FindMostlyMissing, FindUncoveredValues,
                              FindCrowdedBuckets, FindFlattenedNumbers, FindEqualColumns, FindRepeatedRows}) {
    Append(&findings, detector(rows));
  }
  std::set<std::string> seen_once;
  Append(&findings, FindDistinctIds(rows, &seen_once));
  std::vector<Finding> shifted = FindShiftedColumns(rows);
  if (shifted.empty()) {
    for (const auto detector :
         {FindTextsInNumbers, FindEvaluationLabelFaults, FindLabelDrift, FindEvaluationGaps, FindMovedNumbers}) {
      Append(&findings, detector(rows));
    }
    Append(&findings, FindUnseenValues(rows, seen_once));
    std::vector<Finding> shared = FindSharedRows(rows);
    Append(&findings, shared.empty() ? FindNearRows(rows) : std::move(shared));
  }
  Append(&findings, std::move(shifted));
  return findings;
}

// Some rows in blocks, from end to end: of a mapped file only their pages are read.
std::vector<uint32_t> QuickSample(const std::vector<uint32_t>& rows) {
  constexpr size_t kBlocks = 10, kBlockRows = 2'000;
  if (rows.size() <= kBlocks * kBlockRows) return rows;
  std::vector<uint32_t> sample;
  for (size_t block = 0; block < kBlocks; ++block) {
    const size_t begin = block * (rows.size() - kBlockRows) / (kBlocks - 1);
    sample.insert(sample.end(), rows.begin() + static_cast<ptrdiff_t>(begin),
                  rows.begin() + static_cast<ptrdiff_t>(begin + kBlockRows));
  }
  return sample;
}

}  // namespace

const char* SeverityName(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

StatusOr<std::vector<Finding>> CheckData(const config::LoadedPipeline& loaded, ThreadPool& pool,
                                         const std::string& cache_dir, Extent extent, std::vector<std::string>* notes) {
  CheckedRows rows;
  rows.loaded = &loaded;
  rows.separate = !loaded.pipeline.eval_input_path().empty();
  MG_ASSIGN_OR_RETURN(std::vector<Finding> findings,
                      FindAbsentColumns(loaded, loaded.pipeline.train_input_path(), &rows.file_columns));
  if (findings.empty() && rows.separate) {
    std::vector<std::string> columns;
    MG_ASSIGN_OR_RETURN(findings, FindAbsentColumns(loaded, loaded.pipeline.eval_input_path(), &columns));
  }
  if (!findings.empty()) return extent == Extent::kQuick ? std::vector<Finding>() : findings;
  Status refused;
  rows.sampled = extent == Extent::kQuick;
  MG_RETURN_IF_ERROR(ReadTables(pool, cache_dir, notes, &rows, &refused));
  MG_RETURN_IF_ERROR(SplitRows(&rows));
  CollectColumns(&rows);
  if (extent == Extent::kQuick) {
    rows.train = QuickSample(rows.train);
    rows.evaluation = QuickSample(rows.evaluation);
    findings = RunQuickDetectors(rows);
  } else {
    findings = RunDetectors(rows);
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  // Whatever the checks did not explain.
  if (!refused.ok() && (findings.empty() || findings[0].severity != Severity::kError)) return refused;
  return findings;
}

}  // namespace manygate::check
