// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/date_text.h"

#include <array>
#include <cmath>

namespace manygate {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsDay(int year, int month, int day) {
  static constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

// Takes parts off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  // From `fewest` to `most` digits.
  bool Number(size_t fewest, size_t most, int* value) {
    size_t digits = 0;
    for (*value = 0; digits < rest_.size() && digits < most && IsDigit(rest_[digits]); ++digits)
      *value = 10 * *value + (rest_[digits] - '0');
    rest_.remove_prefix(digits);
    return digits >= fewest && (rest_.empty() || !IsDigit(rest_[0]));
  }
  // One of these characters.
  bool OneOf(std::string_view signs) {
    if (rest_.empty() || signs.find(rest_[0]) == std::string_view::npos) return false;
    sign_ = rest_[0];
    rest_.remove_prefix(1);
    return true;
  }
  // The sign that OneOf took last.
  bool SameSign() { return OneOf(std::string_view(&sign_, 1)); }
  void SkipDigits() {
    while (!rest_.empty() && IsDigit(rest_[0])) rest_.remove_prefix(1);
  }

 private:
  std::string_view rest_;
  char sign_ = ' ';
};

// Nothing, or a time of day behind "T" or a blank.
bool EndsInTime(Scanner text) {
  if (text.done()) return true;
  int hour = 0, minute = 0, second = 0;
  if (!text.OneOf("Tt ") || !text.Number(1, 2, &hour) || !text.OneOf(":") || !text.Number(2, 2, &minute)) return false;
  if (text.OneOf(":") && !text.Number(2, 2, &second)) return false;
  if (text.OneOf(".,")) text.SkipDigits();
  if (hour > 24 || minute > 59 || second > 60) return false;
  text.OneOf(" ");
  if (text.done() || text.OneOf("Zz")) return text.done();
  int offset_hour = 0, offset_minute = 0;
  if (!text.OneOf("+-")) return false;
  if (!text.Number(2, 4, &offset_hour)) return false;
  if (text.OneOf(":") && !text.Number(2, 2, &offset_minute)) return false;
  return text.done() && offset_hour <= 1400 && offset_minute <= 59;
}

}  // namespace

bool IsDateText(std::string_view text) {
  Scanner scanner(text);
  int year = 0, month = 0, day = 0;
  return scanner.Number(4, 4, &year) && scanner.OneOf("-") && scanner.Number(2, 2, &month) && scanner.OneOf("-") &&
         scanner.Number(2, 2, &day) && year >= 1000 && year <= 2999 && IsDay(year, month, day) && EndsInTime(scanner);
}

bool IsLocalDateText(std::string_view text) {
  Scanner scanner(text);
  int first = 0, second = 0, third = 0;
  if (!scanner.Number(1, 4, &first) || !scanner.OneOf("/.-") || !scanner.Number(1, 2, &second) || !scanner.SameSign() ||
      !scanner.Number(1, 4, &third) || !EndsInTime(scanner)) {
    return false;
  }
  if (first >= 1000) return IsDay(first, second, third);
  if (third < 100) third += 2000;
  return third >= 1000 && (IsDay(third, second, first) || IsDay(third, first, second));
}

bool IsDayNumber(double number) {
  if (number != std::floor(number) || number < 19000101 || number > 21001231) return false;
  const int whole = static_cast<int>(number);
  return IsDay(whole / 10000, whole / 100 % 100, whole % 100);
}

bool IsUnixSeconds(double number) { return number >= 631152000 && number < 4133980800; }

bool IsUnixMilliseconds(double number) { return IsUnixSeconds(number / 1000); }

}  // namespace manygate
