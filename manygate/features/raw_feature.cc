// SPDX-License-Identifier: Apache-2.0
// Features whose column is a number: used as a number, cut into bins that are ids, or encoded piecewise linearly. Several
// numbers in one cell: number_list_feature.cc.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/data/number_text.h"
#include "manygate/features/feature.h"
#include "manygate/features/quantile_edges.h"

namespace manygate::features {
namespace {

constexpr int kShownEdges = 6;

// Comparisons, so that NaN stays NaN.
float Clip(const FeatureSchema& schema, float value) {
  if (schema.has_clip_min() && value < schema.clip_min()) value = schema.clip_min();
  if (schema.has_clip_max() && value > schema.clip_max()) value = schema.clip_max();
  return value;
}

std::string DescribeClip(const FeatureSchema& schema) {
  if (!schema.has_clip_min() && !schema.has_clip_max()) return "";
  const std::string low = schema.has_clip_min() ? fmt::format("{:g}", schema.clip_min()) : "";
  const std::string high = schema.has_clip_max() ? fmt::format("{:g}", schema.clip_max()) : "";
  return fmt::format("; clipped to {}..{}", low, high);
}

std::string DescribeMissing(const FeatureSchema& schema) {
  return schema.missing_count() > 0 ? fmt::format("; missing {} rows", FormatCount(schema.missing_count())) : "";
}

// Constant columns are allowed, but worth a line.
void AddConstantNote(const std::vector<float>& values, bool missing_differs, FitMessages* messages) {
  if (values.empty()) {
    messages->notes.push_back("has no value in any training row, so it tells the model nothing");
    return;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high && !missing_differs)
    messages->notes.push_back(fmt::format("is {:g} in all training rows, so it tells the model nothing", *low));
}

std::string DescribeEdges(const FeatureSchema& schema) {
  std::string text = "edges";
  for (int i = 0; i < std::min(schema.edges_size(), kShownEdges); ++i) text += fmt::format(" {:g}", schema.edges(i));
  if (schema.edges_size() > kShownEdges) text += " ...";
  return schema.edges().empty() ? "edges none" : text;
}

// Between the middle two of an even number; 0 without values. Reorders `values`.
float Median(std::vector<float>& values) {
  if (values.empty()) return 0.0f;
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return static_cast<float>((below + static_cast<double>(*middle)) / 2.0);
}

// Whether the model can tell a missing value from the others, given that those are all equal (after clipping).
bool MissingDiffers(const FeatureSchema& schema, const std::vector<float>& values) {
  return schema.missing_count() > 0 &&
         (schema.missing_indicator() || (!values.empty() && Clip(schema, schema.fill()) != values.front()));
}

// One number per value, or two with a missing indicator.
class NumberFeature : public Feature {
 public:
  explicit NumberFeature(FeatureSchema schema) : Feature(std::move(schema)) {}

  ColumnKind SourceKind() const override { return ColumnKind::kNumber; }

  void Fit(TrainingColumn column, FitMessages* messages) override {
    std::vector<float>& values = column.numbers;
    std::erase_if(values, [](float value) { return std::isnan(value); });
    schema_.set_missing_count(column.missing_rows);
    if (!schema_.has_fill()) schema_.set_fill(Median(values));
    for (float& value : values) value = Clip(schema_, value);
    AddConstantNote(values, MissingDiffers(schema_, values), messages);
    FitMoments(values, column.missing_rows);
    schema_.set_width(schema_.missing_indicator() ? 2 : 1);
  }

  void Transform(const RawValues& values, uint32_t*, float* numbers) const override {
    MG_CHECK(values.numbers != nullptr, "feature \"{}\" needs numbers", schema_.name());
    const bool standardise = schema_.standardise(), indicator = schema_.missing_indicator();
    for (int64_t i = 0; i < values.count; ++i) {
      double result = BeforeStandardise(values.numbers[i]);
      if (standardise) result = (result - schema_.mean()) / schema_.deviation();
      *numbers++ = static_cast<float>(result);
      if (indicator) *numbers++ = std::isnan(values.numbers[i]) ? 1.0f : 0.0f;
    }
  }

