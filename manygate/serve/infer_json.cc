// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_json.h"

#include <fmt/format.h>

#include <iterator>

#include "manygate/base/text.h"
#include "manygate/serve/json_cells.h"
#include "manygate/serve/json_document.h"
#include "manygate/serve/json_text.h"

namespace manygate::serve {
namespace {

using features::Cell;

constexpr size_t kMostOutputs = 4096;
constexpr int64_t kLongestTimeout = int64_t{3600} * 1000 * 1000;  // microseconds

// One object of "inputs", in whatever order its fields are.
struct InputTensor {
  std::string_view name, datatype;
  bool has_name = false, has_datatype = false, has_shape = false, has_data = false, has_binary = false;
  int64_t shape[3] = {};
  size_t dimensions = 0;
  int64_t binary_bytes = 0;
  int64_t inner = -1;  // elements of the arrays in "data"; -1: it holds values
};

// What an object of "outputs" says.
struct WantedOutput {
  std::string_view name;
  bool has_name = false;
  int binary = -1;  // 0, 1; -1: as the request says
};

class Reader {
 public:
  Reader(std::string_view tail, JsonWorkspace* workspace, Job* job, InferReply* reply)
      : document_(workspace), tail_(tail), job_(*job), reply_(*reply) {}

  bool Read(std::string_view json, int64_t max_rows);
  Outcome TakeOutcome() { return document_.TakeOutcome(); }

 private:
  bool Once(std::string_view name, bool* flag);
  bool ReadField(std::string_view key, JsonValue& value);
  bool ReadParameters(JsonValue& value);
  bool ReadInputs(JsonValue& value);
  bool ReadInput(JsonValue& value);
  bool ReadInputField(std::string_view key, JsonValue& value, InputTensor* input);
  bool ReadShape(JsonValue& value, InputTensor* input);
  bool ReadData(JsonValue& value, InputTensor* input);
  bool PlaceInput(const InputTensor& input);
  bool PlaceScalars(const InputTensor& input, const TensorPlace& place);
  bool ReadOutputs(JsonValue& value);
  bool ReadOutput(JsonValue& value, WantedOutput* wanted);
  bool ChooseOutputs();

