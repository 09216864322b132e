// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/field_list_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

uint32_t ColonIn(const Field& item) {
  const void* colon = item.size == 0 ? nullptr : memchr(item.data, ':', item.size);
  return colon == nullptr ? item.size : static_cast<uint32_t>(static_cast<const char*>(colon) - item.data);
}

std::string Values(size_t count) { return fmt::format("{} {}", count, count == 1 ? "value" : "values"); }

}  // namespace

FieldListRows::FieldListRows(const SourceOptions& options)
    : rows_(FileOptions(options)), skip_empty_(options.trim_blanks && options.delimiter == ' ') {}

SourceOptions FieldListRows::FileOptions(const SourceOptions& options) {
  SourceOptions file = options;
  file.quote = '\0';
  file.with_header = false;
  file.names = {"line"};
  return file;
}

void FieldListRows::Start(const TextBlock& block) {
  rows_.Start(block.text.data(), block.text.size(), block.at_end, /*may_have_quotes=*/false);
}

bool FieldListRows::Next() {
  items_.clear();
  if (rows_.Next() != RowResult::kRow) return false;
  for (int i = 0; i < rows_.num_fields(); ++i) {
    const Field& item = rows_.field(i);
    if (item.size == 0 && skip_empty_) continue;
    items_.push_back({item.data, item.size, static_cast<uint32_t>(i) + 1, ColonIn(item)});
  }
  return true;
}

size_t FieldListRows::NumLeading() const {
  const auto first = std::find_if(items_.begin(), items_.end(), [](const FieldItem& item) { return item.has_colon(); });
  return static_cast<size_t>(first - items_.begin());
}

ItemProblem FieldListRows::CheckLeading(std::span<const std::string> names) const {
  size_t found = 0;
  while (found < names.size() && found < items_.size() && !items_[found].has_colon()) ++found;
  if (found == names.size()) return {};
  const std::string expected = fmt::format("expected {} ({})", names.size(), JoinNames(names, 5));
  if (found == items_.size())
    return {0, fmt::format("found only {}, {} before the fields; is the row cut off?", Values(found), expected)};
  return {items_[found].position, fmt::format("found {} before the first field (\"{}\"), {}", Values(found),
                                              ShownValue(items_[found].text()), expected)};
}

ItemProblem FieldListRows::NotAField(const FieldItem& item, size_t num_leading) {
  const std::string found = fmt::format("found \"{}\"", ShownValue(item.text()));
  if (!item.has_colon())
    return {item.position,
            fmt::format("{}, expected field:id behind {} before the fields", found, Values(num_leading))};
  if (item.colon == 0) return {item.position, fmt::format("{}, which names no field; expected field:id", found)};
  return {item.position, fmt::format("{}, expected field:id; weights behind a second colon are not read", found)};
}

ItemProblem FieldListRows::NameOfLeading(const FieldItem& item) {
  return {item.position,
          fmt::format("the field \"{}\" has the name of a value before the fields; name that otherwise in "
                      "data_config.input_fields",
                      ShownValue(item.field()))};
}

}  // namespace manygate
