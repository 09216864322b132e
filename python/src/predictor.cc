// SPDX-License-Identifier: Apache-2.0
// Predictor of _core.pyi. A call starts threads of its own and ends them: a process may fork at any time, and its child
// go on.
#include "manygate/predictor/predictor.h"

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/text.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/arrow_type.h"
#include "manygate/data/growing_array.h"
#include "manygate/predictor/arrow_rows.h"
#include "python/src/arrow_stream.h"
#include "python/src/calls.h"
#include "python/src/errors.h"
#include "python/src/memory_table.h"
#include "python/src/module.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

constexpr int64_t kRowsPerThread = 1024;            // fewer are not worth another one
constexpr int64_t kRowsPerStep = int64_t{1} << 20;  // between two looks for Ctrl-C

// The processors that this process may run on, which in a container are often not all.
int AvailableProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Raises what a signal's handler raises: KeyboardInterrupt. Without the GIL.
void CheckSignals() {
  const nb::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

// The outputs that are wanted of one call; their numbers become arrays of numpy where they lie.
class WantedOutputs {
 public:
  // Errors: no output of that name.
  WantedOutputs(const Predictor& predictor, const std::vector<std::string>& wanted)
      : predictor_(predictor), values_(predictor.outputs().size()), pointers_(predictor.outputs().size()) {
    for (const std::string& name : wanted) {
      const int index = predictor.FindOutput(name);
      if (index < 0) {
        std::vector<std::string> names;
        for (const PredictorOutput& output : predictor.outputs()) names.push_back(output.name);
        RaiseIfWrong(InvalidInput(
            fmt::format("there is no output \"{}\". {}", name, Suggestion(name, names, "Outputs of this model"))));
      }
      indices_.push_back(static_cast<size_t>(index));
    }
  }

  // Room for `rows` more behind the rows so far; the pointers are for Predict.
  std::span<float* const> Grow(int64_t rows) {
    for (const size_t index : indices_) {
      const auto width = static_cast<size_t>(predictor_.outputs()[index].width);
      values_[index].Reserve(static_cast<size_t>(rows_ + rows) * width * sizeof(float));
      pointers_[index] = reinterpret_cast<float*>(values_[index].data()) + static_cast<size_t>(rows_) * width;
    }
    rows_ += rows;
    return pointers_;
  }

  int64_t rows() const { return rows_; }

  // By name: [rows], or [rows, width] of several numbers.
  nb::dict ToNumpy() {
    nb::dict arrays;
    for (const size_t index : indices_) {
      const PredictorOutput& output = predictor_.outputs()[index];
      const nb::str name = DecodeText(output.name);
      if (arrays.contains(name)) continue;
      const bool alone = output.width == 1 && output.classes.empty();
      const size_t shape[] = {static_cast<size_t>(rows_), static_cast<size_t>(output.width)};
      auto* const values = new std::shared_ptr<const void>(values_[index].Take(shape[0] * shape[1] * sizeof(float)));
      const nb::capsule owner(values,
                              [](void* memory) noexcept { delete static_cast<std::shared_ptr<const void>*>(memory); });
      auto* const numbers = static_cast<float*>(const_cast<void*>(values->get()));
      arrays[name] = nb::cast(nb::ndarray<nb::numpy, float>(numbers, alone ? 1 : 2, shape, owner));
    }
    return arrays;
  }

 private:
  const Predictor& predictor_;
  std::vector<size_t> indices_;
  std::vector<GrowingArray> values_;  // by output
  std::vector<float*> pointers_;      // by output; nullptr: not wanted
  int64_t rows_ = 0;
};

// One call: batch after batch, by threads that end with it. Without the GIL.
class Scoring {
 public:
  Scoring(const ArrowRows& rows, int threads, WantedOutputs* outputs)
      : rows_(rows), threads_(threads == 0 ? AvailableProcessors() : threads), outputs_(outputs) {}

  Status Add(const ArrowArray& batch) {
    ArrowArray step = batch;  // a view
    for (int64_t first = 0; first < batch.length; first += step.length) {
      if (IsEnding()) return Failed("stopped, because the interpreter is about to end");
      CheckSignals();
      step.offset = batch.offset + first;
      step.length = std::min(batch.length - first, kRowsPerStep);
      step.null_count = batch.null_count == 0 ? 0 : -1;
      const int64_t first_row = outputs_->rows();
      MG_RETURN_IF_ERROR(rows_.Predict(step, first_row, Pool(step.length), outputs_->Grow(step.length)));
    }
    return OkStatus();
  }

 private:
  // Of no more threads than the rows keep busy.
  ThreadPool& Pool(int64_t rows) {
    const int64_t slices = (rows + kRowsPerThread - 1) / kRowsPerThread;
    const int wanted = static_cast<int>(std::clamp<int64_t>(slices, 1, threads_));
    if (!pool_.has_value() || pool_->size() < wanted) pool_.emplace(wanted);
    return *pool_;
  }

  const ArrowRows& rows_;
  const int threads_;
  WantedOutputs* outputs_;
  std::optional<ThreadPool> pool_;
};

Status ScoreTable(const Predictor& predictor, const MemoryTable& table, int threads, WantedOutputs* outputs) {
  MG_ASSIGN_OR_RETURN(const ArrowRows rows, ArrowRows::Make(predictor, table.schema()));
  Scoring scoring(rows, threads, outputs);
  for (const MemoryTable::Piece& piece : table.Pieces(kRowsPerStep)) MG_RETURN_IF_ERROR(scoring.Add(piece.array));
  return OkStatus();
}

Status StreamError(ArrowArrayStream* stream, int error) {
  return InvalidInput(fmt::format("the rows cannot be handed over: {}", StreamErrorReason(stream, error)));
}

Status ScoreStream(const Predictor& predictor, ArrowArrayStream* stream, int threads, WantedOutputs* outputs) {
  ArrowOwner<ArrowSchema> schema;
  if (const int error = stream->get_schema(stream, schema.get()); error != 0) return StreamError(stream, error);
  MG_ASSIGN_OR_RETURN(const ArrowRows rows, ArrowRows::Make(predictor, *schema));
  Scoring scoring(rows, threads, outputs);
  while (true) {
    ArrowOwner<ArrowArray> batch;
    if (const int error = stream->get_next(stream, batch.get()); error != 0) return StreamError(stream, error);
    if (batch.released()) return OkStatus();
    MG_RETURN_IF_ERROR(scoring.Add(*batch));
  }
}

class PythonPredictor {
 public:
  explicit PythonPredictor(const std::string& dir) {
    Status status;
    {
      const WithoutGil without;
      StatusOr<std::unique_ptr<Predictor>> loaded = Predictor::Load(dir);
      status = loaded.status();
      if (loaded.ok()) predictor_ = std::move(*loaded);
    }
    RaiseIfWrong(status);
  }

  const Predictor& operator*() const { return *predictor_; }

  nb::dict Predict(nb::handle source, const std::vector<std::string>& wanted, int threads) const {
    if (threads < 0) RaiseIfWrong(InvalidInput(fmt::format("threads is {}; expected a number from 0 on", threads)));
    WantedOutputs outputs(*predictor_, wanted);
    Status status;
    if (nb::isinstance<PythonTable>(source)) {
      const MemoryTable& table = nb::cast<const PythonTable&>(source).table();
      const WithoutGil without;
      status = ScoreTable(*predictor_, table, threads, &outputs);
    } else {
      ArrowOwner<ArrowArrayStream> stream;
      TakeStream(source, stream.get());
      const WithoutGil without;
      status = ScoreStream(*predictor_, stream.get(), threads, &outputs);
    }
    RaiseIfWrong(status);
    return outputs.ToNumpy();
  }

 private:
  std::unique_ptr<Predictor> predictor_;
};

}  // namespace