  std::string Describe() const override {
    std::string text = fmt::format("fill {:g}", schema_.fill()) + DescribeClip(schema_);
    if (schema_.log1p()) text += "; log1p";
    text += fmt::format("; mean {:.4g}, deviation {:.4g}", schema_.mean(), schema_.deviation());
    if (schema_.standardise()) text += ", standardised";
    if (schema_.missing_indicator()) text += "; missing indicator";
    return text + DescribeMissing(schema_);
  }

 private:
  double BeforeStandardise(float value) const {
    if (std::isnan(value)) value = schema_.fill();
    value = Clip(schema_, value);
    if (!schema_.log1p()) return value;
    return std::copysign(std::log1p(std::fabs(static_cast<double>(value))), static_cast<double>(value));
  }

  // Two passes in double. Missing values count with their fill, because that is what the model will see.
  void FitMoments(const std::vector<float>& values, uint64_t missing_rows) {
    const double n = static_cast<double>(values.size() + missing_rows), missing = static_cast<double>(missing_rows);
    if (n == 0) return;
    const double filled = BeforeStandardise(schema_.fill());
    std::vector<double> prepared(values.begin(), values.end());
    double sum = missing * filled, squares = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += prepared[i] = BeforeStandardise(values[i]);
    const double mean = sum / n;
    for (const double value : prepared) squares += (value - mean) * (value - mean);
    squares += missing * (filled - mean) * (filled - mean);
    const double deviation = std::sqrt(squares / n);
    // The mean of a constant column may be off by a rounding error; its deviation is then not quite 0.
    const bool constant = deviation <= 1e-12 * std::fabs(mean);
    schema_.set_mean(mean);
    schema_.set_deviation(constant ? 1.0 : deviation);
  }
};

// The number of edges that are <= the value, as an id; missing values have an id of their own.
class BinsFeature : public Feature {
 public:
  BinsFeature(FeatureSchema schema, uint32_t quantile_bins)
      : Feature(std::move(schema)), quantile_bins_(quantile_bins) {}

  ColumnKind SourceKind() const override { return ColumnKind::kNumber; }

  void Fit(TrainingColumn column, FitMessages* messages) override {
    std::vector<float>& values = column.numbers;
    std::erase_if(values, [](float value) { return std::isnan(value); });
    schema_.set_missing_count(column.missing_rows);
    AddConstantNote(values, column.missing_rows > 0, messages);
    if (quantile_bins_ > 0) {
      if (schema_.has_default_number()) values.insert(values.end(), column.missing_rows, schema_.default_number());
      for (float& value : values) value = Clip(schema_, value);
      const std::vector<float> edges = QuantileEdges(values, quantile_bins_);
      // An edge at the minimum would leave the first bin empty.
      for (size_t i = 1; i < edges.size(); ++i) schema_.add_edges(edges[i]);
    }
    schema_.set_vocabulary_size(CountIds(schema_));
    FindFrequentId(values);
  }

  void Transform(const RawValues& values, uint32_t* ids, float*) const override {
    MG_CHECK(values.numbers != nullptr, "feature \"{}\" needs numbers", schema_.name());
    const auto begin = schema_.edges().begin(), end = schema_.edges().end();
    for (int64_t i = 0; i < values.count; ++i) {
      float value = values.numbers[i];
      if (std::isnan(value) && schema_.has_default_number()) value = schema_.default_number();
      ids[i] = std::isnan(value) ? static_cast<uint32_t>(schema_.vocabulary_size() - 1)
                                 : static_cast<uint32_t>(std::upper_bound(begin, end, Clip(schema_, value)) - begin);
    }
  }

