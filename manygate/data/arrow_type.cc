// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/arrow_type.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace manygate {
namespace {

std::string_view NameOf(const ArrowSchema& schema) { return schema.name == nullptr ? "" : schema.name; }

// The number at the beginning of the text, which is cut off with the character behind it; 0: there is none.
int64_t TakeNumber(std::string_view* text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  text->remove_prefix(std::min(text->size(), static_cast<size_t>(end - text->data()) + 1));
  return error == std::errc() ? value : 0;
}

ArrowType Make(ArrowKind kind, int bytes, std::string name) {
  ArrowType type;
  type.kind = kind;
  type.bytes = bytes;
  type.name = std::move(name);
  return type;
}

ArrowType Integer(int bytes, bool is_signed) {
  ArrowType type = Make(ArrowKind::kInteger, bytes, fmt::format("{}int{}", is_signed ? "" : "u", 8 * bytes));
  type.is_signed = is_signed;
  return type;
}

ArrowType WithUnits(ArrowKind kind, int bytes, int64_t units, std::string name) {
  ArrowType type = Make(kind, bytes, std::move(name));
  type.units = units;
  return type;
}

// Formats of one letter.
ArrowType ParseLetter(char letter) {
  switch (letter) {
    case 'n': return Make(ArrowKind::kNull, 0, "null");
    case 'b': return Make(ArrowKind::kBool, 0, "bool");
    case 'c': return Integer(1, true);
    case 'C': return Integer(1, false);
    case 's': return Integer(2, true);
    case 'S': return Integer(2, false);
    case 'i': return Integer(4, true);
    case 'I': return Integer(4, false);
    case 'l': return Integer(8, true);
    case 'L': return Integer(8, false);
    case 'e': return Make(ArrowKind::kFloat, 2, "half float");
    case 'f': return Make(ArrowKind::kFloat, 4, "float");
    case 'g': return Make(ArrowKind::kFloat, 8, "double");
    case 'u':
    case 'z': return Make(ArrowKind::kText, 4, "text");
    case 'U':
    case 'Z': return Make(ArrowKind::kText, 8, "text");
    default: return Make(ArrowKind::kOther, 0, fmt::format("Arrow format \"{}\"", letter));
  }
}

// "d:precision,scale" or "d:precision,scale,bits".
ArrowType ParseDecimal(std::string_view format) {
  format.remove_prefix(2);
  const int64_t precision = TakeNumber(&format);
  const int64_t scale = TakeNumber(&format);
  const int64_t bits = format.empty() ? 128 : TakeNumber(&format);
  const bool known = bits == 32 || bits == 64 || bits == 128;
  ArrowType type = Make(known ? ArrowKind::kDecimal : ArrowKind::kOther, static_cast<int>(bits / 8),
                        fmt::format("decimal{}({}, {})", bits, precision, scale));
  type.scale = static_cast<int>(scale);
  return type;
}

int64_t UnitsPerSecond(char unit) {
  switch (unit) {
    case 's': return 1;
    case 'm': return 1'000;
    case 'u': return 1'000'000;
    default: return 1'000'000'000;
  }
}

// "tdD", "tsu:UTC", "ttm", ...
ArrowType ParseTime(std::string_view format) {
  if (format == "tdD") return WithUnits(ArrowKind::kDate, 4, 1, "date");
  if (format == "tdm") return WithUnits(ArrowKind::kDate, 8, 86'400'000, "date");
  if (format.size() >= 4 && format.starts_with("ts"))
    return WithUnits(ArrowKind::kTimestamp, 8, UnitsPerSecond(format[2]), "timestamp");
  const bool time = format.starts_with("tt"), duration = format.starts_with("tD");
  return Make(ArrowKind::kOther, 0, time ? "time of day" : duration ? "duration" : "interval");
}

// Formats that begin with "+".
ArrowType ParseNested(std::string_view format, const ArrowSchema& schema) {
  const bool fixed = format.starts_with("+w:");
  if ((fixed || format == "+l" || format == "+L") && schema.n_children == 1) {
    ArrowType values = ParseArrowType(*schema.children[0]);
    // A list of lists has no way to stand in one text.
    const bool flat =
        values.kind != ArrowKind::kList && values.kind != ArrowKind::kFixedList && values.kind != ArrowKind::kOther;
    const ArrowKind kind = !flat ? ArrowKind::kOther : fixed ? ArrowKind::kFixedList : ArrowKind::kList;
    ArrowType type = Make(kind, format == "+L" ? 8 : 4, "list of " + values.name);
    if (fixed) format.remove_prefix(3), type.list_size = TakeNumber(&format);
    type.values = std::make_unique<ArrowType>(std::move(values));
    return type;
  }
  static constexpr std::pair<std::string_view, const char*> kNames[] = {
      {"+s", "struct"}, {"+m", "map"}, {"+u", "union"}, {"+r", "run-end encoded"}, {"+v", "list view"}};
  for (const auto& [start, name] : kNames)
    if (format.starts_with(start)) return Make(ArrowKind::kOther, 0, name);
  return Make(ArrowKind::kOther, 0, fmt::format("Arrow format \"{}\"", format));
}

ArrowType ParsePlain(const ArrowSchema& schema) {
  const std::string_view format = schema.format == nullptr ? "" : schema.format;
  if (format.size() == 1) return ParseLetter(format[0]);
  if (format == "vu" || format == "vz") return Make(ArrowKind::kTextView, 16, "text");
  if (format.starts_with("d:")) return ParseDecimal(format);
  if (format.starts_with("t")) return ParseTime(format);
  if (format.starts_with("+")) return ParseNested(format, schema);
  if (format.starts_with("w:")) return Make(ArrowKind::kOther, 0, "bytes of fixed size");
  return Make(ArrowKind::kOther, 0, fmt::format("Arrow format \"{}\"", format));
}

}  // namespace

