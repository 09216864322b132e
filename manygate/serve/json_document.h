// SPDX-License-Identifier: Apache-2.0
// A JSON text from a client, read once from front to end and strictly: what is passed over is checked, too, and every
// refusal names the byte (from 0) where the text stops being what it should be.
//
//   JsonDocument document(workspace);
//   JsonObject root;
//   MG_RETURN_IF_REFUSED(document.Open(body, &root));
//   MG_RETURN_IF_REFUSED(document.Fields(root, [&](std::string_view key, JsonValue value) {
//     return key == "id" ? document.Text(value, "id", &id) : document.Skip(value);
//   }));
//   return document.Close();
//
// Texts live until the next document of the same workspace. Behind the body kPadding bytes must be readable.
#ifndef MANYGATE_SERVE_JSON_DOCUMENT_H_
#define MANYGATE_SERVE_JSON_DOCUMENT_H_

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
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

  // kInvalid: `body` is not one JSON object.
  Outcome Open(std::string_view body, JsonObject* root);
  // Whether nothing follows the root.
  Outcome Close();

  // visit(std::string_view key, JsonValue value) -> Outcome, of every field.
  template <typename Visit>
  Outcome Fields(JsonObject object, Visit&& visit) {
    for (auto item : object) {
      simdjson::ondemand::field field;
      if (const auto error = std::move(item).get(field)) return Broken(error);
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return Broken(error);
      Outcome outcome = visit(key, field.value());
      if (!outcome.ok()) return outcome;
    }
    return Done();
  }
  // visit(JsonValue value) -> Outcome, of every element.
  template <typename Visit>
  Outcome Elements(JsonArray array, Visit&& visit) {
    for (auto item : array) {
      JsonValue value;
      if (const auto error = std::move(item).get(value)) return Broken(error);
      Outcome outcome = visit(value);
      if (!outcome.ok()) return outcome;
    }
    return Done();
  }

  // kInvalid: the value is something else; `name` says what it is for.
  Outcome Object(JsonValue value, std::string_view name, JsonObject* object);
  Outcome Array(JsonValue value, std::string_view name, JsonArray* array);
  Outcome Text(JsonValue value, std::string_view name, std::string_view* text);
  Outcome Bool(JsonValue value, std::string_view name, bool* flag);
  // A whole number >= 0.
  Outcome Count(JsonValue value, std::string_view name, int64_t* count);
  Outcome Scalar(JsonValue value, std::string_view name, JsonScalar* scalar);
  Outcome Type(JsonValue value, JsonType* type);
  // Passes over a value, which must be JSON.
  Outcome Skip(JsonValue value, int depth = 0);

  // `"instances" at byte 17 must be an array`: a value that is JSON, but not what is wanted there.
  Outcome Wrong(JsonValue value, std::string_view name, std::string_view must) const;
  // `the request is not JSON: ... at byte 17`.
  Outcome Broken(simdjson::error_code error);

  std::vector<JsonScalar>& values() { return state_.values; }

 private:
  Outcome BrokenAt(const char* at, std::string_view what) const;
  Outcome Number(JsonValue value, std::string_view* text);

  JsonWorkspace::State& state_;
  simdjson::ondemand::document document_;
  std::string_view body_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_DOCUMENT_H_
