// SPDX-License-Identifier: Apache-2.0
// What all pictures of a page have in common: the frame, escaped text, numbers.
//
//   std::string svg = SvgOpen("AUC by epoch", 440, 280) + SvgText(10, 20, "epoch", "tick") + "</svg>";
#ifndef MANYGATE_REPORT_SVG_H_
#define MANYGATE_REPORT_SVG_H_

#include <string>
#include <string_view>

namespace manygate {

// Text sizes in the units of the viewBox. Room is measured for the larger one, which narrow screens use
// (html_style.cc).
inline constexpr double kSvgFont = 14;

// `<svg class="..." role="img" aria-label="..." viewBox="0 0 440 280">`, shown at most as wide as the class says (of
// `width`, which it knows as --width).
std::string SvgOpen(std::string_view label, double width, double height, std::string_view css_class = "chart");
// `<text x y class>`; the class says where the text is anchored.
std::string SvgText(double x, double y, std::string_view text, std::string_view css_class);
// A coordinate: at most two decimals, no trailing zeros, no "-0".
std::string SvgNumber(double value);
// `<title>` of the element around it, which browsers show when the mouse rests there.
std::string SvgTitle(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_REPORT_SVG_H_
