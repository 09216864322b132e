// SPDX-License-Identifier: Apache-2.0
// Rules of feature_configs and of the feature groups that name them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/init_function.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

std::vector<std::string> FeatureNames(const Pipeline& pipeline) {
  std::vector<std::string> names;
  for (const FeatureConfig& feature : pipeline.feature_configs()) {
    if (!FeatureName(feature).empty()) names.push_back(FeatureName(feature));
  }
  return names;
}

void CheckExpression(const Message& feature, const std::string& expression, Problems* problems) {
  const size_t colon = expression.find(':');
  if (colon == std::string::npos) return;
  if (colon == 0 || colon + 1 == expression.size()) {
    problems->Add(feature, "expression", fmt::format("is \"{}\", expected \"side:column\" or \"column\"", expression));
  }
}

void CheckInitFunction(const Message& feature, const std::string& init_fn, bool has_embedding, Problems* problems) {
  const StatusOr<InitFunction> function = ParseInitFunction(init_fn);
  if (!function.ok())
    problems->Add(feature, "init_fn", fmt::format("\"{}\": {}", init_fn, function.status().message()));
  if (!has_embedding) problems->Add(feature, "init_fn", "has no meaning: the feature has no embedding");
}

// Ways to say what the ids are; each excludes the others.
void CheckVocabulary(const IdFeature& feature, Problems* problems) {
  std::vector<std::string> ways;
  if (feature.has_num_buckets()) ways.push_back("num_buckets");
  if (feature.has_hash_bucket_size()) ways.push_back("hash_bucket_size");
  if (feature.vocab_list_size() > 0) ways.push_back("vocab_list");
  for (size_t i = 1; i < ways.size(); ++i) {
    problems->Add(feature, ways[i], fmt::format("excludes {}: keep one of them", ways[0]));
  }
  if (ways.empty()) return;
  for (const char* learnt : {"min_count", "max_vocabulary"}) {
    const auto* field = IdFeature::descriptor()->FindFieldByName(learnt);
    if (!feature.GetReflection()->HasField(feature, field)) continue;
    problems->Add(feature, learnt, fmt::format("is for a vocabulary learnt from the data, but {} is given", ways[0]));
  }
  UniqueNames values(problems);
  for (int i = 0; i < feature.vocab_list_size(); ++i) values.Note(feature.vocab_list(i), feature, "vocab_list", i);
}

// The value that stands for a missing one must be a value.
void CheckDefaultValue(const IdFeature& feature, Problems* problems) {
  if (!feature.has_default_value() || feature.default_value().empty()) return;
  const std::string& value = feature.default_value();
  const auto& vocabulary = feature.vocab_list();
  if (feature.vocab_list_size() > 0 && std::find(vocabulary.begin(), vocabulary.end(), value) == vocabulary.end()) {
    const std::vector<std::string> names(vocabulary.begin(), vocabulary.end());
    problems->Add(feature, "default_value",
                  fmt::format("\"{}\" is not in vocab_list. {}", value, Suggestion(value, names, "Values")));
  }
  if (!feature.has_num_buckets()) return;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number >= feature.num_buckets()) {
    problems->Add(
        feature, "default_value",
        fmt::format("is \"{}\", expected a whole number below num_buckets ({})", value, feature.num_buckets()));
  }
}

// Several values in one text: what stands between them, and what becomes of them.
void CheckValueList(const IdFeature& feature, const DataConfig& data, Problems* problems) {
  const std::string& separator = feature.separator();
  const std::string quoted = separator == "\t" ? "\\t" : separator;
  if (separator.size() > 1 || separator == "\n" || separator == "\r") {
    problems->Add(feature, "separator",
                  fmt::format("is {}, expected one character such as \"|\", or \"\" for one value in a cell",
                              separator.size() > 1 ? fmt::format("\"{}\"", separator) : "a line end"));
  } else if (feature.has_separator() && separator == data.delimiter() && data.quote().empty() &&
             data.dataset_type() == CsvDataset) {
    // Between quotes a cell may hold the delimiter.
    problems->Add(
        feature, "separator",
        fmt::format("\"{}\" also separates the columns (data_config.delimiter), and there are no quotes: they "
                    "must differ",
                    quoted));
  }
  const auto holds = [&](const std::string& text) {
    return feature.has_separator() && separator.size() == 1 && text.find(separator) != text.npos;
  };
  for (int i = 0; i < feature.vocab_list_size(); ++i) {
    if (!holds(feature.vocab_list(i))) continue;
    problems->Add(
        feature, "vocab_list", i,
        fmt::format("\"{}\" holds the separator \"{}\", so no value can be it", feature.vocab_list(i), quoted));
  }
  if (holds(feature.default_value())) {
    problems->Add(feature, "default_value",
                  fmt::format("\"{}\" holds the separator \"{}\": a missing value stands for one value",
                              feature.default_value(), quoted));
  }
  const bool mean = feature.pooling() == "mean";
  if (!mean && feature.pooling() != "sum") {
    problems->Add(feature, "pooling", fmt::format("is \"{}\", expected \"sum\" or \"mean\"", feature.pooling()));
  }
  if (mean && feature.one_hot()) {
    problems->Add(
        feature, "pooling",
        "\"mean\" needs an embedding: the inputs of one_hot count the values of a row. Write embedding_dim: 16 "
        "or remove pooling");
  }
  if (separator.empty() && feature.max_values() > 0) {
    problems->Add(feature, "max_values", "has no meaning: without a separator a cell is one value");
  }
}

