// SPDX-License-Identifier: Apache-2.0
// manygate inspect PATH: model directory, data file or configuration.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/findings.h"
#include "manygate/cli/inspect_model.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/data/format.h"
#include "manygate/data/infer.h"
#include "manygate/data/paths.h"
#include "manygate/report/text_table.h"

namespace manygate::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxExampleColumns = 40;

// By its name, else by its first line that is no comment: "data_config {" and "model_dir: ..." are configuration.
bool IsConfiguration(const std::string& path) {
  const std::string name = ToLower(path);
  for (const char* ending : {".config", ".pbtxt", ".prototxt", ".textproto", ".txtpb"})
    if (name.ends_with(ending)) return true;
  for (const char* ending : {".csv", ".tsv", ".gz", ".zst", ".data"})
    if (name.ends_with(ending)) return false;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const std::string_view text = Trim(line);
    if (text.empty() || text[0] == '#') continue;
    const size_t word = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    if (word == 0 || word == std::string_view::npos) return false;
    const std::string_view rest = Trim(text.substr(word));
    return rest.starts_with("{") || rest.starts_with(":");
  }
  return false;
}

Status InspectConfiguration(const std::string& path, bool json, const Console& console) {
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, config::LoadPipeline(path));
  MG_RETURN_IF_ERROR(config::ValidatePipeline(loaded));
  config::ResolveDefaults(&loaded.pipeline);
  const std::string text = config::PrintPipeline(loaded.pipeline);
  if (json) {
    console.out << Json{{"kind", "configuration"}, {"text", text}}.dump() << "\n";
    return OkStatus();
  }
  console.err << path << ": no mistakes found; with every default written out:" << std::endl;
  console.out << text;
  return OkStatus();
}

// "1, 2, 3": as many of the first values as fit, one at least.
std::string Examples(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    if (!text.empty() && text.size() + value.size() + 2 > kMaxExampleColumns) break;
    text += (text.empty() ? "" : ", ") + value;
  }
  // Control characters would break the table's lines.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

std::string DialectText(const SourceOptions& options) {
  if (options.dataset_type != config::CsvDataset) return "of " + FormatName(options.dataset_type);
  const std::string delimiter = options.delimiter == '\t' ? "tab" : fmt::format("\"{}\"", options.delimiter);
  std::string text = fmt::format("separated by {}, {}", delimiter,
                                 options.with_header ? "named by the first line" : "without a line of names");
  if (options.skip_lines > 0) text += fmt::format(", {} line above the rows", options.skip_lines);
  return text;
}

Json DataJson(const InferredSchema& schema, const SourceOptions& options) {
  Json columns = Json::array();
  for (const InferredColumn& column : schema.columns) {
    Json entry = {{"name", column.name},
                  {"kind", InferredKindName(column.kind)},
                  {"missing", column.missing},
                  {"distinct", column.distinct},
                  {"distinct_capped", column.distinct_capped}};
    if (column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber)
      entry["minimum"] = column.minimum, entry["maximum"] = column.maximum;
    entry["examples"] = column.examples;
    entry["suggestion"] = FeatureSuggestionName(column.suggestion);
    entry["reason"] = column.reason;
    columns.push_back(std::move(entry));
  }
  Json data = {{"kind", "data"}, {"rows", schema.rows}, {"format", FormatName(options.dataset_type)}};
  if (options.dataset_type == config::CsvDataset) {
    data["delimiter"] = std::string(1, options.delimiter);
    data["with_header"] = options.with_header;
  }
  data["columns"] = columns;
  return data;
}

std::string DataTable(const InferredSchema& schema) {
  TextTable table({{"column"},
                   {"kind"},
                   {"missing", Align::kRight},
                   {"distinct", Align::kRight},
                   {"minimum", Align::kRight},
                   {"maximum", Align::kRight},
                   {"as"},
                   {"examples"}});
  for (const InferredColumn& column : schema.columns) {
    const bool number = column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber;
    table.AddRow({column.name, InferredKindName(column.kind), FormatCount(column.missing),
                  FormatCount(column.distinct) + (column.distinct_capped ? "+" : ""),
                  number ? fmt::format("{:g}", column.minimum) : "-",
                  number ? fmt::format("{:g}", column.maximum) : "-", FeatureSuggestionName(column.suggestion),
                  Examples(column.examples)});
  }
  return table.ToString();
}

Status InspectData(const InspectFlags& flags, const Console& console) {
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(flags.path));
  MG_ASSIGN_OR_RETURN(const SourceOptions options, DetectDialect(files[0], DataOptions()));
  ThreadPool pool(flags.threads);
  MG_ASSIGN_OR_RETURN(const InferredSchema schema, InferColumns(files, options, pool));
  if (flags.json) {
    console.out << DataJson(schema, options).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return OkStatus();
  }
  console.out << fmt::format("{}: {} rows, {} columns {}\n\n", flags.path, FormatCount(schema.rows),
                             schema.columns.size(), DialectText(options))
              << DataTable(schema);
  return OkStatus();
}

// A folder that is no model directory, but has files of data.
bool IsDataFolder(const std::string& path) {
  return !FileExists(JoinPath(path, "MANIFEST.json")) && ExpandSources(path).ok();
}

}  // namespace

Status RunInspect(const InspectFlags& flags, const Console& console) {
  std::error_code error;
  if (std::filesystem::is_directory(flags.path, error) && !IsDataFolder(flags.path))
    return InspectModel(WithoutSlash(flags.path), flags.json, console);
  if (std::filesystem::is_regular_file(flags.path, error) && IsConfiguration(flags.path))
    return InspectConfiguration(flags.path, flags.json, console);
  return InspectData(flags, console);
}

}  // namespace manygate::cli
