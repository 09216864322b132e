// SPDX-License-Identifier: Apache-2.0
// How a raw column, of a file or generated (generator.h), becomes ids or numbers: the second step of a feature. Fitted once on training rows, then frozen in a FeatureSchema.
//
//   std::unique_ptr<Feature> feature = NewFeature(listed_feature);   // config/feature_list.h
//   feature->Fit(training_column, &messages);          // fills feature->schema()
//   feature = FeatureFromSchema(saved_schema);         // later: the same feature, from the model directory
//   feature->Transform({.texts = texts, .count = n}, ids, nullptr);
//
// A new encoding: one file like id_feature.cc that derives from Feature, its two functions at the end of this
// header, a case in each switch of feature.cc, and its state in schema.proto.
#ifndef MANYGATE_FEATURES_FEATURE_H_
#define MANYGATE_FEATURES_FEATURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/config/feature_list.h"
#include "manygate/data/table.h"
#include "manygate/features/schema.h"

namespace manygate::features {

struct ValueCount {
  std::string_view text;
  uint64_t rows = 0;
};

// The training rows of one column, in the form that Feature::SourceKind asks for.
struct TrainingColumn {
  // kCategory: the distinct texts, in any order, each with rows > 0; over all features that share the table.
  std::vector<ValueCount> values;
  // kNumber: [training rows], NaN = missing. Fit may reorder and overwrite them.
  std::vector<float> numbers;
  // Training rows without a value.
  uint64_t missing_rows = 0;
  // kCategory, filled by Split: [n] rows whose text has n values. Empty: a text is one value.
  std::vector<uint64_t> rows_by_values = {};
};

// What Fit found. Each text is a sentence without the place; the caller knows the place and adds it.
struct FitMessages {
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

// Values to transform: one of the two arrays, as SourceKind says.
struct RawValues {
  const std::string_view* texts = nullptr;  // "" = missing
  const float* numbers = nullptr;           // NaN = missing; finite otherwise
  int64_t count = 0;
};

class Feature {
 public:
  explicit Feature(FeatureSchema schema) : schema_(std::move(schema)) {}
  virtual ~Feature() = default;
  Feature(const Feature&) = delete;
  Feature& operator=(const Feature&) = delete;

  // How Fit and Transform want the column: texts or numbers.
  virtual ColumnKind SourceKind() const = 0;
  // kCategory: the training texts as the values that Fit learns from; several per text where a feature splits texts.
  virtual TrainingColumn Split(TrainingColumn texts) const { return texts; }
  // Learns from the training rows, split; completes schema() but for id_slot and number_offset.
  virtual void Fit(TrainingColumn column, FitMessages* messages) = 0;
  // ids: [count, NumIdSlots], numbers: [count, NumNumbers]; each written unless those are 0.
  // Thread-safe.
  virtual void Transform(const RawValues& values, uint32_t* ids, float* numbers) const = 0;
  // The fitted state in a few words: `9 values: "Private" 34.1 %, ...`.
  virtual std::string Describe() const = 0;

  const FeatureSchema& schema() const { return schema_; }
  // For id_slot and number_offset, which depend on the other features.
  FeatureSchema* mutable_schema() { return &schema_; }

 protected:
  FeatureSchema schema_;
};

// The feature that a configuration asks for, not fitted yet.
std::unique_ptr<Feature> NewFeature(const config::ListedFeature& feature);
// A fitted feature. The schema has passed ValidateSchema.
std::unique_ptr<Feature> FeatureFromSchema(const FeatureSchema& schema);

// Id features (id_feature.cc): learnt or written vocabulary, num_buckets, hash_bucket_size.
std::unique_ptr<Feature> NewIdFeature(const config::ListedFeature& feature);
std::unique_ptr<Feature> IdFeatureFromSchema(const FeatureSchema& schema);
// Raw features (raw_feature.cc): numbers, boundaries, quantile bins, piecewise-linear encoding.
std::unique_ptr<Feature> NewRawFeature(const config::ListedFeature& feature);
std::unique_ptr<Feature> RawFeatureFromSchema(const FeatureSchema& schema);
// Raw features of several numbers in one cell (number_list_feature.cc): vectors and sequences.
std::unique_ptr<Feature> NewNumberListFeature(const config::ListedFeature& feature);
std::unique_ptr<Feature> NumberListFeatureFromSchema(const FeatureSchema& schema);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_FEATURE_H_
