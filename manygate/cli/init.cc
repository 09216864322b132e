// SPDX-License-Identifier: Apache-2.0
// manygate init DATA... --label L... [--columns a,b,c] [--model NAME] [--output FILE]
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/commented_config.h"
#include "manygate/cli/infer_config.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/quick_check.h"
#include "manygate/cli/verbs.h"
#include "manygate/config/accessors.h"
#include "manygate/config/validate.h"
#include "manygate/data/compression.h"
#include "manygate/data/paths.h"
#include "manygate/data/remote.h"

namespace manygate::cli {
namespace {

using Json = nlohmann::ordered_json;

// "shop/sales.2024.csv.gz" -> "sales.2024"; of a folder its name.
std::string DataName(const std::string& given, const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(given, error)) {
    const std::filesystem::path folder = std::filesystem::canonical(given, error);
    if (!error && folder.has_filename()) return folder.filename().string();
  }
  const std::string path(IsRemote(file) ? WithoutQuery(file) : std::string_view(file));
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (CompressionOfName(path) != nullptr) name = name.stem();
  return name.stem().string();
}

Status CheckMayWrite(const InitFlags& flags, const std::string& output) {
  MG_RETURN_IF_ERROR(CheckOutputPath(output));
  if (flags.force || !FileExists(output)) return OkStatus();
  return InvalidInput(fmt::format("{}: exists already. --force replaces it, --output FILE writes another one", output));
}

Json LabelJson(const InferredLabel& label) {
  Json entry = {{"name", label.name}, {"kind", config::KindName(label.kind)}, {"rows", label.rows}};
  if (label.kind == config::TaskKind::kBinary) {
    entry["positive_value"] = label.positive_value.empty() ? Json(nullptr) : Json(label.positive_value);
    entry["positives"] = label.positives;
  } else if (label.kind == config::TaskKind::kClasses) {
    entry["class_values"] = label.class_values;
    entry["class_rows"] = label.class_rows;
  } else {
    entry["mean"] = label.mean;
    entry["zeros"] = label.zeros;
  }
  return entry;
}

void PrintJson(const InferredPipeline& made, const std::string& output, const Console& console) {
  const Findings& findings = made.findings;
  Json labels = Json::array(), features = Json::array(), left_out = Json::array();
  for (const InferredLabel& label : findings.labels) labels.push_back(LabelJson(label));
  for (const InferredColumn& column : findings.schema.columns) {
    if (const auto found = findings.left_out.find(column.name); found != findings.left_out.end()) {
      left_out.push_back({{"column", column.name}, {"reason", found->second}});
    } else if (IsFeature(findings, column.name)) {
      features.push_back({{"column", column.name},
                          {"as", IsId(column, findings.schema.rows) ? "id" : "number"},
                          {"distinct", column.distinct},
                          {"distinct_capped", column.distinct_capped},
                          {"missing", column.missing},
                          {"reason", ColumnNote(column, findings.schema.rows)}});
    }
  }
  const Json result = {{"output", output},
                       {"rows", findings.schema.rows},
                       {"with_header", findings.options.with_header},
                       {"model", config::ModelName(made.loaded.pipeline.model_config())},
                       {"labels", labels},
                       {"features", features},
                       {"left_out", left_out}};
  console.out << result.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

// What check finds at a glance, as doubts in the configuration and as notes.
void AddDoubts(int threads, InferredPipeline* made) {
  const std::string place = made->loaded.name + ": ";  // there is no file yet
  for (std::string& doubt : QuickFindings(made->loaded, "", threads, nullptr)) {
    if (doubt.starts_with(place)) doubt.erase(0, place.size());
    made->notes.push_back(doubt);
    made->findings.doubts.push_back(std::move(doubt));
  }
}

}  // namespace

Status RunInit(const InitFlags& flags, const Console& console) {
  InferRequest request{.paths = JoinPaths(flags.data), .labels = flags.labels};
  if (!flags.columns.empty()) {
    MG_ASSIGN_OR_RETURN(request.names, ParseColumnNames(flags.columns));
  }
  if (!flags.model.empty()) request.model = flags.model;
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(request.paths));
  const std::string name = DataName(flags.data[0], files[0]);
  const std::string output = flags.output.empty() ? name + ".config" : flags.output;
  MG_RETURN_IF_ERROR(CheckMayWrite(flags, output));
  ThreadPool pool(flags.threads);
  MG_ASSIGN_OR_RETURN(InferredPipeline made, InferPipeline(request, pool));
  made.loaded.pipeline.set_model_dir(JoinPath("out", name));
  MG_RETURN_IF_ERROR(config::ValidatePipeline(made.loaded));
  AddDoubts(flags.threads, &made);
  MG_RETURN_IF_ERROR(WriteFileAtomic(output, CommentedConfig(made, output)));
  PrintNotes(made.notes, console);
  if (flags.json) {
    PrintJson(made, output, console);
  } else {
    console.out << fmt::format("{}\ntrain it: manygate train {}\n", output, ShellWord(output));
  }
  return OkStatus();
}

}  // namespace manygate::cli
