// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "manygate/data/utf8.h"

namespace manygate::serve {
namespace {

constexpr int kDeepest = 32;
constexpr size_t kKeptBytes = 1 << 20;
static_assert(JsonWorkspace::kPadding >= simdjson::SIMDJSON_PADDING);

// What the parser's errors mean to whoever wrote the text.
std::string_view Meaning(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY: return "it is empty";
    case simdjson::UTF8_ERROR: return "it is not UTF-8";
    case simdjson::UNCLOSED_STRING: return "a text is not closed";
    case simdjson::UNESCAPED_CHARS: return "a control character stands in a text";
    case simdjson::STRING_ERROR: return "a text has a wrong escape";
    case simdjson::DEPTH_ERROR: return "it is nested too deep";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: return "a bracket is not closed, or something follows the last one,";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR: return "only true, false and null stand without quotes";
    case simdjson::TAPE_ERROR: return "a comma, colon, bracket or value is missing or wrong";
    case simdjson::TRAILING_CONTENT: return "something follows the end";
    default: return simdjson::error_message(error);
  }
}

size_t FirstWrongUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return text.size();
}

size_t FirstControlInText(std::string_view json) {
  bool inside = false;
  for (size_t at = 0; at < json.size(); ++at) {
    if (inside && static_cast<unsigned char>(json[at]) < 0x20) return at;
    if (inside && json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      inside = !inside;
    }
  }
  return json.size();
}

// A token comes with the blanks behind it.
std::string_view TrimEnd(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
    token.remove_suffix(1);
  return token;
}

