// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/input_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "manygate/base/text.h"

namespace manygate {
namespace {

const std::string& InputOf(const config::SeqEncoderConfig& encoder) {
  if (encoder.has_din_encoder()) return encoder.din_encoder().input();
  return encoder.has_simple_attention() ? encoder.simple_attention().input() : encoder.pooling_encoder().input();
}

// What an encoder makes is as wide as one position of its sequence group.
InputKind CountEncoders(const config::FeatureGroupConfig& group, const features::Schema& schema) {
  InputKind encoders{.what = "sequence encoder"};
  for (const config::SeqEncoderConfig& encoder : group.sequence_encoders()) {
    ++encoders.columns;
    for (const config::SeqGroupConfig& sequence : group.sequence_groups()) {
      if (sequence.group_name() != InputOf(encoder)) continue;
      const auto& names = sequence.feature_names();
      for (const features::FeatureSchema& feature : schema.features()) {
        if (!feature.sequence() || std::find(names.begin(), names.end(), feature.name()) == names.end()) continue;
        encoders.width += feature.embedding_dim() > 0 ? feature.embedding_dim() : feature.position_width();
      }
    }
  }
  return encoders;
}

}  // namespace

std::vector<InputKind> CountInputKinds(const config::FeatureGroupConfig& group, const features::Schema& schema) {
  InputKind one_hot{.what = "one-hot column"}, embedding{.what = "embedding"}, piecewise{.what = "piecewise column"},
      number{.what = "number"};
  const auto& names = group.feature_names();
  for (const features::FeatureSchema& feature : schema.features()) {
    if (std::find(names.begin(), names.end(), feature.name()) == names.end()) continue;
    switch (feature.encoding()) {
      case features::FeatureSchema::ONE_HOT:
        ++one_hot.columns;
        one_hot.width += feature.vocabulary_size();
        break;
      case features::FeatureSchema::EMBEDDING:
        ++embedding.columns;
        embedding.values += feature.vocabulary_size();
        embedding.width += feature.embedding_dim();
        break;
      case features::FeatureSchema::PIECES:
      case features::FeatureSchema::PIECES_EMBEDDED:
        ++piecewise.columns;
        piecewise.width += feature.embedding_dim() > 0 ? feature.embedding_dim() : feature.vocabulary_size();
        break;
      default:
        ++number.columns;
        number.width += feature.embedding_dim() > 0 ? feature.embedding_dim() : feature.width();
        break;
    }
  }
  InputKind encoders = CountEncoders(group, schema);
  std::vector<InputKind> kinds;
  for (InputKind* kind : {&one_hot, &embedding, &piecewise, &number, &encoders}) {
    if (kind->columns == 0) continue;
    if (kind->columns > 1) kind->what += "s";
    if (kind->values > 0) kind->what += fmt::format(" of {} values", FormatCount(static_cast<int64_t>(kind->values)));
    kinds.push_back(std::move(*kind));
  }
  return kinds;
}

}  // namespace manygate
