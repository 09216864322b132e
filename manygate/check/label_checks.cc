// SPDX-License-Identifier: Apache-2.0
// Labels that cannot be learnt, or contradict each other.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/names.h"
#include "manygate/config/accessors.h"
#include "manygate/features/labels.h"

namespace manygate::check {
namespace {

constexpr double kManyBroken = 0.05;
constexpr double kMostlyMissing = 0.99;
constexpr int64_t kFewestOfAClass = 10;

struct ClassCounts {
  int64_t positives = 0, present = 0;
  bool both() const { return positives > 0 && positives < present; }
};

ClassCounts CountClasses(const features::LabelColumn& values, const std::vector<uint32_t>& rows) {
  ClassCounts counts;
  for (const uint32_t row : rows) {
    counts.positives += values.Value(row) == 1;
    counts.present += !std::isnan(values.Value(row));
  }
  return counts;
}

// Texts of the evaluation rows that no training row has.
std::vector<std::string> NewTexts(const CheckedRows& rows, const CheckedLabel& label) {
  std::vector<std::string> texts;
  if (!rows.separate || label.train->kind != ColumnKind::kCategory) return texts;
  const std::vector<std::string>& known = label.train->dictionary;
  for (const std::string& text : label.evaluation->dictionary)
    if (std::find(known.begin(), known.end(), text) == known.end()) texts.push_back(text);
  return texts;
}

// trained: the values in the training file.
void CheckEvaluationLabel(const CheckedRows& rows, const CheckedLabel& label, const features::LabelColumn& trained,
                          std::vector<Finding>* findings) {
  const auto values = features::LabelColumn::Of(label.schema, *label.evaluation, rows.evaluation_source().rows);
  if (!values.ok()) {
    findings->push_back({Severity::kError, label.where,
                         fmt::format("in the evaluation rows {}", values.status().message()),
                         "Write the labels of both files alike"});
    return;
  }
  if (label.schema.kind() != features::LabelSchema::BINARY || rows.evaluation.empty()) return;
  const ClassCounts counts = CountClasses(*values, rows.evaluation);
  // One class in the training rows too is FindLabelFaults' to tell.
  if (counts.both() || !CountClasses(trained, rows.train).both()) return;
  const std::string what = counts.present == 0 ? "has no value in any evaluation row"
                                               : fmt::format("is {} in all {} evaluation rows that have it",
                                                             counts.positives > 0 ? 1 : 0, FormatCount(counts.present));
  if (const std::vector<std::string> texts = NewTexts(rows, label); !texts.empty()) {
    findings->push_back({Severity::kError, label.where,
                         fmt::format("{}; they hold values that no training row has: {}", what, QuotedNames(texts)),
                         "Write the labels of both files alike, or list every spelling in positive_values"});
    return;
  }
  findings->push_back({Severity::kWarning, label.where, what,
                       "No AUC can be told of one class: hold out more rows, or rows drawn at random"});
}

// A label that is there, but in too few rows to learn from.
void CheckFewRows(const CheckedRows& rows, const CheckedLabel& label, const features::LabelSchema& fitted,
                  std::vector<Finding>* findings) {
  const auto all = static_cast<int64_t>(rows.train.size()), present = static_cast<int64_t>(fitted.rows());
  if (static_cast<double>(all - present) > kMostlyMissing * static_cast<double>(all)) {
    findings->push_back(
        {Severity::kWarning, label.where,
         fmt::format("is missing in {} of {} training rows", FormatCount(all - present), FormatCount(all)),
         "Is it the right column? Rows without a label teach their task nothing"});
    return;
  }
  if (fitted.kind() != features::LabelSchema::BINARY) return;
  const auto values = features::LabelColumn::Of(label.schema, *label.train, rows.train_table.rows);
  if (!values.ok()) return;
  const ClassCounts counts = CountClasses(*values, rows.train);
  const int64_t rarer = std::min(counts.positives, counts.present - counts.positives);
  if (rarer >= kFewestOfAClass) return;
  findings->push_back({Severity::kWarning, label.where,
                       fmt::format("is {} in only {} of {} training rows", counts.positives == rarer ? 1 : 0, rarer,
                                   FormatCount(counts.present)),
                       "So few tell nothing of other rows, and its figures are chance: more data, or another label"});
}

void CheckTrainingLabel(const CheckedRows& rows, const CheckedLabel& label, std::vector<Finding>* findings) {
  features::LabelSchema fitted = label.schema;
  features::FitMessages messages;
  features::FitLabel(*label.train, rows.train_table.rows, rows.train, &fitted, &messages);
  for (const std::string& problem : messages.problems)
    findings->push_back({Severity::kError, label.where, problem, "Training refuses it: mend the column or the label"});
  if (!messages.problems.empty()) return;
  if (fitted.kind() == features::LabelSchema::NUMBER && fitted.deviation() == 0) {
    findings->push_back({Severity::kError, label.where,
                         fmt::format("is {:g} in all {} training rows that have it", fitted.mean(),
                                     FormatCount(static_cast<int64_t>(fitted.rows()))),
                         "There is nothing to learn: is it the right column?"});
  }
  CheckFewRows(rows, label, fitted, findings);
  int unseen = 0;
  for (const uint64_t count : fitted.class_count()) unseen += count == 0;
  if (unseen > 0) {
    findings->push_back({Severity::kWarning, label.where,
                         fmt::format("has {} of its {} classes in no training row", unseen, fitted.class_count_size()),
                         "Check num_class and class_values, or hold out fewer rows"});
  }
}

const CheckedLabel* FindLabel(const CheckedRows& rows, const std::string& name) {
  for (const CheckedLabel& label : rows.labels)
    if (label.schema.name() == name) return &label;
  return nullptr;
}

// Training rows where `later` is 1 and `earlier` is 0. by_name: the model does not ask for the order, the names do.
void CheckOrder(const CheckedRows& rows, const CheckedLabel& earlier, const CheckedLabel& later, bool by_name,
                std::vector<Finding>* findings) {
  const auto first = features::LabelColumn::Of(earlier.schema, *earlier.train, rows.train_table.rows);
  const auto second = features::LabelColumn::Of(later.schema, *later.train, rows.train_table.rows);
  if (!first.ok() || !second.ok()) return;                      // FindLabelFaults tells
  if (CountClasses(*first, rows.train).positives == 0) return;  // FindLabelFaults tells
  int64_t broken = 0, positives = 0;
  for (const uint32_t row : rows.train) {
    if (!(second->Value(row) > 0)) continue;
    ++positives;
    broken += first->Value(row) == 0;
  }
  if (broken == 0) return;
  const double share = static_cast<double>(broken) / static_cast<double>(positives);
  findings->push_back(
      {share > kManyBroken && !by_name ? Severity::kError : Severity::kWarning, later.where,
       fmt::format(
           "is 1 in {} of its {} positive training rows ({}) although label \"{}\", an earlier step of the funnel, "
           "is 0 there",
           FormatCount(broken), FormatCount(positives), Percent(share), earlier.schema.name()),
       by_name ? "By their names the one happens before the other: mend the labels if it does"
               : fmt::format("{} multiplies the steps: order the task_towers as the steps happen, mend the labels, or "
                             "take a model without a funnel (mmoe)",
                             config::ModelName(rows.pipeline().model_config()))});
}

}  // namespace

std::vector<Finding> FindLabelFaults(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedLabel& label : rows.labels) {
    if (std::string conflict = features::LabelConflict(rows.pipeline(), label.schema.name()); !conflict.empty()) {
      findings.push_back({Severity::kError, label.where, std::move(conflict), "One label, one kind"});
      continue;
    }
    CheckTrainingLabel(rows, label, &findings);
  }
  return findings;
}

