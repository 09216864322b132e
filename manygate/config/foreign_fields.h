// SPDX-License-Identifier: Apache-2.0
// Fields that a configuration of TorchEasyRec, or of its older sister EasyRec, may have and this program does not: read over,
// where nothing of the result depends on them; refused with what to do instead; or corrected.
//
//   const ForeignField* field = FindForeignField(*MMoE::descriptor(), "expert_num");   // "EasyRec's name: write num_expert"
#ifndef MANYGATE_CONFIG_FOREIGN_FIELDS_H_
#define MANYGATE_CONFIG_FOREIGN_FIELDS_H_

#include <google/protobuf/descriptor.h>

#include <span>
#include <string_view>

namespace manygate::config {

struct ForeignField {
  enum class Kind {
    kIgnored,  // text: what it is about, behind "about"
    kRefused,  // text: why, and what to do instead; a clause behind the field's name
    kRenamed   // text: as kRefused, naming the field meant
  };
  std::string_view message;  // "MMoE"; "*Feature": all features; "*Optimizer", "*": as they say
  std::string_view field;
  Kind kind;
  std::string_view text;
};

// Null: the field is unknown to all three.
const ForeignField* FindForeignField(const google::protobuf::Descriptor& message, std::string_view field);

// All of them, for the documentation.
std::span<const ForeignField> ForeignFields();

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_FOREIGN_FIELDS_H_
