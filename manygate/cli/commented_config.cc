// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/commented_config.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/resolve.h"

namespace manygate::cli {
namespace {

// "# <text>\n". Names and values come from the data: a control character in them must not end the comment.
std::string Comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return "# " + text + "\n";
}

std::string OneLine(const config::FeatureConfig& feature) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseShortRepeatedPrimitives(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  MG_CHECK(printer.PrintToString(feature, &text), "feature {}", feature.ShortDebugString());
  return fmt::format("feature_configs {{ {} }}\n", Trim(text));
}

// Messages of no field or one on a line of their own: "  input_fields { input_name: \"age\" }".
std::string Compact(const std::string& text) {
  const std::vector<std::string> lines = Split(text, '\n');
  const auto is_end = [&](size_t i) { return i < lines.size() && Trim(lines[i]) == "}"; };
  std::string compact;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    compact += lines[i];
    if (lines[i].ends_with(" {")) {  // never the end of a value: texts end in a quote
      if (is_end(i + 1)) {
        compact += "}", ++i;
      } else if (is_end(i + 2) && !lines[i + 1].ends_with("{")) {
        compact += fmt::format(" {} }}", Trim(lines[i + 1])), i += 2;
      }
    }
    compact += "\n";
  }
  return compact;
}

// One field of the pipeline, as text.
template <typename Keep>
std::string Part(Keep keep) {
  config::Pipeline part;
  keep(&part);
  return Compact(config::PrintPipeline(part));
}

std::string Introduction(const InferredPipeline& made, const std::string& file) {
  return Comment(fmt::format("Made by \"manygate init\" from {}:", made.loaded.pipeline.train_input_path())) +
         Comment(DataNote(made.findings) + ".") +
         Comment(fmt::format("Train:      manygate train {}", ShellWord(file))) +
         Comment(fmt::format("Defaults:   manygate inspect {}  (every field, written out)", ShellWord(file))) +
         Comment("All fields: manygate/config/pipeline.proto says what each means.");
}

std::string Labels(const Findings& findings) {
  std::string text = Comment("Labels:");
  for (const InferredLabel& label : findings.labels)
    text += Comment(fmt::format("  {}: {}", label.name, LabelNote(label, findings.schema.rows)));
  return text;
}

// Each column once, above the one to three features that are made of it.
std::string Features(const config::Pipeline& pipeline, const Findings& findings) {
  std::map<std::string, const InferredColumn*> columns;
  for (const InferredColumn& column : findings.schema.columns) columns[column.name] = &column;
  std::string text = Comment("Features: a number column enters several times, each time in another form."), last;
  const std::vector<config::ListedFeature> listed = config::ListFeatures(pipeline);
  for (int i = 0; i < pipeline.feature_configs_size(); ++i) {
    const std::string& name = listed[i].column;  // what is inferred are ids and numbers
    const auto column = columns.find(name);
    if (name != last && column != columns.end())
      text += Comment(fmt::format("{}: {}", name, ColumnNote(*column->second, findings.schema.rows)));
    last = name;
    text += OneLine(pipeline.feature_configs(i));
  }
  return text;
}

std::string LeftOut(const Findings& findings) {
  if (findings.left_out.empty()) return "";
  std::string text = "\n" + Comment("Left out:");
  for (const InferredColumn& column : findings.schema.columns)
    if (const auto found = findings.left_out.find(column.name); found != findings.left_out.end())
      text += Comment(fmt::format("  {}: {}", column.name, found->second));
  return text;
}

std::string Training(const config::Pipeline& pipeline, const Findings& findings) {
  const config::TrainConfig& train = pipeline.train_config();
  return Comment(fmt::format("Training: batches of {} and {} epochs, as suits {} rows; the weights with the best {} on "
                             "the validation rows are kept.",
                             pipeline.data_config().batch_size(), train.num_epochs(), FormatCount(findings.schema.rows),
                             train.early_stopping().metric())) +
         Part([&](config::Pipeline* part) { *part->mutable_train_config() = train; });
}

}  // namespace

std::string CommentedConfig(const InferredPipeline& made, const std::string& file) {
  const config::Pipeline& pipeline = made.loaded.pipeline;
  config::Pipeline paths = pipeline;  // and whatever else has no section of its own
  paths.clear_data_config();
  paths.clear_train_config();
  paths.clear_feature_configs();
  paths.clear_model_config();
  std::string text = Introduction(made, file) + "\n" + config::PrintPipeline(paths) + "\n" + Labels(made.findings);
  for (const std::string& doubt : made.findings.doubts) text += Comment("Please check: " + doubt);
  text += "\n" + Comment("How the rows are read. A tenth each is held out for validation and test.") +
          Part([&](config::Pipeline* part) { *part->mutable_data_config() = pipeline.data_config(); }) + "\n" +
          Training(pipeline, made.findings) + "\n" + Features(pipeline, made.findings) + LeftOut(made.findings) + "\n" +
          Comment(fmt::format("Model: {}; --model NAME takes another one with the same features and towers.",
                              config::ModelName(pipeline.model_config()))) +
          Part([&](config::Pipeline* part) { *part->mutable_model_config() = pipeline.model_config(); });
  return text;
}

std::string ShellWord(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+=:,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace manygate::cli
