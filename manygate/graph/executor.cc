// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/executor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "manygate/base/check.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

bool HasWholeBatchOp(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    std::vector<Shape> shapes;
    for (const Value input : node.inputs) shapes.push_back(graph.shape(input));
    if (node.op->Traits(shapes).whole_batch) return true;
  }
  return false;
}

View At(FloatBuffer& arena, const MemoryPlan::Place& place) {
  return place.offset < 0 ? View{} : View{arena.data() + place.offset, place.stride};
}

}  // namespace

Executor::Executor(const Graph& graph, ParameterStore& store, const ExecutorOptions& options, ThreadPool& pool)
    : graph_(graph), store_(store), options_(options), pool_(pool), slice_rows_(options.slice_rows) {
  if (options.training && (options.whole_batch_losses || HasWholeBatchOp(graph)))
    slice_rows_ = std::max(slice_rows_, options.max_batch_rows);
  plan_ = PlanMemory(graph, slice_rows_, options.training, options_.probes);
  for (int t = 0; t < pool.size(); ++t) workers_.push_back(MakeWorker());
}

std::unique_ptr<Executor::Worker> Executor::MakeWorker() const {
  auto worker = std::make_unique<Worker>();
  worker->arena.Resize(plan_.size + 64);
  const size_t count = graph_.nodes.size();
  worker->contexts.resize(count);
  worker->inputs.resize(count);
  worker->d_inputs.resize(count);
  worker->input_shapes.resize(count);
  worker->blocks.resize(count);
  worker->d_blocks.resize(count);
  worker->tables.resize(count);
  for (size_t n = 0; n < count; ++n) {
    const Node& node = graph_.nodes[n];
    for (const Value input : node.inputs) {
      worker->inputs[n].push_back(At(worker->arena, plan_.values[input]));
      worker->d_inputs[n].push_back(At(worker->arena, plan_.gradients[input]));
      worker->input_shapes[n].push_back(graph_.shape(input));
    }
    for (size_t b = 0; b < node.blocks.size(); ++b)
      worker->blocks[n].push_back(store_.weights() + store_.BlockOffset(static_cast<Value>(n), static_cast<int>(b)));
    worker->d_blocks[n].resize(node.blocks.size(), nullptr);
    for (const int table : node.tables) worker->tables[n].push_back(store_.tables()[table].get());
    for (const int table : node.derived) worker->tables[n].push_back(store_.derived()[table].get());
    OpContext& context = worker->contexts[n];
    context.training = options_.training;
    context.seed = options_.seed + 0x9E3779B97F4A7C15ull * (n + 1);
    context.input = &worker->input;
    context.shape = node.shape;
    context.input_shapes = worker->input_shapes[n];
    context.inputs = worker->inputs[n];
    context.output = At(worker->arena, plan_.values[n]);
    context.d_output = At(worker->arena, plan_.gradients[n]);
    context.d_inputs = worker->d_inputs[n];
    context.accumulate = plan_.accumulate[n];
    context.blocks = worker->blocks[n];
    context.d_blocks = worker->d_blocks[n];
    context.tables = worker->tables[n];
    context.pool = &pool_;
    context.workspace = plan_.workspaces[n] < 0 ? nullptr : worker->arena.data() + plan_.workspaces[n];
    context.scratch = worker->arena.data() + plan_.scratch;
  }
  for (const auto& output : graph_.outputs) {
    worker->logits.push_back(At(worker->arena, plan_.values[output.logits]));
    worker->d_logits.push_back(At(worker->arena, plan_.gradients[output.logits]));
  }
  for (const Value probe : options_.probes) worker->probes.push_back(At(worker->arena, plan_.values[probe]));
  return worker;
}

void Executor::PointGradientsAt(Worker& worker, float* gradient) const {
  for (size_t n = 0; n < graph_.nodes.size(); ++n)
    for (size_t b = 0; b < worker.d_blocks[n].size(); ++b)
      worker.d_blocks[n][b] = gradient + store_.BlockOffset(static_cast<Value>(n), static_cast<int>(b));
}

int Executor::NumSlices(int64_t rows) const { return static_cast<int>((rows + slice_rows_ - 1) / slice_rows_); }

void Executor::SetSlice(Worker& worker, const InputBatch& batch, int slice, int64_t step, bool first_pass) const {
  const int64_t first = slice * slice_rows_;
  worker.input = batch;
  worker.input.rows = std::min(slice_rows_, batch.rows - first);
  worker.input.ids += first * batch.id_stride;
  worker.input.numbers += first * batch.number_stride;
  if (batch.labels != nullptr) worker.input.labels += first * batch.label_stride;
  for (OpContext& context : worker.contexts) {
    context.rows = worker.input.rows;
    context.first_row = first;
    context.step = step;
    context.first_pass = first_pass;
  }
}

