// SPDX-License-Identifier: Apache-2.0
// Encodes single raw rows, given as texts: the serving path. Gives exactly what Encode gives for the same row.
//
//   MG_ASSIGN_OR_RETURN(features::RowEncoder encoder, features::RowEncoder::Create(schema));
//   encoder.columns();                                   // names of the texts that Encode expects, in this order
//   std::vector<std::string_view> texts = {"35", "Private", ""};
//   MG_RETURN_IF_ERROR(encoder.Encode(texts, ids, numbers));
#ifndef MANYGATE_FEATURES_ROW_ENCODER_H_
#define MANYGATE_FEATURES_ROW_ENCODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/features/feature.h"
#include "manygate/features/generated_column.h"
#include "manygate/features/schema.h"

namespace manygate::features {

class RowEncoder {
 public:
  // InvalidInput if the schema is not whole (ValidateSchema).
  static StatusOr<RowEncoder> Create(const Schema& schema);

  // The columns of files that the features need, each once.
  const std::vector<std::string>& columns() const { return columns_; }
  int num_id_slots() const { return num_id_slots_; }
  int number_width() const { return number_width_; }

  // texts: [columns().size()], trimmed as the data configuration says; "" = missing.
  // ids: [num_id_slots], numbers: [number_width], overwritten. May be called by several threads at once.
  // InvalidInput: a text that is not a finite number where the feature needs one; all of them, one a line.
  Status Encode(std::span<const std::string_view> texts, int32_t* ids, float* numbers) const;

 private:
  struct Entry {
    std::unique_ptr<const Feature> feature;
    int column = 0;  // of columns_, then of makers_
  };
  struct Maker {
    std::unique_ptr<const CellMaker> maker;
    std::vector<int> inputs;  // of columns_, then of makers_; -1: a literal
  };
  void MakeCells(std::span<const std::string_view> texts, std::vector<std::string>* made) const;

  std::vector<Maker> makers_;
  std::vector<Entry> entries_;
  std::vector<std::string> columns_;
  int num_id_slots_ = 0;
  int number_width_ = 0;
};

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_ROW_ENCODER_H_
