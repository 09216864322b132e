// SPDX-License-Identifier: Apache-2.0
// Which labels a configuration has, and what kind of label its towers want.
#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "manygate/config/accessors.h"
#include "manygate/features/labels.h"

namespace manygate::features {
namespace {

// How a tower, or the label's own configuration, wants the label to be.
struct LabelUse {
  LabelSchema::Kind kind = LabelSchema::BINARY;
  bool any_number = false;    // pairwise_loss alone: the kind is a guess
  bool non_negative = false;  // poisson_loss, ziln_loss
  uint32_t num_class = 0;
  std::string who = {};
};

LabelSchema::Kind LabelKind(config::TaskKind kind) {
  switch (kind) {
    case config::TaskKind::kBinary: return LabelSchema::BINARY;
    case config::TaskKind::kClasses: return LabelSchema::CLASSES;
    case config::TaskKind::kRegression:
    case config::TaskKind::kCount:
    case config::TaskKind::kAmount: return LabelSchema::NUMBER;
  }
  return LabelSchema::NUMBER;
}

// Of several losses of a tower the one that takes the fewest labels decides: 0 and 1 are numbers too.
LabelUse UseOf(const config::TaskTower& tower) {
  LabelUse use{.any_number = tower.losses_size() > 0, .num_class = tower.num_class()};
  std::string loss_name = config::LossName(tower);
  for (const config::LossConfig& loss : tower.losses()) {
    if (loss.has_pairwise_loss()) continue;
    const config::TaskKind task = config::KindOf(loss);
    const LabelSchema::Kind kind = LabelKind(task);
    use.non_negative |= task == config::TaskKind::kCount || task == config::TaskKind::kAmount;
    if (use.any_number || kind == LabelSchema::CLASSES ||
        (kind == LabelSchema::BINARY && use.kind != LabelSchema::CLASSES)) {
      use.kind = kind;
      loss_name = config::LossName(loss);
    }
    use.any_number = false;
  }
  use.who = fmt::format("tower \"{}\" ({})", config::TowerName(tower),
                        loss_name.empty() ? "binary_cross_entropy" : loss_name);
  return use;
}

std::vector<LabelUse> UsesOf(const config::Pipeline& pipeline, const std::string& label_name) {
  std::vector<LabelUse> uses;
  for (const config::LabelConfig& label : pipeline.data_config().label_configs()) {
    if (label.label_name() != label_name) continue;
    if (label.class_values_size() > 0) {
      uses.push_back({.kind = LabelSchema::CLASSES,
                      .num_class = static_cast<uint32_t>(label.class_values_size()),
                      .who = fmt::format("its {} class_values", label.class_values_size())});
    }
    if (label.positive_values_size() > 0) uses.push_back({.kind = LabelSchema::BINARY, .who = "its positive_values"});
  }
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config()))
    if (tower.label_name() == label_name) uses.push_back(UseOf(tower));
  return uses;
}

std::string KindText(const LabelUse& use) {
  switch (use.kind) {
    case LabelSchema::BINARY: return "0 or 1";
    case LabelSchema::CLASSES: return fmt::format("one of {} classes", use.num_class);
    case LabelSchema::NUMBER: break;
  }
  return "a number";
}

bool Agree(const LabelUse& a, const LabelUse& b) {
  if (a.any_number || b.any_number) return true;
  if (a.kind == b.kind) return a.kind != LabelSchema::CLASSES || a.num_class == b.num_class;
  // positive_values make 0 and 1, which are numbers too.
  const LabelUse& binary = a.kind == LabelSchema::BINARY ? a : b;
  const LabelUse& other = a.kind == LabelSchema::BINARY ? b : a;
  return binary.kind == LabelSchema::BINARY && other.kind == LabelSchema::NUMBER && binary.who == "its positive_values";
}

void SetKind(const std::vector<LabelUse>& uses, LabelSchema* label) {
  label->set_kind(LabelSchema::NUMBER);
  bool decided = false;
  for (const LabelUse& use : uses) {
    if (use.non_negative) label->set_non_negative(true);
    if (use.any_number && decided) continue;
    // The kind that takes the fewest labels, as within a tower; a guess only as long as there is nothing better.
    const bool narrower =
        use.kind == LabelSchema::CLASSES || (use.kind == LabelSchema::BINARY && label->kind() != LabelSchema::CLASSES);
    if (!decided || narrower) label->set_kind(use.kind);
    if (label->kind() == LabelSchema::CLASSES && use.kind == LabelSchema::CLASSES) label->set_num_class(use.num_class);
    decided |= !use.any_number;
  }
  if (label->kind() != LabelSchema::NUMBER) label->clear_non_negative();
}

}  // namespace

std::vector<LabelSchema> LabelsOf(const config::Pipeline& pipeline) {
  std::vector<std::string> names(pipeline.data_config().label_fields().begin(),
                                 pipeline.data_config().label_fields().end());
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config()))
    names.push_back(tower.label_name());
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config()))
    if (tower.has_task_space_indicator_label()) names.push_back(tower.task_space_indicator_label());
  std::vector<LabelSchema> labels;
  std::set<std::string> added;
  for (const std::string& name : names) {
    if (!added.insert(name).second) continue;
    LabelSchema& label = labels.emplace_back();
    label.set_name(name);
    label.set_column(config::LabelColumn(pipeline.data_config(), name));
    SetKind(UsesOf(pipeline, name), &label);
    for (const config::LabelConfig& label_config : pipeline.data_config().label_configs()) {
      if (label_config.label_name() != name) continue;
      if (label.kind() == LabelSchema::BINARY) *label.mutable_positive_values() = label_config.positive_values();
      if (label.kind() == LabelSchema::CLASSES) *label.mutable_class_values() = label_config.class_values();
    }
  }
  return labels;
}

std::string LabelConflict(const config::Pipeline& pipeline, const std::string& label_name) {
  const std::vector<LabelUse> uses = UsesOf(pipeline, label_name);
  for (size_t second = 1; second < uses.size(); ++second) {
    for (size_t first = 0; first < second; ++first) {
      const LabelUse &a = uses[first], &b = uses[second];
      if (Agree(a, b)) continue;
      return fmt::format(
          "is {} for {} but {} for {}. Make them agree, or give one a label of its own: data_config {{ label_configs "
          "{{ "
          "label_name: \"{}_2\" column: \"{}\" }} }}",
          KindText(a), a.who, KindText(b), b.who, label_name, config::LabelColumn(pipeline.data_config(), label_name));
    }
  }
  return "";
}

}  // namespace manygate::features
