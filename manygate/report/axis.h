// SPDX-License-Identifier: Apache-2.0
// Numbers as charts and their tables show them, and the scale of an axis with round ticks.
//
//   const Axis axis = MakeAxis({.title = "epoch", .whole = true}, 1, 12);   // ticks 2, 4, ... 12
//   double x = axis.Place(7, 40, 400);                                      // between pixels 40 and 400
//   FormatNumber(0.123456);                                                 // "0.1235"
#ifndef MANYGATE_REPORT_AXIS_H_
#define MANYGATE_REPORT_AXIS_H_

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace manygate {

struct AxisChoice {
  std::string title = {};  // with its unit
  // The ends; NaN: from the data, widened to round numbers.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  bool whole = false;  // ticks at whole numbers only
};

struct Axis {
  std::string title;
  double low = 0, high = 1;
  std::vector<double> ticks = {};
  std::vector<std::string> labels = {};  // [ticks], all with the same decimals

  // `value` on a line from `first` (low) to `last` (high).
  double Place(double value, double first, double last) const {
    return first + (value - low) / (high - low) * (last - first);
  }
};

// For values from `least` to `most`, finite. About five ticks, 1, 2, 2.5 or 5 times a power of ten apart.
Axis MakeAxis(const AxisChoice& choice, double least, double most, int most_ticks = 6);

// Four significant digits, whole numbers whole, thousands apart: "0.1230", "12.30", "12", "1,234,568", "1.2e-07"; "n/a"
// for NaN and infinities.
std::string FormatNumber(double value);
// A share as "12.3 %"; "< 0.1 %" for small ones that are not 0; "n/a".
std::string FormatShare(double share);
// With a sign and three digits: "+0.0123", "-0.500", "0".
std::string FormatDifference(double value);

// How wide a text is in a sans-serif font of this size, estimated from above. UTF-8.
double TextWidth(std::string_view text, double font_size);
// The text, or as much of its beginning as fits with "…" after it.
std::string FitText(const std::string& text, double width, double font_size);
// The same with "…" in the middle: names often differ at their ends.
std::string FitName(const std::string& name, double width, double font_size);

}  // namespace manygate

#endif  // MANYGATE_REPORT_AXIS_H_
