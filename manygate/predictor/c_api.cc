// SPDX-License-Identifier: Apache-2.0
// The C ABI over Predictor. Nothing is thrown across it: each function that can fail runs inside Guarded.
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "manygate/base/status.h"
#include "manygate/base/version.h"
#include "manygate/predictor/manygate.h"
#include "manygate/predictor/predictor.h"

struct manygate_predictor {
  std::unique_ptr<manygate::Predictor> predictor;
};

namespace {

using manygate::InvalidInput;
using manygate::OkStatus;
using manygate::Predictor;
using manygate::Status;
using manygate::StatusCode;
using manygate::features::Cell;

struct LastError {
  std::string text;
  const char* fixed = nullptr;  // instead of `text`, where there was no memory for it
};
thread_local LastError last_error;

manygate_status Remember(const Status& status) noexcept {
  try {
    last_error.text = status.message();
    last_error.fixed = nullptr;
  } catch (...) {
    last_error.fixed = "out of memory";
  }
  return status.code() == StatusCode::kInvalidInput ? MANYGATE_INVALID_INPUT : MANYGATE_FAILED;
}

// Calls body(), which returns a Status; what it throws becomes one.
template <typename Body>
manygate_status Guarded(const Body& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? MANYGATE_OK : Remember(status);
  } catch (const std::exception& error) {
    try {
      return Remember(manygate::Failed(std::string("cannot predict: ") + error.what()));
    } catch (...) {
    }
  } catch (...) {
  }
  last_error.fixed = "out of memory";
  return MANYGATE_FAILED;
}

Cell TextCell(const char* text) { return text == nullptr ? Cell() : Cell(std::string_view(text)); }

Cell CellOf(const manygate_column& column, int64_t row) {
  if (column.values == nullptr || (column.is_missing != nullptr && column.is_missing[row] != 0)) return Cell();
  switch (column.type) {
    case MANYGATE_STRING: return TextCell(static_cast<const char* const*>(column.values)[row]);
    case MANYGATE_TEXT: {
      const manygate_text& text = static_cast<const manygate_text*>(column.values)[row];
      return text.data == nullptr ? Cell() : Cell(std::string_view(text.data, text.size));
    }
    case MANYGATE_FLOAT32: return Cell(static_cast<const float*>(column.values)[row]);
    case MANYGATE_FLOAT64: return Cell(static_cast<const double*>(column.values)[row]);
    case MANYGATE_INT32: return Cell(int64_t{static_cast<const int32_t*>(column.values)[row]});
    case MANYGATE_INT64: return Cell(static_cast<const int64_t*>(column.values)[row]);
  }
  return Cell();  // CheckColumns has refused it
}

Status CheckCall(const manygate_predictor* model, int64_t rows, const void* values, const void* outputs) {
  if (model == nullptr) return InvalidInput("the model is NULL");
  if (rows < 0 || rows > std::numeric_limits<int32_t>::max())
    return InvalidInput("rows is " + std::to_string(rows) + "; expected 0 .. 2147483647");
  const bool has_inputs = rows > 0 && !model->predictor->inputs().empty();
  if (values == nullptr && has_inputs) return InvalidInput("the inputs are NULL");
  if (outputs == nullptr && rows > 0) return InvalidInput("the outputs are NULL");
  return OkStatus();
}

Status CheckColumns(const Predictor& predictor, const manygate_column* columns) {
  for (size_t i = 0; i < predictor.inputs().size(); ++i) {
    const auto type = static_cast<int64_t>(columns[i].type);
    if (type < MANYGATE_STRING || type > MANYGATE_INT64) {
      return InvalidInput("input \"" + predictor.inputs()[i].name + "\": there is no type " + std::to_string(type) +
                          "; expected one of manygate_type");
    }
  }
  return OkStatus();
}

std::span<float* const> Outputs(const Predictor& predictor, float* const* outputs) {
  return {outputs, predictor.outputs().size()};
}

}  // namespace

