// SPDX-License-Identifier: Apache-2.0
// Texts and numbers that are dates.
//
//   IsDateText("2024-01-31 12:33:00");  // true
#ifndef MANYGATE_DATA_DATE_TEXT_H_
#define MANYGATE_DATA_DATE_TEXT_H_

#include <cstdint>
#include <string_view>

namespace manygate {

// ISO 8601: a day of the years 1000 to 2999, "2024-01-31", alone or with a time behind "T" or a blank: "12:33",
// "12:33:00", with a fraction, "Z" or an offset ("+01:00").
bool IsDateText(std::string_view text);

// The day in another order or with other signs: "31/01/2024", "1/31/2024", "31.01.2024", "2024/01/31", alone or with a
// time. May be something else, unless the column's name says what it is.
bool IsLocalDateText(std::string_view text);

// A day of the years 1900 to 2100 written as one number, 20240131.
bool IsDayNumber(double number);

// Seconds, or milliseconds, since 1970, of the years 1990 to 2100.
bool IsUnixSeconds(double number);
bool IsUnixMilliseconds(double number);

}  // namespace manygate

#endif  // MANYGATE_DATA_DATE_TEXT_H_
