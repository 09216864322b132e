// SPDX-License-Identifier: Apache-2.0
// Encodes single raw rows: the serving path. Gives exactly what Encode gives for the same row.
//
//   MG_ASSIGN_OR_RETURN(features::RowEncoder encoder, features::RowEncoder::Create(schema));
//   encoder.columns();                                   // the cells that Encode expects, in this order
//   features::RowWorkspace workspace;
//   const std::vector<features::Cell> cells = {Cell(35.0f), Cell("Private"), Cell()};
//   MG_RETURN_IF_ERROR(encoder.Encode(cells, &workspace, ids, numbers));
#ifndef MANYGATE_FEATURES_ROW_ENCODER_H_
#define MANYGATE_FEATURES_ROW_ENCODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/features/cell.h"
#include "manygate/features/feature.h"
#include "manygate/features/generated_column.h"
#include "manygate/features/schema.h"

namespace manygate::features {

// Memory that is kept from row to row, so that rows after the first few allocate nothing. One per thread.
struct RowWorkspace {
  GeneratorWorkspace generator;
  std::vector<std::string> texts;       // by column and then by generated column: of cells that are no texts
  std::vector<std::string_view> views;  // in the same order: the texts of the cells that are wanted as texts
  std::vector<std::string_view> inputs;
  std::vector<float> made_numbers;  // by generated column
};

class RowEncoder {
 public:
  // InvalidInput if the schema is not whole (ValidateSchema).
  static StatusOr<RowEncoder> Create(const Schema& schema);

  // The columns of files that the features need, each once, with the kind that they are stored as.
  const std::vector<ColumnRequest>& columns() const { return columns_; }
  int num_id_slots() const { return num_id_slots_; }
  int number_width() const { return number_width_; }

  // cells: [columns().size()], texts trimmed as the data configuration says.
  // ids: [num_id_slots], numbers: [number_width], overwritten. May be called by several threads at once.
  // InvalidInput: a cell that is not a finite number where the feature needs one; all of them, one a line.
  Status Encode(std::span<const Cell> cells, RowWorkspace* workspace, int32_t* ids, float* numbers) const;

 private:
  struct Entry {
    std::unique_ptr<const Feature> feature;
    size_t column = 0;  // of columns_, then of makers_
    bool text = false;  // whether it wants texts
    size_t id_slot = 0, number_offset = 0;
  };
  struct Maker {
    std::unique_ptr<const CellMaker> maker;
    std::vector<int> inputs;  // of columns_, then of makers_; -1: a literal
  };
  void MakeCells(RowWorkspace* workspace) const;

  std::vector<Maker> makers_;
  std::vector<Entry> entries_;
  std::vector<ColumnRequest> columns_;
  std::vector<uint8_t> wanted_as_text_;  // by column and then by generated column
  int num_id_slots_ = 0;
  int number_width_ = 0;
};

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_ROW_ENCODER_H_
