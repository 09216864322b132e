// SPDX-License-Identifier: Apache-2.0
// Decimal text to the nearest float, and back.
#ifndef MANYGATE_DATA_CSV_NUMBER_H_
#define MANYGATE_DATA_CSV_NUMBER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace manygate {

enum class NumberParse {
  kOk,
  kNotANumber,  // anything but [+-] digits [. digits] [e [+-] digits]; so "inf", "nan", "0x1", "1,000" too
  kTooLarge,    // a number, but beyond the largest float (double)
};

NumberParse ParseFloat(std::string_view text, float* value);
NumberParse ParseDouble(std::string_view text, double* value);

// The shortest text that reads back as the same number, as a typed format's number stands among texts: "0.1", "3" (not
// "3.0"), "1e+30". NaN, which means "missing": "".
std::string NumberText(float value);
std::string NumberText(double value);
void AppendNumberText(float value, std::string* text);
void AppendNumberText(double value, std::string* text);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_NUMBER_H_
