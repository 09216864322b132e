// SPDX-License-Identifier: Apache-2.0
// For tests: runs a graph over a made-up batch and hands out everything that a run leaves behind.
//
//   const TestBatch batch = MakeTestBatch(5, {3, 40}, 2, /*seed=*/1);   // ids below 3 and 40, two numbers a row
//   const TestBatch lists = MakeValueBatch(5, {{9, 4}}, 2, /*seed=*/1);   // 1 to 4 ids below 9
//   GraphRunner runner(graph, {.threads = 2, .slice_rows = 64});
//   RunResult result = runner.Train(batch.Rows());        // loss, logits by output, gradients by parameter
//   std::vector<std::vector<float>> logits = runner.Predict(batch.Rows(3, 1));
//
// The loss of row r is Σ (logit − target)² / 2 over all outputs, with targets that follow from the number of the row.
#ifndef MANYGATE_OPS_GRAPH_RUNNER_TESTING_H_
#define MANYGATE_OPS_GRAPH_RUNNER_TESTING_H_

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/random.h"
#include "manygate/base/thread_pool.h"
#include "manygate/graph/executor.h"
#include "manygate/graph/parameter_store.h"

namespace manygate {

struct TestBatch {
  int64_t rows, id_slots, number_width;
  std::vector<int32_t> ids;
  std::vector<float> numbers;

  // n rows from `first`; -1: all that follow.
  InputBatch Rows(int64_t first = 0, int64_t n = -1) const {
    return {n < 0 ? rows - first : n, ids.data() + first * id_slots, id_slots, numbers.data() + first * number_width,
            number_width};
  }
};

// One id column per vocabulary, every second id 0 on average, and numbers in [-1, 1).
inline TestBatch MakeTestBatch(int64_t rows, const std::vector<int64_t>& vocabularies, int64_t number_width,
                               uint64_t seed) {
  TestBatch batch{rows, static_cast<int64_t>(vocabularies.size()), number_width, {}, {}};
  const Philox random(seed, 0);
  for (int64_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < vocabularies.size(); ++c) {
      const auto draws = random.Block(static_cast<uint64_t>(r) * 64 + c);
      batch.ids.push_back(draws[0] % 2 == 0 ? 0 : static_cast<int32_t>(draws[1] % vocabularies[c]));
    }
  }
  batch.numbers.resize(rows * number_width);
  FillUniform(batch.numbers, -1.f, 1.f, seed, 1);
  return batch;
}

// Columns of up to num_slots values each: 1 to num_slots of them, repetitions included, then "no more values".
struct ValueColumn {
  int64_t vocabulary;
  int num_slots;
};
inline TestBatch MakeValueBatch(int64_t rows, const std::vector<ValueColumn>& columns, int64_t number_width,
                                uint64_t seed) {
  TestBatch batch = MakeTestBatch(rows, {}, number_width, seed);
  for (const ValueColumn& column : columns) batch.id_slots += column.num_slots;
  const Philox random(seed, 2);
  for (int64_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const auto count = random.Block(static_cast<uint64_t>(r) * 64 + c)[0] % columns[c].num_slots + 1;
      for (int k = 0; k < columns[c].num_slots; ++k) {
        const auto draw = random.Block((static_cast<uint64_t>(r) * 64 + c) * 256 + k + (uint64_t{1} << 40))[0];
        const bool is_value = k < static_cast<int>(count);
        batch.ids.push_back(static_cast<int32_t>(is_value ? draw % columns[c].vocabulary : columns[c].vocabulary));
      }
    }
  }
  return batch;
}

// A batch of numbers alone, written out row by row.
inline TestBatch NumberBatch(int64_t number_width, std::vector<float> numbers) {
  const int64_t rows = static_cast<int64_t>(numbers.size()) / number_width;
  return {rows, 0, number_width, {}, std::move(numbers)};
}

struct RunnerOptions {
  int threads = 1;
  int64_t slice_rows = 256;
  int64_t max_batch_rows = 256;
  uint64_t seed = 5;
};

