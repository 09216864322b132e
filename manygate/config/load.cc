// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/load.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/config/override.h"
#include "manygate/config/scan_text.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kLargestText = size_t{16} << 20;  // bytes

// Lines of an error message.
class Lines {
 public:
  void Add(std::string_view line) { text_ += fmt::format("{}{}", text_.empty() ? "" : "\n", line); }
  bool empty() const { return text_.empty(); }
  Status ToStatus() const { return text_.empty() ? OkStatus() : InvalidInput(text_); }

 private:
  std::string text_;
};

class ParserErrors : public google::protobuf::io::ErrorCollector {
 public:
  ParserErrors(const std::string& name, Lines* lines) : name_(name), lines_(lines) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    lines_->Add(fmt::format("{}:{}:{}: {}", name_, line + 1, column + 1, message));
  }

 private:
  const std::string& name_;
  Lines* lines_;
};

Status ParseText(std::string_view text, LoadedPipeline* loaded) {
  if (text.size() > kLargestText) {
    return InvalidInput(fmt::format("{}: {} is too large for a configuration", loaded->name, FormatBytes(text.size())));
  }
  Lines lines;
  const ScannedText scanned = ScanText(text, *Pipeline::descriptor());
  for (const TextProblem& problem : scanned.problems) {
    lines.Add(fmt::format("{}:{}:{}: {}", loaded->name, problem.place.line, problem.place.column, problem.message));
  }
  if (scanned.problems.empty()) {
    ParserErrors errors(loaded->name, &lines);
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&errors);
    parser.AllowUnknownField(true);  // what is unknown has been judged: it may be read over
    google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
    if (!parser.Parse(&input, &loaded->pipeline) && lines.empty()) {
      lines.Add(fmt::format("{}: cannot be read as a configuration", loaded->name));
    }
  }
  loaded->ignored = scanned.ignored;
  for (const auto& [path, place] : scanned.places) {
    loaded->places[path] = fmt::format("{}:{}:{}", loaded->name, place.line, place.column);
  }
  return lines.ToStatus();
}

void ExpandField(std::string* value, const std::string& place, Lines* lines) {
  StatusOr<std::string> expanded = ExpandEnvironment(*value);
  if (expanded.ok()) {
    *value = *std::move(expanded);
  } else {
    lines->Add(fmt::format("{}: {}", place, expanded.status().message()));
  }
}

// vocab_file, below a feature, is beside the configuration or in asset_dir: from now on an absolute path, which is the same
// wherever the configuration is copied to.
void LocateVocabularies(const std::string& folder, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const FieldDescriptor* file = message->GetDescriptor()->FindFieldByName("vocab_file");
  const FieldDescriptor* assets = message->GetDescriptor()->FindFieldByName("asset_dir");
  if (file != nullptr && assets != nullptr && !reflection.GetString(*message, file).empty()) {
    const std::filesystem::path path =
        std::filesystem::path(folder) / reflection.GetString(*message, assets) / reflection.GetString(*message, file);
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    reflection.SetString(message, file, (error ? path : absolute).lexically_normal().string());
    reflection.ClearField(message, assets);
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      LocateVocabularies(folder, reflection.MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i)
      LocateVocabularies(folder, reflection.MutableRepeatedMessage(message, field, i));
  }
}

Status ExpandPathFields(LoadedPipeline* loaded) {
  Pipeline& pipeline = loaded->pipeline;
  Lines lines;
  for (FeatureConfig& feature : *pipeline.mutable_feature_configs())
    LocateVocabularies(DirectoryOf(loaded->name), &feature);
  if (pipeline.has_train_input_path()) {
    ExpandField(pipeline.mutable_train_input_path(), loaded->Place(pipeline, "train_input_path"), &lines);
  }
  if (pipeline.has_eval_input_path()) {
    ExpandField(pipeline.mutable_eval_input_path(), loaded->Place(pipeline, "eval_input_path"), &lines);
  }
  if (pipeline.has_model_dir()) {
    ExpandField(pipeline.mutable_model_dir(), loaded->Place(pipeline, "model_dir"), &lines);
  }
  if (pipeline.data_config().has_cache_dir()) {
    DataConfig* data_config = pipeline.mutable_data_config();
    ExpandField(data_config->mutable_cache_dir(), loaded->Place(*data_config, "cache_dir"), &lines);
  }
  return lines.ToStatus();
}

