// SPDX-License-Identifier: Apache-2.0
// Columns that no file has: what config::ListGenerators found, computed row by row and added to a table, so that encoding
// meets them as columns like others.
//
//   MG_RETURN_IF_ERROR(AddGeneratedColumns(schema.generators(), &table));   // "feature:user_cate_cnt" is a column now
#ifndef MANYGATE_FEATURES_GENERATED_COLUMN_H_
#define MANYGATE_FEATURES_GENERATED_COLUMN_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/generator.pb.h"
#include "manygate/config/normalizer.h"
#include "manygate/data/table.h"
#include "manygate/features/generator.h"

namespace manygate::features {

// What makes the value of one generated column from a row's cells: the generator of the feature's kind, at each position of
// sequences; for numbers then default_value where there is none, normalizer, and boundaries.
class CellMaker {
 public:
  explicit CellMaker(const config::Generator& config);

  const config::Generator& config() const { return config_; }
  bool makes_number() const { return config_.output() == config::Generator::NUMBER; }
  // cells: one per input, "" = missing; of inputs with a literal anything. A text's values are separated by
  // kValueSeparator, the numbers at one position of a sequence by ",".
  std::string_view MakeText(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const;
  // NaN = missing.
  float MakeNumber(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const;

 private:
  // The cells, with literals in their places.
  std::span<const std::string_view> WithLiterals(std::span<const std::string_view> cells,
                                                 GeneratorWorkspace* workspace) const;
  void Generate(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const;
  void MakeSequence(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const;
  void FinishNumbers(GeneratorWorkspace* workspace) const;
  void AppendNumbers(const std::vector<double>& numbers, char separator, std::string* text) const;

  config::Generator config_;
  std::unique_ptr<Generator> generator_;
  std::optional<config::Normalizer> normalizer_;
  std::optional<double> default_number_;
  std::vector<float> boundaries_;
};

// Adds them in order. The table has the columns of files that they read, as categories. InvalidInput: there is a column of that
// name.
Status AddGeneratedColumns(const std::vector<config::Generator>& generators, Table* table);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_GENERATED_COLUMN_H_
