// SPDX-License-Identifier: Apache-2.0
// Rules of feature_configs: how values are encoded. The rest: validate_generators.cc and validate_groups.cc.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/init_function.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

void CheckInitFunction(const Message& feature, const std::string& init_fn, bool has_embedding, Problems* problems) {
  const StatusOr<InitFunction> function = ParseInitFunction(init_fn);
  if (!function.ok())
    problems->Add(feature, "init_fn", fmt::format("\"{}\": {}", init_fn, function.status().message()));
  if (!has_embedding) problems->Add(feature, "init_fn", "has no meaning: the feature has no embedding");
}

// Ways to say what the ids are; each excludes the others.
void CheckVocabulary(const IdFeature& feature, const Message& written, Problems* problems) {
  std::vector<std::string> ways;
  if (feature.has_num_buckets()) ways.push_back("num_buckets");
  if (feature.has_hash_bucket_size()) ways.push_back("hash_bucket_size");
  if (feature.vocab_list_size() > 0) ways.push_back("vocab_list");
  if (feature.vocab_dict_size() > 0) ways.push_back("vocab_dict");
  if (feature.has_vocab_file()) ways.push_back("vocab_file");
  if (feature.has_zch()) ways.push_back("zch");
  if (feature.has_dynamicemb()) ways.push_back("dynamicemb");
  for (size_t i = 1; i < ways.size(); ++i) {
    problems->Add(written, ways[i], fmt::format("excludes {}: keep one of them", ways[0]));
  }
  if (ways.empty()) return;
  for (const char* learnt : {"min_count", "max_vocabulary"}) {
    const auto* field = IdFeature::descriptor()->FindFieldByName(learnt);
    if (!feature.GetReflection()->HasField(feature, field)) continue;
    problems->Add(written, learnt, fmt::format("is for a vocabulary learnt from the data, but {} is given", ways[0]));
  }
  UniqueNames values(problems);
  for (int i = 0; i < feature.vocab_list_size(); ++i) values.Note(feature.vocab_list(i), written, "vocab_list", i);
  for (int i = 0; i < feature.vocab_dict_size(); ++i) {
    const VocabEntry& entry = feature.vocab_dict(i);
    if (!entry.has_key() || !entry.has_value()) problems->Add(written, "vocab_dict", i, "needs both key and value");
    values.Note(entry.key(), written, "vocab_dict", i);
  }
  const bool written_ids = feature.vocab_list_size() > 0 || feature.vocab_dict_size() > 0 || feature.has_vocab_file();
  if (feature.has_default_bucketize_value() && !written_ids) {
    problems->Add(written, "default_bucketize_value",
                  "is for vocab_list, vocab_dict and vocab_file: elsewhere no value is outside of what is written");
  }
  if (feature.has_zch() && feature.zch().zch_size() == 0) {
    problems->Add(written, "zch", "needs zch_size: the number of values to keep");
  }
  if (feature.has_dynamicemb() && feature.dynamicemb().max_capacity() == 0) {
    problems->Add(written, "dynamicemb", "needs max_capacity: the number of values to keep");
  }
}

// The value that stands for a missing one must be a value; outside a written vocabulary it has the row of missing values.
void CheckDefaultValue(const IdFeature& feature, const Message& written, Problems* problems) {
  if (feature.default_value().empty() || !feature.has_num_buckets()) return;
  const std::string& value = feature.default_value();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number >= feature.num_buckets()) {
    problems->Add(
        written, "default_value",
        fmt::format("is \"{}\", expected a whole number below num_buckets ({})", value, feature.num_buckets()));
  }
}

