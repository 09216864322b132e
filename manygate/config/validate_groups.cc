// SPDX-License-Identifier: Apache-2.0
// Rules of feature groups: which features and sequences a model reads.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

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

// The inputs that a feature becomes at one position of a sequence, or in a query.
uint32_t WidthOf(const ListedFeature& feature) {
  const FeatureConfig& encoding = feature.encoding;
  if (encoding.has_id_feature()) return encoding.id_feature().embedding_dim();
  if (encoding.raw_feature().has_embedding_dim()) return encoding.raw_feature().embedding_dim();
  return encoding.raw_feature().value_dim();
}

class GroupChecker {
 public:
  GroupChecker(const std::vector<ListedFeature>& features, Problems* problems) : problems_(problems) {
    for (const ListedFeature& feature : features) {
      names_.push_back(feature.name);
      by_name_[feature.name] = &feature;
    }
  }

  void Check(const FeatureGroupConfig& group) {
    CheckMembers(group, group.feature_names());
    for (int i = 0; i < group.feature_names_size(); ++i) CheckMember(group, i);
    if (group.group_type() == SEQUENCE || group.group_type() == JAGGED_SEQUENCE) {
      problems_->Add(
          group, "group_type",
          fmt::format("{} is not read by multi-task models: write sequence_groups and sequence_encoders inside "
                      "the group of type DEEP",
                      FeatureGroupType_Name(group.group_type())));
    }
    if (group.group_type() == WIDE && group.sequence_groups_size() > 0)
      problems_->Add(group, "sequence_groups", "need a group of type DEEP");
    std::map<std::string, Widths> widths;
    for (const SeqGroupConfig& sequence : group.sequence_groups()) CheckSequenceGroup(sequence, &widths);
    for (const SeqEncoderConfig& encoder : group.sequence_encoders()) CheckEncoder(encoder, widths);
    if (group.sequence_groups_size() > 0 && group.sequence_encoders_size() == 0) {
      problems_->AddTo(group,
                       "has sequence_groups that no sequence_encoders read. Add sequence_encoders { din_encoder { "
                       "input: ... } }, simple_attention or pooling_encoder");
    }
  }

 private:
  struct Widths {
    uint32_t query = 0, sequence = 0;
  };

  void CheckMembers(const Message& group, const google::protobuf::RepeatedPtrField<std::string>& names) {
    UniqueNames members(problems_);
    for (int i = 0; i < names.size(); ++i) {
      members.Note(names[i], group, "feature_names", i);
      if (by_name_.contains(names[i])) continue;
      problems_->Add(group, "feature_names", i,
                     fmt::format("\"{}\" is not a feature. {}", names[i], Suggestion(names[i], names_, "Features")));
    }
  }

  void CheckMember(const FeatureGroupConfig& group, int index) {
    const auto found = by_name_.find(group.feature_names(index));
    if (found == by_name_.end()) return;
    const ListedFeature& feature = *found->second;
    if (feature.stub) {
      problems_->Add(group, "feature_names", index,
                     fmt::format("\"{}\" is an input of other features only (stub_type: true)", feature.name));
    } else if (feature.is_sequence && feature.encoding.has_raw_feature()) {
      problems_->Add(
          group, "feature_names", index,
          fmt::format("\"{}\" is a sequence of numbers: name it in sequence_groups, where an encoder makes one "
                      "input of it",
                      feature.name));
    } else if (group.group_type() == WIDE && (feature.is_sequence || feature.encoding.id_feature().weighted())) {
      problems_->Add(group, "feature_names", index,
                     fmt::format("\"{}\" is a {}: the linear part reads single values and lists without weights",
                                 feature.name, feature.is_sequence ? "sequence" : "weighted list"));
    }
  }

