// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/scan_text.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "manygate/base/text.h"
#include "manygate/config/foreign_fields.h"

namespace manygate::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::io::Tokenizer;

// Takes what the tokenizer itself dislikes: control characters, strings without an end.
class LexicalErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit LexicalErrors(ScannedText* result) : result_(result) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (result_->problems.size() < kMostProblems) result_->problems.push_back({{line + 1, column + 1}, message});
  }

 private:
  ScannedText* result_;
};

// A scalar as it was written.
struct Value {
  TextPlace place;
  Tokenizer::TokenType type = Tokenizer::TYPE_END;
  bool negative = false;
  std::string text;
  std::string Shown() const { return (negative ? "-" : "") + text; }
};

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

std::vector<std::string> EnumNames(const FieldDescriptor& field) {
  std::vector<std::string> names;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) names.push_back(field.enum_type()->value(i)->name());
  return names;
}

bool FitsInteger(const Value& value, bool is_signed, uint64_t largest) {
  if (value.type != Tokenizer::TYPE_INTEGER) return false;
  uint64_t magnitude = 0;
  if (!value.negative) return Tokenizer::ParseInteger(value.text, largest, &magnitude);
  return is_signed && Tokenizer::ParseInteger(value.text, largest + 1, &magnitude);
}

bool IsFloat(const Value& value) {
  if (value.type == Tokenizer::TYPE_FLOAT) return true;
  // The parser takes hexadecimal and octal numbers for whole numbers only.
  if (value.type == Tokenizer::TYPE_INTEGER) return value.text == "0" || value.text[0] != '0';
  const std::string lower = ToLower(value.text);
  return value.type == Tokenizer::TYPE_IDENTIFIER && (lower == "inf" || lower == "infinity" || lower == "nan");
}

bool IsBool(const Value& value) {
  if (value.negative) return false;
  if (value.type == Tokenizer::TYPE_INTEGER) return value.text == "0" || value.text == "1";
  const std::string& text = value.text;
  return value.type == Tokenizer::TYPE_IDENTIFIER &&
         (text == "true" || text == "True" || text == "t" || text == "false" || text == "False" || text == "f");
}

bool IsEnum(const Value& value, const FieldDescriptor& field) {
  if (value.type == Tokenizer::TYPE_IDENTIFIER) {
    return !value.negative && field.enum_type()->FindValueByName(value.text) != nullptr;
  }
  uint64_t number = 0;
  return value.type == Tokenizer::TYPE_INTEGER && !value.negative &&
         Tokenizer::ParseInteger(value.text, std::numeric_limits<int32_t>::max(), &number) &&
         field.enum_type()->FindValueByNumber(static_cast<int>(number)) != nullptr;
}

// What is wrong with `value` for `field`; "" if nothing.
std::string TypeProblem(const FieldDescriptor& field, const Value& value) {
  const auto needs = [&](std::string_view what) {
    return fmt::format("{} needs {}, found {}", field.name(), what, value.Shown());
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      if (FitsInteger(value, true, std::numeric_limits<int32_t>::max())) return "";
      return needs("a whole number from -2147483648 to 2147483647");
    case FieldDescriptor::CPPTYPE_UINT32:
      if (FitsInteger(value, false, std::numeric_limits<uint32_t>::max())) return "";
      return needs("a whole number from 0 to 4294967295");
    case FieldDescriptor::CPPTYPE_INT64:
      if (FitsInteger(value, true, std::numeric_limits<int64_t>::max())) return "";
      return needs("a whole number of at most 64 bits");
    case FieldDescriptor::CPPTYPE_UINT64:
      if (FitsInteger(value, false, std::numeric_limits<uint64_t>::max())) return "";
      return needs("a whole number from 0 to 18446744073709551615");
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: return IsFloat(value) ? "" : needs("a number");
    case FieldDescriptor::CPPTYPE_BOOL: return IsBool(value) ? "" : needs("true or false");
    case FieldDescriptor::CPPTYPE_STRING:
      return value.type == Tokenizer::TYPE_STRING && !value.negative ? "" : needs("a text in quotes");
    case FieldDescriptor::CPPTYPE_ENUM:
      if (IsEnum(value, field)) return "";
      return fmt::format("{} has no value \"{}\". {}", field.name(), value.Shown(),
                         Suggestion(value.text, EnumNames(field), "Values"));
    case FieldDescriptor::CPPTYPE_MESSAGE: break;
  }
  return "";
}

class Scanner {
 public:
  Scanner(std::string_view text, ScannedText* result)
      : result_(result),
        errors_(result),
        input_(text.data(), static_cast<int>(text.size())),
        tokenizer_(&input_, &errors_) {
    tokenizer_.set_allow_f_after_float(true);
    tokenizer_.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
    tokenizer_.Next();
  }

  void Scan(const Descriptor& type) { ScanFields(type, "", "", {}); }

