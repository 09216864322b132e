// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, Escapes) {
  EXPECT_EQ(EscapeHtml("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  EXPECT_EQ(EscapeHtml("größe 価格 😀"), "größe 価格 😀");
  EXPECT_EQ(EscapeHtml(std::string_view("a\0b\x1b\tc\x7f", 7)), "a b  c ");
}

// Bytes that are no character: a lone second byte, a cut one, too long a form, a surrogate, beyond the last one.
TEST(Html, ReplacesWhatIsNoUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(EscapeHtml("a\x80z"), "a" + r + "z");
  EXPECT_EQ(EscapeHtml("a\xC3"), "a" + r);
  EXPECT_EQ(EscapeHtml("\xC0\xAF"), r + r);
  EXPECT_EQ(EscapeHtml("\xED\xA0\x80"), r + r + r);
  EXPECT_EQ(EscapeHtml("\xF5\x80\x80\x80"), r + r + r + r);
}

TEST(Html, TablesNameRowsAndColumns) {
  const std::string html = DrawTable(
      {.label = "a \"table\"", .columns = {"task", "AUC"}, .rows = {{"<income>", "0.95"}, {"marital", "n/a"}}});
  EXPECT_THAT(html, HasSubstr("<table aria-label=\"a &quot;table&quot;\">"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\">task</th><th scope=\"col\" class=\"n\">AUC</th>"));
  EXPECT_THAT(html, HasSubstr("<tr><th scope=\"row\">&lt;income&gt;</th><td class=\"n\">0.95</td></tr>"));
  EXPECT_EQ(DrawTable({.label = "none", .columns = {"a"}, .rows = {}}), "");
}

TEST(Html, AFigureWithoutPictureIsASentence) {
  const HtmlTable table{.label = "t", .columns = {"a"}, .rows = {{"1"}}};
  const std::string drawn = DrawFigure({.title = "ROC", .note = "why", .picture = "<svg></svg>", .table = table});
  EXPECT_THAT(drawn, HasSubstr("<figcaption><strong>ROC</strong><span>why</span></figcaption>"));
  EXPECT_THAT(drawn, HasSubstr("class=\"beside\""));
  EXPECT_THAT(drawn, HasSubstr("<svg></svg></div><div class=\"scroll\""));
  const std::string empty = DrawFigure({.title = "ROC", .why_empty = "There is no ROC curve: one class."});
  EXPECT_THAT(empty, HasSubstr("<p class=\"empty\">There is no ROC curve: one class.</p>"));
  EXPECT_THAT(empty, Not(HasSubstr("picture")));
  EXPECT_THAT(DrawFigure({.title = "a", .picture = "<svg></svg>", .table = table, .wide = true}),
              HasSubstr("class=\"below\""));
}

TEST(Html, APageNeedsNothingElse) {
  const std::string page = DrawPage({.title = "<m>",
                                     .subtitle = "s & t",
                                     .head_html = "<p>head</p>",
                                     .sections = {{"one", "One <1>", "<p>first</p>"}},
                                     .footer = "Made by <it>."});
  EXPECT_THAT(page, HasSubstr("<title>&lt;m&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"#one\">One &lt;1&gt;</a>"));
  EXPECT_THAT(page, HasSubstr("<section id=\"one\" aria-labelledby=\"one-title\">"));
  EXPECT_THAT(page, HasSubstr("Made by &lt;it&gt;."));
  for (const char* outside : {"http:", "https:", "<script", "src=", "url(", "@import", "<link"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
}

}  // namespace
}  // namespace manygate
