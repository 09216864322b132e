// SPDX-License-Identifier: Apache-2.0
// Whether the labels depend on where a row stands in the file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/features/labels.h"

namespace manygate::check {
namespace {

constexpr int64_t kFewestRows = 1000, kFewestOfAClass = 10;
constexpr double kOtherOdds = 3, kSurelyDifferent = 6;

struct Part {
  double positives = 0, rows = 0;
  double rate() const { return positives / rows; }
  double odds() const { return (positives + 0.5) / (rows - positives + 0.5); }
};

Part Count(const std::vector<float>& labels, size_t begin, size_t end) {
  Part part;
  for (size_t i = begin; i < end; ++i) part.positives += labels[i] == 1;
  part.rows = static_cast<double>(end - begin);
  return part;
}

// How often the label differs from the one of the row before.
int64_t CountChanges(const std::vector<float>& labels) {
  int64_t changes = 0;
  for (size_t i = 1; i < labels.size(); ++i) changes += labels[i] != labels[i - 1];
  return changes;
}

std::string OrderText(const CheckedRows& rows, const std::vector<float>& labels) {
  const Part all = Count(labels, 0, labels.size());
  if (all.positives < kFewestOfAClass || all.rows - all.positives < kFewestOfAClass) return "";
  if (CountChanges(labels) == 1) return "sorts the rows of the training file: all of one class, then all of the other";
  if (rows.separate && !rows.pipeline().data_config().split().eval_is_test()) return "";
  const size_t tenth = labels.size() / 10;
  const Part first = Count(labels, 0, tenth), last = Count(labels, labels.size() - tenth, labels.size());
  const double deviation = std::sqrt(all.rate() * (1 - all.rate()) * 2 / static_cast<double>(tenth));
  const double odds = std::max(first.odds() / last.odds(), last.odds() / first.odds());
  if (odds <= kOtherOdds || std::abs(first.rate() - last.rate()) <= kSurelyDifferent * deviation) return "";
  return fmt::format(
      "is 1 in {} of the first tenth of the training file, but in {} of the last, and the rows held out are drawn at "
      "random",
      Percent(first.rate()), Percent(last.rate()));
}

}  // namespace

std::vector<Finding> FindOrderedLabels(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedLabel& label : rows.labels) {
    if (label.schema.kind() != features::LabelSchema::BINARY || rows.train_table.rows < kFewestRows) continue;
    const auto values = features::LabelColumn::Of(label.schema, *label.train, rows.train_table.rows);
    if (!values.ok()) continue;  // FindLabelFaults tells
    std::vector<float> labels;
    for (int64_t row = 0; row < rows.train_table.rows; ++row)
      if (!std::isnan(values->Value(row))) labels.push_back(values->Value(row));
    const std::string text = OrderText(rows, labels);
    if (text.empty()) continue;
    findings.push_back(
        {Severity::kWarning, label.where, text,
         "If the rows are in order of time, figures on rows in between flatter: put the last rows into a "
         "file of their own, eval_input_path. A number that grows with the row gives such a label away"});
  }
  return findings;
}

}  // namespace manygate::check