 private:
  // What has been seen of one message.
  struct Seen {
    std::map<const FieldDescriptor*, int> line;   // of singular fields
    std::map<const FieldDescriptor*, int> count;  // of repeated fields
    std::map<const OneofDescriptor*, const FieldDescriptor*> oneofs;
  };

  const Tokenizer::Token& token() { return tokenizer_.current(); }
  bool AtEnd() { return token().type == Tokenizer::TYPE_END || Full(); }
  bool At(std::string_view symbol) { return token().type == Tokenizer::TYPE_SYMBOL && token().text == symbol; }
  bool AtOpening() { return At("{") || At("<"); }
  bool TryConsume(std::string_view symbol) {
    if (!At(symbol)) return false;
    tokenizer_.Next();
    return true;
  }
  TextPlace Here() { return {token().line + 1, token().column + 1}; }
  std::string Shown() {
    if (token().type == Tokenizer::TYPE_END) return "the end";
    return token().type == Tokenizer::TYPE_STRING ? token().text : fmt::format("\"{}\"", token().text);
  }
  bool Full() const { return result_->problems.size() >= kMostProblems; }
  void Problem(TextPlace place, std::string message) {
    if (!Full()) result_->problems.push_back({place, std::move(message)});
  }

  // Fields up to `closing` ("" = end of the text).
  void ScanFields(const Descriptor& type, const std::string& path, std::string_view closing, TextPlace opened) {
    scopes_.push_back(&type);
    Seen seen;
    bool closed = closing.empty();
    while (!AtEnd()) {
      if (!closing.empty() && TryConsume(closing)) {
        closed = true;
        break;
      }
      if (token().type == Tokenizer::TYPE_IDENTIFIER) {
        ScanField(type, path, &seen);
        if (!TryConsume(";")) TryConsume(",");
      } else if (At("}") || At(">")) {
        Problem(Here(), closing.empty() ? fmt::format("{} closes nothing", Shown())
                                        : fmt::format("expected \"{}\", found {}", closing, Shown()));
        tokenizer_.Next();
        closed = true;
        if (!closing.empty()) break;
      } else {
        Problem(Here(), fmt::format("expected the name of a field, found {}", Shown()));
        AtOpening() || At("[") ? SkipBlock() : static_cast<void>(tokenizer_.Next());
      }
    }
    if (!closed && token().type == Tokenizer::TYPE_END) {
      Problem(opened, fmt::format("this block has no closing \"{}\"", closing));
    }
    scopes_.pop_back();
  }

