// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/field_list_guess.h"

#include <algorithm>
#include <set>
#include <vector>

#include "manygate/base/text.h"

namespace manygate {
namespace {

constexpr size_t kRows = 100;
constexpr size_t kMinFields = 2;

bool IsPlain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
           c == '.';
  });
}

// "7:05", "23:59".
bool IsTimeOfDay(std::string_view field, std::string_view id) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return field.size() <= 2 && id.size() == 2 && std::all_of(field.begin(), field.end(), is_digit) &&
         std::all_of(id.begin(), id.end(), is_digit) && id[0] < '6';
}

struct Row {
  bool is_list = false;
  size_t num_leading = 0;
  std::vector<std::string_view> fields;  // their names
  bool only_times = true;
};

Row CutRow(std::string_view line, char delimiter) {
  Row row;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(delimiter, begin), line.size());
    const std::string_view item = Trim(line.substr(begin, end - begin));
    begin = end + 1;
    const size_t colon = item.find(':');
    if (colon == std::string_view::npos) {
      if (item.empty() && (delimiter == ' ' || !row.fields.empty())) continue;
      if (!row.fields.empty()) return row;
      ++row.num_leading;
      continue;
    }
    const std::string_view field = item.substr(0, colon), id = item.substr(colon + 1);
    if (!IsPlain(field) || !IsPlain(id)) return row;
    row.fields.push_back(field);
    row.only_times = row.only_times && IsTimeOfDay(field, id);
  }
  row.is_list = row.fields.size() >= kMinFields;
  return row;
}

std::vector<std::string_view> FirstLines(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < head.size() && lines.size() < kRows;) {
    const size_t end = head.find('\n', begin);
    if (end == std::string_view::npos && !lines.empty()) break;
    std::string_view line = head.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!Trim(line).empty()) lines.push_back(line);
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return lines;
}

bool AreFieldLists(const std::vector<Row>& rows) {
  const Row& first = rows[0];
  if (!first.is_list) return false;
  std::vector<const Row*> lists;
  for (const Row& row : rows)
    if (row.is_list && row.num_leading == first.num_leading) lists.push_back(&row);
  if (10 * lists.size() < 9 * rows.size()) return false;
  if (std::all_of(lists.begin(), lists.end(), [](const Row* row) { return row->only_times; })) return false;
  const auto differs_in_size = [&](const Row* row) { return row->fields.size() != first.fields.size(); };
  if (std::any_of(lists.begin(), lists.end(), differs_in_size)) return true;
  const std::set<std::string_view> names(first.fields.begin(), first.fields.end());
  return names.size() >= kMinFields &&
         std::all_of(lists.begin(), lists.end(), [&](const Row* row) { return row->fields == first.fields; });
}

}  // namespace

std::optional<FieldListForm> GuessFieldList(std::string_view head) {
  const std::vector<std::string_view> lines = FirstLines(head);
  if (lines.empty()) return std::nullopt;
  for (const char delimiter : {',', '\t', ' ', ';', '|'}) {
    std::vector<Row> rows;
    for (const std::string_view line : lines) rows.push_back(CutRow(line, delimiter));
    if (AreFieldLists(rows)) return FieldListForm{delimiter, rows[0].num_leading};
  }
  return std::nullopt;
}

}  // namespace manygate
