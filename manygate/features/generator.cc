// SPDX-License-Identifier: Apache-2.0
// The list of generators: add a new kind's function here.
#include "manygate/features/generator.h"

#include "manygate/base/check.h"

namespace manygate::features {

std::unique_ptr<Generator> NewGenerator(const config::FeatureConfig& feature) {
  switch (feature.feature_case()) {
    case config::FeatureConfig::kIdFeature:
    case config::FeatureConfig::kRawFeature: return NewCopyGenerator(feature);
    case config::FeatureConfig::kComboFeature: return NewComboGenerator(feature.combo_feature());
    case config::FeatureConfig::kLookupFeature: return NewLookupGenerator(feature.lookup_feature());
    case config::FeatureConfig::kMatchFeature: return NewMatchGenerator(feature.match_feature());
    case config::FeatureConfig::kExprFeature: return NewExpressionGenerator(feature.expr_feature());
    case config::FeatureConfig::kOverlapFeature: return NewOverlapGenerator(feature.overlap_feature());
    case config::FeatureConfig::kKvDotProduct: return NewKvDotGenerator(feature.kv_dot_product());
    case config::FeatureConfig::kBoolMaskFeature: return NewBoolMaskGenerator(feature.bool_mask_feature());
    case config::FeatureConfig::kCombineFeature: return NewCombineGenerator(feature.combine_feature());
    default: break;
  }
  MG_CHECK(false, "feature {} has no generator", static_cast<int>(feature.feature_case()));
  return nullptr;
}

}  // namespace manygate::features
