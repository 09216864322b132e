// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/inputs.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/config/init_function.h"
#include "manygate/features/schema.h"
#include "manygate/models/cross.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/piecewise.h"

namespace manygate {
namespace {

using features::FeatureSchema;

Initializer FromInitFunction(const std::string& text) {
  const auto parsed = config::ParseInitFunction(text);
  MG_CHECK(parsed.ok(), "init_fn {} passed validation", text);
  const bool uniform = parsed->kind == config::InitFunction::Kind::kUniform;
  return {uniform ? Initializer::Kind::kUniform : Initializer::Kind::kNormal, parsed->first, parsed->second};
}

// TorchRec's default: uniform in ±1/√rows.
Initializer EmbeddingInitializer(const FeatureSchema& feature) {
  if (feature.has_init_fn()) return FromInitFunction(feature.init_fn());
  const float bound = 1.f / std::sqrt(static_cast<float>(feature.vocabulary_size()));
  return {Initializer::Kind::kUniform, -bound, bound};
}

// The id that at least this share of the training rows has is worth being left out of sums (math/row_table.h).
constexpr double kDefaultShare = 0.3;

int32_t DefaultId(const FeatureSchema& feature, uint64_t training_rows) {
  if (feature.num_values() > 1) return -1;
  if (feature.kind() == FeatureSchema::BINS) {
    return static_cast<double>(feature.frequent_count()) >= kDefaultShare * static_cast<double>(training_rows)
               ? static_cast<int32_t>(feature.frequent_id())
               : -1;
  }
  uint64_t most = feature.training_count_size() > 0 ? feature.training_count(0) : 0;
  int32_t id = 0;  // learnt vocabularies are sorted by count
  for (int i = 1; i < feature.training_count_size(); ++i)
    if (feature.training_count(i) > most) most = feature.training_count(i), id = i;
  const bool has_bucket = feature.kind() == FeatureSchema::VOCABULARY && !feature.has_default_value();
  if (has_bucket && feature.missing_count() > most) {
    most = feature.missing_count();
    id = static_cast<int32_t>(feature.vocabulary_size()) - 1;
  }
  return static_cast<double>(most) >= kDefaultShare * static_cast<double>(training_rows) ? id : -1;
}

class InputBuilder {
 public:
  InputBuilder(Graph& graph, const features::Schema& schema) : graph_(graph), schema_(schema) {}

  // [B, width of the group]
  Value Join(const config::FeatureGroupConfig& group, const std::string& name) {
    const bool wide = group.group_type() == config::WIDE;
    std::vector<Value> values;
    const auto& names = group.feature_names();
    for (int i = 0; i < names.size();) {
      // Adjacent number features become one value, so that they are one product and not one each.
      const FeatureSchema& first = Find(names[i]);
      int64_t width = 0;
      int next = i;
      while (next < names.size() && Find(names[next]).encoding() == FeatureSchema::NUMBERS &&
             Find(names[next]).number_offset() == first.number_offset() + width)
        width += Find(names[next++]).width();
      if (width > 0) {
        values.push_back(Numbers(graph_, next - i == 1 ? first.name() : "numbers", first.number_offset(), width));
        i = next;
      } else {
        values.push_back(wide ? Codes(first) : Embedded(first));
        if (first.kind() == FeatureSchema::PIECEWISE && first.missing_indicator())
          values.push_back(Numbers(graph_, first.name() + " missing", first.number_offset() + 1, 1));
        ++i;
      }
    }
    return Concat(graph_, name, std::move(values));
  }

 private:
  // As the model reads a feature: what its configuration says.
  Value Embedded(const FeatureSchema& feature) {
    switch (feature.encoding()) {
      case FeatureSchema::EMBEDDING:
        return Lookup(graph_, feature.name(), SlotsOf(feature), TableOf(feature), Default(feature),
                      feature.pooling() == FeatureSchema::MEAN ? Pooling::kMean : Pooling::kSum);
      case FeatureSchema::PIECES_EMBEDDED: return MapPieces(feature);
      default: return Codes(feature);
    }
  }

  // One input per value or piece.
  Value Codes(const FeatureSchema& feature) {
    const int64_t size = static_cast<int64_t>(feature.vocabulary_size());
    if (feature.kind() == FeatureSchema::PIECEWISE)
      return Pieces(graph_, feature.name(), static_cast<int>(feature.id_slot()), feature.number_offset(), size);
    return OneHot(graph_, feature.name(), SlotsOf(feature), size, Default(feature));
  }

  static IdSlots SlotsOf(const FeatureSchema& feature) {
    return {static_cast<int>(feature.id_slot()), features::NumIdSlots(feature)};
  }

  // The map is shared by the groups that read the feature.
  Value MapPieces(const FeatureSchema& feature) {
    const auto found = maps_.find(feature.name());
    if (found != maps_.end()) return found->second;
    const std::string name = "pieces." + feature.name();
    const Value value = Dense(graph_, Codes(feature), {1, feature.embedding_dim()}, name);
    if (feature.has_init_fn())
      for (Parameter& parameter : graph_.parameters)
        if (parameter.name == name + ".weight" || parameter.name == name + ".bias")
          parameter.initializer = FromInitFunction(feature.init_fn());
    return maps_[feature.name()] = value;
  }

  int TableOf(const FeatureSchema& feature) {
    const std::string& name = feature.embedding_name().empty() ? feature.name() : feature.embedding_name();
    const auto found = tables_.find(name);
    if (found != tables_.end()) return found->second;
    return tables_[name] = AddEmbedding(graph_, name, static_cast<int64_t>(feature.vocabulary_size()),
                                        feature.embedding_dim(), EmbeddingInitializer(feature));
  }

  int32_t Default(const FeatureSchema& feature) const { return DefaultId(feature, schema_.training_rows()); }

  const FeatureSchema& Find(const std::string& name) const {
    for (const auto& feature : schema_.features())
      if (feature.name() == name) return feature;
    MG_CHECK(false, "feature {} passed validation but is not in the schema", name);
    return schema_.features(0);
  }

  Graph& graph_;
  const features::Schema& schema_;
  std::map<std::string, int> tables_;  // embedding name -> table
  std::map<std::string, Value> maps_;  // feature -> its mapped pieces
};

}  // namespace

ModelInputs BuildInputs(Graph& graph, const config::ModelConfig& model, const features::Schema& schema) {
  InputBuilder builder(graph, schema);
  ModelInputs inputs;
  for (const config::FeatureGroupConfig& group : model.feature_groups()) {
    if (group.group_type() == config::WIDE) {
      inputs.wide = builder.Join(group, "wide");
    } else if (inputs.x < 0) {
      inputs.x = builder.Join(group, "input");
    } else {
      inputs.groups.emplace_back(group.group_name(), builder.Join(group, group.group_name()));
    }
  }
  if (model.has_cross()) inputs.x = Cross(graph, inputs.x, model.cross());
  return inputs;
}

}  // namespace manygate
