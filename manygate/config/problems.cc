// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/problems.h"

#include <fmt/format.h>

namespace manygate::config {

void Problems::AddLine(const std::string& place, std::string_view path, std::string_view text) {
  text_ += fmt::format("{}{}: {}{}{}", text_.empty() ? "" : "\n", place, path, path.empty() ? "" : " ", text);
}

void Problems::Add(const google::protobuf::Message& parent, std::string_view field, int index,
                   std::string_view message) {
  AddLine(loaded_.Place(parent, field, index), loaded_.Path(parent, field, index), message);
}

void Problems::AddTo(const google::protobuf::Message& message, std::string_view text) {
  AddLine(loaded_.Place(message), loaded_.Path(message), text);
}

void Problems::AddGlobal(std::string_view text) { AddLine(loaded_.name, "", text); }

Status Problems::ToStatus() const { return text_.empty() ? OkStatus() : InvalidInput(text_); }

void UniqueNames::Note(std::string_view name, const google::protobuf::Message& parent, std::string_view field,
                       int index) {
  if (name.empty()) return;
  const std::string place = problems_->loaded().Place(parent, field, index);
  const auto [first, is_new] = first_places_.emplace(std::string(name), place);
  if (is_new) return;
  problems_->Add(parent, field, index, fmt::format("\"{}\" is used twice, first at {}", name, first->second));
}

}  // namespace manygate::config