std::string StreamErrorReason(ArrowArrayStream* stream, int error) {
  const char* reason = stream->get_last_error == nullptr ? nullptr : stream->get_last_error(stream);
  return reason == nullptr ? strerror(error) : reason;
}

ArrowType ParseArrowType(const ArrowSchema& schema) {
  ArrowType type = ParsePlain(schema);
  if (schema.dictionary == nullptr) return type;
  ArrowType values = ParseArrowType(*schema.dictionary);
  type.name = values.name;
  const bool plain =
      type.kind == ArrowKind::kInteger && values.kind != ArrowKind::kDictionary && values.kind != ArrowKind::kOther;
  type.kind = plain ? ArrowKind::kDictionary : ArrowKind::kOther;
  type.values = std::make_unique<ArrowType>(std::move(values));
  return type;
}

std::string ArrowType::Content() const {
  switch (kind) {
    case ArrowKind::kInteger:
    case ArrowKind::kFloat:
    case ArrowKind::kDecimal: return "number";
    case ArrowKind::kDictionary: return values->Content();
    case ArrowKind::kList:
    case ArrowKind::kFixedList: return "list of " + values->Content();
    default: return name;
  }
}

std::vector<std::string> ArrowColumnNames(const ArrowSchema& schema) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < schema.n_children; ++i) names.emplace_back(NameOf(*schema.children[i]));
  return names;
}

int FindArrowColumn(const ArrowSchema& schema, std::string_view name) {
  int found = -1;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (NameOf(*schema.children[i]) != name) continue;
    if (found >= 0) return -2;
    found = static_cast<int>(i);
  }
  return found;
}

Status CheckReadable(const ArrowType& type, ColumnKind kind) {
  const ArrowType& content = type.kind == ArrowKind::kDictionary ? *type.values : type;
  if (content.kind == ArrowKind::kOther) {
    return InvalidInput(fmt::format(
        "holds values of type {}, which cannot be read; texts, numbers, dates and lists of them can", content.name));
  }
  if (kind == ColumnKind::kCategory) return OkStatus();
  switch (content.kind) {
    case ArrowKind::kDate:
    case ArrowKind::kTimestamp:
      return InvalidInput(
          fmt::format("holds values of type {}, expected numbers; write the column as a number of days or seconds, or "
                      "declare it as an id_feature",
                      content.name));
    case ArrowKind::kList:
    case ArrowKind::kFixedList:
      return InvalidInput(
          fmt::format("holds values of type {}, expected one number in each row; several values can be read as an "
                      "id_feature",
                      content.name));
    default: return OkStatus();
  }
}

}  // namespace manygate
