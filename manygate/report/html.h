// SPDX-License-Identifier: Apache-2.0
// A page of HTML that needs nothing but itself: no script, no link to another file, no font. Light and dark as the
// reader has chosen, from 390 pixels on, and on paper.
//
//   std::string figure = DrawFigure({.title = "ROC", .picture = svg, .table = {.columns = {"a"}, .rows = {{"1"}}}});
//   std::string page = DrawPage({.title = "mmoe", .sections = {{"roc", "ROC", figure}}});
//
// Everything named "html" below is markup; all other texts are plain, and escaped here.
#ifndef MANYGATE_REPORT_HTML_H_
#define MANYGATE_REPORT_HTML_H_

#include <string>
#include <string_view>
#include <vector>

namespace manygate {

// For text and for attributes in double quotes. Bytes that are no UTF-8 become U+FFFD, control characters blanks.
std::string EscapeHtml(std::string_view text);

// The first cell of a row names it. Cells of a column that all look like numbers stand right.
struct HtmlTable {
  std::string label;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // one cell per column
};

// In a box of its own that scrolls when the table is too wide or too long. "" without rows.
std::string DrawTable(const HtmlTable& table);

struct HtmlFigure {
  std::string title;
  std::string note = {};       // what to look for, in a sentence
  std::string picture = {};    // <svg>; "": the figure is the sentence `why_empty`
  std::string why_empty = {};  // "There is no ROC curve: one class."
  HtmlTable table = {};        // the picture's numbers
  bool wide = false;           // the table below the picture at any width
};

std::string DrawFigure(const HtmlFigure& figure);

struct HtmlSection {
  std::string id;  // of the anchor: letters, digits and "-"
  std::string title;
  std::string html;
};

struct HtmlPage {
  std::string title;
  std::string subtitle;
  std::string head_html;  // above the table of contents
  std::vector<HtmlSection> sections;
  std::string footer;
};

std::string DrawPage(const HtmlPage& page);

// html_style.cc: the page's style sheet.
extern const char kPageStyle[];

}  // namespace manygate

#endif  // MANYGATE_REPORT_HTML_H_
