// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "manygate/base/random.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

// Of one bank: where experts are so many and wide, fewer rows than health_rows are looked at.
constexpr int64_t kMostBankValues = int64_t{1} << 24;
constexpr uint64_t kGradientRowsStream = 0x6865616C7468;

std::vector<std::string> ExpertNames(const Graph& graph, const GatedExperts& found, const FoundGate& gate) {
  std::vector<std::string> names;
  for (const int b : gate.banks) {
    const FoundBank& bank = found.banks[b];
    for (int64_t e = 0; e < graph.shape(bank.experts).groups; ++e) names.push_back(fmt::format("{}.{}", bank.name, e));
  }
  return names;
}

}  // namespace

HealthMonitor::HealthMonitor(Model& model, Stepper& stepper, const Dataset& data, ThreadPool& pool)
    : model_(model), stepper_(stepper), data_(data) {
  const auto health_rows = static_cast<int64_t>(model.pipeline.train_config().health_rows());
  if (health_rows == 0) return;
  if (model.tasks.size() > 1) DrawGradientRows(health_rows);
  found_ = FindGates(model.graph);
  if (found_.gates.empty()) return;
  const RowSelection& from = data.validation.rows.empty() ? data.sample : data.validation;
  const int64_t rows = std::min(health_rows, static_cast<int64_t>(from.rows.size()));
  selection_ = {from.table, {from.rows.begin(), from.rows.begin() + rows}, {}};
  ExecutorOptions options{.slice_rows = static_cast<int64_t>(model.pipeline.train_config().slice_rows())};
  for (const FoundGate& gate : found_.gates) options.probes.push_back(gate.weights);
  for (const FoundBank& bank : found_.banks) options.probes.push_back(bank.experts);
  executor_ = std::make_unique<Executor>(model.graph, *model.store, options, pool);
}

void HealthMonitor::DrawGradientRows(int64_t health_rows) {
  const std::vector<uint32_t>& rows = data_.sample.rows;
  const int64_t wanted = std::min(health_rows, kGradientRows);
  const auto batch_size = static_cast<int64_t>(model_.pipeline.data_config().batch_size());
  gradient_batch_ = static_cast<int>(std::min(batch_size, std::max<int64_t>(1, wanted / 4)));
  const Philox random(model_.pipeline.train_config().seed(), kGradientRowsStream);
  for (int64_t i = 0; i < wanted / gradient_batch_ * gradient_batch_; ++i)
    gradient_rows_.push_back(rows[random.Block(static_cast<uint64_t>(i))[0] % rows.size()]);
}

std::vector<HealthMonitor::Probe> HealthMonitor::Run() {
  const auto rows = static_cast<int64_t>(selection_.rows.size());
  std::vector<Probe> probes;
  for (const FoundGate& gate : found_.gates) {
    const int64_t width = model_.graph.shape(gate.weights).size();
    probes.push_back({rows, width, std::vector<float>(rows * width)});
  }
  for (const FoundBank& bank : found_.banks) {
    const int64_t width = model_.graph.shape(bank.experts).size();
    const int64_t kept = std::min(rows, std::max(kSimilarityRows, kMostBankValues / width));
    probes.push_back({kept, width, std::vector<float>(kept * width)});
  }
  const auto& table = *selection_.table;
  const int64_t batch_rows = std::min<int64_t>(rows, model_.pipeline.data_config().eval_batch_size());
  std::vector<int32_t> ids(batch_rows * table.num_id_slots());
  std::vector<float> numbers(batch_rows * table.number_width());
  executor_->ParametersChanged();
  for (int64_t first = 0; first < rows; first += batch_rows) {
    const int64_t n = std::min(batch_rows, rows - first);
    table.CopyRows(selection_.rows.data() + first, static_cast<int>(n), ids.data(), numbers.data(), nullptr, nullptr);
    const InputBatch batch{n, ids.data(), table.num_id_slots(), numbers.data(), table.number_width()};
    executor_->Forward(batch, [&](const Slice& slice) {
      for (size_t p = 0; p < probes.size(); ++p) {
        Probe& probe = probes[p];
        const View& view = slice.probes[p];
        for (int64_t r = 0, at = first + slice.first_row; r < slice.rows && at < probe.rows; ++r, ++at)
          std::copy_n(view.data + r * view.stride, probe.width, probe.values.data() + at * probe.width);
      }
    });
  }
  return probes;
}

void HealthMonitor::MeasureGates(HealthReport* report) {
  const std::vector<Probe> probes = Run();
  report->rows = static_cast<int64_t>(selection_.rows.size());
  for (size_t g = 0; g < found_.gates.size(); ++g) {
    const FoundGate& gate = found_.gates[g];
    report->gates.push_back(MeasureGate(gate.name, ExpertNames(model_.graph, found_, gate), probes[g].values.data(),
                                        probes[g].rows, probes[g].width));
    report->gates.back().sparse = gate.sparse;
  }
  for (size_t b = 0; b < found_.banks.size(); ++b) {
    const Shape shape = model_.graph.shape(found_.banks[b].experts);
    const Probe& probe = probes[found_.gates.size() + b];
    report->banks.push_back(
        MeasureBank(found_.banks[b].name, shape.groups, shape.width, probe.values.data(), probe.rows, probe.width));
  }
}

void HealthMonitor::MeasureCosines(HealthReport* report) {
  const int tasks = static_cast<int>(model_.tasks.size());
  std::vector<double> sums(tasks * tasks, 0.0);
  std::vector<int> counts(tasks * tasks, 0);  // of batches in which both tasks have a gradient
  for (size_t first = 0; first < gradient_rows_.size(); first += gradient_batch_) {
    const GradientProducts products =
        stepper_.MeasureProducts(*data_.sample.table, gradient_rows_.data() + first, gradient_batch_);
    for (int a = 0; a < tasks; ++a) {
      for (int b = a + 1; b < tasks; ++b) {
        const double cosine = products.Cosine(a, b);
        if (!std::isfinite(cosine)) continue;
        sums[a * tasks + b] += cosine;
        ++counts[a * tasks + b];
      }
    }
  }
  for (int a = 0; a < tasks; ++a)
    for (int b = a + 1; b < tasks; ++b)
      if (const int i = a * tasks + b; counts[i] > 0)
        report->cosines.push_back({model_.graph.outputs[a].name, model_.graph.outputs[b].name, sums[i] / counts[i]});
}

HealthReport HealthMonitor::Measure() {
  const ScopedFlushDenormals flush;
  HealthReport report;
  if (executor_ != nullptr) MeasureGates(&report);
  if (!gradient_rows_.empty()) MeasureCosines(&report);
  report.alarms = Alarms(report);
  return report;
}

void AddScalars(const HealthReport& report, int64_t step, EventWriter& events) {
  for (const GateHealth& gate : report.gates) {
    events.AddScalar(fmt::format("gate/{}/entropy", gate.name), step, gate.entropy);
    for (size_t e = 0; e < gate.experts.size(); ++e)
      events.AddScalar(fmt::format("gate/{}/{}", gate.name, gate.experts[e]), step, gate.mean_weight[e]);
  }
  for (const TaskCosine& pair : report.cosines)
    events.AddScalar(fmt::format("cosine/{}/{}", pair.a, pair.b), step, pair.cosine);
}

}  // namespace manygate
