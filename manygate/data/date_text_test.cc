// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/date_text.h"

#include <gtest/gtest.h>

namespace manygate {
namespace {

TEST(IsDateText, DaysAndTimes) {
  for (const char* text : {"2024-01-31", "2024-02-29", "1994-12-01 00:00", "2024-01-31 12:33:00",
                           "2024-01-31T12:33:00Z", "2024-01-31T12:33:00.123456Z", "2024-01-31T12:33:00,5",
                           "2024-01-31 12:33:00+01:00", "2024-01-31T12:33-0800", "2024-01-31 12:33:00 +0100"}) {
    EXPECT_TRUE(IsDateText(text)) << text;
  }
  for (const char* text :
       {"2024-02-30", "2023-02-29", "2024-13-01", "2024-01", "2024-1-31", "24-01-31", "2024-01-310", "2024-01-31 noon",
        "2024-01-31 25:00", "2024-01-31T12", "2024-01-31 12:33:00 h", "0024-01-31", "2024/01/31", "", "31"}) {
    EXPECT_FALSE(IsDateText(text)) << text;
  }
}

TEST(IsLocalDateText, OtherOrdersAndSigns) {
  for (const char* text : {"31/01/2024", "1/31/2024", "31.1.2024", "31.01.24", "2024/01/31", "31-01-2024 08:15"})
    EXPECT_TRUE(IsLocalDateText(text)) << text;
  for (const char* text : {"31/31/2024", "31/01-2024", "1.5", "1.5.300", "31/01", "a/b/c"})
    EXPECT_FALSE(IsLocalDateText(text)) << text;
}

TEST(DateNumbers, DaysAndUnixTimes) {
  EXPECT_TRUE(IsDayNumber(20240131));
  EXPECT_FALSE(IsDayNumber(20240132));
  EXPECT_FALSE(IsDayNumber(20240131.5));
  EXPECT_FALSE(IsDayNumber(8004));
  EXPECT_TRUE(IsUnixSeconds(1706704380));
  EXPECT_FALSE(IsUnixSeconds(20240131));
  EXPECT_TRUE(IsUnixMilliseconds(1706704380123));
  EXPECT_FALSE(IsUnixMilliseconds(1706704380));
}

}  // namespace
}  // namespace manygate
