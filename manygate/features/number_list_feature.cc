// SPDX-License-Identifier: Apache-2.0
// Features whose column holds several numbers in one text: a vector such as a picture's embedding, or a sequence.
#include <algorithm>
#include <limits>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/data/number_text.h"
#include "manygate/features/feature.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class NumberListFeature : public Feature {
 public:
  // most_positions: of sequences; 0: as many as any training row has.
  NumberListFeature(FeatureSchema schema, uint32_t most_positions)
      : Feature(std::move(schema)), most_positions_(most_positions) {}

  ColumnKind SourceKind() const override { return ColumnKind::kCategory; }

  void Fit(TrainingColumn column, FitMessages* messages) override {
    schema_.set_missing_count(column.missing_rows);
    size_t most = 1;
    uint64_t short_rows = 0, wrong_rows = 0;
    std::string_view wrong;
    for (const ValueCount& text : column.values) {
      const Counts counts = CountNumbers(text.text);
      most = std::max(most, counts.positions);
      if (counts.missing > 0) short_rows += text.rows;
      if (counts.wrong.empty()) continue;
      wrong = counts.wrong;
      wrong_rows += text.rows;
    }
    if (most_positions_ > 0) most = std::min<size_t>(most, most_positions_);
    if (most > kMostValues) {
      messages->problems.push_back(
          fmt::format("has {} positions in one row, and at most {} can be used: give it sequence_length",
                      FormatCount(most), FormatCount(kMostValues)));
    }
    schema_.set_num_values(schema_.sequence() ? static_cast<uint32_t>(most) : 1);
    schema_.set_width(schema_.num_values() * schema_.position_width());
    if (wrong_rows > 0) {
      messages->problems.push_back(fmt::format("holds values that are no numbers in {} training rows, such as \"{}\"",
                                               FormatCount(wrong_rows), wrong));
    }
    if (short_rows > 0) {
      messages->notes.push_back(fmt::format("lacks numbers in {} training rows: {:g} stands for each",
                                            FormatCount(short_rows), schema_.fill()));
    }
  }

  void Transform(const RawValues& values, uint32_t*, float* numbers) const override {
    MG_CHECK(values.texts != nullptr, "feature \"{}\" needs texts", schema_.name());
    for (int64_t i = 0; i < values.count; ++i, numbers += schema_.width()) FillRow(values.texts[i], numbers);
  }

  std::string Describe() const override {
    std::string text = fmt::format("{} number{}", schema_.position_width(), schema_.position_width() == 1 ? "" : "s");
    if (schema_.sequence()) text += fmt::format(" at each of up to {} positions", FormatCount(schema_.num_values()));
    return text + fmt::format("; fill {:g}", schema_.fill());
  }

 private:
  struct Counts {
    size_t positions = 0, missing = 0;
    std::string_view wrong;
  };

  // Calls f(number or NaN, text) for up to position_width numbers of one position; how many there were.
  template <typename Function>
  size_t ForEachNumber(std::string_view text, Function f) const {
    size_t count = 0;
    const auto add = [&](std::string_view part) {
      float number = kNaN;
      if (ParseFloat(part, &number) != NumberParse::kOk) number = kNaN;
      f(number, part);
      return ++count < schema_.position_width();
    };
    if (schema_.separator().empty() || schema_.position_width() == 1) {
      add(Trim(text));
    } else {
      ForEachPosition(text, schema_.separator()[0], add);
    }
    return count;
  }

  template <typename Function>
  void ForEachPart(std::string_view text, Function f) const {
    if (schema_.sequence()) {
      ForEachPosition(text, schema_.sequence_delim()[0], f);
    } else {
      f(text);
    }
  }

  Counts CountNumbers(std::string_view text) const {
    Counts counts;
    ForEachPart(text, [&](std::string_view part) {
      ++counts.positions;
      const size_t found = ForEachNumber(part, [&](float number, std::string_view one) {
        if (!std::isnan(number)) return;
        if (one.empty()) ++counts.missing;
        if (!one.empty()) counts.wrong = one;
      });
      counts.missing += schema_.position_width() - found;
      return true;
    });
    return counts;
  }

  void FillRow(std::string_view text, float* numbers) const {
    const size_t width = schema_.position_width();
    size_t filled = 0;
    ForEachPart(text, [&](std::string_view part) {
      float* to = numbers + filled;
      const size_t found = ForEachNumber(
          part, [&](float number, std::string_view) { *to++ = std::isnan(number) ? schema_.fill() : number; });
      std::fill(to, to + (width - found), schema_.fill());
      filled += width;
      return filled < schema_.width();
    });
    std::fill(numbers + filled, numbers + schema_.width(), kNaN);
  }

  uint32_t most_positions_;
};

}  // namespace

std::unique_ptr<Feature> NewNumberListFeature(const config::ListedFeature& feature) {
  const config::RawFeature& raw = feature.encoding.raw_feature();
  FeatureSchema schema;
  schema.set_name(feature.name);
  schema.set_column(feature.column);
  schema.set_kind(FeatureSchema::NUMBER_LIST);
  schema.set_encoding(FeatureSchema::NUMBERS);
  schema.set_position_width(raw.value_dim());
  schema.set_separator(raw.separator());
  if (feature.is_sequence) {
    schema.set_sequence(true);
    schema.set_sequence_delim(raw.sequence_delim());
  }
  float fill = 0;
  if (raw.has_default_value()) ParseFloat(raw.default_value(), &fill);
  schema.set_fill(fill);
  return std::make_unique<NumberListFeature>(std::move(schema), raw.sequence_length());
}

std::unique_ptr<Feature> NumberListFeatureFromSchema(const FeatureSchema& schema) {
  return std::make_unique<NumberListFeature>(schema, 0);
}

}  // namespace manygate::features
