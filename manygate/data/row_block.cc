// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/row_block.h"

namespace manygate {

void RowBlock::Column::SetTexts(std::span<const std::string_view> texts) {
  size_t bytes = 0;
  for (const std::string_view one : texts) bytes += one.size();
  text.assign(bytes + kTextPadding, ' ');
  std::vector<Field> fields;
  fields.reserve(texts.size());
  size_t at = 0;
  for (const std::string_view one : texts) {
    std::copy(one.begin(), one.end(), text.begin() + static_cast<std::ptrdiff_t>(at));
    fields.push_back({text.data() + at, static_cast<uint32_t>(one.size()), false, false});
    at += one.size();
  }
  dictionary.Clear();
  codes.resize(texts.size());
  dictionary.FindAll(fields.data(), 1, fields.size(), codes.data());
}

}  // namespace manygate
