// SPDX-License-Identifier: Apache-2.0
// One walk over protobuf text that notes where every field stands and reports every problem it can find. protobuf's own
// parser stops at the first problem, and says little about it; it still decides what a text without problems means.
//
//   ScannedText scanned = ScanText(text, *Pipeline::descriptor());
//   scanned.places.at("model_config.mmoe.num_expert");   // {.line = 7, .column = 5}
//   scanned.problems;   // {{9, 5, "unknown field \"expert_num\" in MMoE. Did you mean \"num_expert\"? Fields: ..."}}
#ifndef MANYGATE_CONFIG_SCAN_TEXT_H_
#define MANYGATE_CONFIG_SCAN_TEXT_H_

#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace manygate::config {

inline constexpr int kMostProblems = 20;

// Both count from 1; a column counts bytes, a tab goes to the next multiple of 8.
struct TextPlace {
  int line = 0;
  int column = 0;
};

struct TextProblem {
  TextPlace place;
  std::string message;
};

struct ScannedText {
  // Paths as --set takes them; a repeated field once per element ("hidden_units[1]"). The place is that of the field's
  // name, or of the element inside [ ].
  std::map<std::string, TextPlace> places;
  std::vector<TextProblem> problems;  // in order of place, at most kMostProblems
  // Paths of fields that are read over (foreign_fields.h), and what they are about; in order of place.
  std::vector<std::pair<std::string, std::string>> ignored;
};

ScannedText ScanText(std::string_view text, const google::protobuf::Descriptor& type);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_SCAN_TEXT_H_
