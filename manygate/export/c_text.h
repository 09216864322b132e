// SPDX-License-Identifier: Apache-2.0
// Pieces of C source: names, numbers, texts, and the functions that every exported file begins with.
#ifndef MANYGATE_EXPORT_C_TEXT_H_
#define MANYGATE_EXPORT_C_TEXT_H_

#include <set>
#include <string>
#include <string_view>

namespace manygate {

// Letters, digits and _ of the text, others as _; never a keyword, never with a digit in front: "age (years)" -> "age__years_".
std::string CIdentifier(std::string_view text);
// The same, with a number behind it where the name is taken; adds it to `taken`.
std::string NewCIdentifier(std::string_view text, std::set<std::string>* taken);
bool IsCIdentifier(std::string_view text);

// A literal that reads back as the same number: "0.1f", "3.0", "-INFINITY", "NAN".
std::string CLiteral(float value);
std::string CLiteral(double value);
// With its quotes.
std::string CLiteral(std::string_view text);
// What may stand between /* and */.
std::string CComment(std::string_view text);

// The static functions that the code of operations calls (c_writer.cc).
extern const char kCFunctions[];

}  // namespace manygate

#endif  // MANYGATE_EXPORT_C_TEXT_H_
