// SPDX-License-Identifier: Apache-2.0
// A JSON text from a client, read once from front to end and strictly: what is passed over is checked, too, and every
// refusal names the byte (from 0) where the text stops being what it should be.
//
//   JsonDocument document(workspace);
//   JsonObject root;
//   const bool right = document.Open(body, &root) && document.Fields(root, [&](std::string_view key, JsonValue& value) {
//     return key == "id" ? document.Text(value, "id", &id) : document.Skip(value);
//   }) && document.Close();
//   return document.TakeOutcome();
//
// False from any of its functions: the request is refused, and the outcome says why. (An Outcome from each would cost more
// than reading does.) Texts live until the next document of the same workspace. Behind the body JsonWorkspace::kPadding bytes must be readable.
#ifndef MANYGATE_SERVE_JSON_DOCUMENT_H_
#define MANYGATE_SERVE_JSON_DOCUMENT_H_

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/serve/json_workspace.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

using JsonValue = simdjson::ondemand::value;
using JsonObject = simdjson::ondemand::object;
using JsonArray = simdjson::ondemand::array;
using JsonType = simdjson::ondemand::json_type;

// A value of a row. text: of a text without its escapes, of a number as it stands in the body.
struct JsonScalar {
  enum class Kind : uint8_t { kMissing, kText, kNumber, kTrue, kFalse };
  Kind kind = Kind::kMissing;
  std::string_view text = {};
};

struct JsonWorkspace::State {
  simdjson::ondemand::parser parser;
  std::vector<JsonScalar> values;  // of one tensor or row
};

class JsonDocument {
 public:
  explicit JsonDocument(JsonWorkspace* workspace) : state_(workspace->state()) {}

  // `body` must be one JSON object.
  bool Open(std::string_view body, JsonObject* root);
  // Whether nothing follows the root.
  bool Close();

  // visit(std::string_view key, JsonValue& value) -> bool, of every field.
  template <typename Visit>
  bool Fields(JsonObject object, Visit&& visit) {
    for (auto item : object) {
      // In place: a copy right behind its writing waits for the writing, which was a tenth of reading a request.
      if (const auto error = item.error()) return Broken(error);
      auto&& field = std::move(item).value_unsafe();
      std::string_view key;
      if (!Key(&field, &key) || !visit(key, field.value())) return false;
    }
    return true;
  }
  // visit(JsonValue& value) -> bool, of every element.
  template <typename Visit>
  bool Elements(JsonArray array, Visit&& visit) {
    for (auto item : array) {
      if (const auto error = item.error()) return Broken(error);
      auto&& value = std::move(item).value_unsafe();
      if (!visit(value)) return false;
    }
    return true;
  }

  // The value must be one; `name` says what it is for.
  bool Object(JsonValue& value, std::string_view name, JsonObject* object);
  bool Array(JsonValue& value, std::string_view name, JsonArray* array);
  bool Text(JsonValue& value, std::string_view name, std::string_view* text);
  bool Bool(JsonValue& value, std::string_view name, bool* flag);
  // A whole number >= 0.
  bool Count(JsonValue& value, std::string_view name, int64_t* count);
  bool Scalar(JsonValue& value, std::string_view name, JsonScalar* scalar);
  bool Type(JsonValue& value, JsonType* type);
  // Passes over a value, which must be JSON.
  bool Skip(JsonValue& value, int depth = 0);

  // `"instances" at byte 17 must be an array`: a value that is JSON, but not what is wanted there.
  bool Wrong(JsonValue& value, std::string_view name, std::string_view must);
  // `the request is not JSON: ... at byte 17`.
  bool Broken(simdjson::error_code error);

  // Refuses for another reason; false.
  bool Refuse(Outcome outcome) {
    outcome_ = std::move(outcome);
    return false;
  }
  bool Invalid(std::string message) { return Refuse(Refused(OutcomeCode::kInvalid, std::move(message))); }
  // Whether `outcome` is one to go on with.
  bool Accept(Outcome outcome) { return outcome.ok() || Refuse(std::move(outcome)); }
  Outcome TakeOutcome() { return std::move(outcome_); }

  std::vector<JsonScalar>& values() { return state_.values; }

 private:
  bool Unreadable(simdjson::error_code error);
  bool BrokenAt(const char* at, std::string_view what);
  bool Key(simdjson::ondemand::field* field, std::string_view* key);
  bool String(JsonValue& value, std::string_view* text);
  bool Number(JsonValue& value, std::string_view* text);

  JsonWorkspace::State& state_;
  simdjson::ondemand::document document_;
  std::string_view body_;
  Outcome outcome_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_DOCUMENT_H_