void Executor::RunForward(Worker& worker) const {
  for (size_t n = 0; n < graph_.nodes.size(); ++n) graph_.nodes[n].op->Forward(worker.contexts[n]);
}

void Executor::RunBackward(Worker& worker) const {
  for (size_t n = graph_.nodes.size(); n-- > 0;)
    if (worker.contexts[n].d_output.data != nullptr) graph_.nodes[n].op->Backward(worker.contexts[n]);
}

void Executor::Commit(Worker& worker) const {
  for (size_t n = graph_.nodes.size(); n-- > 0;)
    if (!worker.tables[n].empty()) graph_.nodes[n].op->Commit(worker.contexts[n]);
}

void Executor::Touch(const InputBatch& batch) {
  for (auto& table : store_.tables()) table->StartBatch();
  for (auto& table : store_.derived()) table->StartBatch();
  for (size_t n = 0; n < graph_.nodes.size(); ++n)
    if (!workers_[0]->tables[n].empty()) graph_.nodes[n].op->Touch(batch, workers_[0]->tables[n]);
}

void Executor::RunTrainingSlice(Worker& worker, const InputBatch& batch, int slice, int64_t step,
                                const std::function<void(const Slice&)>& loss, bool first_pass) const {
  SetSlice(worker, batch, slice, step, first_pass);
  RunForward(worker);
  loss({slice * slice_rows_, worker.input.rows, slice, worker.logits, worker.d_logits});
  RunBackward(worker);
}

void Executor::ForwardBackward(const InputBatch& batch, int64_t step, const std::function<void(const Slice&)>& loss,
                               bool first_pass) {
  MG_CHECK(options_.training, "an executor for prediction cannot train: {} rows", batch.rows);
  const int slices = NumSlices(batch.rows);
  if (slices <= 1) {
    if (slices == 0) return;
    PointGradientsAt(*workers_[0], store_.gradient());
    BeginBatch();
    RunTrainingSlice(*workers_[0], batch, 0, step, loss, first_pass);
    Commit(*workers_[0]);
    EndBatch();
    return;
  }
  BeginBatch();
  const int64_t first = store_.slice_first(), gradient_size = store_.trainable_size() - first;
  std::atomic<int> next{0};
  std::atomic<int> turn{0};
  pool_.Run([&](int thread) {
    Worker& worker = *workers_[thread];
    if (worker.gradient.empty()) worker.gradient.Resize(store_.size() + 16);
    PointGradientsAt(worker, worker.gradient.data());
    float* sums = store_.gradient() + first;
    const float* slice_sums = worker.gradient.data() + first;
    for (int slice = next.fetch_add(1); slice < slices; slice = next.fetch_add(1)) {
      RunTrainingSlice(worker, batch, slice, step, loss, first_pass);
      // The turn comes soon: slices are handed out in order. Waiting here is what makes the sums repeat.
      for (int spins = 0; turn.load(std::memory_order_acquire) != slice; ++spins)
        if (spins > 200) std::this_thread::yield();
      if (slice == 0) {
        std::memcpy(sums, slice_sums, gradient_size * sizeof(float));
      } else {
        AddTo(gradient_size, slice_sums, sums);
      }
      Commit(worker);
      turn.store(slice + 1, std::memory_order_release);
    }
  });
  PointGradientsAt(*workers_[0], store_.gradient());
  EndBatch();
}

void Executor::BeginBatch() {
  for (size_t n = 0; n < graph_.nodes.size(); ++n) graph_.nodes[n].op->BeginBatch(workers_[0]->contexts[n]);
}

void Executor::EndBatch() {
  for (size_t n = 0; n < graph_.nodes.size(); ++n) graph_.nodes[n].op->EndBatch(workers_[0]->contexts[n]);
}

void Executor::ParametersChanged() { BeginBatch(); }

void Executor::Forward(const InputBatch& batch, const std::function<void(const Slice&)>& visit, int64_t step) {
  const auto run = [&](int64_t slice, int thread) {
    Worker& worker = *workers_[thread];
    SetSlice(worker, batch, static_cast<int>(slice), step, false);
    RunForward(worker);
    visit({slice * slice_rows_, worker.input.rows, static_cast<int>(slice), worker.logits, worker.d_logits,
           worker.probes});
  };
  const int slices = NumSlices(batch.rows);
  if (slices == 1) return run(0, 0);
  pool_.ParallelFor(slices, std::ref(run));  // a copy would be allocated
}

}  // namespace manygate
