// SPDX-License-Identifier: Apache-2.0
// The list of encodings: add a new one's two functions here.
#include "manygate/features/feature.h"

#include "manygate/base/check.h"

namespace manygate::features {

std::unique_ptr<Feature> NewFeature(const config::ListedFeature& feature) {
  return feature.encoding.has_id_feature() ? NewIdFeature(feature) : NewRawFeature(feature);
}

std::unique_ptr<Feature> FeatureFromSchema(const FeatureSchema& schema) {
  switch (schema.kind()) {
    case FeatureSchema::VOCABULARY:
    case FeatureSchema::BUCKETS:
    case FeatureSchema::HASH: return IdFeatureFromSchema(schema);
    case FeatureSchema::BINS:
    case FeatureSchema::NUMBER:
    case FeatureSchema::PIECEWISE: return RawFeatureFromSchema(schema);
    case FeatureSchema::NUMBER_LIST: return NumberListFeatureFromSchema(schema);
  }
  MG_CHECK(false, "feature kind {}", static_cast<int>(schema.kind()));
}

}  // namespace manygate::features
