// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/task_gradients.h"

#include <algorithm>
#include <map>
#include <set>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

// The names of the parameters that the value depends on and learns from.
void AddParametersBehind(const Graph& graph, Value output, std::set<std::string>* names) {
  std::vector<bool> seen(graph.nodes.size(), false);
  std::vector<Value> open = {output};
  while (!open.empty()) {
    const Value value = open.back();
    open.pop_back();
    if (seen[value]) continue;
    seen[value] = true;
    const Node& node = graph.node(value);
    const auto add = [&](const std::vector<Piece>& pieces) {
      for (const Piece& piece : pieces) names->insert(graph.parameters[piece.parameter].name);
    };
    for (const Block& block : node.blocks) add(block.pieces);
    for (const int table : node.tables) add(graph.tables[table].pieces);
    std::vector<Shape> shapes;
    for (const Value input : node.inputs) shapes.push_back(graph.shape(input));
    if (node.op->Traits(shapes).stops_gradient) continue;
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
}

}  // namespace

TaskGradients::TaskGradients(Model& model)
    : store_(*model.store), tasks_(static_cast<int>(model.tasks.size())), has_row_losses_(false) {
  for (const Graph::Output& output : model.graph.outputs)
    has_row_losses_ |= output.kind == Graph::Output::Kind::kRowLoss;
  FindShared(model);
  FindDenseRuns(model.graph);
  FindTableRuns(model.graph);
  gradients_.resize(tasks_ + (has_row_losses_ ? 1 : 0));
  rows_.resize(store_.tables().size());
  for (Gradient& gradient : gradients_) {
    gradient.dense.Resize(store_.trainable_size());
    gradient.tables.resize(store_.tables().size());
  }
}

void TaskGradients::KeepGradients() {
  for (int k = 0; k < tasks_; ++k) kept_.emplace_back(store_.trainable_size());
}

// In the graph as it is wired: the passes put parameters of several tasks into one node.
void TaskGradients::FindShared(const Model& model) {
  const Graph wired = BuildGraph(model.pipeline, model.schema, {.purpose = Purpose::kTrain, .rewrite = false});
  std::map<std::string, int> readers;
  for (const Graph::Output& output : wired.outputs) {
    if (output.kind != Graph::Output::Kind::kTower) continue;
    std::set<std::string> names;
    AddParametersBehind(wired, output.logits, &names);
    for (const std::string& name : names) ++readers[name];
  }
  for (const Parameter& parameter : model.graph.parameters) {
    const bool shared = parameter.trainable && readers[parameter.name] > 1;
    slots_.push_back(shared ? static_cast<int>(shared_names_.size()) : -1);
    if (shared) shared_names_.push_back(parameter.name);
  }
}

void TaskGradients::FindDenseRuns(const Graph& graph) {
  std::vector<Run> runs;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (size_t b = 0; b < graph.nodes[n].blocks.size(); ++b) {
      const Block& block = graph.nodes[n].blocks[b];
      const int64_t start = store_.BlockOffset(static_cast<Value>(n), static_cast<int>(b));
      if (start >= store_.trainable_size()) continue;
      for (const Piece& piece : block.pieces)
        for (int64_t r = 0; r < piece.rows; ++r)
          runs.push_back(
              {start + (piece.row + r) * block.columns + piece.column, piece.columns, slots_[piece.parameter]});
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.offset < b.offset; });
  for (const Run& run : runs) {
    const bool goes_on = !dense_runs_.empty() && dense_runs_.back().slot == run.slot &&
                         dense_runs_.back().offset + dense_runs_.back().size == run.offset;
    if (goes_on) {
      dense_runs_.back().size += run.size;
    } else {
      dense_runs_.push_back(run);
    }
  }
}

// Rows of a table that hold the same parameters in the same columns are of one kind; there are few kinds.
void TaskGradients::FindTableRuns(const Graph& graph) {
  for (const TableBlock& table : graph.tables) {
    std::set<int64_t> ends = {0, table.rows};
    for (const Piece& piece : table.pieces) ends.insert({piece.row, piece.row + piece.rows});
    std::vector<int32_t> kinds(table.rows);
    std::vector<std::vector<Run>> runs;
    std::map<std::vector<std::pair<int64_t, int>>, int32_t> known;  // (column, slot) of the runs
    for (auto end = ends.begin(); *end < table.rows;) {
      const int64_t first = *end, last = *++end;
      std::vector<Run> of_rows;
      for (const Piece& piece : table.pieces)
        if (piece.row <= first && first < piece.row + piece.rows)
          of_rows.push_back({piece.column, piece.columns, slots_[piece.parameter]});
      std::sort(of_rows.begin(), of_rows.end(), [](const Run& a, const Run& b) { return a.offset < b.offset; });
      std::vector<std::pair<int64_t, int>> key;
      for (const Run& run : of_rows) key.emplace_back(run.offset, run.slot);
      const auto [kind, is_new] = known.try_emplace(key, static_cast<int32_t>(runs.size()));
      if (is_new) runs.push_back(of_rows);
      std::fill(kinds.begin() + first, kinds.begin() + last, kind->second);
    }
    table_runs_.push_back(std::move(runs));
    row_kinds_.push_back(std::move(kinds));
  }
}

