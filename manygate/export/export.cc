// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/export.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/config/accessors.h"
#include "manygate/export/c_text.h"
#include "manygate/export/c_writer.h"
#include "manygate/export/model_program.h"
#include "manygate/export/onnx_writer.h"
#include "manygate/export/weights_writer.h"

namespace manygate {
namespace {

using Members = std::vector<std::unique_ptr<Model>>;

// Whatever stands in the manifests of a model or of its members.
Status CheckNotOfModel(const std::string& dir, const Members& members, const std::string& output) {
  std::vector<std::string> folders = {dir};
  for (size_t m = 0; members.size() > 1 && m < members.size(); ++m)
    folders.push_back(MemberDirectory(dir, static_cast<int>(m)));
  for (const std::string& folder : folders) {
    MG_ASSIGN_OR_RETURN(std::vector<std::string> files, ManifestFiles(folder, kModelFormatVersion));
    files.push_back(kManifestName);
    for (const std::string& file : files) {
      std::error_code error;
      if (std::filesystem::equivalent(JoinPath(folder, file), output, error))
        return InvalidInput(fmt::format("--output {}: this is a file of the model itself; name another file", output));
    }
  }
  return OkStatus();
}

// "out/my model/" -> "my model"
std::string NameOf(const std::string& dir) {
  const std::string name = BaseName(std::filesystem::absolute(dir).lexically_normal().string());
  return name.empty() ? BaseName(DirectoryOf(std::filesystem::absolute(dir).lexically_normal().string())) : name;
}

const char* TypeName(const ProgramInput& input) { return input.type == TensorType::kText ? "text" : "number"; }

}  // namespace

std::vector<std::string> ExportFormatNames() { return {"onnx", "safetensors", "c"}; }

StatusOr<ExportedModel> ExportModel(const std::string& model_dir, const ExportChoice& choice) {
  MG_ASSIGN_OR_RETURN(const Members members, LoadMembers(model_dir));
  MG_RETURN_IF_ERROR(CheckNotOfModel(model_dir, members, choice.output));
  ExportedModel result;
  result.name = choice.name.empty() ? NameOf(model_dir) : choice.name;
  if (choice.format == ExportFormat::kSafetensors) {
    for (const TensorEntry& entry : ListWeights(members)) result.outputs.push_back({entry.name, "number", entry.shape});
    MG_RETURN_IF_ERROR(WriteWeights(members, choice.output));
    MG_ASSIGN_OR_RETURN(result.bytes, FileSize(choice.output));
    return result;
  }
  const StatusOr<TensorProgram> made = MakeProgram(members);
  if (!made.ok()) return InvalidInput(fmt::format("{} cannot be exported:\n{}", model_dir, made.status().message()));
  const TensorProgram& program = *made;
  const std::string model = config::ModelName(members[0]->pipeline.model_config());
  std::string content;
  if (choice.format == ExportFormat::kOnnx) {
    MG_ASSIGN_OR_RETURN(content, WriteOnnx(program, {.name = result.name, .model = model}));
  } else {
    if (choice.name.empty()) result.name = CIdentifier(result.name);
    MG_ASSIGN_OR_RETURN(const bool trim_blanks, TrimsBlanks(members[0]->pipeline));
    MG_ASSIGN_OR_RETURN(content, WriteC(program, {.name = result.name, .model = model, .trim_blanks = trim_blanks}));
  }
  for (const ProgramInput& input : program.inputs())
    result.inputs.push_back({input.name, TypeName(input), OnnxInputShape(input)});
  for (const TensorProgram::Output& output : program.outputs())
    result.outputs.push_back({output.name, "number", {program.shape(output.tensor).size()}});
  MG_RETURN_IF_ERROR(WriteFileAtomic(choice.output, content));
  result.bytes = content.size();
  return result;
}

}  // namespace manygate