std::vector<Finding> FindEvaluationLabelFaults(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedLabel& label : rows.labels) {
    const auto trained = features::LabelColumn::Of(label.schema, *label.train, rows.train_table.rows);
    if (trained.ok()) CheckEvaluationLabel(rows, label, *trained, &findings);  // else FindLabelFaults tells
  }
  return findings;
}

std::vector<Finding> FindBrokenOrder(const CheckedRows& rows) {
  std::vector<Finding> findings;
  const std::string model = config::ModelName(rows.pipeline().model_config());
  const bool by_name = model != "esmm" && model != "escm2" && model != "aitm";
  std::vector<std::pair<int, const CheckedLabel*>> steps;
  for (const config::TaskTower& tower : config::TaskTowers(rows.pipeline().model_config())) {
    if (config::KindOf(tower) != config::TaskKind::kBinary) continue;
    const CheckedLabel* label = FindLabel(rows, tower.label_name());
    const int step = by_name ? FunnelStep(tower.label_name()) : static_cast<int>(steps.size()) + 1;
    if (label != nullptr && step > 0) steps.emplace_back(step, label);
  }
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < steps.size(); ++i)
    if (steps[i].first > steps[i - 1].first)
      CheckOrder(rows, *steps[i - 1].second, *steps[i].second, by_name, &findings);
  return findings;
}

}  // namespace manygate::check