  std::string Describe() const override {
    std::string text = fmt::format("{} bins, ", schema_.edges_size() + 1) + DescribeEdges(schema_);
    if (schema_.has_default_number()) text += fmt::format("; missing = {:g}", schema_.default_number());
    return text + DescribeClip(schema_) + DescribeMissing(schema_);
  }

 private:
  void FindFrequentId(const std::vector<float>& values) {
    std::vector<uint32_t> ids(values.size());
    Transform({.numbers = values.data(), .count = static_cast<int64_t>(values.size())}, ids.data(), nullptr);
    std::vector<uint64_t> counts(schema_.vocabulary_size(), 0);
    for (const uint32_t id : ids) ++counts[id];
    if (!schema_.has_default_number()) counts.back() += schema_.missing_count();
    const auto most = std::max_element(counts.begin(), counts.end());
    schema_.set_frequent_id(static_cast<uint32_t>(most - counts.begin()));
    schema_.set_frequent_count(*most);
  }

  uint32_t quantile_bins_;
};

// The piece between two edges that the value lies in, as an id, and how much of that piece lies below the value; and a
// second number with a missing indicator.
class PiecewiseFeature : public Feature {
 public:
  PiecewiseFeature(FeatureSchema schema, uint32_t max_pieces) : Feature(std::move(schema)), max_pieces_(max_pieces) {}

  ColumnKind SourceKind() const override { return ColumnKind::kNumber; }

  void Fit(TrainingColumn column, FitMessages* messages) override {
    std::vector<float>& values = column.numbers;
    std::erase_if(values, [](float value) { return std::isnan(value); });
    schema_.set_missing_count(column.missing_rows);
    // A default value is a value like others; the median lies among them anyway.
    if (schema_.has_fill()) {
      values.insert(values.end(), column.missing_rows, schema_.fill());
    } else {
      schema_.set_fill(Median(values));
    }
    for (float& value : values) value = Clip(schema_, value);
    AddConstantNote(values, MissingDiffers(schema_, values), messages);
    for (const float edge : QuantileEdges(std::move(values), max_pieces_)) schema_.add_edges(edge);
    schema_.set_vocabulary_size(CountIds(schema_));
    schema_.set_width(schema_.missing_indicator() ? 2 : 1);
  }

  void Transform(const RawValues& values, uint32_t* ids, float* numbers) const override {
    MG_CHECK(values.numbers != nullptr, "feature \"{}\" needs numbers", schema_.name());
    const bool indicator = schema_.missing_indicator();
    for (int64_t i = 0; i < values.count; ++i) {
      const bool missing = std::isnan(values.numbers[i]);
      const Place place = PlaceOf(Clip(schema_, missing ? schema_.fill() : values.numbers[i]));
      ids[i] = place.piece;
      *numbers++ = place.fraction;
      if (indicator) *numbers++ = missing ? 1.0f : 0.0f;
    }
  }

  std::string Describe() const override {
    std::string text = DescribeEdges(schema_) + fmt::format("; fill {:g}", schema_.fill()) + DescribeClip(schema_);
    if (schema_.missing_indicator()) text += "; missing indicator";
    return text + DescribeMissing(schema_);
  }

 private:
  struct Place {
    uint32_t piece = 0;
    float fraction = 0.0f;
  };

  Place PlaceOf(float value) const {
    const auto& edges = schema_.edges();
    if (edges.size() < 2) return {};
    // Inner edges that are <= the value; the outer ones take in what lies beyond them.
    const int piece = static_cast<int>(std::upper_bound(edges.begin() + 1, edges.end() - 1, value) - edges.begin()) - 1;
    const double below = edges[piece], above = edges[piece + 1];
    const double fraction = (static_cast<double>(value) - below) / (above - below);
    return {static_cast<uint32_t>(piece), static_cast<float>(std::clamp(fraction, 0.0, 1.0))};
  }

