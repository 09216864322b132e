// SPDX-License-Identifier: Apache-2.0
// Rules of features that are made of others: names, inputs, what each kind needs, sequences.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "manygate/base/text.h"
#include "manygate/config/message_fields.h"
#include "manygate/config/normalizer.h"
#include "manygate/config/problems.h"
#include "manygate/expression/expression.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void CheckInputs(const ListedFeature& feature, const Message& written, const std::vector<ListedFeature>& features,
                 Problems* problems) {
  for (const WrittenInput& input : WrittenInputs(written)) {
    const bool is_all = written.GetDescriptor() == MatchFeature::descriptor() && input.text == "ALL";
    const size_t colon = input.text.find(':');
    if (is_all || colon == std::string::npos) continue;
    const FeatureInput parsed = ParseInput(input.text);
    if (colon == 0 || (parsed.name.empty() && parsed.side != "const")) {
      problems->Add(written, input.field, input.index,
                    fmt::format("is \"{}\", expected \"side:column\" or \"column\"", input.text));
    } else if (parsed.side == "feature") {
      std::vector<std::string> names;
      for (const ListedFeature& other : features) names.push_back(other.name);
      if (std::find(names.begin(), names.end(), parsed.name) == names.end()) {
        problems->Add(
            written, input.field, input.index,
            fmt::format("\"{}\" is not a feature. {}", parsed.name, Suggestion(parsed.name, names, "Features")));
      } else if (parsed.name == feature.name) {
        problems->Add(written, input.field, input.index, "is the feature itself");
      }
    }
  }
}

void CheckRequired(const Message& written, Problems* problems) {
  const std::string& type = written.GetDescriptor()->name();
  constexpr std::array<std::array<std::string_view, 4>, 6> kRequired = {{
      {"LookupFeature", "map", "key", ""},
      {"MatchFeature", "nested_map", "pkey", "skey"},
      {"ExprFeature", "expression", "", ""},
      {"OverlapFeature", "query", "title", "method"},
      {"KvDotProduct", "query", "document", ""},
      {"CombineFeature", "expression", "", ""},
  }};
  for (const auto& required : kRequired) {
    if (required[0] != type) continue;
    for (size_t i = 1; i < required.size(); ++i)
      if (!required[i].empty() && FieldText(written, required[i]).empty())
        problems->AddTo(written, fmt::format("has no {}", required[i]));
  }
  const int inputs = static_cast<int>(WrittenInputs(written).size());
  if (type == "ComboFeature" && inputs < 2)
    problems->AddTo(written, fmt::format("has {} inputs in expression, expected at least 2", inputs));
  if (type == "BoolMaskFeature" && inputs != 2)
    problems->AddTo(written, fmt::format("has {} inputs in expression, expected 2: the values and their mask", inputs));
}

