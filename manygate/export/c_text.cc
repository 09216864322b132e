// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/c_text.h"

#include <fmt/format.h>

#include <cmath>

namespace manygate {
namespace {

constexpr const char* kKeywords[] = {
    "auto",       "break",    "case",     "char",     "const", "continue", "default", "do",     "double",
    "else",       "enum",     "extern",   "float",    "for",   "goto",     "if",      "inline", "int",
    "long",       "register", "restrict", "return",   "short", "signed",   "sizeof",  "static", "struct",
    "switch",     "typedef",  "union",    "unsigned", "void",  "volatile", "while",   "_Bool",  "_Complex",
    "_Imaginary", "NAN",      "INFINITY", "NULL",     "EOF",   "stdin",    "stdout",  "stderr", "main"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsKeyword(std::string_view text) {
  for (const char* keyword : kKeywords)
    if (text == keyword) return true;
  return false;
}

template <typename Number>
std::string Decimal(Number value) {
  if (std::isnan(value)) return "NAN";
  if (std::isinf(value)) return value > 0 ? "INFINITY" : "-INFINITY";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string CIdentifier(std::string_view text) {
  std::string name;
  for (const char c : text) name += IsLetter(c) || IsDigit(c) ? c : '_';
  if (name.empty() || IsDigit(name[0])) name.insert(0, "x");
  // Names that begin with _ belong to the compiler.
  if (name[0] == '_') name.insert(0, "x");
  if (IsKeyword(name)) name += '_';
  return name;
}

std::string NewCIdentifier(std::string_view text, std::set<std::string>* taken) {
  const std::string wanted = CIdentifier(text);
  std::string name = wanted;
  for (int i = 2; !taken->insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

bool IsCIdentifier(std::string_view text) { return !text.empty() && CIdentifier(text) == text; }

std::string CLiteral(float value) {
  const std::string text = Decimal(value);
  return std::isfinite(value) ? text + "f" : text;
}

std::string CLiteral(double value) { return Decimal(value); }

// Octal, which ends after three digits; ?? would begin a trigraph.
std::string CLiteral(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' || c == '?') {
      result += fmt::format("\\{:03o}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string CComment(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '/' && !result.empty() && result.back() == '*') result += ' ';
    if (c == '*' && !result.empty() && result.back() == '/') result += ' ';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result;
}

const char kCFunctions[] = R"(typedef struct {
  const char *data;
  int size;
} text_view;

typedef struct {
  const char *text;
  int size, id;
} text_key;

static text_view view_of(const char *text) {
  text_view view;
  view.data = text == NULL ? "" : text;
  view.size = (int)strlen(view.data);
  return view;
}

static text_view trimmed(text_view text, const char *blanks) {
  while (text.size > 0 && strchr(blanks, text.data[0]) != NULL) ++text.data, --text.size;
  while (text.size > 0 && strchr(blanks, text.data[text.size - 1]) != NULL) --text.size;
  return text;
}

static int compare_text(text_view text, const char *other, int size) {
  int order = memcmp(text.data, other, (size_t)(text.size < size ? text.size : size));
  return order != 0 ? order : text.size - size;
}

/* What stands for "missing" becomes the empty text. */
static text_view known(text_view text, const text_key *missing, int count) {
  int i;
  for (i = 0; i < count; ++i)
    if (compare_text(text, missing[i].text, missing[i].size) == 0) text.size = 0;
  return text;
}

/* The values between separators, without the blanks around them; empty ones only with keep_empty. Returns how many. */
static int split_text(text_view text, char separator, int keep_empty, int most, text_view *values) {
  int count = 0, i, more = text.size > 0;
  if (separator != 29 && memchr(text.data, separator, (size_t)text.size) == NULL &&
      memchr(text.data, 29, (size_t)text.size) != NULL)
    separator = 29;
  while (more && count < most) {
    const char *end = text.size > 0 ? memchr(text.data, separator, (size_t)text.size) : NULL;
    text_view part = text;
    if (end != NULL) part.size = (int)(end - text.data);
    part = trimmed(part, " \t\n\v\f\r");
    if (part.size > 0 || keep_empty) values[count++] = part;
    more = end != NULL;
    if (more) text.size -= (int)(end + 1 - text.data), text.data = end + 1;
    if (more && text.size == 0 && !keep_empty) more = 0;
  }
  for (i = count; i < most; ++i) values[i] = view_of("");
  return count;
}

static int look_up(text_view text, const text_key *keys, int count, int unknown) {
  int low = 0, high = count - 1;
  while (low <= high) {
    int middle = low + (high - low) / 2;
    int order = compare_text(text, keys[middle].text, keys[middle].size);
    if (order == 0) return keys[middle].id;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return unknown;
}

/* A whole number below `below`, or else `missing` or `unknown`. */
static int whole_number(text_view text, int below, int missing, int unknown) {
  long long number = 0;
  int i;
  if (text.size == 0) return missing;
  for (i = 0; i < text.size; ++i) {
    if (text.data[i] < '0' || text.data[i] > '9') return unknown;
    number = number * 10 + (text.data[i] - '0');
    if (number >= below) return unknown;
  }
  return (int)number;
}

/* A decimal number; "" gives NAN. Returns 0 if the text is none. */
static int parse_number(text_view text, float *number) {
  char buffer[128];
  char *end;
  *number = NAN;
  if (text.size == 0) return 1;
  if (text.size >= (int)sizeof buffer) return 0;
  memcpy(buffer, text.data, (size_t)text.size);
  buffer[text.size] = 0;
  if (strspn(buffer, "+-.0123456789eE") != (size_t)text.size) return 0;
  *number = strtof(buffer, &end);
  return *end == 0 && end != buffer && !isinf(*number);
}

/* y = x w: x [groups, in], w [in, out]. */
static void multiply(int groups, int in, int out, const float *x, const float *w, float *y) {
  int g, i, j;
  for (g = 0; g < groups; ++g) {
    for (j = 0; j < out; ++j) y[g * out + j] = 0.0f;
    for (i = 0; i < in; ++i) {
      float factor = x[g * in + i];
      for (j = 0; j < out; ++j) y[g * out + j] += factor * w[i * out + j];
    }
  }
}

static void softmax(int groups, int width, const float *x, float *y) {
  int g, i;
  for (g = 0; g < groups; ++g, x += width, y += width) {
    float largest = x[0], sum = 0.0f;
    for (i = 1; i < width; ++i) largest = x[i] > largest ? x[i] : largest;
    for (i = 0; i < width; ++i) sum += y[i] = expf(x[i] - largest);
    for (i = 0; i < width; ++i) y[i] /= sum;
  }
}
)";

}  // namespace manygate
