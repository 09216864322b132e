// SPDX-License-Identifier: Apache-2.0
// The features of a configuration one by one, each as its two steps: the column that is generated for it, if any, and the
// id_feature or raw_feature that encodes a column. What stands inside sequence_feature, sequence_<kind> and the kinds that
// generate is known here and to features/generator.h only; the rest of the program sees ids and numbers.
//
//   for (const ListedFeature& feature : ListFeatures(pipeline))
//     Use(feature.name, feature.encoding.id_feature(), feature.generator);
#ifndef MANYGATE_CONFIG_FEATURE_LIST_H_
#define MANYGATE_CONFIG_FEATURE_LIST_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/config/generator.pb.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

struct ListedFeature {
  std::string name;  // "cate"; inside a sequence_feature "click_seq__cate"
  std::string path;  // "feature_configs[3]" or "feature_configs[3].sequence_feature.features[1]"
  const google::protobuf::Message* written = nullptr;  // the message in the pipeline: IdFeature, LookupFeature, ...
  FeatureConfig encoding;  // id_feature or raw_feature, complete, its feature_name this name
  std::string column;      // what the encoding reads: a column of the file, or the generator's
  std::optional<Generator> generator;
  bool is_sequence = false;
  bool stub = false;  // an input of other features only
};

// In the order in which they are written. Features without a name or a kind, which validation refuses, are left out.
std::vector<ListedFeature> ListFeatures(const Pipeline& pipeline);

// The generators of all features in an order in which each finds its inputs made; of features that read each other in a
// circle, which validation refuses, none.
std::vector<Generator> ListGenerators(const std::vector<ListedFeature>& features);

// Where one input comes from: "item:price" -> {"item", "price"}, "price" -> {"", "price"}.
struct FeatureInput {
  std::string side, name;
};
FeatureInput ParseInput(std::string_view text);

// The columns of the file that the feature needs, by itself or through its generator, each once.
std::vector<std::string> FileColumns(const ListedFeature& feature);

// The column that session_name or grouping_key means: that of the feature of this name, which reads one as it is, or else the
// column of this name.
std::string GroupColumn(const Pipeline& pipeline, const std::string& name);

// The inputs of a feature's message as they are written, in the order that its generator takes them, and the field of each.
struct WrittenInput {
  std::string field;
  int index = -1;  // of a repeated field
  std::string text;
};
std::vector<WrittenInput> WrittenInputs(const google::protobuf::Message& feature);

// Whether the values of a feature, given as its message, are texts that become ids; else they are numbers.
bool MakesIds(const google::protobuf::Message& feature);

// The message that is set in a FeatureConfig or SeqFeatureConfig; null if none is.
const google::protobuf::Message* ChosenFeature(const google::protobuf::Message& feature_config);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_FEATURE_LIST_H_