// Several values in one text: what stands between them, and what becomes of them.
void CheckValueList(const IdFeature& feature, const Message& written, const DataConfig& data, Problems* problems) {
  const std::string& separator = feature.separator();
  const std::string quoted = separator == "\t" ? "\\t" : separator;
  if (separator.size() > 1 || separator == "\n" || separator == "\r") {
    problems->Add(written, "separator",
                  fmt::format("is {}, expected one character such as \"|\", or \"\" for one value in a cell",
                              separator.size() > 1 ? fmt::format("\"{}\"", separator) : "a line end"));
  } else if (feature.has_separator() && separator == data.delimiter() && data.quote().empty() &&
             data.dataset_type() == CsvDataset) {
    // Between quotes a cell may hold the delimiter.
    problems->Add(
        written, "separator",
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
        written, "vocab_list", i,
        fmt::format("\"{}\" holds the separator \"{}\", so no value can be it", feature.vocab_list(i), quoted));
  }
  if (holds(feature.default_value())) {
    problems->Add(written, "default_value",
                  fmt::format("\"{}\" holds the separator \"{}\": a missing value stands for one value",
                              feature.default_value(), quoted));
  }
  const bool mean = feature.pooling() == "mean";
  if (!mean && feature.pooling() != "sum") {
    problems->Add(written, "pooling", fmt::format("is \"{}\", expected \"sum\" or \"mean\"", feature.pooling()));
  }
  if (mean && feature.one_hot()) {
    problems->Add(
        written, "pooling",
        "\"mean\" needs an embedding: the inputs of one_hot count the values of a row. Write embedding_dim: 16 "
        "or remove pooling");
  }
  if (separator.empty() && feature.max_values() > 0) {
    problems->Add(written, "max_values", "has no meaning: without a separator a cell is one value");
  }
}

void CheckIdFeature(const IdFeature& feature, const Message& written, const DataConfig& data, Problems* problems) {
  if (feature.one_hot() && feature.has_embedding_dim()) {
    problems->Add(written, "embedding_dim", "excludes one_hot: keep one of them");
  }
  if (!feature.one_hot() && !feature.has_embedding_dim()) {
    problems->AddTo(written, "has no embedding_dim. Write embedding_dim: 16 or one_hot: true");
  }
  if (feature.one_hot() && feature.has_embedding_name()) {
    problems->Add(written, "embedding_name", "has no meaning: the feature is one_hot");
  }
  if (feature.weighted() && feature.one_hot()) {
    problems->Add(written, "weighted", "needs an embedding: write embedding_dim instead of one_hot");
  }
  if (feature.weighted() && feature.separator().empty()) {
    problems->Add(written, "weighted", "needs a separator between the values");
  }
  if (feature.has_init_fn()) CheckInitFunction(written, feature.init_fn(), !feature.one_hot(), problems);
  CheckVocabulary(feature, written, problems);
  CheckDefaultValue(feature, written, problems);
  CheckValueList(feature, written, data, problems);
}

void CheckBoundaries(const Message& written, Problems* problems) {
  const auto* field = written.GetDescriptor()->FindFieldByName("boundaries");
  if (field == nullptr) return;
  const auto boundary = [&](int i) { return written.GetReflection()->GetRepeatedFloat(written, field, i); };
  for (int i = 1; i < written.GetReflection()->FieldSize(written, field); ++i) {
    if (boundary(i) > boundary(i - 1)) continue;
    problems->Add(written, "boundaries", i,
                  fmt::format("is {}, expected more than the one before it ({}): boundaries ascend", boundary(i),
                              boundary(i - 1)));
  }
}

// The number that stands for a missing one.
void CheckDefaultNumber(const Message& written, const std::string& value, Problems* problems) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && std::isfinite(number)) return;
  problems->Add(written, "default_value", fmt::format("is \"{}\", expected a number such as \"0\"", value));
}

// Inputs made of a number without cutting it.
void CheckDenseEmbedding(const RawFeature& feature, const Message& written, bool cut, Problems* problems) {
  const std::string field = feature.has_mlp() ? "mlp" : "autodis";
  if (!feature.has_embedding_dim()) problems->Add(written, field, "needs embedding_dim: how many inputs it makes");
  if (cut) problems->Add(written, field, "excludes bins and pieces: it is for the number itself");
  if (feature.transform().missing_indicator()) {
    problems->Add(feature.transform(), "missing_indicator",
                  fmt::format("excludes {}: write a second feature for the indicator", field));
  }
  if (feature.has_autodis() && feature.autodis().num_channels() == 0)
    problems->Add(written, field, "needs num_channels: how many vectors to choose from");
}

// Only raw_feature has one.
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

