// SPDX-License-Identifier: Apache-2.0
// Predicts batches of rows that lie in memory in the layout of Apache Arrow (C data interface), without copying a column.
//
//   MG_ASSIGN_OR_RETURN(const ArrowRows rows, ArrowRows::Make(*predictor, schema));   // once per stream
//   MG_RETURN_IF_ERROR(rows.Predict(batch, pool, outputs));                           // outputs[i]: [batch.length, width]
//
// A value means what it means in a Parquet file (data/arrow_values.h) or, of texts, in the files that the model was
// trained on: Predictor::Encode. The bits are those of `manygate predict`.
#ifndef MANYGATE_PREDICTOR_ARROW_ROWS_H_
#define MANYGATE_PREDICTOR_ARROW_ROWS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/arrow_type.h"
#include "manygate/predictor/predictor.h"

namespace manygate {

class ArrowRows {
 public:
  // schema: of type struct, one child per column; columns that the model does not read are passed over. predictor must
  // outlive this. InvalidInput, a line per column: an input that is missing (with the nearest name) or there twice, or of
  // a type that cannot be read as text or number.
  static StatusOr<ArrowRows> Make(const Predictor& predictor, const ArrowSchema& schema);

  // batch: of that schema, possibly a slice; slices of its rows are scored by the threads of `pool`. first_row: of the
  // batch among all rows, for messages. InvalidInput: as Predictor::Encode, for the first rows that are wrong; a damaged
  // batch. Thread-safe.
  Status Predict(const ArrowArray& batch, int64_t first_row, ThreadPool& pool, std::span<float* const> outputs) const;

 private:
  struct Input {
    int child;
    bool number;  // of Predictor::inputs()
    ArrowType type;
  };
  explicit ArrowRows(const Predictor& predictor) : predictor_(&predictor) {}

  const Predictor* predictor_;
  int64_t num_columns_ = 0;    // of the schema
  std::vector<Input> inputs_;  // [predictor.inputs()]
};

}  // namespace manygate

#endif  // MANYGATE_PREDICTOR_ARROW_ROWS_H_
