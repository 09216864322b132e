// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/health_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/report/text_table.h"

namespace manygate {
namespace {

constexpr size_t kGatesPerTable = 6, kMostPairs = 10;

// "12 %", or "" where no bank has the expert.
std::string DeadUnits(const HealthReport& report, const std::string& expert) {
  for (const BankHealth& bank : report.banks)
    for (size_t e = 0; e < bank.dead_units.size(); ++e)
      if (fmt::format("{}.{}", bank.name, e) == expert) return fmt::format("{:.0f} %", 100 * bank.dead_units[e]);
  return "";
}

std::string WeightOf(const GateHealth& gate, const std::string& expert) {
  const auto found = std::find(gate.experts.begin(), gate.experts.end(), expert);
  return found == gate.experts.end() ? "" : fmt::format("{:.3f}", gate.mean_weight[found - gate.experts.begin()]);
}

std::string GatesTable(const HealthReport& report, std::span<const GateHealth> gates) {
  std::vector<TableColumn> columns = {{"expert"}};
  std::vector<std::string> experts, entropies = {"(entropy)"};
  for (const GateHealth& gate : gates) {
    columns.push_back({gate.name, Align::kRight});
    entropies.push_back(fmt::format("{:.3f}", gate.entropy));
    for (const std::string& expert : gate.experts)
      if (std::find(experts.begin(), experts.end(), expert) == experts.end()) experts.push_back(expert);
  }
  columns.push_back({"dead units", Align::kRight});
  entropies.push_back("");
  TextTable table(std::move(columns));
  for (const std::string& expert : experts) {
    std::vector<std::string> cells = {expert};
    for (const GateHealth& gate : gates) cells.push_back(WeightOf(gate, expert));
    cells.push_back(DeadUnits(report, expert));
    table.AddRow(std::move(cells));
  }
  table.AddRow(std::move(entropies));
  return table.ToString();
}

std::string CosineTable(std::vector<TaskCosine> pairs) {
  std::string title = "Cosine of the tasks' gradients";
  if (pairs.size() > kMostPairs) {
    title += fmt::format(", the lowest and the highest of {} pairs", FormatCount(static_cast<int64_t>(pairs.size())));
    // A cosine that is not a number would break the order.
    std::erase_if(pairs, [](const TaskCosine& pair) { return std::isnan(pair.cosine); });
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.cosine < b.cosine; });
    if (pairs.size() > kMostPairs) pairs.erase(pairs.begin() + kMostPairs / 2, pairs.end() - kMostPairs / 2);
  }
  TextTable table({{"task"}, {"other"}, {"cosine", Align::kRight}});
  for (const TaskCosine& pair : pairs)
    table.AddRow({pair.a, pair.b, std::isnan(pair.cosine) ? "n/a" : fmt::format("{:+.3f}", pair.cosine)});
  return title + "\n\n" + table.ToString();
}

}  // namespace

std::string HealthTable(const HealthReport& report) {
  std::vector<std::string> parts;
  if (!report.gates.empty()) {
    std::string text = fmt::format("Mean gate weight per expert, {} rows\n", FormatCount(report.rows));
    const std::span<const GateHealth> gates(report.gates);
    for (size_t first = 0; first < gates.size(); first += kGatesPerTable)
      text += "\n" + GatesTable(report, gates.subspan(first, std::min(kGatesPerTable, gates.size() - first)));
    parts.push_back(std::move(text));
  }
  if (!report.cosines.empty()) parts.push_back(CosineTable(report.cosines));
  if (!report.alarms.empty()) {
    std::string text;
    for (const std::string& alarm : report.alarms) text += fmt::format("alarm: {}\n", alarm);
    parts.push_back(std::move(text));
  }
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "\n") + part;
  return text;
}

}  // namespace manygate