void CheckRawFeature(const RawFeature& feature, const Message& written, Problems* problems) {
  const bool has_bins = feature.boundaries_size() > 0 || feature.transform().quantile_bins() > 0;
  const bool has_pieces = feature.transform().piecewise_linear() > 0;
  const bool has_dense = feature.has_mlp() || feature.has_autodis();
  const bool has_embedding = feature.has_embedding_dim();
  if (!has_bins && !has_pieces && !has_dense && has_embedding) {
    problems->Add(written, "embedding_dim",
                  "needs bins: add boundaries or transform { quantile_bins: 10 }, or mlp {} for the number itself");
  }
  if (has_pieces && !has_bins && feature.one_hot()) {
    problems->Add(written, "one_hot", "has no meaning: piecewise_linear makes numbers, not bins");
  } else if (!has_bins && feature.one_hot()) {
    problems->Add(written, "one_hot", "needs bins: add boundaries or transform { quantile_bins: 10 }");
  }
  if (has_bins && !has_embedding && !feature.one_hot()) {
    problems->AddTo(written, "has bins but no embedding_dim. Write embedding_dim: 16 or one_hot: true");
  }
  if (has_embedding && feature.one_hot()) {
    problems->Add(written, "embedding_dim", "excludes one_hot: keep one of them");
  }
  if (feature.has_embedding_name() && (!has_embedding || !has_bins)) {
    problems->Add(written, "embedding_name",
                  has_pieces ? "has no meaning: a linear map over pieces is not shared"
                             : "has no meaning: the feature has no embedding");
  }
  if (has_dense) CheckDenseEmbedding(feature, written, has_bins || has_pieces, problems);
  if (feature.has_init_fn()) CheckInitFunction(written, feature.init_fn(), has_embedding && !has_dense, problems);
  if (feature.has_default_value()) CheckDefaultNumber(written, feature.default_value(), problems);
  if (feature.value_dim() != 1 && (has_bins || has_pieces || has_dense || feature.has_transform())) {
    problems->Add(written, "value_dim", "is for numbers as they are: without boundaries, transform, mlp and autodis");
  }
  if (written.GetDescriptor() == RawFeature::descriptor())
    CheckTransform(static_cast<const RawFeature&>(written), has_bins, problems);
}

void CheckSameValues(const ListedFeature& one, const ListedFeature& other, Problems* problems) {
  const IdFeature &feature = one.encoding.id_feature(), &first = other.encoding.id_feature();
  const auto differs = [&](std::string_view field) {
    problems->Add(*one.written, field,
                  fmt::format("differs from that of \"{}\", which shares the table \"{}\"", other.name,
                              feature.embedding_name()));
  };
  if (feature.num_buckets() != first.num_buckets()) differs("num_buckets");
  if (feature.hash_bucket_size() != first.hash_bucket_size()) differs("hash_bucket_size");
  if (!std::equal(feature.vocab_list().begin(), feature.vocab_list().end(), first.vocab_list().begin(),
                  first.vocab_list().end())) {
    differs("vocab_list");
  }
}

// One table has one width and one way to number its rows. What only the fitted values show, features/ checks.
void CheckSharedTables(const std::vector<ListedFeature>& features, Problems* problems) {
  std::map<std::string, const ListedFeature*> first;
  for (const ListedFeature& one : features) {
    const FeatureConfig& config = one.encoding;
    const std::string& table =
        config.has_raw_feature() ? config.raw_feature().embedding_name() : config.id_feature().embedding_name();
    if (table.empty()) continue;
    const auto [entry, is_new] = first.emplace(table, &one);
    if (is_new) continue;
    const ListedFeature& other = *entry->second;
    const auto width = [](const FeatureConfig& feature) {
      return feature.has_raw_feature() ? feature.raw_feature().embedding_dim() : feature.id_feature().embedding_dim();
    };
    if (width(config) != width(other.encoding)) {
      problems->Add(*one.written, "embedding_dim",
                    fmt::format("is {}, but \"{}\", which shares the table \"{}\", has {}", width(config), other.name,
                                table, width(other.encoding)));
    }
    if (config.has_id_feature() && other.encoding.has_id_feature()) CheckSameValues(one, other, problems);
  }
}

}  // namespace

void CheckFeatures(const Pipeline& pipeline, Problems* problems) {
  if (pipeline.feature_configs_size() == 0) {
    problems->AddGlobal("no feature_configs: a model needs at least one feature");
  }
  CheckFeatureNames(pipeline, problems);
  const std::vector<ListedFeature> features = ListFeatures(pipeline);
  for (const ListedFeature& one : features) {
    CheckBoundaries(*one.written, problems);
    CheckGenerator(one, features, problems);
    if (one.encoding.has_id_feature()) {
      CheckIdFeature(one.encoding.id_feature(), *one.written, pipeline.data_config(), problems);
    } else {
      CheckRawFeature(one.encoding.raw_feature(), *one.written, problems);
    }
  }
  CheckGeneratorOrder(features, problems);
  CheckSharedTables(features, problems);
  CheckGroups(pipeline, features, problems);
}

}  // namespace manygate::config