// The grammar of RFC 8259, section 6: [-] digits without a leading zero [. digits] [e [+-] digits].
bool IsJsonNumber(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - first;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool zero = at < text.size() && text[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

JsonWorkspace::JsonWorkspace() : state_(std::make_unique<State>()) {}
JsonWorkspace::~JsonWorkspace() = default;

void JsonWorkspace::Shrink() {
  if (state_->parser.capacity() > kKeptBytes || state_->values.capacity() * sizeof(JsonScalar) > kKeptBytes)
    state_ = std::make_unique<State>();
}

bool JsonDocument::Open(std::string_view body, JsonObject* root) {
  body_ = body;
  if (const auto error =
          state_.parser.iterate(body.data(), body.size(), body.size() + JsonWorkspace::kPadding).get(document_))
    return Unreadable(error);
  JsonType type;
  if (const auto error = document_.type().get(type)) return Broken(error);
  if (type != JsonType::object) return Invalid("the request must be a JSON object: {...}");
  if (const auto error = document_.get_object().get(*root)) return Broken(error);
  return true;
}

bool JsonDocument::Close() {
  const bool at_end = document_.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return at_end || Broken(simdjson::TRAILING_CONTENT);
}

bool JsonDocument::BrokenAt(const char* at, std::string_view what) {
  return Invalid(fmt::format("the request is not JSON: {} at byte {}", what, at - body_.data()));
}

// Of the parser's first pass over all of the body: there is no document yet.
bool JsonDocument::Unreadable(simdjson::error_code error) {
  size_t at = 0;
  if (error == simdjson::UTF8_ERROR) at = FirstWrongUtf8(body_);
  if (error == simdjson::UNCLOSED_STRING) at = body_.size();
  if (error == simdjson::UNESCAPED_CHARS) at = FirstControlInText(body_);
  return BrokenAt(body_.data() + at, Meaning(error));
}

bool JsonDocument::Broken(simdjson::error_code error) {
  const char* at = nullptr;
  const char* const end = body_.data() + body_.size();
  return BrokenAt(document_.current_location().get(at) == simdjson::SUCCESS ? std::min(at, end) : end, Meaning(error));
}

bool JsonDocument::Wrong(JsonValue& value, std::string_view name, std::string_view must) {
  return Invalid(fmt::format("\"{}\" at byte {} must be {}", name, value.raw_json_token().data() - body_.data(), must));
}

bool JsonDocument::Type(JsonValue& value, JsonType* type) {
  const auto error = value.type().get(*type);
  return !error || BrokenAt(value.raw_json_token().data(), Meaning(error));
}

bool JsonDocument::Object(JsonValue& value, std::string_view name, JsonObject* object) {
  JsonType type;
  if (!Type(value, &type)) return false;
  if (type != JsonType::object) return Wrong(value, name, "an object: {...}");
  if (const auto error = value.get_object().get(*object)) return Broken(error);
  return true;
}

bool JsonDocument::Array(JsonValue& value, std::string_view name, JsonArray* array) {
  JsonType type;
  if (!Type(value, &type)) return false;
  if (type != JsonType::array) return Wrong(value, name, "an array: [...]");
  if (const auto error = value.get_array().get(*array)) return Broken(error);
  return true;
}

bool JsonDocument::Text(JsonValue& value, std::string_view name, std::string_view* text) {
  if (value.raw_json_token().front() == '"') return String(value, text);
  JsonType type;
  return Type(value, &type) && Wrong(value, name, "a text");
}

bool JsonDocument::Bool(JsonValue& value, std::string_view name, bool* flag) {
  JsonType type;
  if (!Type(value, &type)) return false;
  if (type != JsonType::boolean) return Wrong(value, name, "true or false");
  if (const auto error = value.get_bool().get(*flag)) return Broken(error);
  return true;
}

// Without escapes it stands in the body as it is.
bool JsonDocument::String(JsonValue& value, std::string_view* text) {
  const std::string_view token = TrimEnd(value.raw_json_token());
  if (token.size() < 2 || token.back() != '"' || token.find('\\') != std::string_view::npos) {
    if (const auto error = value.get_string().get(*text)) return Broken(error);
    return true;
  }
  simdjson::ondemand::raw_json_string passed;
  if (const auto error = value.get_raw_json_string().get(passed)) return Broken(error);
  *text = token.substr(1, token.size() - 2);
  return true;
}

bool JsonDocument::Key(simdjson::ondemand::field* field, std::string_view* key) {
  const char* const raw = field->key().raw();
  size_t size = 0;
  while (raw[size] != '"' && raw[size] != '\\') ++size;  // the parser has found that all texts are closed
  *key = std::string_view(raw, size);
  if (raw[size] == '"') return true;
  if (const auto error = field->unescaped_key().get(*key)) return Broken(error);
  return true;
}

bool JsonDocument::Number(JsonValue& value, std::string_view* text) {
  const std::string_view token = TrimEnd(value.raw_json_token());
  if (!IsJsonNumber(token)) return BrokenAt(token.data(), "a number is wrong");
  *text = token;
  return true;
}

bool JsonDocument::Count(JsonValue& value, std::string_view name, int64_t* count) {
  JsonType type;
  if (!Type(value, &type)) return false;
  std::string_view text;
  if (type == JsonType::number && !Number(value, &text)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || *count < 0)
    return Wrong(value, name, "a whole number, 0 or more");
  return true;
}

bool JsonDocument::Scalar(JsonValue& value, std::string_view name, JsonScalar* scalar) {
  if (value.raw_json_token().front() == '"') {
    scalar->kind = JsonScalar::Kind::kText;
    return String(value, &scalar->text);
  }
  JsonType type;
  if (!Type(value, &type)) return false;
  bool flag = false;
  switch (type) {
    case JsonType::number: scalar->kind = JsonScalar::Kind::kNumber; return Number(value, &scalar->text);
    case JsonType::boolean:
      if (const auto error = value.get_bool().get(flag)) return Broken(error);
      scalar->kind = flag ? JsonScalar::Kind::kTrue : JsonScalar::Kind::kFalse;
      return true;
    case JsonType::null:
      if (const auto error = value.is_null().get(flag)) return Broken(error);
      *scalar = JsonScalar();
      return true;
    default: return Wrong(value, name, "a text, a number, true, false or null");
  }
}

bool JsonDocument::Skip(JsonValue& value, int depth) {
  JsonType type;
  if (!Type(value, &type)) return false;
  if (depth > kDeepest) return BrokenAt(value.raw_json_token().data(), Meaning(simdjson::DEPTH_ERROR));
  if (type == JsonType::object) {
    JsonObject object;
    if (const auto error = value.get_object().get(object)) return Broken(error);
    return Fields(object, [&](std::string_view, JsonValue& field) { return Skip(field, depth + 1); });
  }
  if (type == JsonType::array) {
    JsonArray array;
    if (const auto error = value.get_array().get(array)) return Broken(error);
    return Elements(array, [&](JsonValue& element) { return Skip(element, depth + 1); });
  }
  JsonScalar scalar;
  return Scalar(value, "", &scalar);
}

}  // namespace manygate::serve