extern "C" {

const char* manygate_version(void) { return manygate::kProgramVersion; }

const char* manygate_last_error(void) {
  return last_error.fixed != nullptr ? last_error.fixed : last_error.text.c_str();
}

manygate_status manygate_load(const char* model_dir, manygate_predictor** model) {
  return Guarded([&]() -> Status {
    if (model == nullptr) return InvalidInput("the place for the model is NULL");
    *model = nullptr;
    if (model_dir == nullptr) return InvalidInput("the model's directory is NULL");
    auto result = std::make_unique<manygate_predictor>();
    MG_ASSIGN_OR_RETURN(result->predictor, Predictor::Load(model_dir));
    *model = result.release();
    return OkStatus();
  });
}

void manygate_free(manygate_predictor* model) { delete model; }

const char* manygate_model_name(const manygate_predictor* model) {
  return model == nullptr ? nullptr : model->predictor->model_name().c_str();
}

size_t manygate_num_inputs(const manygate_predictor* model) {
  return model == nullptr ? 0 : model->predictor->inputs().size();
}

size_t manygate_num_outputs(const manygate_predictor* model) {
  return model == nullptr ? 0 : model->predictor->outputs().size();
}

manygate_input manygate_get_input(const manygate_predictor* model, size_t index) {
  if (index >= manygate_num_inputs(model)) return {nullptr, MANYGATE_STRING};
  const manygate::PredictorInput& input = model->predictor->inputs()[index];
  return {input.name.c_str(), input.number ? MANYGATE_FLOAT32 : MANYGATE_STRING};
}

manygate_output manygate_get_output(const manygate_predictor* model, size_t index) {
  if (index >= manygate_num_outputs(model)) return {nullptr, 0};
  const manygate::PredictorOutput& output = model->predictor->outputs()[index];
  return {output.name.c_str(), output.width};
}

int64_t manygate_find_input(const manygate_predictor* model, const char* name) {
  return model == nullptr || name == nullptr ? -1 : model->predictor->FindInput(name);
}

int64_t manygate_find_output(const manygate_predictor* model, const char* name) {
  return model == nullptr || name == nullptr ? -1 : model->predictor->FindOutput(name);
}

const char* manygate_class_name(const manygate_predictor* model, size_t output, size_t k) {
  if (output >= manygate_num_outputs(model)) return nullptr;
  const auto& classes = model->predictor->outputs()[output].classes;
  return k < classes.size() ? classes[k].c_str() : nullptr;
}

manygate_status manygate_predict(const manygate_predictor* model, int64_t rows, const manygate_column* columns,
                                 float* const* outputs) {
  return Guarded([&]() -> Status {
    MG_RETURN_IF_ERROR(CheckCall(model, rows, columns, outputs));
    if (rows == 0) return OkStatus();
    const Predictor& predictor = *model->predictor;
    MG_RETURN_IF_ERROR(CheckColumns(predictor, columns));
    const auto fill = [&](int64_t row, std::span<Cell> cells) {
      for (size_t i = 0; i < cells.size(); ++i) cells[i] = CellOf(columns[i], row);
    };
    return predictor.Predict(rows, std::ref(fill), Outputs(predictor, outputs));
  });
}

manygate_status manygate_predict_strings(const manygate_predictor* model, int64_t rows, const char* const* values,
                                         float* const* outputs) {
  return Guarded([&]() -> Status {
    MG_RETURN_IF_ERROR(CheckCall(model, rows, values, outputs));
    if (rows == 0) return OkStatus();
    const Predictor& predictor = *model->predictor;
    const auto fill = [&](int64_t row, std::span<Cell> cells) {
      const char* const* const texts = values + static_cast<size_t>(row) * cells.size();
      for (size_t i = 0; i < cells.size(); ++i) cells[i] = TextCell(texts[i]);
    };
    return predictor.Predict(rows, std::ref(fill), Outputs(predictor, outputs));
  });
}

}  // extern "C"
