// SPDX-License-Identifier: Apache-2.0
// Fields by name, of messages that have many of them in common: the kinds of features.
//
//   FieldText(lookup_feature, "normalizer");   // "" where the message has no such field
#ifndef MANYGATE_CONFIG_MESSAGE_FIELDS_H_
#define MANYGATE_CONFIG_MESSAGE_FIELDS_H_

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace manygate::config {

// Null where there is none.
inline const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Message& message,
                                                          std::string_view name) {
  return message.GetDescriptor()->FindFieldByName(std::string(name));
}

// The text of a field that is no list, its default if it is not written; "" if there is none.
inline std::string FieldText(const google::protobuf::Message& message, std::string_view name) {
  const auto* field = FindField(message, name);
  return field == nullptr || field->is_repeated() ? "" : message.GetReflection()->GetString(message, field);
}

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_MESSAGE_FIELDS_H_