  JsonDocument document_;
  std::string_view tail_;  // binary tensors that no input has taken yet
  Job& job_;
  InferReply& reply_;
  bool has_inputs_ = false, has_outputs_ = false, binary_ = false;
  std::vector<WantedOutput> wanted_;
};

// Sets `flag`, which was false until now.
bool Reader::Once(std::string_view name, bool* flag) {
  if (*flag) return document_.Invalid(fmt::format("\"{}\" is there twice", name));
  *flag = true;
  return true;
}

bool Reader::Read(std::string_view json, int64_t max_rows) {
  reply_.inputs.Start(job_.version(), max_rows);
  JsonObject root;
  if (!document_.Open(json, &root)) return false;
  if (!document_.Fields(root, [this](auto key, auto& value) { return ReadField(key, value); })) return false;
  if (!document_.Close()) return false;
  if (!has_inputs_)
    return document_.Invalid("\"inputs\" is missing: an array of tensors with name, shape, datatype and data");
  if (!document_.Accept(reply_.inputs.Complete())) return false;
  if (!tail_.empty())
    return document_.Invalid(fmt::format("{} bytes follow the tensors that the request describes", tail_.size()));
  return ChooseOutputs();
}

bool Reader::ReadField(std::string_view key, JsonValue& value) {
  if (key == "inputs") {
    if (!Once(key, &has_inputs_)) return false;
    return ReadInputs(value);
  }
  if (key == "outputs") {
    if (!Once(key, &has_outputs_)) return false;
    return ReadOutputs(value);
  }
  if (key == "parameters") return ReadParameters(value);
  if (key != "id") return document_.Skip(value);
  if (!Once(key, &reply_.has_id)) return false;
  std::string_view id;
  if (!document_.Text(value, key, &id)) return false;
  reply_.id.assign(id);
  return true;
}

// What else clients send (priority, sequences) does not concern a model without a state.
bool Reader::ReadParameters(JsonValue& value) {
  JsonObject parameters;
  if (!document_.Object(value, "parameters", &parameters)) return false;
  return document_.Fields(parameters, [this](std::string_view key, JsonValue& field) {
    if (key == "binary_data_output") return document_.Bool(field, key, &binary_);
    if (key != "timeout") return document_.Skip(field);
    int64_t microseconds = 0;
    if (!document_.Count(field, key, &microseconds)) return false;
    reply_.timeout = std::chrono::microseconds(std::min(microseconds, kLongestTimeout));
    return true;
  });
}

bool Reader::ReadInputs(JsonValue& value) {
  JsonArray inputs;
  if (!document_.Array(value, "inputs", &inputs)) return false;
  return document_.Elements(inputs, [this](JsonValue& input) { return ReadInput(input); });
}

bool Reader::ReadInput(JsonValue& value) {
  JsonObject object;
  if (!document_.Object(value, "inputs", &object)) return false;
  InputTensor input;
  if (!document_.Fields(object,
                        [&](std::string_view key, JsonValue& field) { return ReadInputField(key, field, &input); }))
    return false;
  if (!input.has_name) return document_.Invalid("an input has no \"name\"");
  const char* const lacks = !input.has_datatype                    ? "datatype"
                            : !input.has_shape                     ? "shape"
                            : !input.has_data && !input.has_binary ? "data"
                                                                   : nullptr;
  if (lacks != nullptr) return document_.Invalid(fmt::format("input {} has no \"{}\"", Shown(input.name), lacks));
  if (input.has_data && input.has_binary)
    return document_.Invalid(fmt::format("input {} has \"data\" and \"binary_data_size\"", Shown(input.name)));
  return PlaceInput(input);
}

bool Reader::ReadInputField(std::string_view key, JsonValue& value, InputTensor* input) {
  if (key == "name") {
    if (!Once(key, &input->has_name)) return false;
    return document_.Text(value, key, &input->name);
  }
  if (key == "datatype") {
    if (!Once(key, &input->has_datatype)) return false;
    return document_.Text(value, key, &input->datatype);
  }
  if (key == "shape") {
    if (!Once(key, &input->has_shape)) return false;
    return ReadShape(value, input);
  }
  if (key == "data") {
    if (!Once(key, &input->has_data)) return false;
    return ReadData(value, input);
  }
  if (key != "parameters") return document_.Skip(value);
  JsonObject parameters;
  if (!document_.Object(value, key, &parameters)) return false;
  return document_.Fields(parameters, [&](std::string_view name, JsonValue& field) {
    if (name != "binary_data_size") return document_.Skip(field);
    if (!Once(name, &input->has_binary)) return false;
    return document_.Count(field, name, &input->binary_bytes);
  });
}

bool Reader::ReadShape(JsonValue& value, InputTensor* input) {
  JsonArray shape;
  if (!document_.Array(value, "shape", &shape)) return false;
  return document_.Elements(shape, [&](JsonValue& element) {
    int64_t extent = 0;
    if (!document_.Count(element, "shape", &extent)) return false;
    // InputTensors refuses more than two.
    if (input->dimensions < std::size(input->shape)) input->shape[input->dimensions++] = extent;
    return true;
  });
}

bool Reader::ReadData(JsonValue& value, InputTensor* input) {
  std::vector<JsonScalar>& values = document_.values();
  values.clear();
  JsonArray data;
  if (!document_.Array(value, "data", &data)) return false;
  return document_.Elements(data, [&](JsonValue& element) {
    if (element.raw_json_token().front() != '[') {
      if (input->inner >= 0) return document_.Wrong(element, "data", "an array, as those before it are");
      return document_.Scalar(element, "data", &values.emplace_back());
    }
    if (input->inner < 0 && !values.empty()) return document_.Wrong(element, "data", "a value, as those before it are");
    const size_t first = values.size();
    JsonArray row;
    if (!document_.Array(element, "data", &row)) return false;
    if (!document_.Elements(row,
                            [&](JsonValue& inner) { return document_.Scalar(inner, "data", &values.emplace_back()); }))
      return false;
    const auto count = static_cast<int64_t>(values.size() - first);
    if (input->inner >= 0 && count != input->inner)
      return document_.Wrong(element, "data", fmt::format("as long as those before it, which have {}", input->inner));
    input->inner = count;
    return true;
  });
}

bool Reader::PlaceInput(const InputTensor& input) {
  TensorPlace place;
  Outcome added = reply_.inputs.Add(input.name, input.datatype, {input.shape, input.dimensions}, &place);
  if (!document_.Accept(std::move(added))) return false;
  if (job_.rows() == 0) job_.cells(reply_.inputs.rows());
  if (input.has_data) return PlaceScalars(input, place);
  const auto bytes = static_cast<size_t>(input.binary_bytes);
  if (bytes > tail_.size())
    return document_.Invalid(fmt::format("input \"{}\" has {} bytes of binary data, and {} are left in the body",
                                         input.name, bytes, tail_.size()));
  const std::string_view raw = tail_.substr(0, bytes);
  tail_.remove_prefix(bytes);
  return document_.Accept(ReadTensor(place, raw, &job_));
}

bool Reader::PlaceScalars(const InputTensor& input, const TensorPlace& place) {
  const std::vector<JsonScalar>& values = document_.values();
  const auto rows = static_cast<size_t>(place.rows), width = static_cast<size_t>(place.width);
  const bool nested_right = input.inner < 0 || (input.dimensions == 2 && input.inner == place.width);
  if (!nested_right || values.size() % rows != 0 || values.size() / rows != width) {
    return document_.Invalid(
        fmt::format("input \"{}\" has {} values{}, and its shape says {} x {}", input.name, values.size(),
                    input.inner < 0 ? "" : fmt::format(" in arrays of {}", input.inner), rows, width));
  }
  std::string problem;
  int64_t wrong = -1;
  PlaceValues(place, &job_, [&](int64_t i) {
    Cell cell;
    if (!TypedCell(values[static_cast<size_t>(i)], place.datatype, &cell, &problem) && wrong < 0) wrong = i;
    return cell;
  });
  if (wrong < 0) return true;
  TypedCell(values[static_cast<size_t>(wrong)], place.datatype, &job_.cells()[0], &problem);
  return document_.Invalid(fmt::format("input \"{}\", row {}: {}", input.name, wrong / place.width, problem));
}

bool Reader::ReadOutputs(JsonValue& value) {
  JsonArray outputs;
  if (!document_.Array(value, "outputs", &outputs)) return false;
  return document_.Elements(outputs, [this](JsonValue& output) {
    WantedOutput wanted;
    if (!ReadOutput(output, &wanted)) return false;
    if (wanted_.size() == kMostOutputs)
      return document_.Invalid(fmt::format("\"outputs\" has more than {} entries", kMostOutputs));
    wanted_.push_back(wanted);
    return true;
  });
}

bool Reader::ReadOutput(JsonValue& value, WantedOutput* wanted) {
  JsonObject object;
  if (!document_.Object(value, "outputs", &object)) return false;
  if (!document_.Fields(object, [&](std::string_view key, JsonValue& field) {
        if (key == "name") {
          if (!Once(key, &wanted->has_name)) return false;
          return document_.Text(field, key, &wanted->name);
        }
        if (key != "parameters") return document_.Skip(field);
        JsonObject parameters;
        if (!document_.Object(field, key, &parameters)) return false;
        return document_.Fields(parameters, [&](std::string_view name, JsonValue& parameter) {
          if (name == "classification") return document_.Wrong(parameter, name, "left out: it is not offered");
          if (name != "binary_data") return document_.Skip(parameter);
          bool binary = false;
          if (!document_.Bool(parameter, name, &binary)) return false;
          wanted->binary = binary ? 1 : 0;
          return true;
        });
      }))
    return false;
  return wanted->has_name || document_.Invalid("an output has no \"name\"");
}

bool Reader::ChooseOutputs() {
  const Predictor& predictor = *job_.version().predictor;
  const auto outputs = predictor.outputs();
  if (wanted_.empty()) {
    job_.WantDefaultOutputs();
    for (size_t i = 0; i < outputs.size(); ++i)
      if (job_.wants(i)) reply_.outputs.push_back({i, binary_});
    return true;
  }
  for (const WantedOutput& wanted : wanted_) {
    const int index = predictor.FindOutput(wanted.name);
    if (index < 0) {
      std::vector<std::string> names;
      for (const PredictorOutput& output : outputs) names.push_back(output.name);
      return document_.Invalid(fmt::format("model \"{}\" has no output {}. {}", job_.version().name, Shown(wanted.name),
                                           Suggestion(wanted.name.substr(0, 80), names, "Outputs")));
    }
    const auto at = static_cast<size_t>(index);
    if (job_.wants(at)) return document_.Invalid(fmt::format("output \"{}\" is there twice", wanted.name));
    job_.WantOutput(at);
    reply_.outputs.push_back({at, wanted.binary < 0 ? binary_ : wanted.binary == 1});
  }
  return true;
}

void AppendTensor(const std::vector<float>& values, int64_t rows, int64_t width, bool binary, std::string* body) {
  fmt::format_to(std::back_inserter(*body), ",\"datatype\":\"FP32\",\"shape\":[{}", rows);
  if (width != 1) fmt::format_to(std::back_inserter(*body), ",{}", width);
  if (binary) {
    fmt::format_to(std::back_inserter(*body), "],\"parameters\":{{\"binary_data_size\":{}}}}}",
                   values.size() * sizeof(float));
    return;
  }
  *body += "],\"data\":[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) *body += ',';
    AppendJsonNumber(values[i], body);
  }
  *body += "]}";
}

}  // namespace

