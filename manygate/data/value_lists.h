// SPDX-License-Identifier: Apache-2.0
// Texts that hold several values: "comedy|drama".
//
//   const ValueLists lists = FindValueLists(column.dictionary);
//   if (!lists.separator.empty()) fmt::print("{} values, between {}", lists.values, lists.separator);
#ifndef MANYGATE_DATA_VALUE_LISTS_H_
#define MANYGATE_DATA_VALUE_LISTS_H_

#include <cstdint>
#include <span>
#include <string>

namespace manygate {

struct ValueLists {
  std::string separator;  // one character; "": the texts are single values
  int64_t values = 0;     // different ones
};

// texts: different ones; the empty text is none of them. "\x1d", which readers put between the values of a list, always
// separates. Of "|", ";", "," and blank, the first that
//   - stands in at least a quarter of 20 or more texts,
//   - leaves values that each stand in three texts on average: names and sentences have parts of their own,
//   - gives texts of different numbers of values: "Rome, Italy" always has two,
//   - and has values in first and in later places: in pairs like "city|street" a part keeps its place.
// Values between blanks must have a digit each, unlike words; between commas, groups of three digits are one number.
ValueLists FindValueLists(std::span<const std::string> texts);

}  // namespace manygate

#endif  // MANYGATE_DATA_VALUE_LISTS_H_
