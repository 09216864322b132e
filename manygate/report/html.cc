// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "manygate/base/check.h"

namespace manygate {
namespace {

// Bytes of the UTF-8 character at the start of `text`; 0 when there is none.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t count = first >= 0xF0 && first <= 0xF4  ? 4
                       : first >= 0xE0 && first < 0xF0 ? 3
                       : first >= 0xC2 && first < 0xE0 ? 2
                                                       : 0;
  if (count == 0 || text.size() < count) return 0;
  for (size_t i = 1; i < count; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Longer than needed, surrogates, beyond the last character.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
  return count;
}

bool LooksLikeNumber(const std::string& cell) {
  if (cell.empty() || cell == "n/a" || cell == "–") return true;
  return cell.find_first_not_of("+-−–<0123456789.,%e ") == std::string::npos;
}

// By column of the table.
std::vector<bool> NumberColumns(const HtmlTable& table) {
  std::vector<bool> numbers(table.columns.size(), true);
  for (const std::vector<std::string>& row : table.rows) {
    MG_CHECK(row.size() == table.columns.size(), "{} cells, {} columns", row.size(), table.columns.size());
    for (size_t c = 0; c < row.size(); ++c) numbers[c] = numbers[c] && LooksLikeNumber(row[c]);
  }
  return numbers;
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    const char c = text[0];
    if (bytes == 0) {
      escaped += "\xEF\xBF\xBD";
    } else if (bytes > 1) {
      escaped += text.substr(0, bytes);
    } else {
      switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        case '\'': escaped += "&#39;"; break;
        case '\n': escaped += c; break;
        default: escaped += static_cast<uint8_t>(c) < 0x20 || c == 0x7F ? ' ' : c;
      }
    }
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return escaped;
}

std::string DrawTable(const HtmlTable& table) {
  if (table.rows.empty()) return "";
  const std::vector<bool> numbers = NumberColumns(table);
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table aria-label=\"{0}\">\n<thead><tr>",
      EscapeHtml(table.label));
  for (size_t c = 0; c < table.columns.size(); ++c)
    html += fmt::format("<th scope=\"col\"{}>{}</th>", numbers[c] ? " class=\"n\"" : "", EscapeHtml(table.columns[c]));
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      const char* right = numbers[c] ? " class=\"n\"" : "";
      html += c == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", right, EscapeHtml(row[c]))
                     : fmt::format("<td{}>{}</td>", right, EscapeHtml(row[c]));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string DrawFigure(const HtmlFigure& figure) {
  std::string html = fmt::format("<figure><figcaption><strong>{}</strong>", EscapeHtml(figure.title));
  if (!figure.note.empty()) html += fmt::format("<span>{}</span>", EscapeHtml(figure.note));
  html += "</figcaption>\n";
  if (figure.picture.empty())
    return html + fmt::format("<p class=\"empty\">{}</p>\n{}</figure>\n", EscapeHtml(figure.why_empty),
                              DrawTable(figure.table));
  MG_CHECK(!figure.table.rows.empty(), "figure \"{}\" has a picture and no table", figure.title);
  return html + fmt::format(
                    "<div class=\"{}\"><div class=\"picture\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">"
                    "{}</div>{}</div></figure>\n",
                    figure.wide ? "below" : "beside", EscapeHtml(figure.title + ", picture"), figure.picture,
                    DrawTable(figure.table));
}

std::string DrawPage(const HtmlPage& page) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n"
      "<header>\n<h1>{0}</h1>\n<p class=\"subtitle\">{2}</p>\n</header>\n<main>\n{3}<nav "
      "aria-label=\"Contents\"><ul>\n",
      EscapeHtml(page.title), kPageStyle, EscapeHtml(page.subtitle), page.head_html);
  for (const HtmlSection& section : page.sections)
    html += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, EscapeHtml(section.title));
  html += "</ul></nav>\n";
  for (const HtmlSection& section : page.sections) {
    html += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
        section.id, EscapeHtml(section.title), section.html);
  }
  return html + fmt::format("</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n", EscapeHtml(page.footer));
}

}  // namespace manygate
