// SPDX-License-Identifier: Apache-2.0
// A model directory, loaded to predict: raw rows in, the numbers of `manygate predict` out, bit for bit and whatever the
// batch. Behind the library of embedders (predictor/manygate.h) and the server (serve/).
//
//   MG_ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor, Predictor::Load("out/census"));
//   const std::vector<Cell> cells = ...;                  // [rows, predictor->inputs().size()], row-major
//   std::vector<float> income(rows);
//   std::vector<float*> outputs(predictor->outputs().size());
//   outputs[predictor->FindOutput("probs_income")] = income.data();     // null: not wanted
//   MG_RETURN_IF_ERROR(predictor->Predict(cells, rows, outputs));
//
// Thread-safe; a process may fork at any moment, and its child goes on predicting. After the first calls (as many as run
// at once) nothing is allocated, unless a value is wrong.
// In two steps, where rows of several callers are scored at once: Encode each caller's rows, put the records behind each
// other, Score.
#ifndef MANYGATE_PREDICTOR_PREDICTOR_H_
#define MANYGATE_PREDICTOR_PREDICTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/features/cell.h"

namespace manygate {

// A raw column that the model reads. Any input takes texts and numbers; `number` says what it is described as.
struct PredictorInput {
  std::string name;
  bool number;  // FP32 to clients; else a text (BYTES). Several values in a text are separated as in training
};

// What catalog/outputs.h lists.
struct PredictorOutput {
  std::string name;                  // "probs_<tower>", "logits_<tower>", ...
  int64_t width;                     // numbers per row
  bool logits;                       // of a task, before its link: wanted only by who asks
  std::vector<std::string> classes;  // [width], of classes: what each number belongs to; else empty
  std::vector<std::string> columns;  // [width], their names where each number has a column of its own
};

class Predictor {
 public:
  // Errors as LoadMembers: not a model directory, damaged, of a newer format.
  static StatusOr<std::unique_ptr<Predictor>> Load(const std::string& dir);
  ~Predictor();

  const std::string& model_name() const { return model_name_; }  // of the configuration: "mmoe", "ple", ...
  std::span<const PredictorInput> inputs() const { return inputs_; }
  std::span<const PredictorOutput> outputs() const { return outputs_; }
  // Index into inputs(), outputs(); -1: there is none of that name.
  int FindInput(std::string_view name) const;
  int FindOutput(std::string_view name) const;

  // Encoded rows, the records of a row: ids [num_id_slots], numbers [number_width].
  int64_t num_id_slots() const { return num_id_slots_; }
  int64_t number_width() const { return number_width_; }

  // cells: [rows, inputs().size()]; a text is trimmed and read as missing as data_config says (trim_blanks,
  // missing_values). ids: [rows, num_id_slots], numbers: [rows, number_width].
  // InvalidInput: a value that is no finite number where one is needed, with its row (from 0) and input; the first
  // kMostProblems of them, one a line.
  Status Encode(std::span<const features::Cell> cells, int64_t rows, int32_t* ids, float* numbers) const;
  static constexpr int kMostProblems = 10;

  // outputs[i]: [rows, outputs()[i].width], or null where it is not wanted. Ids are trusted to come from Encode.
  void Score(int64_t rows, const int32_t* ids, const float* numbers, std::span<float* const> outputs) const;

  // Encode and Score.
  Status Predict(std::span<const features::Cell> cells, int64_t rows, std::span<float* const> outputs) const;
  // The same for rows that lie elsewhere: `fill` overwrites the cells of a row, [inputs().size()], and is called once for
  // each, in order, until one is wrong too many. Give it by std::ref: a copy may be allocated.
  using FillRow = std::function<void(int64_t row, std::span<features::Cell> cells)>;
  Status Predict(int64_t rows, const FillRow& fill, std::span<float* const> outputs) const;

 private:
  struct State;
  Predictor();

  std::string model_name_;
  std::vector<PredictorInput> inputs_;
  std::vector<PredictorOutput> outputs_;
  int64_t num_id_slots_ = 0, number_width_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace manygate

#endif  // MANYGATE_PREDICTOR_PREDICTOR_H_