struct RunResult {
  double loss = 0;
  std::vector<std::vector<float>> logits;     // by output: [rows, width of the output]
  std::vector<std::vector<float>> gradients;  // by parameter
};

// Bit for bit.
inline bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class GraphRunner {
 public:
  explicit GraphRunner(const Graph& graph, const RunnerOptions& options = {})
      : graph_(graph),
        pool_(options.threads),
        store_(graph, {0, 0}),
        train_(graph, store_,
               {.training = true,
                .slice_rows = options.slice_rows,
                .max_batch_rows = options.max_batch_rows,
                .seed = options.seed},
               pool_),
        predict_(graph, store_, {.slice_rows = options.slice_rows}, pool_) {
    store_.Initialize(11);
  }

  ParameterStore& store() { return store_; }
  Executor& executor() { return train_; }

  int Find(const std::string& name) const {
    for (size_t i = 0; i < graph_.parameters.size(); ++i)
      if (graph_.parameters[i].name == name) return static_cast<int>(i);
    MG_CHECK(false, "no parameter {}", name);
    return -1;
  }
  std::vector<float> Read(const std::string& name) const { return store_.Read(Find(name)); }
  void Write(const std::string& name, const std::vector<float>& values) { store_.Write(Find(name), values); }

  RunResult Train(const InputBatch& batch, int64_t step = 1) {
    ClearTableGradients();
    train_.Touch(batch);
    RunResult result;
    result.logits = EmptyLogits(batch.rows);
    std::vector<double> losses(train_.NumSlices(batch.rows), 0.0);
    train_.ForwardBackward(batch, step, [&](const Slice& slice) {
      Collect(slice, result.logits);
      losses[slice.index] = SquaredLoss(slice);
    });
    for (const double loss : losses) result.loss += loss;
    for (size_t i = 0; i < graph_.parameters.size(); ++i)
      result.gradients.push_back(store_.ReadGradient(static_cast<int>(i)));
    return result;
  }

  std::vector<std::vector<float>> Predict(const InputBatch& batch) {
    auto logits = EmptyLogits(batch.rows);
    predict_.ParametersChanged();
    predict_.Forward(batch, [&](const Slice& slice) { Collect(slice, logits); });
    return logits;
  }

 private:
  int64_t Width(size_t output) const { return graph_.shape(graph_.outputs[output].logits).size(); }

  std::vector<std::vector<float>> EmptyLogits(int64_t rows) const {
    std::vector<std::vector<float>> logits;
    for (size_t t = 0; t < graph_.outputs.size(); ++t) logits.emplace_back(rows * Width(t));
    return logits;
  }

  void Collect(const Slice& slice, std::vector<std::vector<float>>& logits) const {
    for (size_t t = 0; t < logits.size(); ++t)
      for (int64_t r = 0; r < slice.rows; ++r)
        std::copy_n(slice.logits[t].data + r * slice.logits[t].stride, Width(t),
                    logits[t].data() + (slice.first_row + r) * Width(t));
  }

  double SquaredLoss(const Slice& slice) const {
    double loss = 0;
    for (size_t t = 0; t < slice.logits.size(); ++t) {
      const View z = slice.logits[t], d_z = slice.d_logits[t];
      for (int64_t r = 0; r < slice.rows; ++r) {
        const auto draws = Philox(77, t).Block(static_cast<uint64_t>(slice.first_row + r));
        for (int64_t j = 0; j < Width(t); ++j) {
          const float target = 2.f * UnitFloat(draws[j % 4]) - 1.f;
          const float rest = z.data[r * z.stride + j] - target;
          loss += 0.5 * rest * rest;
          if (d_z.data != nullptr) d_z.data[r * d_z.stride + j] = rest;
        }
      }
    }
    return loss;
  }

  // What the optimizer does when it brings rows up to date.
  void ClearTableGradients() {
    for (auto& table : store_.tables())
      for (int64_t row = 0; row < table->rows(); ++row) std::fill_n(table->gradient(row), table->padded_width(), 0.f);
  }

  const Graph& graph_;
  ThreadPool pool_;
  ParameterStore store_;
  Executor train_, predict_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_GRAPH_RUNNER_TESTING_H_
