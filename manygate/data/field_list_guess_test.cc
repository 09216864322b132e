// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/field_list_guess.h"

#include <gtest/gtest.h>

#include <string>

namespace manygate {
namespace {

void ExpectList(std::string_view head, char delimiter, size_t num_leading) {
  const std::optional<FieldListForm> form = GuessFieldList(head);
  ASSERT_TRUE(form.has_value()) << head;
  EXPECT_EQ(form->delimiter, delimiter) << head;
  EXPECT_EQ(form->num_leading, num_leading) << head;
}

TEST(GuessFieldList, ListsOfFields) {
  ExpectList("17,0,1,101:88,109_14:5,109_14:9\n18,1,0,101:3,205:7\n", ',', 3);
  ExpectList("1,0,0,301:5,205:7\n", ',', 3);
  ExpectList("1\t0\t101:88\t205:7\r\n0\t1\t101:88\t205:9\t301:5\t\r\n", '\t', 2);
  ExpectList("1 3:0.5 7:-1.2\n0 3:1 9:2 11:4\n", ' ', 1);
  ExpectList(
      "\xEF\xBB\xBF"
      "1|user:al-9|item:x\n0|user:bo|item:y\n",
      '|', 1);
  ExpectList("1,0,1:10,2:20\n1,0,1:10,2:20,1:30,3:400\n0,0,4:1,1:17\n", ',', 2);
  // One faulty row of twelve, and one that the end of the text cuts off.
  std::string rows;
  for (int i = 0; i < 11; ++i) rows += "1,0,1,101:88,109:5\n";
  ExpectList(rows + "1,0,1,101:88;109:5\n1,0,1,101:88,10", ',', 3);
}

TEST(GuessFieldList, NoCsv) {
  const char* const texts[] = {
      "",
      "\n\n",
      "age,city\n31,Rome\n",
      "id,from,to\n1,12:30,13:45\n2,12:31,14:50\n",
      "1,12:30,13:45\n2,12:31,14:50\n",
      "1,12:30,13:45\n2,12:31,14:50,15:00\n",                      // ragged, of times
      "1,08:00:00,09:30:00\n2,10:00:00,11:45:00\n",                // times with seconds
      "1,2024-01-31 12:30,2024-02-01 13:45\n",                     // dates with times
      "1,10.0.0.1:80,10.0.0.2:443\n2,10.0.0.3:80,10.0.0.4:443\n",  // addresses
      "1,16:9,4:3\n2,4:3,16:9\n",                                  // ratios
      "id,a,b\n1,x:1,y:2\n2,x:3,y:4\n",                            // a line of names above
      "1,a:1\n2,a:2\n",                                            // one pair a row
      "{\"a\":1,\"b\":2}\n{\"a\":2,\"b\":3}\n",                    // JSON
      "1,http://a.b/c,x:1\n2,http://a.b/d,x:2\n",                  // URLs
      "1,a:1:0.5,b:2:0.5\n",                                       // weights
      "1,a:,b:2\n2,a:,b:3\n",
  };
  for (const char* const text : texts) EXPECT_FALSE(GuessFieldList(text).has_value()) << text;
}

}  // namespace
}  // namespace manygate
