// SPDX-License-Identifier: Apache-2.0
// The input tensors of the Open Inference Protocol, version 2, as cells of a job: what HTTP and gRPC have in common.
//
//   InputTensors inputs;                              // kept by its connection, so that it stops allocating
//   inputs.Start(job.version(), max_rows);
//   for (each input of the request)
//     outcome = inputs.Add(name, "BYTES", shape, &place);    // a known input, once, as many rows as the others
//   outcome = inputs.Complete();                      // all inputs are there
//   job.cells(inputs.rows());                         // before the first value is placed
//   outcome = ReadTensor(place, raw, &job);           // binary values; or
//   PlaceValues(place, &job, [&](int64_t i) { return Cell(numbers[i]); });
//
// Shapes are [n], [n,1] or, of inputs with several values in one text, [n,k]: the k texts are joined by kValueSeparator
// (data/row_writer.h), as a file's lists are.
// Any input takes any datatype (features/cell.h). A BYTES value of no bytes and NaN mean missing.
#ifndef MANYGATE_SERVE_TENSOR_VALUES_H_
#define MANYGATE_SERVE_TENSOR_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/features/cell.h"
#include "manygate/serve/job.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

enum class Datatype {
  kBytes,
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
};

// "BYTES", "BOOL", "INT8", ... False: there is none of that name.
bool ParseDatatype(std::string_view name, Datatype* datatype);
std::string_view DatatypeName(Datatype datatype);
// Of one value; 0: BYTES, whose values have their own.
size_t ValueBytes(Datatype datatype);

// As little of a name or value from outside as a message should show, in quotes.
std::string Shown(std::string_view text);

// Where the values of one input tensor go. name: of the model's input, which lives as long as the model.
struct TensorPlace {
  std::string_view name;
  size_t column = 0;
  Datatype datatype = Datatype::kBytes;
  int64_t rows = 0, width = 1;  // values: [rows, width], row-major
};

class InputTensors {
 public:
  // For a new request. The version must live until Complete.
  void Start(const ServedVersion& version, int64_t max_rows);
  // kInvalid: an unknown name (with the nearest), one that came before, no datatype, a shape that is none of the above or
  // has other rows than the inputs before it; kTooLarge: more than max_rows.
  Outcome Add(std::string_view name, std::string_view datatype, std::span<const int64_t> shape, TensorPlace* place);
  // kInvalid, naming them: inputs that were not added.
  Outcome Complete() const;
  // 0 before the first Add.
  int64_t rows() const { return rows_; }

 private:
  const ServedVersion* version_ = nullptr;
  int64_t max_rows_ = 0, rows_ = 0;
  size_t next_ = 0;  // the column behind the last one: clients send them in one order
  std::vector<uint8_t> seen_;
};

// kInvalid: the datatype's little-endian values, behind each other (BYTES: a length of 4 bytes, little-endian, before each),
// are not rows * width of them. What is not yet known to be true of `raw` costs no memory.
Outcome CheckTensor(const TensorPlace& place, std::string_view raw);
// Places what CheckTensor has found right. Texts view `raw`.
void PlaceTensor(const TensorPlace& place, std::string_view raw, Job* job);
// Both.
Outcome ReadTensor(const TensorPlace& place, std::string_view raw, Job* job);

// The cell of `width` values: one by itself, several as texts with separators between.
features::Cell JoinValues(std::span<const features::Cell> values, Job* job);

// value: index of a value, 0 to rows * width, to Cell.
template <typename Value>
void PlaceValues(const TensorPlace& place, Job* job, Value&& value) {
  const std::span<features::Cell> cells = job->cells();
  const size_t stride = cells.size() / static_cast<size_t>(place.rows);
  if (place.width == 1) {
    for (int64_t row = 0; row < place.rows; ++row) cells[static_cast<size_t>(row) * stride + place.column] = value(row);
    return;
  }
  std::vector<features::Cell> values(static_cast<size_t>(place.width));
  for (int64_t row = 0; row < place.rows; ++row) {
    for (int64_t k = 0; k < place.width; ++k) values[static_cast<size_t>(k)] = value(row * place.width + k);
    cells[static_cast<size_t>(row) * stride + place.column] = JoinValues(values, job);
  }
}

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_TENSOR_VALUES_H_