void CheckChoice(const Message& written, std::string_view field, std::span<const std::string> choices,
                 Problems* problems) {
  if (FindField(written, field) == nullptr) return;
  const std::string text = FieldText(written, field);
  if (text.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  problems->Add(written, field, fmt::format("\"{}\" is unknown. {}", text, Suggestion(text, choices, "Known")));
}

void CheckChoices(const Message& written, Problems* problems) {
  const bool combines = written.GetDescriptor() == CombineFeature::descriptor();
  std::vector<std::string> combiners = {"sum", "mean", "min", "max", "count"};
  if (combines) combiners.insert(combiners.end(), {"gap_min", "gap_max"});
  CheckChoice(written, "combiner", combiners, problems);
  const std::vector<std::string> methods = {"query_common_ratio", "title_common_ratio", "is_contain",
                                            "is_equal",           "index_of",           "proximity_min_cover",
                                            "proximity_min_dist", "proximity_max_dist", "proximity_avg_dist"};
  CheckChoice(written, "method", methods, problems);
  const std::vector<std::string> poolings = {"sum", "mean"};
  if (written.GetDescriptor() != IdFeature::descriptor()) CheckChoice(written, "pooling", poolings, problems);
  const std::string delimiter = FieldText(written, "kv_delimiter");
  if (FindField(written, "kv_delimiter") != nullptr && delimiter.size() != 1)
    problems->Add(written, "kv_delimiter", fmt::format("is \"{}\", expected one character", delimiter));
}

void CheckFormulas(const Message& written, Problems* problems) {
  const std::string normalizer = FieldText(written, "normalizer");
  if (!normalizer.empty()) {
    const StatusOr<Normalizer> parsed = ParseNormalizer(normalizer);
    if (!parsed.ok())
      problems->Add(written, "normalizer", fmt::format("\"{}\": {}", normalizer, parsed.status().message()));
  }
  if (written.GetDescriptor() != ExprFeature::descriptor()) return;
  const auto& feature = static_cast<const ExprFeature&>(written);
  if (feature.variables_size() == 0) problems->AddTo(feature, "has no variables: name the inputs of the expression");
  std::vector<std::string> names;
  for (const std::string& variable : feature.variables()) names.push_back(ParseInput(variable).name);
  const StatusOr<Expression> parsed = Expression::Parse(feature.expression(), names);
  if (!parsed.ok() && !feature.expression().empty()) {
    problems->Add(feature, "expression", fmt::format("\"{}\": {}", feature.expression(), parsed.status().message()));
  }
}

void CheckSequence(const ListedFeature& feature, const Message& written, Problems* problems) {
  const FieldDescriptor* value_dim = FindField(written, "value_dim");
  const bool is_written = value_dim != nullptr && written.GetReflection()->HasField(written, value_dim);
  const uint32_t values = is_written ? written.GetReflection()->GetUInt32(written, value_dim) : 1;
  if (feature.encoding.has_id_feature() && values != 1) {
    problems->Add(
        written, "value_dim",
        fmt::format("is {}: several values at one position of a sequence are not supported; a position is one "
                    "value (value_dim: 1)",
                    values));
  }
  const std::string delim = FieldText(written, "sequence_delim");
  if (delim.size() != 1)
    problems->Add(written, "sequence_delim", fmt::format("is \"{}\", expected one character", delim));
  if (!feature.generator.has_value()) return;
  const auto& inputs = feature.generator->inputs();
  if (std::none_of(inputs.begin(), inputs.end(), [](const GeneratorInput& input) { return input.sequence(); })) {
    problems->AddTo(written, "has no input that is a sequence: name it in sequence_fields, or give it side item");
  }
}

}  // namespace

void CheckFeatureNames(const Pipeline& pipeline, Problems* problems) {
  UniqueNames names(problems);
  const auto check = [&](const Message& config, const std::string& prefix) {
    const Message* feature = ChosenFeature(config);
    if (feature == nullptr) {
      problems->AddTo(config, "is empty, expected id_feature { ... } or raw_feature { ... }");
      return;
    }
    const std::string name = FieldText(*feature, "feature_name");
    if (name.empty()) {
      problems->AddTo(*feature, "has no feature_name");
    } else {
      names.Note(prefix + name, *feature, "feature_name");
    }
  };
  for (const FeatureConfig& config : pipeline.feature_configs()) {
    if (!config.has_sequence_feature()) {
      check(config, "");
      continue;
    }
    const SequenceFeature& sequence = config.sequence_feature();
    if (sequence.sequence_name().empty()) problems->AddTo(sequence, "has no sequence_name");
    if (!sequence.has_sequence_length())
      problems->AddTo(sequence, "has no sequence_length: the most positions that are used");
    if (sequence.sequence_delim().size() != 1)
      problems->Add(sequence, "sequence_delim",
                    fmt::format("is \"{}\", expected one character", sequence.sequence_delim()));
    if (sequence.features_size() == 0) problems->AddTo(sequence, "has no features");
    for (const SeqFeatureConfig& feature : sequence.features()) check(feature, sequence.sequence_name() + "__");
  }
}

void CheckGenerator(const ListedFeature& feature, const std::vector<ListedFeature>& features, Problems* problems) {
  const Message& written = *feature.written;
  CheckInputs(feature, written, features, problems);
  CheckRequired(written, problems);
  CheckChoices(written, problems);
  CheckFormulas(written, problems);
  if (feature.is_sequence) CheckSequence(feature, written, problems);
}

void CheckGeneratorOrder(const std::vector<ListedFeature>& features, Problems* problems) {
  const bool generates = std::any_of(features.begin(), features.end(),
                                     [](const ListedFeature& feature) { return feature.generator.has_value(); });
  if (generates && ListGenerators(features).empty())
    problems->AddGlobal(
        "features read each other in a circle (inputs \"feature:...\"): one of them must read columns only");
}

}  // namespace manygate::config
