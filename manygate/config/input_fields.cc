// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/input_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "manygate/base/text.h"

namespace manygate::config {
namespace {

void Replace(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

// MaxCompute's names as FieldType's: "MAP<STRING,BIGINT>" -> "MAP_STRING_INT64".
std::string FieldTypeName(std::string_view text) {
  std::string name;
  for (const char c : text)
    if (c != ' ') name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '<' || c == ','; }, '_');
  std::erase(name, '>');
  Replace(&name, "BIGINT", "INT64");
  if (name == "INT" || name.ends_with("_INT")) name += "32";
  Replace(&name, "INT_", "INT32_");
  return name;
}

}  // namespace

StatusOr<std::vector<Field>> ParseInputFields(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const size_t end = text.find(';');
    const std::string_view part = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (part.empty()) continue;
    const size_t colon = part.find(':');
    const std::string name(Trim(part.substr(0, colon)));
    if (colon == std::string_view::npos || name.empty())
      return InvalidInput(fmt::format("holds \"{}\", expected \"name:type\" between semicolons", part));
    FieldType type;
    const std::string type_text(Trim(part.substr(colon + 1)));
    if (!FieldType_Parse(FieldTypeName(type_text), &type)) {
      std::vector<std::string> types;
      for (int i = 0; i < FieldType_descriptor()->value_count(); ++i)
        types.push_back(FieldType_descriptor()->value(i)->name());
      return InvalidInput(fmt::format("gives \"{}\" the type \"{}\", which is unknown. {}", name, type_text,
                                      Suggestion(type_text, types, "Types")));
    }
    Field field;
    field.set_input_name(name);
    field.set_input_type(type);
    fields.push_back(std::move(field));
  }
  if (fields.empty()) return InvalidInput("names no column");
  return fields;
}

std::vector<Field> InputFields(const DataConfig& data) {
  if (!data.has_input_fields_str() || data.input_fields_size() > 0)
    return {data.input_fields().begin(), data.input_fields().end()};
  StatusOr<std::vector<Field>> fields = ParseInputFields(data.input_fields_str());
  return fields.ok() ? *std::move(fields) : std::vector<Field>{};
}

}  // namespace manygate::config
