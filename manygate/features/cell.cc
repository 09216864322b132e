// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/cell.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>

#include "manygate/data/number_text.h"

namespace manygate::features {

std::string_view Cell::AsText(std::string* buffer) const {
  if (is_text()) return text_;
  buffer->clear();
  switch (kind_) {
    case Kind::kInteger: fmt::format_to(std::back_inserter(*buffer), "{}", integer_); break;
    case Kind::kFloat: AppendNumberText(float_, buffer); break;
    default: AppendNumberText(double_, buffer); break;
  }
  return *buffer;
}

bool Cell::AsNumber(float* number, std::string* problem) const {
  switch (kind_) {
    case Kind::kInteger: *number = static_cast<float>(integer_); return true;
    case Kind::kFloat: *number = float_; break;
    case Kind::kDouble: *number = static_cast<float>(double_); break;
    default:
      *number = std::numeric_limits<float>::quiet_NaN();
      if (text_.empty() || ParseFloat(text_, number) == NumberParse::kOk) return true;
      *problem = fmt::format("\"{}\" is no number", text_);
      return false;
  }
  if (!std::isinf(*number)) return true;
  *problem = fmt::format("{} is not a finite number that a float can hold", kind_ == Kind::kFloat ? float_ : double_);
  return false;
}

}  // namespace manygate::features