void AddPredictor(nb::module_& module) {
  nb::class_<PredictorInput>(module, "Input")
      .def_ro("name", &PredictorInput::name)
      .def_ro("number", &PredictorInput::number);
  nb::class_<PredictorOutput>(module, "Output")
      .def_ro("name", &PredictorOutput::name)
      .def_ro("width", &PredictorOutput::width)
      .def_ro("logits", &PredictorOutput::logits)
      .def_ro("classes", &PredictorOutput::classes)
      .def_ro("columns", &PredictorOutput::columns);
  nb::class_<PythonPredictor>(module, "Predictor", nb::is_weak_referenceable(),
                              "A loaded model directory. May be called by several threads at once, and after a fork.")
      .def(nb::init<const std::string&>(), nb::arg("model_dir"))
      .def_prop_ro("model_name", [](const PythonPredictor& self) { return (*self).model_name(); })
      .def_prop_ro("inputs",
                   [](const PythonPredictor& self) {
                     return std::vector<PredictorInput>((*self).inputs().begin(), (*self).inputs().end());
                   })
      .def_prop_ro("outputs",
                   [](const PythonPredictor& self) {
                     return std::vector<PredictorOutput>((*self).outputs().begin(), (*self).outputs().end());
                   })
      .def("predict", &PythonPredictor::Predict, nb::arg("source").none(), nb::arg("wanted"), nb::arg("threads"));
}

}  // namespace manygate::python
