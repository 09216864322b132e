// SPDX-License-Identifier: Apache-2.0
// The first step of a feature (config/feature.proto): what one row's cells become. One class per kind; what surrounds them
// (sequences, normalizer, default value, bins) is generated_column.h's.
//
//   const std::unique_ptr<Generator> generator = NewGenerator(feature_config);
//   GeneratorWorkspace workspace;
//   const std::array<std::string_view, 2> cells = {"ios:3\x1d" "android:5", "ios"};
//   generator->Generate(cells, &workspace);     // a lookup_feature: workspace.numbers is {3}
//
// A new kind: its message in feature.proto, a class in a file <kind>_generator.cc with a function at the end of this header,
// and a case in NewGenerator.
#ifndef MANYGATE_FEATURES_GENERATOR_H_
#define MANYGATE_FEATURES_GENERATOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/config/feature.pb.h"
#include "manygate/data/row_writer.h"
#include "manygate/expression/expression.h"

namespace manygate::features {

struct KeyNumber {
  std::string_view key;
  double number = 0;
};

// The result of a call, and memory that is kept from call to call. One per thread.
struct GeneratorWorkspace {
  std::string
      text;  // of generators of texts: the values, kValueSeparator (data/row_writer.h) between them; "" = missing
  std::vector<double> numbers;  // of generators of numbers; none = missing
  // Scratch.
  ExpressionWorkspace expression;
  std::vector<std::vector<double>> vectors;
  std::vector<std::string_view> words, more_words;
  std::vector<KeyNumber> pairs, more_pairs;
  std::vector<std::span<const double>> variables;
  std::vector<uint32_t> places, counts;
  // Of CellMaker, which no generator touches.
  std::string made;
  std::vector<double> normalized;
  std::vector<std::string_view> cells, position_cells;
  std::vector<std::vector<std::string_view>> positions;
};

class Generator {
 public:
  virtual ~Generator() = default;
  virtual bool MakesNumbers() const = 0;
  // inputs: as many as the feature has written, in the order of config::WrittenInputs; "" = missing. Overwrites text or
  // numbers. Thread-safe, each thread with a workspace of its own.
  virtual void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const = 0;
};

// Of a feature that is no sequence and has passed validation.
std::unique_ptr<Generator> NewGenerator(const config::FeatureConfig& feature);

// A cell as it is: id_feature gives its text, raw_feature the numbers in it (copy_generator.cc).
std::unique_ptr<Generator> NewCopyGenerator(const config::FeatureConfig& feature);
// combo_generator.cc: all combinations of the inputs' values, joined by "_", the first input's value changing slowest. Missing where an
// input is.
std::unique_ptr<Generator> NewComboGenerator(const config::ComboFeature& feature);
// lookup_generator.cc
std::unique_ptr<Generator> NewLookupGenerator(const config::LookupFeature& feature);
std::unique_ptr<Generator> NewMatchGenerator(const config::MatchFeature& feature);
// expression_generator.cc
std::unique_ptr<Generator> NewExpressionGenerator(const config::ExprFeature& feature);
// overlap_generator.cc
std::unique_ptr<Generator> NewOverlapGenerator(const config::OverlapFeature& feature);
// kv_dot_generator.cc
std::unique_ptr<Generator> NewKvDotGenerator(const config::KvDotProduct& feature);
// bool_mask_generator.cc
std::unique_ptr<Generator> NewBoolMaskGenerator(const config::BoolMaskFeature& feature);
// combine_generator.cc
std::unique_ptr<Generator> NewCombineGenerator(const config::CombineFeature& feature);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_GENERATOR_H_