  void CheckSequenceGroup(const SeqGroupConfig& group, std::map<std::string, Widths>* widths) {
    if (group.group_name().empty()) problems_->AddTo(group, "has no group_name");
    CheckMembers(group, group.feature_names());
    Widths width;
    for (int i = 0; i < group.feature_names_size(); ++i) {
      const auto found = by_name_.find(group.feature_names(i));
      if (found == by_name_.end()) continue;
      const FeatureConfig& encoding = found->second->encoding;
      (found->second->is_sequence ? width.sequence : width.query) += WidthOf(*found->second);
      const bool one_hot = encoding.id_feature().one_hot() || encoding.raw_feature().one_hot();
      if (one_hot) problems_->Add(group, "feature_names", i, "is one_hot: sequences are made of embeddings");
      if (encoding.id_feature().weighted() && found->second->is_sequence)
        problems_->Add(group, "feature_names", i, "is weighted: positions of a sequence have no weights");
      const NumericTransform& transform = encoding.raw_feature().transform();
      if (transform.piecewise_linear() > 0 || transform.missing_indicator())
        problems_->Add(group, "feature_names", i,
                       "has piecewise_linear or missing_indicator: not in a query; write a second raw_feature for it");
      const RawFeature& raw = encoding.raw_feature();
      if (found->second->is_sequence && (raw.has_mlp() || raw.has_autodis()))
        problems_->Add(group, "feature_names", i,
                       "has mlp or autodis: not in sequences; use boundaries, or the number itself");
    }
    if (width.sequence == 0) problems_->AddTo(group, "has no sequence feature");
    if (!widths->emplace(group.group_name(), width).second)
      problems_->Add(group, "group_name", fmt::format("\"{}\" is used twice", group.group_name()));
  }

  void CheckEncoder(const SeqEncoderConfig& encoder, const std::map<std::string, Widths>& widths) {
    const Message* chosen = encoder.has_din_encoder()        ? static_cast<const Message*>(&encoder.din_encoder())
                            : encoder.has_simple_attention() ? static_cast<const Message*>(&encoder.simple_attention())
                                                             : static_cast<const Message*>(&encoder.pooling_encoder());
    const std::string& input = encoder.has_din_encoder()        ? encoder.din_encoder().input()
                               : encoder.has_simple_attention() ? encoder.simple_attention().input()
                                                                : encoder.pooling_encoder().input();
    if (encoder.seq_module_case() == SeqEncoderConfig::SEQ_MODULE_NOT_SET) {
      problems_->AddTo(encoder,
                       "is empty, expected din_encoder { ... }, simple_attention { ... } or pooling_encoder { ... }");
      return;
    }
    const auto found = widths.find(input);
    if (found == widths.end()) {
      std::vector<std::string> names;
      for (const auto& [name, width] : widths) names.push_back(name);
      problems_->Add(*chosen, "input",
                     fmt::format("\"{}\" is not a sequence group of this feature group. {}", input,
                                 Suggestion(input, names, "Sequence groups")));
      return;
    }
    const Widths width = found->second;
    if (!encoder.has_pooling_encoder() && width.query == 0)
      problems_->Add(*chosen, "input",
                     fmt::format("\"{}\" has no query: add the target's features, which are no sequences, "
                                 "to its feature_names",
                                 input));
    if (encoder.has_din_encoder()) CheckDin(encoder.din_encoder(), width);
    if (encoder.has_simple_attention() && width.query != width.sequence) {
      problems_->Add(
          *chosen, "input",
          fmt::format("\"{}\" has a query of width {} and positions of width {}: simple_attention needs the same",
                      input, width.query, width.sequence));
    }
    const std::string& pooling = encoder.pooling_encoder().pooling_type();
    if (pooling != "mean" && pooling != "sum")
      problems_->Add(*chosen, "pooling_type", fmt::format("is \"{}\", expected \"sum\" or \"mean\"", pooling));
  }

  void CheckDin(const DINEncoder& din, const Widths& width) {
    if (width.query > width.sequence) {
      problems_->Add(din, "input",
                     fmt::format("\"{}\" has a query of width {}, more than the {} of a position", din.input(),
                                 width.query, width.sequence));
    }
    if (!din.has_attn_mlp()) problems_->AddTo(din, "needs attn_mlp { hidden_units: [32, 16] }");
    if (din.attn_mlp().use_bn())
      problems_->Add(din.attn_mlp(), "use_bn", "is not supported inside attn_mlp: use use_ln");
  }

  Problems* problems_;
  std::vector<std::string> names_;
  std::map<std::string, const ListedFeature*> by_name_;
};

}  // namespace

void CheckGroups(const Pipeline& pipeline, const std::vector<ListedFeature>& features, Problems* problems) {
  if (pipeline.model_config().model_case() != ModelConfig::MODEL_NOT_SET) {
    CheckGroupsAreRead(pipeline.model_config(), problems);
  }
  GroupChecker checker(features, problems);
  UniqueNames groups(problems);
  for (const FeatureGroupConfig& group : pipeline.model_config().feature_groups()) {
    if (group.group_name().empty()) problems->AddTo(group, "has no group_name");
    groups.Note(group.group_name(), group, "group_name");
    checker.Check(group);
  }
}

}  // namespace manygate::config
