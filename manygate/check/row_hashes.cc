// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/row_hashes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <set>
#include <string_view>

namespace manygate::check {
namespace {

uint64_t Mixed(uint64_t x) {  // the finaliser of SplitMix64 (Steele et al. 2014)
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// The number without what is behind its leading digits.
float Rounded(float value, int digits) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(double{value}))) - (digits - 1));
  return static_cast<float>(std::round(value / unit) * unit);
}

}  // namespace

std::vector<uint64_t> ValueHashes(const Column& column, std::span<const uint32_t> rows, int digits) {
  std::vector<uint64_t> of_code;
  for (const std::string& text : column.dictionary) of_code.push_back(std::hash<std::string_view>()(text));
  std::vector<uint64_t> hashes;
  hashes.reserve(rows.size());
  for (const uint32_t row : rows) {
    if (column.kind == ColumnKind::kCategory) {
      hashes.push_back(of_code[column.Code(row)]);
    } else if (digits == 0) {
      hashes.push_back(ValueKey(column, row));
    } else {
      hashes.push_back(std::bit_cast<uint32_t>(Rounded(column.numbers[row], digits)));
    }
  }
  return hashes;
}

ComparedColumns::ComparedColumns(const CheckedRows& rows) {
  std::set<const Column*> known;
  const auto add = [&](const auto& column) {
    if (!known.insert(column.train).second) return;
    train.push_back(column.train);
    evaluation.push_back(column.evaluation);
  };
  for (const CheckedColumn& column : rows.features) add(column);
  for (const CheckedLabel& label : rows.labels) add(label);
}

RowHashes::RowHashes(std::span<const Column* const> columns, std::span<const uint32_t> rows, int digits)
    : columns_(columns), rows_(rows), digits_(digits), whole_(rows.size(), 0) {
  for (size_t column = 0; column < columns.size(); ++column) {
    const std::vector<uint64_t> part = Part(column);
    for (size_t i = 0; i < part.size(); ++i) whole_[i] += part[i];
  }
}

std::vector<uint64_t> RowHashes::Part(size_t column) const {
  std::vector<uint64_t> hashes = ValueHashes(*columns_[column], rows_, digits_);
  for (uint64_t& hash : hashes) hash = Mixed(hash + 0x9e3779b97f4a7c15ull * (column + 1));
  return hashes;
}

KeyCounts::KeyCounts(size_t most) : mask_(std::bit_ceil(2 * most + 16) - 1), slots_(mask_ + 1) {}

}  // namespace manygate::check
