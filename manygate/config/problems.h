// SPDX-License-Identifier: Apache-2.0
// Collects what validation finds, each with place and path. Used by validate_*.cc and ranges.cc only.
//
//   problems->Add(mlp, "dropout_ratio", i, "is 1.5, expected a number in [0, 1)");
//   // mmoe.config:31:20: model_config.mmoe.expert_mlp.dropout_ratio[0] is 1.5, expected a number in [0, 1)
#ifndef MANYGATE_CONFIG_PROBLEMS_H_
#define MANYGATE_CONFIG_PROBLEMS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/load.h"

namespace manygate::config {

class Problems {
 public:
  explicit Problems(const LoadedPipeline& loaded) : loaded_(loaded) {}

  // About one field of `parent`; index -1: the field as a whole.
  void Add(const google::protobuf::Message& parent, std::string_view field, int index, std::string_view message);
  void Add(const google::protobuf::Message& parent, std::string_view field, std::string_view message) {
    Add(parent, field, -1, message);
  }
  // About a message as a whole: that something in it is missing.
  void AddTo(const google::protobuf::Message& message, std::string_view text);
  // About the configuration as a whole.
  void AddGlobal(std::string_view text);

  const LoadedPipeline& loaded() const { return loaded_; }
  // InvalidInput with a line per problem, or OK.
  Status ToStatus() const;

 private:
  void AddLine(const std::string& place, std::string_view path, std::string_view text);

  const LoadedPipeline& loaded_;
  std::string text_;
};

// Finds names that are used twice.
class UniqueNames {
 public:
  explicit UniqueNames(Problems* problems) : problems_(problems) {}
  // Notes the name that stands in parent.field; adds a problem if another holds it already. Empty names are ignored.
  void Note(std::string_view name, const google::protobuf::Message& parent, std::string_view field, int index = -1);

 private:
  Problems* problems_;
  std::map<std::string, std::string, std::less<>> first_places_;
};

// The parts of ValidatePipeline.
void CheckRanges(const Pipeline& pipeline, Problems* problems);
void CheckFeatures(const Pipeline& pipeline, Problems* problems);
void CheckData(const Pipeline& pipeline, Problems* problems);
void CheckModel(const Pipeline& pipeline, Problems* problems);
void CheckTraining(const Pipeline& pipeline, Problems* problems);

// The parts of CheckFeatures.
void CheckFeatureNames(const Pipeline& pipeline, Problems* problems);
void CheckGenerator(const ListedFeature& feature, const std::vector<ListedFeature>& features, Problems* problems);
void CheckGeneratorOrder(const std::vector<ListedFeature>& features, Problems* problems);
void CheckGroups(const Pipeline& pipeline, const std::vector<ListedFeature>& features, Problems* problems);

// The part of CheckTraining that knows train_config.balancing.
void CheckBalancing(const Pipeline& pipeline, Problems* problems);

// The parts of CheckModel, which has found a model.
void CheckTowers(const Pipeline& pipeline, Problems* problems);
void CheckSpecialModel(const ModelConfig& model, Problems* problems);
// That parent.field, which holds `name`, is an activation.
void CheckActivation(const google::protobuf::Message& parent, std::string_view field, const std::string& name,
                     Problems* problems);
// That parent.field, which holds `values` numbers, holds none, one for all or one per layer.
void CheckPerLayer(const google::protobuf::Message& parent, std::string_view field, int values, int layers,
                   Problems* problems);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_PROBLEMS_H_