void CheckIdFeature(const IdFeature& feature, const DataConfig& data, Problems* problems) {
  if (feature.one_hot() && feature.has_embedding_dim()) {
    problems->Add(feature, "embedding_dim", "excludes one_hot: keep one of them");
  }
  if (!feature.one_hot() && !feature.has_embedding_dim()) {
    problems->AddTo(feature, "has no embedding_dim. Write embedding_dim: 16 or one_hot: true");
  }
  if (feature.one_hot() && feature.has_embedding_name()) {
    problems->Add(feature, "embedding_name", "has no meaning: the feature is one_hot");
  }
  CheckExpression(feature, feature.expression(), problems);
  if (feature.has_init_fn()) CheckInitFunction(feature, feature.init_fn(), !feature.one_hot(), problems);
  CheckVocabulary(feature, problems);
  CheckDefaultValue(feature, problems);
  CheckValueList(feature, data, problems);
}

void CheckBoundaries(const RawFeature& feature, Problems* problems) {
  for (int i = 1; i < feature.boundaries_size(); ++i) {
    if (feature.boundaries(i) > feature.boundaries(i - 1)) continue;
    problems->Add(feature, "boundaries", i,
                  fmt::format("is {}, expected more than the one before it ({}): boundaries ascend",
                              feature.boundaries(i), feature.boundaries(i - 1)));
  }
}

void CheckTransform(const RawFeature& feature, bool has_bins, Problems* problems) {
  const NumericTransform& transform = feature.transform();
  if (transform.quantile_bins() == 1) {
    problems->Add(transform, "quantile_bins", "is 1, expected 0 (none) or at least 2");
  }
  if (transform.quantile_bins() > 0 && feature.boundaries_size() > 0) {
    problems->Add(transform, "quantile_bins", "excludes boundaries: keep one of them");
  }
  if (transform.has_clip_min() && transform.has_clip_max() && !(transform.clip_min() < transform.clip_max())) {
    problems->Add(transform, "clip_max",
                  fmt::format("is {}, expected more than clip_min ({})", transform.clip_max(), transform.clip_min()));
  }
  const bool pieces = transform.piecewise_linear() > 0;
  if (pieces && transform.quantile_bins() > 0) {
    problems->Add(transform, "piecewise_linear", "excludes quantile_bins: write a second feature for the bins");
  }
  if (pieces && feature.boundaries_size() > 0) {
    problems->Add(transform, "piecewise_linear", "excludes boundaries: write a second feature for the bins");
  }
  if (!has_bins && !pieces) return;
  // Bins and pieces are cut from the value itself, so these would change nothing.
  const std::string text = fmt::format("has no effect on a feature that is cut into {}", pieces ? "pieces" : "bins");
  if (transform.log1p()) problems->Add(transform, "log1p", text);
  if (transform.standardise()) problems->Add(transform, "standardise", text);
}

void CheckRawFeature(const RawFeature& feature, Problems* problems) {
  const bool has_bins = feature.boundaries_size() > 0 || feature.transform().quantile_bins() > 0;
  const bool has_pieces = feature.transform().piecewise_linear() > 0;
  const bool has_embedding = feature.has_embedding_dim();
  if (!has_bins && !has_pieces && has_embedding) {
    problems->Add(feature, "embedding_dim", "needs bins: add boundaries or transform { quantile_bins: 10 }");
  }
  if (has_pieces && !has_bins && feature.one_hot()) {
    problems->Add(feature, "one_hot", "has no meaning: piecewise_linear makes numbers, not bins");
  } else if (!has_bins && feature.one_hot()) {
    problems->Add(feature, "one_hot", "needs bins: add boundaries or transform { quantile_bins: 10 }");
  }
  if (has_bins && !has_embedding && !feature.one_hot()) {
    problems->AddTo(feature, "has bins but no embedding_dim. Write embedding_dim: 16 or one_hot: true");
  }
  if (has_embedding && feature.one_hot()) {
    problems->Add(feature, "embedding_dim", "excludes one_hot: keep one of them");
  }
  if (feature.has_embedding_name() && (!has_embedding || !has_bins)) {
    problems->Add(feature, "embedding_name",
                  has_pieces ? "has no meaning: a linear map over pieces is not shared"
                             : "has no meaning: the feature has no embedding");
  }
  CheckExpression(feature, feature.expression(), problems);
  if (feature.has_init_fn()) CheckInitFunction(feature, feature.init_fn(), has_embedding, problems);
  CheckBoundaries(feature, problems);
  CheckTransform(feature, has_bins, problems);
}

