// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/svg.h"

#include <fmt/format.h>

#include <cmath>

#include "manygate/report/html.h"

namespace manygate {

std::string SvgNumber(double value) {
  const double rounded = std::round(value * 100) / 100;
  return rounded == 0 ? "0" : fmt::format("{:.7g}", rounded);
}

std::string SvgOpen(std::string_view label, double width, double height, std::string_view css_class) {
  return fmt::format(R"(<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" style="--width:{}px">)"
                     "\n",
                     css_class, EscapeHtml(label), SvgNumber(width), SvgNumber(height), SvgNumber(width));
}

std::string SvgText(double x, double y, std::string_view text, std::string_view css_class) {
  return fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", SvgNumber(x), SvgNumber(y), css_class,
                     EscapeHtml(text));
}

std::string SvgTitle(std::string_view text) { return fmt::format("<title>{}</title>", EscapeHtml(text)); }

}  // namespace manygate
