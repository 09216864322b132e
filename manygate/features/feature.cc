// SPDX-License-Identifier: Apache-2.0
// The list of feature kinds: add a new kind's two functions here.
#include "manygate/features/feature.h"

#include "manygate/base/check.h"

namespace manygate::features {

std::unique_ptr<Feature> NewFeature(const config::FeatureConfig& feature_config) {
  switch (feature_config.feature_case()) {
    case config::FeatureConfig::kIdFeature: return NewIdFeature(feature_config);
    case config::FeatureConfig::kRawFeature: return NewRawFeature(feature_config);
    case config::FeatureConfig::FEATURE_NOT_SET: return nullptr;
  }
  return nullptr;
}

std::unique_ptr<Feature> FeatureFromSchema(const FeatureSchema& schema) {
  switch (schema.kind()) {
    case FeatureSchema::VOCABULARY:
    case FeatureSchema::BUCKETS:
    case FeatureSchema::HASH: return IdFeatureFromSchema(schema);
    case FeatureSchema::BINS:
    case FeatureSchema::NUMBER:
    case FeatureSchema::PIECEWISE: return RawFeatureFromSchema(schema);
  }
  MG_CHECK(false, "feature kind {}", static_cast<int>(schema.kind()));
}

}  // namespace manygate::features
