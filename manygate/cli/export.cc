// SPDX-License-Identifier: Apache-2.0
// manygate export MODEL_DIR --to onnx|safetensors|c --output FILE
#include "manygate/export/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/report/text_table.h"

namespace manygate::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ShapeText(const std::vector<int64_t>& shape) { return fmt::format("{}", fmt::join(shape, " x ")); }

std::string ExportTable(const ExportedModel& exported) {
  TextTable table({{"value"}, {"name"}, {"type"}, {"per row"}});
  for (const ExportedValue& input : exported.inputs)
    table.AddRow({"input", input.name, input.type, ShapeText(input.shape)});
  for (const ExportedValue& output : exported.outputs)
    table.AddRow({"output", output.name, output.type, ShapeText(output.shape)});
  return table.ToString();
}

Json ValuesJson(const std::vector<ExportedValue>& values) {
  Json list = Json::array();
  for (const ExportedValue& value : values)
    list.push_back({{"name", value.name}, {"type", value.type}, {"shape", value.shape}});
  return list;
}

}  // namespace

Status RunExport(const ExportFlags& flags, const Console& console) {
  MG_RETURN_IF_ERROR(CheckOutputPath(flags.output));
  const std::vector<std::string> formats = ExportFormatNames();
  const auto format = static_cast<size_t>(std::find(formats.begin(), formats.end(), flags.to) - formats.begin());
  MG_ASSIGN_OR_RETURN(const ExportedModel exported,
                      ExportModel(WithoutSlash(flags.model_dir),
                                  {.format = ExportFormatAt(format), .output = flags.output, .name = flags.name}));
  if (flags.json) {
    Json json = {{"output", flags.output}, {"format", flags.to}, {"name", exported.name}, {"bytes", exported.bytes}};
    const bool weights = exported.inputs.empty();
    if (!weights) json["inputs"] = ValuesJson(exported.inputs);
    json[weights ? "parameters" : "outputs"] = ValuesJson(exported.outputs);
    console.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return OkStatus();
  }
  console.out << fmt::format("{}: {} bytes\n", flags.output, FormatCount(static_cast<int64_t>(exported.bytes)));
  if (exported.inputs.empty()) {
    console.out << fmt::format("{} parameters\n", exported.outputs.size());
  } else {
    console.out << "\n" << ExportTable(exported);
  }
  return OkStatus();
}

}  // namespace manygate::cli
