// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/memory_plan.h"

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate {
namespace {

struct Request {
  int64_t size, start, end;
  int64_t* offset;  // where the answer goes
};

// First fit over requests ordered by size: each goes to the lowest place free during its whole life.
int64_t PlaceAll(std::vector<Request> requests) {
  std::stable_sort(requests.begin(), requests.end(), [](const auto& a, const auto& b) { return a.size > b.size; });
  int64_t total = 0;
  std::vector<const Request*> placed;
  for (const Request& request : requests) {
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (const Request* other : placed)
      if (other->start <= request.end && request.start <= other->end)
        taken.emplace_back(*other->offset, *other->offset + other->size);
    std::sort(taken.begin(), taken.end());
    int64_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (at + request.size <= begin) break;
      at = std::max(at, end);
    }
    *request.offset = at;
    total = std::max(total, at + request.size);
    placed.push_back(&request);
  }
  return total;
}

class Planner {
 public:
  Planner(const Graph& graph, int64_t capacity, bool training, std::span<const Value> probes)
      : graph_(graph),
        capacity_(capacity),
        training_(training),
        count_(static_cast<int64_t>(graph.nodes.size())),
        probes_(probes) {
    MG_CHECK(!training || probes.empty(), "{} probes of a graph that trains", probes.size());
    for (const Node& node : graph.nodes) {
      std::vector<Shape> shapes;
      for (const Value input : node.inputs) shapes.push_back(graph.shape(input));
      traits_.push_back(node.op->Traits(shapes));
    }
  }

  MemoryPlan Plan() {
    FindGradients();
    ResolveAliases();
    plan_.values.resize(count_);
    plan_.gradients.resize(count_);
    plan_.workspaces.assign(count_, -1);
    plan_.accumulate.resize(count_);
    for (int64_t i = 0; i < count_; ++i) plan_.accumulate[i].assign(graph_.nodes[i].inputs.size(), 0);
    RequestValues();
    if (training_) RequestGradients();
    RequestWorkspaces();
    plan_.size = PlaceAll(std::move(requests_));
    for (int64_t i = 0; i < count_; ++i) {
      plan_.values[i] = {plan_.values[root_[i]].offset + column_[i], Stride(root_[i])};
      if (training_ && needs_gradient_[i])
        plan_.gradients[i] = {plan_.gradients[root_[i]].offset + column_[i], Stride(root_[i])};
    }
    return std::move(plan_);
  }

 private:
  int64_t Stride(int64_t root) const { return (graph_.nodes[root].shape.size() + 15) / 16 * 16; }
  int64_t Backward(int64_t node) const { return 2 * count_ - node; }

  void ResolveAliases() {
    std::vector<int> readers = graph_.NumReaders();
    for (const Value probe : probes_) ++readers[probe];
    root_.resize(count_);
    column_.assign(count_, 0);
    for (int64_t i = 0; i < count_; ++i) {
      root_[i] = static_cast<Value>(i);
      const Node& node = graph_.nodes[i];
      if (node.inputs.empty()) continue;
      const Value input = node.inputs[0];
      const bool view = traits_[i].memory == OpTraits::Memory::kView;
      // Sharing a buffer is sharing that of the gradient, so both or neither must have one (a sum of an input and a layer).
      const bool in_place = traits_[i].memory == OpTraits::Memory::kInPlace && readers[input] == 1 &&
                            !(training_ && traits_[input].backward_reads_output) &&
                            needs_gradient_[i] == needs_gradient_[input];
      if (!view && !in_place) continue;
      root_[i] = root_[input];
      column_[i] = column_[input] + (view ? traits_[i].view_offset : 0);
    }
  }

  void FindGradients() {
    needs_gradient_.assign(count_, 0);
    if (!training_) return;
    for (int64_t i = 0; i < count_; ++i) {
      const Node& node = graph_.nodes[i];
      needs_gradient_[i] = !node.blocks.empty() || !node.tables.empty();
      for (const Value input : node.inputs) needs_gradient_[i] |= needs_gradient_[input];
    }
  }

  void RequestValues() {
    std::vector<int64_t> end(count_, 0);
    const auto extend = [&](Value value, int64_t time) { end[root_[value]] = std::max(end[root_[value]], time); };
    for (int64_t i = 0; i < count_; ++i) {
      extend(static_cast<Value>(i), training_ && traits_[i].backward_reads_output ? Backward(i) : i);
      for (const Value input : graph_.nodes[i].inputs)
        extend(input, training_ && traits_[i].backward_reads_inputs ? Backward(i) : i);
    }
    for (const auto& output : graph_.outputs) extend(output.logits, count_);
    for (const Value probe : probes_) extend(probe, count_);
    for (int64_t i = 0; i < count_; ++i)
      if (root_[i] == i) requests_.push_back({Stride(i) * capacity_, i, end[i], &plan_.values[i].offset});
  }

  void RequestGradients() {
    std::vector<int64_t> start(count_, 2 * count_ + 2), end(count_, 0);
    std::vector<uint8_t> written(count_, 0);
    for (const auto& output : graph_.outputs) {
      start[root_[output.logits]] = std::min(start[root_[output.logits]], count_);
      written[output.logits] = 1;
    }
    for (int64_t i = count_ - 1; i >= 0; --i) {
      if (!needs_gradient_[i]) continue;
      const int64_t root = root_[i];
      end[root] = std::max(end[root], traits_[i].commits ? 2 * count_ + 1 : Backward(i));
      start[root] = std::min(start[root], Backward(i));
      for (size_t k = 0; k < graph_.nodes[i].inputs.size(); ++k) {
        const Value input = graph_.nodes[i].inputs[k];
        if (!needs_gradient_[input]) continue;
        plan_.accumulate[i][k] = written[input];
        written[input] = 1;
        start[root_[input]] = std::min(start[root_[input]], Backward(i));
      }
    }
    for (int64_t i = 0; i < count_; ++i)
      if (root_[i] == i && needs_gradient_[i])
        requests_.push_back({Stride(i) * capacity_, start[i], end[i], &plan_.gradients[i].offset});
  }

  void RequestWorkspaces() {
    int64_t scratch = 0;
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t size = (traits_[i].workspace_per_row * capacity_ + traits_[i].workspace_fixed + 15) / 16 * 16;
      const int64_t end = !training_ ? i : traits_[i].commits ? 2 * count_ + 1 : Backward(i);
      if (size > 0) requests_.push_back({size, i, end, &plan_.workspaces[i]});
      scratch = std::max(scratch, traits_[i].scratch);
    }
    requests_.push_back({(scratch + 15) / 16 * 16, 0, 2 * count_ + 1, &plan_.scratch});
  }

  const Graph& graph_;
  const int64_t capacity_;
  const bool training_;
  const int64_t count_;
  const std::span<const Value> probes_;
  std::vector<OpTraits> traits_;
  std::vector<Value> root_;      // the node whose buffer holds this value
  std::vector<int64_t> column_;  // first column within it
  std::vector<uint8_t> needs_gradient_;
  std::vector<Request> requests_;
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan PlanMemory(const Graph& graph, int64_t capacity, bool training, std::span<const Value> probes) {
  return Planner(graph, capacity, training, probes).Plan();
}

}  // namespace manygate