template <typename Visit>
void TaskGradients::VisitRuns(Visit visit) const {
  for (const Run& run : dense_runs_) visit(-1, run.offset, run.size, run.slot);
  for (size_t t = 0; t < rows_.size(); ++t) {
    const int64_t width = store_.tables()[t]->padded_width();
    for (size_t i = 0; i < rows_[t].size(); ++i)
      for (const Run& run : table_runs_[t][row_kinds_[t][rows_[t][i]]])
        visit(static_cast<int>(t), static_cast<int64_t>(i) * width + run.offset, run.size, run.slot);
  }
}

void TaskGradients::StartBatch() {
  for (Gradient& gradient : gradients_) gradient.taken = false;
  for (size_t t = 0; t < rows_.size(); ++t) {
    rows_[t].clear();
    for (const auto& touched : store_.tables()[t]->touched())
      rows_[t].insert(rows_[t].end(), touched.begin(), touched.end());
  }
}

void TaskGradients::TakeTable(size_t t, float scale, Gradient& gradient) {
  RowTable& table = *store_.tables()[t];
  const int64_t width = table.padded_width();
  gradient.tables[t].resize(rows_[t].size() * width);
  float* to = gradient.tables[t].data();
  for (const int32_t row : rows_[t]) {
    float* from = table.gradient(row);
    CopyScaled(width, scale, from, to);
    std::fill_n(from, width, 0.f);
    to += width;
  }
}

void TaskGradients::Take(int k, Balancer::Preparation preparation) {
  MG_CHECK(k < static_cast<int>(gradients_.size()), "task {} of {}", k, tasks_);
  Gradient& gradient = gradients_[k];
  gradient.taken = true;
  const auto scale = static_cast<float>(preparation.scale);
  CopyScaled(store_.trainable_size(), scale, store_.gradient(), gradient.dense.data());
  for (size_t t = 0; t < rows_.size(); ++t) TakeTable(t, scale, gradient);
  if (kept_.empty() || k >= tasks_) return;
  const auto keep = static_cast<float>(preparation.keep);
  for (const Run& run : dense_runs_) {
    if (run.slot < 0) continue;
    for (int64_t i = run.offset; i < run.offset + run.size; ++i) {
      kept_[k][i] = keep * kept_[k][i] + (1 - keep) * gradient.dense[i];
      gradient.dense[i] = kept_[k][i];
    }
  }
}

GradientProducts TaskGradients::Products() const {
  GradientProducts products(shared_parameters(), tasks_);
  for (int i = 0; i < tasks_; ++i) {
    for (int j = i; j < tasks_; ++j) {
      if (!gradients_[i].taken || !gradients_[j].taken) continue;
      std::vector<double> sums(shared_parameters(), 0.0);
      VisitRuns([&](int part, int64_t offset, int64_t size, int slot) {
        if (slot >= 0) sums[slot] += Dot(size, gradients_[i].part(part) + offset, gradients_[j].part(part) + offset);
      });
      for (int p = 0; p < shared_parameters(); ++p) products.Set(p, i, j, sums[p]);
    }
  }
  return products;
}

void TaskGradients::Combine(std::span<const double> factors) {
  std::fill_n(store_.gradient(), store_.trainable_size(), 0.f);
  const auto add = [&](const Gradient& gradient, auto factor_of_slot) {
    if (!gradient.taken) return;
    for (const Run& run : dense_runs_)
      AddScaled(run.size, factor_of_slot(run.slot), gradient.dense.data() + run.offset, store_.gradient() + run.offset);
    for (size_t t = 0; t < rows_.size(); ++t) {
      RowTable& table = *store_.tables()[t];
      const float* from = gradient.tables[t].data();
      for (const int32_t row : rows_[t]) {
        for (const Run& run : table_runs_[t][row_kinds_[t][row]])
          AddScaled(run.size, factor_of_slot(run.slot), from + run.offset, table.gradient(row) + run.offset);
        from += table.padded_width();
      }
    }
  };
  for (int k = 0; k < tasks_; ++k) {
    add(gradients_[k], [&](int slot) {
      return static_cast<float>(factors[static_cast<size_t>(slot < 0 ? shared_parameters() : slot) * tasks_ + k]);
    });
  }
  if (has_row_losses_) add(gradients_[tasks_], [](int) { return 1.f; });
}

std::vector<std::pair<std::string, std::span<float>>> TaskGradients::Kept() {
  std::vector<std::pair<std::string, std::span<float>>> parts;
  for (size_t k = 0; k < kept_.size(); ++k) parts.emplace_back("balancing.kept." + std::to_string(k), kept_[k].span());
  return parts;
}

}  // namespace manygate
