// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/inputs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/config/init_function.h"
#include "manygate/features/schema.h"
#include "manygate/models/cross.h"
#include "manygate/models/dense_embedding.h"
#include "manygate/models/sequence_encoder.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/piecewise.h"
#include "manygate/ops/sequence.h"
#include "manygate/ops/stop_gradient.h"

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
  if (feature.num_values() > 1 || !feature.value_id().empty()) return -1;
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

  // [B, width of the group]: its features, then what its encoders make of its sequences.
  Value Join(const config::FeatureGroupConfig& group, const std::string& name) {
    const bool wide = group.group_type() == config::WIDE;
    std::vector<Value> values;
    suffix_ = group.embedding_name_suffix();
    AddFeatures(group.feature_names(), wide, &values);
    AddEncoders(group, &values);
    return Concat(graph_, name, std::move(values));
  }

 private:
  void AddFeatures(const google::protobuf::RepeatedPtrField<std::string>& names, bool wide,
                   std::vector<Value>* values) {
    for (int i = 0; i < names.size();) {
      // Adjacent number features become one value, so that they are one product and not one each.
      const FeatureSchema& first = Find(names[i]);
      int64_t width = 0;
      int next = i;
      while (next < names.size() && IsPlainNumbers(Find(names[next]), wide) &&
             Find(names[next]).number_offset() == first.number_offset() + width)
        width += Find(names[next++]).width();
      if (width > 0) {
        values->push_back(Numbers(graph_, next - i == 1 ? first.name() : "numbers", first.number_offset(), width));
        i = next;
      } else {
        values->push_back(wide ? Codes(first) : Embedded(first));
        if (first.kind() == FeatureSchema::PIECEWISE && first.missing_indicator())
          values->push_back(Numbers(graph_, first.name() + " missing", first.number_offset() + 1, 1));
        ++i;
      }
    }
  }

  static bool IsPlainNumbers(const FeatureSchema& feature, bool wide) {
    return feature.encoding() == FeatureSchema::NUMBERS &&
           (wide || feature.dense_emb_case() == FeatureSchema::DENSE_EMB_NOT_SET);
  }

  // As the model reads a feature: what its configuration says.
  Value Embedded(const FeatureSchema& feature) {
    switch (feature.encoding()) {
      case FeatureSchema::EMBEDDING: {
        const Value value = Rows(feature);
        return feature.trainable() ? value : StopGradient(graph_, value, feature.name() + " kept");
      }
      case FeatureSchema::PIECES_EMBEDDED: return MapPieces(feature);
      case FeatureSchema::NUMBERS: return DenseEmbedding(feature);
      default: return Codes(feature);
    }
  }

  // The rows of the table that the feature's values select, as one.
  Value Rows(const FeatureSchema& feature) {
    const Pooling pooling = feature.pooling() == FeatureSchema::MEAN ? Pooling::kMean : Pooling::kSum;
    if (!feature.sequence() && !feature.weighted())
      return Lookup(graph_, feature.name(), SlotsOf(feature), TableOf(feature), Default(feature), pooling);
    const SequencePart part{.slots = SlotsOf(feature), .table = TableOf(feature)};
    const Value rows = Sequence(graph_, feature.name(), {part}, part.num_positions());
    if (feature.weighted()) {  // a mean is in the weights already
      const Value weights = Numbers(graph_, feature.name() + " weights", feature.number_offset(), feature.num_values());
      return Mix(graph_, rows, weights, feature.name() + " weighted");
    }
    return SequencePool(graph_, rows, SequenceLength(graph_, feature.name() + " length", part), pooling,
                        feature.name() + " pooled");
  }

  // The parameters are shared by the groups that read the feature.
  Value DenseEmbedding(const FeatureSchema& feature) {
    const auto found = maps_.find(feature.name());
    if (found != maps_.end()) return found->second;
    const Value number = Numbers(graph_, feature.name(), feature.number_offset(), feature.width());
    const std::string name = "dense_embeddings." + feature.name();
    const config::AutoDisEmbedding& autodis = feature.autodis();
    const Value value = feature.has_mlp() ? MlpEmbedding(graph_, number, feature.embedding_dim(), name)
                                          : AutoDisEmbedding(graph_, number, feature.embedding_dim(),
                                                             {.num_channels = autodis.num_channels(),
                                                              .temperature = autodis.temperature(),
                                                              .keep_prob = autodis.keep_prob()},
                                                             name);
    return maps_[feature.name()] = value;
  }

  // The sequence and the query of a sequence group.
  struct SequenceInputs {
    Value query = -1, sequence = -1, length = -1;
  };

  SequenceInputs Join(const config::SeqGroupConfig& group) {
    SequenceInputs inputs;
    std::vector<Value> query;
    std::vector<SequencePart> parts;
    google::protobuf::RepeatedPtrField<std::string> query_names;
    if (group.has_embedding_name_suffix()) suffix_ = group.embedding_name_suffix();
    int64_t positions = 1;
    for (const std::string& name : group.feature_names()) {
      const FeatureSchema& feature = Find(name);
      if (!feature.sequence()) {
        *query_names.Add() = name;
        continue;
      }
      parts.push_back(PartOf(feature));
      positions = std::max(positions, parts.back().num_positions());
    }
    AddFeatures(query_names, false, &query);
    if (!query.empty()) inputs.query = Concat(graph_, group.group_name() + ".query", std::move(query));
    inputs.length = SequenceLength(graph_, group.group_name() + ".length", parts[0]);
    inputs.sequence = Sequence(graph_, group.group_name() + ".sequence", std::move(parts), positions);
    return inputs;
  }

  SequencePart PartOf(const FeatureSchema& feature) {
    if (feature.encoding() == FeatureSchema::EMBEDDING) return {.slots = SlotsOf(feature), .table = TableOf(feature)};
    return {
        .number_offset = feature.number_offset(), .width = feature.position_width(), .positions = feature.num_values()};
  }

  void AddEncoders(const config::FeatureGroupConfig& group, std::vector<Value>* values) {
    std::map<std::string, SequenceInputs> sequences;
    for (const config::SeqGroupConfig& sequence : group.sequence_groups()) {
      suffix_ = group.embedding_name_suffix();
      sequences[sequence.group_name()] = Join(sequence);
    }
    for (const config::SeqEncoderConfig& encoder : group.sequence_encoders()) {
      if (encoder.has_din_encoder()) {
        const config::DINEncoder& din = encoder.din_encoder();
        const SequenceInputs& inputs = sequences.at(din.input());
        values->push_back(DinEncoder(graph_, inputs.query, inputs.sequence, inputs.length, din.attn_mlp(),
                                     EncoderName(group, din.has_name() ? din.name() : "din_" + din.input())));
      } else if (encoder.has_simple_attention()) {
        const config::SimpleAttention& attention = encoder.simple_attention();
        const SequenceInputs& inputs = sequences.at(attention.input());
        const std::string name = attention.has_name() ? attention.name() : "attention_" + attention.input();
        values->push_back(
            SimpleAttention(graph_, inputs.query, inputs.sequence, inputs.length, EncoderName(group, name)));
      } else {
        const config::PoolingEncoder& pooling = encoder.pooling_encoder();
        const SequenceInputs& inputs = sequences.at(pooling.input());
        const std::string name = pooling.has_name() ? pooling.name() : "pooling_" + pooling.input();
        values->push_back(PoolingEncoder(graph_, inputs.sequence, inputs.length,
                                         pooling.pooling_type() == "sum" ? Pooling::kSum : Pooling::kMean,
                                         EncoderName(group, name)));
      }
    }
  }

  static std::string EncoderName(const config::FeatureGroupConfig& group, const std::string& name) {
    return "sequence_encoders." + group.group_name() + "." + name;
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
    const std::string name = (feature.embedding_name().empty() ? feature.name() : feature.embedding_name()) + suffix_;
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
  std::string suffix_;                 // of the tables of the group that is being joined
  std::map<std::string, int> tables_;  // embedding name and suffix -> table
  std::map<std::string, Value> maps_;  // feature -> its mapped pieces, or what its number is embedded as
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