void CheckSameValues(const IdFeature& feature, const IdFeature& other, Problems* problems) {
  const auto differs = [&](std::string_view field) {
    problems->Add(feature, field,
                  fmt::format("differs from that of \"{}\", which shares the table \"{}\"", other.feature_name(),
                              feature.embedding_name()));
  };
  if (feature.num_buckets() != other.num_buckets()) differs("num_buckets");
  if (feature.hash_bucket_size() != other.hash_bucket_size()) differs("hash_bucket_size");
  if (!std::equal(feature.vocab_list().begin(), feature.vocab_list().end(), other.vocab_list().begin(),
                  other.vocab_list().end())) {
    differs("vocab_list");
  }
}

// One table has one width and one way to number its rows. What only the fitted values show, features/ checks.
void CheckSharedTables(const Pipeline& pipeline, Problems* problems) {
  std::map<std::string, const FeatureConfig*> first;
  for (const FeatureConfig& config : pipeline.feature_configs()) {
    const bool raw = config.has_raw_feature();
    const std::string& table = raw ? config.raw_feature().embedding_name() : config.id_feature().embedding_name();
    if (table.empty()) continue;
    const auto [entry, is_new] = first.emplace(table, &config);
    if (is_new) continue;
    const FeatureConfig& other = *entry->second;
    const auto width = [](const FeatureConfig& one) {
      return one.has_raw_feature() ? one.raw_feature().embedding_dim() : one.id_feature().embedding_dim();
    };
    if (width(config) != width(other)) {
      const Message& feature =
          raw ? static_cast<const Message&>(config.raw_feature()) : static_cast<const Message&>(config.id_feature());
      problems->Add(feature, "embedding_dim",
                    fmt::format("is {}, but \"{}\", which shares the table \"{}\", has {}", width(config),
                                FeatureName(other), table, width(other)));
    }
    if (!raw && other.has_id_feature()) CheckSameValues(config.id_feature(), other.id_feature(), problems);
  }
}

// The model reads the first DEEP group; PEPNet others besides, by their names; the linear part the WIDE one.
void CheckGroupsAreRead(const ModelConfig& model, Problems* problems) {
  const std::vector<std::string> more =
      model.has_pepnet() ? std::vector<std::string>{"domain", "uia"} : std::vector<std::string>{};
  int deep = 0, wide = 0;
  for (const FeatureGroupConfig& group : model.feature_groups()) {
    if (group.group_type() == WIDE) {
      if (++wide > 1) problems->Add(group, "group_type", "is WIDE for the second time: at most one group is");
      continue;
    }
    if (++deep == 1 || std::find(more.begin(), more.end(), group.group_name()) != more.end()) continue;
    if (more.empty()) {
      problems->AddTo(group, fmt::format("is a second group of type DEEP: {} reads the first only", ModelName(model)));
    } else {
      problems->Add(group, "group_name",
                    fmt::format("\"{}\" is not read by {}. {}", group.group_name(), ModelName(model),
                                Suggestion(group.group_name(), more, "It reads the first group and")));
    }
  }
}

void CheckGroups(const Pipeline& pipeline, Problems* problems) {
  const std::vector<std::string> features = FeatureNames(pipeline);
  if (pipeline.model_config().model_case() != ModelConfig::MODEL_NOT_SET) {
    CheckGroupsAreRead(pipeline.model_config(), problems);
  }
  UniqueNames groups(problems);
  for (const FeatureGroupConfig& group : pipeline.model_config().feature_groups()) {
    if (group.group_name().empty()) problems->AddTo(group, "has no group_name");
    groups.Note(group.group_name(), group, "group_name");
    UniqueNames members(problems);
    for (int i = 0; i < group.feature_names_size(); ++i) {
      const std::string& name = group.feature_names(i);
      members.Note(name, group, "feature_names", i);
      if (std::find(features.begin(), features.end(), name) != features.end()) continue;
      problems->Add(group, "feature_names", i,
                    fmt::format("\"{}\" is not a feature. {}", name, Suggestion(name, features, "Features")));
    }
  }
}

}  // namespace

void CheckFeatures(const Pipeline& pipeline, Problems* problems) {
  if (pipeline.feature_configs_size() == 0) {
    problems->AddGlobal("no feature_configs: a model needs at least one feature");
  }
  UniqueNames names(problems);
  for (const FeatureConfig& config : pipeline.feature_configs()) {
    if (config.feature_case() == FeatureConfig::FEATURE_NOT_SET) {
      problems->AddTo(config, "is empty, expected id_feature { ... } or raw_feature { ... }");
      continue;
    }
    const Message& feature = config.has_id_feature() ? static_cast<const Message&>(config.id_feature())
                                                     : static_cast<const Message&>(config.raw_feature());
    if (FeatureName(config).empty()) problems->AddTo(feature, "has no feature_name");
    names.Note(FeatureName(config), feature, "feature_name");
    if (config.has_id_feature()) {
      CheckIdFeature(config.id_feature(), pipeline.data_config(), problems);
    } else {
      CheckRawFeature(config.raw_feature(), problems);
    }
  }
  CheckSharedTables(pipeline, problems);
  CheckGroups(pipeline, problems);
}

}  // namespace manygate::config
