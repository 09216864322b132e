// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/base/text.h"

namespace manygate {
namespace {

// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`.
double RoundStep(double least, bool whole) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    const double step = factor * power;
    if (step >= least * (1 - 1e-9) && (!whole || step == std::round(step))) return step;
  }
  return 10 * power;
}

// Decimals that a multiple of `step` needs.
int Decimals(double step) {
  for (int decimals = 0; decimals < 12; ++decimals) {
    const double scaled = step * std::pow(10.0, decimals);
    if (std::fabs(scaled - std::round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return 12;
}

std::string TickLabel(double tick, double step) {
  if (std::fabs(tick) < step * 1e-9) return "0";
  const double size = std::max(std::fabs(tick), step);
  if (size >= 1e12 || step < 1e-5) return fmt::format("{:.3g}", tick);
  if (size >= 1e9) return fmt::format("{:.4g}G", tick / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g}M", tick / 1e6);
  const int decimals = Decimals(step);
  return decimals == 0 ? FormatCount(std::llround(tick)) : fmt::format("{:.{}f}", tick, decimals);
}

// As many whole characters as fit.
std::string Beginning(std::string text, double width, double font_size) {
  while (!text.empty() && TextWidth(text, font_size) > width) {
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  return text;
}

}  // namespace

Axis MakeAxis(const AxisChoice& choice, double least, double most, int most_ticks) {
  MG_CHECK(std::isfinite(least) && std::isfinite(most) && least <= most, "an axis from {} to {}", least, most);
  Axis axis{.title = choice.title};
  const bool low_given = std::isfinite(choice.low), high_given = std::isfinite(choice.high);
  double low = low_given ? choice.low : least, high = high_given ? choice.high : most;
  // A single value stands in the middle of some room; numbers that differ in their last bits only are one.
  const double room = std::max(std::fabs(high), std::fabs(low)) * 1e-6;
  if (high - low <= std::max(room, std::numeric_limits<double>::min())) {
    const double around = choice.whole ? 1 : (high == 0 ? 1 : std::fabs(high) * 0.1);
    if (!low_given) low -= around;
    if (!high_given || low_given) high += around;
  }
  double step = RoundStep((high - low) / std::max(1, most_ticks - 1), choice.whole);
  if (choice.whole) step = std::max(step, 1.0);
  if (!low_given && !choice.whole) low = std::floor(low / step + 1e-9) * step;
  if (!high_given && !choice.whole) high = std::ceil(high / step - 1e-9) * step;
  axis.low = low;
  axis.high = high;
  for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; ++n) {
    axis.ticks.push_back(n * step);
    axis.labels.push_back(TickLabel(n * step, step));
  }
  return axis;
}

std::string FormatNumber(double value) {
  if (!std::isfinite(value)) return "n/a";
  if (value == 0) return "0";
  const double size = std::fabs(value);
  if (size < 1e-4 || size >= 1e15) return fmt::format("{:.2g}", value);
  if (size >= 1000 || value == std::round(value)) return FormatCount(std::llround(value));
  return fmt::format("{:.{}f}", value, std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 6));
}

std::string FormatShare(double share) {
  if (!std::isfinite(share)) return "n/a";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return fmt::format("{:.1f} %", 100 * share);
}

std::string FormatDifference(double value) {
  const double size = std::fabs(value);
  const std::string sign = value > 0 ? "+" : "";
  if (!std::isfinite(value) || size < 1e-4 || size >= 100) return sign + FormatNumber(value);
  return sign + fmt::format("{:.{}f}", value, std::clamp(2 - static_cast<int>(std::floor(std::log10(size))), 0, 6));
}

double TextWidth(std::string_view text, double font_size) {
  double width = 0;
  for (const char c : text) {
    if ((c & 0xC0) == 0x80) continue;  // a further byte of a character
    const bool narrow = std::string_view("iljtfrI.,:;|!'()[] ").find(c) != std::string_view::npos;
    const bool wide = std::string_view("mwMWQ%@").find(c) != std::string_view::npos || (c & 0x80) != 0;
    width += narrow ? 0.40 : wide ? 0.98 : (c >= 'A' && c <= 'Z') ? 0.74 : 0.62;
  }
  return width * font_size;
}

std::string FitText(const std::string& text, double width, double font_size) {
  if (TextWidth(text, font_size) <= width) return text;
  std::string cut = Beginning(text, width - font_size, font_size);
  while (cut.ends_with(' ')) cut.pop_back();
  return cut + "…";
}

std::string FitName(const std::string& name, double width, double font_size) {
  if (TextWidth(name, font_size) <= width) return name;
  const double half = (width - font_size) / 2;
  size_t end = name.size();
  for (size_t at = end; at-- > 0;) {
    if ((name[at] & 0xC0) == 0x80) continue;
    if (TextWidth(std::string_view(name).substr(at), font_size) > half) break;
    end = at;
  }
  return Beginning(name, half, font_size) + "…" + name.substr(end);
}

}  // namespace manygate