  uint32_t max_pieces_;
};

// Validation has seen that it is one.
float DefaultNumber(const config::RawFeature& raw) {
  float number = 0;
  MG_CHECK(ParseFloat(raw.default_value(), &number) == NumberParse::kOk, "default_value {}", raw.default_value());
  return number;
}

FeatureSchema BinsSchema(const config::RawFeature& raw, FeatureSchema schema) {
  schema.set_kind(FeatureSchema::BINS);
  *schema.mutable_edges() = raw.boundaries();
  if (raw.has_default_value()) schema.set_default_number(DefaultNumber(raw));
  if (raw.one_hot()) {
    schema.set_encoding(FeatureSchema::ONE_HOT);
    return schema;
  }
  schema.set_encoding(FeatureSchema::EMBEDDING);
  schema.set_embedding_dim(raw.embedding_dim());
  if (raw.has_embedding_name()) schema.set_embedding_name(raw.embedding_name());
  if (raw.has_init_fn()) schema.set_init_fn(raw.init_fn());
  return schema;
}

FeatureSchema PiecewiseSchema(const config::RawFeature& raw, FeatureSchema schema) {
  schema.set_kind(FeatureSchema::PIECEWISE);
  schema.set_encoding(raw.has_embedding_dim() ? FeatureSchema::PIECES_EMBEDDED : FeatureSchema::PIECES);
  if (raw.has_embedding_dim()) schema.set_embedding_dim(raw.embedding_dim());
  if (raw.has_init_fn()) schema.set_init_fn(raw.init_fn());
  if (raw.has_default_value()) schema.set_fill(DefaultNumber(raw));
  schema.set_missing_indicator(raw.transform().missing_indicator());
  return schema;
}

}  // namespace

std::unique_ptr<Feature> NewRawFeature(const config::ListedFeature& feature) {
  const config::RawFeature& raw = feature.encoding.raw_feature();
  if (feature.is_sequence || raw.value_dim() > 1) return NewNumberListFeature(feature);
  const config::NumericTransform& transform = raw.transform();
  FeatureSchema schema;
  schema.set_name(feature.name);
  schema.set_column(feature.column);
  if (!raw.trainable()) schema.set_trainable(false);
  if (transform.has_clip_min()) schema.set_clip_min(transform.clip_min());
  if (transform.has_clip_max()) schema.set_clip_max(transform.clip_max());
  if (!raw.boundaries().empty() || transform.quantile_bins() > 0)
    return std::make_unique<BinsFeature>(BinsSchema(raw, std::move(schema)), transform.quantile_bins());
  if (transform.piecewise_linear() > 0)
    return std::make_unique<PiecewiseFeature>(PiecewiseSchema(raw, std::move(schema)), transform.piecewise_linear());
  schema.set_kind(FeatureSchema::NUMBER);
  schema.set_encoding(FeatureSchema::NUMBERS);
  if (raw.has_mlp()) *schema.mutable_mlp() = raw.mlp();
  if (raw.has_autodis()) *schema.mutable_autodis() = raw.autodis();
  if (raw.has_mlp() || raw.has_autodis()) schema.set_embedding_dim(raw.embedding_dim());
  if (raw.has_default_value()) schema.set_fill(DefaultNumber(raw));
  schema.set_log1p(transform.log1p());
  schema.set_standardise(transform.standardise());
  schema.set_missing_indicator(transform.missing_indicator());
  return std::make_unique<NumberFeature>(std::move(schema));
}

std::unique_ptr<Feature> RawFeatureFromSchema(const FeatureSchema& schema) {
  if (schema.kind() == FeatureSchema::BINS) return std::make_unique<BinsFeature>(schema, /*quantile_bins=*/0);
  if (schema.kind() == FeatureSchema::PIECEWISE) return std::make_unique<PiecewiseFeature>(schema, /*max_pieces=*/0);
  return std::make_unique<NumberFeature>(schema);
}

}  // namespace manygate::features