Outcome ParseInferRequest(std::string_view body, size_t json_size, int64_t max_rows, JsonWorkspace* workspace, Job* job,
                          InferReply* reply) {
  reply->has_id = false;
  reply->id.clear();
  reply->outputs.clear();
  reply->timeout = {};
  if (json_size > body.size())
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("the JSON should have {} bytes, and the body has {}", json_size, body.size()));
  Reader reader(body.substr(json_size), workspace, job, reply);
  reader.Read(body.substr(0, json_size), max_rows);
  return reader.TakeOutcome();
}

size_t WriteInferAnswer(const Job& job, const InferReply& reply, std::string* body) {
  const size_t start = body->size();
  *body += "{\"model_name\":";
  AppendJsonText(job.version().name, body);
  fmt::format_to(std::back_inserter(*body), ",\"model_version\":\"{}\"", job.version().version);
  if (reply.has_id) {
    *body += ",\"id\":";
    AppendJsonText(reply.id, body);
  }
  *body += ",\"outputs\":[";
  const auto outputs = job.version().predictor->outputs();
  bool any_binary = false;
  for (size_t i = 0; i < reply.outputs.size(); ++i) {
    const auto [index, binary] = reply.outputs[i];
    *body += i == 0 ? "{\"name\":" : ",{\"name\":";
    AppendJsonText(outputs[index].name, body);
    AppendTensor(job.output(index), job.rows(), outputs[index].width, binary, body);
    any_binary |= binary;
  }
  *body += "]}";
  if (!any_binary) return 0;
  const size_t json_size = body->size() - start;
  for (const auto& [index, binary] : reply.outputs) {
    const std::vector<float>& values = job.output(index);
    if (binary) body->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  return json_size;
}

}  // namespace manygate::serve
