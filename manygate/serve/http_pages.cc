// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_pages.h"

#include <nlohmann/json.hpp>

#include "manygate/base/version.h"

namespace manygate::serve {
namespace {

// Fields in the order of the protocols' own examples.
using Json = nlohmann::ordered_json;

// Names and reasons come from folders and files: what is not UTF-8 in them is replaced.
std::string Text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json Tensor(const std::string& name, const char* datatype, int64_t width) {
  Json shape = {-1};
  if (width != 1) shape.push_back(width);
  return {{"name", name}, {"datatype", datatype}, {"shape", shape}};
}

}  // namespace

std::string ServerMetadata() {
  return Text(
      {{"name", "manygate"}, {"version", kProgramVersion}, {"extensions", {"binary_tensor_data", "model_repository"}}});
}

std::string ModelMetadata(const ServedVersion& served, const std::vector<VersionInfo>& versions) {
  Json numbers = Json::array(), inputs = Json::array(), outputs = Json::array();
  for (const VersionInfo& info : versions)
    if (info.name == served.name && info.state == VersionState::kReady) numbers.push_back(std::to_string(info.version));
  for (const PredictorInput& input : served.predictor->inputs())
    inputs.push_back(Tensor(input.name, input.number ? "FP32" : "BYTES", 1));
  for (const PredictorOutput& output : served.predictor->outputs())
    outputs.push_back(Tensor(output.name, "FP32", output.width));
  return Text({{"name", served.name},
               {"versions", numbers},
               {"platform", "manygate_" + served.predictor->model_name()},
               {"inputs", inputs},
               {"outputs", outputs}});
}

std::string ModelReady(const ServedVersion& served) { return Text({{"name", served.name}, {"ready", true}}); }

std::string RepositoryIndex(const std::vector<VersionInfo>& versions) {
  Json index = Json::array();
  for (const VersionInfo& info : versions) {
    index.push_back({{"name", info.name},
                     {"version", std::to_string(info.version)},
                     {"state", info.state == VersionState::kReady ? "READY" : "UNAVAILABLE"},
                     {"reason", info.reason}});
  }
  return Text(index);
}

std::string ModelStatus(const std::string& model, const std::string& version,
                        const std::vector<VersionInfo>& versions) {
  Json states = Json::array();
  for (const VersionInfo& info : versions) {
    if (info.name != model || (!version.empty() && version != std::to_string(info.version))) continue;
    const bool ready = info.state == VersionState::kReady;
    states.push_back(
        {{"version", std::to_string(info.version)},
         {"state", ready ? "AVAILABLE" : "END"},
         {"status", {{"error_code", ready ? "OK" : "INVALID_ARGUMENT"}, {"error_message", ready ? "" : info.reason}}}});
  }
  return states.empty() ? "" : Text({{"model_version_status", states}});
}

}  // namespace manygate::serve
