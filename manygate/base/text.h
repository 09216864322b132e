// SPDX-License-Identifier: Apache-2.0
// Small text helpers, above all those that turn an unknown name into a useful sentence.
//
//   return InvalidInput(fmt::format("label \"{}\" is not a column. {}", name, Suggestion(name, columns, "Columns")));
//   // label "clk" is not a column. Did you mean "click"? Columns: click, buy
#ifndef MANYGATE_BASE_TEXT_H_
#define MANYGATE_BASE_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

// Pieces between delimiters; empty pieces are kept, so n delimiters give n + 1 pieces.
std::vector<std::string> Split(std::string_view text, char delimiter);
// Without blanks (space, tab, CR, LF, VT, FF) at both ends; points into `text`.
std::string_view Trim(std::string_view text);
// ASCII only; other bytes stay.
std::string ToLower(std::string_view text);

// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours cost 1; a change of case
// costs nothing but decides ties), or "" when more than about a third of the longer name would have to change. The same
// words in another order ("expert_num", "num_expert") count as distance 1, one name inside the other as at most 2.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

// `Did you mean "click"? Columns: click, buy, ... (40 in all)`; without a near name only the list, at most 12 names.
// No candidates: `Columns: none`.
std::string Suggestion(std::string_view name, std::span<const std::string> candidates, std::string_view what);

// "a, b, c, ... (40 in all)": at most `limit` names; "none" if empty.
std::string JoinNames(std::span<const std::string> names, size_t limit = 12);

// Replaces ${NAME} by the environment variable and ${NAME:-default} by the variable or, when it is unset or empty, the
// default. A "$" that no "{" follows stays. InvalidInput: NAME unset without a default, no closing brace, bad NAME.
StatusOr<std::string> ExpandEnvironment(std::string_view text);

std::string FormatCount(int64_t count);     // 1234567 -> "1,234,567"
std::string FormatSeconds(double seconds);  // "850 ms", "12.3 s", "4 min 05 s", "2 h 03 min"
std::string FormatBytes(uint64_t bytes);    // "512 bytes", "1.5 KiB", "12.0 MiB"

}  // namespace manygate

#endif  // MANYGATE_BASE_TEXT_H_
