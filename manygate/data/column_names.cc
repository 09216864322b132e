// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/column_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "manygate/base/text.h"

namespace manygate {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Digits from `at` on, without leading zeros; moves `at` behind them.
std::string_view TakeNumber(std::string_view text, size_t* at) {
  while (*at < text.size() && text[*at] == '0') ++*at;
  const size_t begin = *at;
  while (*at < text.size() && IsDigit(text[*at])) ++*at;
  return text.substr(begin, *at - begin);
}

uint64_t HashOf(std::string_view name) {
  const auto size = static_cast<uint32_t>(name.size());
  return HashText(MakeTextKey(name.data(), size), name.data(), size);
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (IsDigit(a[i]) && IsDigit(b[j])) {
      const std::string_view left = TakeNumber(a, &i), right = TakeNumber(b, &j);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i;
      ++j;
    }
  }
  if (i == a.size() && j == b.size()) return a < b;  // they differ by leading zeros at most
  return i == a.size();
}

NameIndex::NameIndex(std::span<const ColumnRequest> requests) : slots_(std::bit_ceil(2 * requests.size() + 1)) {
  for (const ColumnRequest& request : requests) {
    const size_t size = request.name.size();
    std::string padded = request.name + std::string(kTextPadding, ' ');
    const uint64_t hash = HashOf({padded.data(), size});
    size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].column >= 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = {hash, static_cast<int>(names_.size())};
    names_.push_back(request.name);
  }
}

int NameIndex::Find(std::string_view name) const {
  if (name.empty()) return -1;
  const uint64_t hash = HashOf(name);
  for (size_t slot = hash & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
    const Slot& found = slots_[slot];
    if (found.column < 0) return -1;
    if (found.hash == hash && names_[static_cast<size_t>(found.column)] == name) return found.column;
  }
}

bool NameCollector::Add(std::string_view name) {
  if (name.empty()) return false;
  const size_t before = names_.texts().size();
  names_.Find(name, HashOf(name));
  return names_.texts().size() > before;
}

std::vector<std::string> NameCollector::Sorted() const {
  std::vector<std::string> sorted(names_.texts().begin() + 1, names_.texts().end());
  std::sort(sorted.begin(), sorted.end(), NaturalLess);
  return sorted;
}

void ColumnsSeen::Add(const ColumnsSeen& other) {
  for (size_t i = 0; i < seen_.size(); ++i) seen_[i] |= other.seen_[i];
  any_row_ |= other.any_row_;
}

Status ColumnsSeen::Check(std::span<const ColumnRequest> requests, std::span<const std::string> files,
                          std::string_view row, Reader& reader) const {
  if (!any_row_ || seen_.empty() || std::find(seen_.begin(), seen_.end(), 1) != seen_.end()) return OkStatus();
  MG_ASSIGN_OR_RETURN(const Columns columns, reader.ReadColumns(true));
  const std::string source =
      files[0] + (files.size() > 1 ? fmt::format(" and the files after it ({} in all)", files.size()) : "");
  std::string problems;
  for (size_t i = 0; i < seen_.size(); ++i) {
    problems += fmt::format("{}{}: no {} has the column \"{}\". {}", problems.empty() ? "" : "\n", source, row,
                            requests[i].name, Suggestion(requests[i].name, columns.names, "Columns"));
  }
  return InvalidInput(problems);
}

}  // namespace manygate
