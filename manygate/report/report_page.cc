// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/text.h"
#include "manygate/report/axis.h"
#include "manygate/report/report_sections.h"

namespace manygate {

std::string MetricTitle(std::string_view metric) {
  constexpr std::pair<std::string_view, std::string_view> kTitles[] = {
      {"auc", "AUC"},
      {"pr_auc", "area under precision-recall"},
      {"grouped_auc", "grouped AUC"},
      {"multiclass_auc", "multi-class AUC"},
      {"flattened_auc", "flattened AUC"},
      {"xauc", "XAUC"},
      {"grouped_xauc", "grouped XAUC"},
      {"r2", "R²"},
  };
  for (const auto& [name, title] : kTitles)
    if (name == metric) return std::string(title);
  std::string title(metric);
  for (char& c : title) c = c == '_' ? ' ' : c;
  return title;
}

std::string FormatPlace(double at) { return at >= 1e6 ? FormatNumber(at) : fmt::format("{:.6g}", at); }

std::string FormatInterval(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "";
  // As many decimals for both as four digits of the larger one and two of their distance need.
  const double size = std::max(std::fabs(low), std::fabs(high)), width = high - low;
  if (size == 0 || size >= 1e6 || size < 1e-4) return fmt::format("{}–{}", FormatNumber(low), FormatNumber(high));
  const auto digits_from = [](double value) { return static_cast<int>(std::floor(std::log10(value))); };
  const int decimals = std::max(3 - digits_from(size), width > 0 ? 1 - digits_from(width) : 0);
  return fmt::format("{0:.{2}f}–{1:.{2}f}", low, high, std::clamp(decimals, 0, 6));
}

const HealthReport* LastHealth(const ReportData& data) {
  for (size_t i = data.history.size(); i-- > 0;)
    if (!data.history[i].health.empty()) return &data.history[i].health;
  return nullptr;
}

std::string DrawReport(const ReportData& data) {
  HtmlPage page{.title = data.name,
                .subtitle = fmt::format("{}{}: {} {}, {} parameters{}", data.members > 1 ? "ensemble of " : "",
                                        data.model, data.tasks.size(), data.tasks.size() == 1 ? "task" : "tasks",
                                        FormatCount(data.num_parameters), data.members > 1 ? " per member" : ""),
                .head_html = HeadlineHtml(data),
                .sections = TaskSections(data),
                .footer = fmt::format("Made by manygate {}.", data.program_version)};
  for (auto sections : {SharingSections(data), ModelSections(data)})
    for (HtmlSection& section : sections) page.sections.push_back(std::move(section));
  return DrawPage(page);
}

}  // namespace manygate