  void ScanField(const Descriptor& type, const std::string& path, Seen* seen) {
    const TextPlace place = Here();
    const std::string name = token().text;
    tokenizer_.Next();
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr) {
      SkipUnknown(type, path, name, place);
      return;
    }
    NoteOnce(*field, place, seen);
    const std::string field_path = path.empty() ? name : path + "." + name;
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!TryConsume(":") && !is_message)
      Problem(Here(), fmt::format("expected \":\" after {}, found {}", name, Shown()));
    if (field->is_repeated() && At("[")) {
      ScanList(*field, field_path, seen);
    } else {
      ScanElement(*field, ElementPath(*field, field_path, seen), place);
    }
  }

  void SkipUnknown(const Descriptor& type, const std::string& path, const std::string& name, TextPlace place) {
    const ForeignField* foreign = FindForeignField(type, name);
    if (foreign == nullptr) {
      Problem(place, UnknownField(type, name));
    } else if (foreign->kind == ForeignField::Kind::kIgnored) {
      result_->ignored.emplace_back(path.empty() ? name : path + "." + name, foreign->text);
    } else {
      Problem(place, fmt::format("{} {}", name, foreign->text));
    }
    SkipValue();
  }

  std::string ElementPath(const FieldDescriptor& field, const std::string& path, Seen* seen) {
    return field.is_repeated() ? fmt::format("{}[{}]", path, seen->count[&field]++) : path;
  }

  // A singular field, and a choice among several, may be written once.
  void NoteOnce(const FieldDescriptor& field, TextPlace place, Seen* seen) {
    if (field.is_repeated()) return;
    const auto [first, is_new] = seen->line.emplace(&field, place.line);
    if (!is_new) {
      Problem(place, fmt::format("{} is given twice, first in line {}", field.name(), first->second));
      return;
    }
    if (field.containing_oneof() == nullptr) return;
    const auto [other, is_first] = seen->oneofs.emplace(field.containing_oneof(), &field);
    if (is_first) return;
    Problem(place, fmt::format("{} cannot stand beside {} (line {}): only one {} can be chosen", field.name(),
                               other->second->name(), seen->line[other->second], field.containing_oneof()->name()));
  }

  void ScanList(const FieldDescriptor& field, const std::string& path, Seen* seen) {
    const TextPlace opened = Here();
    tokenizer_.Next();
    if (TryConsume("]")) return;
    while (!AtEnd()) {
      ScanElement(field, ElementPath(field, path, seen), Here());
      if (TryConsume("]")) return;
      if (TryConsume(",")) continue;
      if (token().type == Tokenizer::TYPE_END) break;
      Problem(Here(), fmt::format("expected \",\" or \"]\" in the list {}, found {}", field.name(), Shown()));
      while (!AtEnd() && !At("]") && !At("}") && !AtOpening()) tokenizer_.Next();
      TryConsume("]");
      return;
    }
    if (token().type == Tokenizer::TYPE_END) Problem(opened, "this list has no closing \"]\"");
  }

  void ScanElement(const FieldDescriptor& field, const std::string& path, TextPlace place) {
    result_->places[path] = place;
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      ScanScalar(field, place);
    } else if (AtOpening()) {
      const std::string_view closing = At("{") ? "}" : ">";
      const TextPlace opened = Here();
      tokenizer_.Next();
      ScanFields(*field.message_type(), path, closing, opened);
    } else {
      Problem(Here(), fmt::format("{} needs fields in {{ }}, found {}", field.name(), Shown()));
      SkipScalar();
    }
  }

  void ScanScalar(const FieldDescriptor& field, TextPlace name_place) {
    if (AtOpening() || At("[")) {
      Problem(Here(), fmt::format("{} takes one value, found {}", field.name(), Shown()));
      SkipBlock();
      return;
    }
    // The name of the next field in the next line is no value: "num_expert:" was left unfinished.
    const bool next_field = token().type == Tokenizer::TYPE_IDENTIFIER && Here().line > name_place.line &&
                            scopes_.back()->FindFieldByName(token().text) != nullptr;
    if (next_field || AtEnd() || At("}") || At(">") || At("]") || At(",") || At(";")) {
      Problem(name_place, fmt::format("{} has no value", field.name()));
      return;
    }
    Value value;
    value.place = Here();
    value.negative = TryConsume("-");
    value.type = token().type;
    value.text = token().text;
    tokenizer_.Next();
    // Strings side by side are one string.
    while (value.type == Tokenizer::TYPE_STRING && token().type == Tokenizer::TYPE_STRING) tokenizer_.Next();
    std::string problem = TypeProblem(field, value);
    if (!problem.empty()) Problem(value.place, std::move(problem));
  }

  std::string UnknownField(const Descriptor& type, const std::string& name) const {
    const std::string start = fmt::format("unknown field \"{}\" in {}. ", name, type.name());
    for (size_t i = scopes_.size() - 1; i-- > 0;) {
      if (scopes_[i]->FindFieldByName(name) == nullptr) continue;
      return start + fmt::format("It is a field of {}: is a \"}}\" missing above?", scopes_[i]->name());
    }
    std::string inside;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.message_type() == nullptr || field.message_type()->FindFieldByName(name) == nullptr) continue;
      inside += fmt::format("{}{}", inside.empty() ? "" : " or ", field.name());
    }
    if (!inside.empty()) return start + fmt::format("It belongs inside {} {{ }}", inside);
    return start + Suggestion(name, FieldNames(type), "Fields");
  }

  void SkipValue() {
    const bool colon = TryConsume(":");
    if (AtOpening() || At("[")) {
      SkipBlock();
    } else if (colon) {
      SkipScalar();
    }
    if (!TryConsume(";")) TryConsume(",");
  }

  void SkipScalar() {
    TryConsume("-");
    const bool is_string = token().type == Tokenizer::TYPE_STRING;
    if (!AtEnd() && token().type != Tokenizer::TYPE_SYMBOL) tokenizer_.Next();
    while (is_string && token().type == Tokenizer::TYPE_STRING) tokenizer_.Next();
  }

  // From "{", "<" or "[" to behind its end.
  void SkipBlock() {
    const TextPlace opened = Here();
    int depth = 0;
    do {
      if (AtOpening() || At("[")) ++depth;
      if (At("}") || At(">") || At("]")) --depth;
      tokenizer_.Next();
    } while (depth > 0 && !AtEnd());
    if (depth > 0) Problem(opened, "this block is not closed");
  }

  ScannedText* result_;
  LexicalErrors errors_;
  google::protobuf::io::ArrayInputStream input_;
  Tokenizer tokenizer_;
  std::vector<const Descriptor*> scopes_;
};

}  // namespace

ScannedText ScanText(std::string_view text, const Descriptor& type) {
  ScannedText result;
  Scanner(text, &result).Scan(type);
  std::stable_sort(result.problems.begin(), result.problems.end(), [](const TextProblem& a, const TextProblem& b) {
    return a.place.line != b.place.line ? a.place.line < b.place.line : a.place.column < b.place.column;
  });
  return result;
}

}  // namespace manygate::config