// Path of `target` below `message`, which is at `path`; false if it is not there.
bool FindMessage(const Message& message, const Message* target, const std::string& path, std::string* result) {
  if (&message == target) {
    *result = path;
    return true;
  }
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string below = path.empty() ? field->name() : path + "." + field->name();
    if (!field->is_repeated()) {
      if (FindMessage(reflection.GetMessage(message, field), target, below, result)) return true;
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      const Message& element = reflection.GetRepeatedMessage(message, field, i);
      if (FindMessage(element, target, fmt::format("{}[{}]", below, i), result)) return true;
    }
  }
  return false;
}

}  // namespace

std::string LoadedPipeline::Path(const Message& parent, std::string_view field, int index) const {
  std::string path;
  FindMessage(pipeline, &parent, "", &path);
  path += fmt::format("{}{}", path.empty() ? "" : ".", field);
  return index < 0 ? path : fmt::format("{}[{}]", path, index);
}

std::string LoadedPipeline::Path(const Message& message) const {
  std::string path;
  FindMessage(pipeline, &message, "", &path);
  return path;
}

std::string LoadedPipeline::Place(const Message& parent, std::string_view field, int index) const {
  std::string path;
  if (!FindMessage(pipeline, &parent, "", &path)) return name;
  return PlaceOfPath(Path(parent, field, index));
}

std::string LoadedPipeline::Place(const Message& message) const {
  std::string path;
  return FindMessage(pipeline, &message, "", &path) ? PlaceOfPath(path) : name;
}

std::string LoadedPipeline::PlaceOfPath(std::string_view path) const {
  if (const auto first = places.find(fmt::format("{}[0]", path)); first != places.end()) return first->second;
  while (!path.empty()) {
    if (const auto found = places.find(path); found != places.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
  return name;
}

std::string LoadedPipeline::IgnoredNote() const {
  // By what they are about, in order of first appearance.
  std::vector<std::pair<std::string, std::vector<std::string>>> topics;
  for (const auto& field : ignored) {
    auto found = std::find_if(topics.begin(), topics.end(), [&](const auto& one) { return one.first == field.second; });
    if (found == topics.end()) found = topics.insert(found, {field.second, {}});
    found->second.push_back(field.first);
  }
  std::string text;
  for (const auto& [topic, paths] : topics)
    text += fmt::format("{}{} (about {})", text.empty() ? "" : "; ", JoinNames(paths, 10), topic);
  return text.empty() ? "" : fmt::format("{}: ignored: {}", name, text);
}

StatusOr<LoadedPipeline> LoadPipeline(const std::string& path, std::span<const std::string> overrides) {
  MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return LoadPipelineFromText(path, text, overrides);
}

StatusOr<LoadedPipeline> LoadPipelineFromText(const std::string& name, std::string_view text,
                                              std::span<const std::string> overrides) {
  LoadedPipeline loaded;
  loaded.name = name;
  MG_RETURN_IF_ERROR(ParseText(text, &loaded));
  Lines lines;
  for (const std::string& override_text : overrides) {
    const Status status = ApplyOverride(override_text, &loaded);
    if (!status.ok()) lines.Add(status.message());
  }
  if (const Status status = ExpandPathFields(&loaded); !status.ok()) lines.Add(status.message());
  if (!lines.empty()) return lines.ToStatus();
  return loaded;
}

}  // namespace manygate::config
