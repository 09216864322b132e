// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_grpc.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "manygate/base/text.h"

namespace manygate::serve {
namespace {

using features::Cell;
using inference::InferTensorContents;

// Calls use(name of the field, values, value to Cell) with the field of `contents` in which values of the datatype stand.
template <typename Use>
Outcome WithField(Datatype datatype, const InferTensorContents& contents, Use&& use) {
  const auto integer = [](auto value) { return Cell(static_cast<int64_t>(value)); };
  const auto as_it_is = [](auto value) { return Cell(value); };
  switch (datatype) {
    case Datatype::kBytes:
      return use("bytes_contents", contents.bytes_contents(),
                 [](const std::string& value) { return Cell(std::string_view(value)); });
    case Datatype::kBool: return use("bool_contents", contents.bool_contents(), integer);
    case Datatype::kInt8:
    case Datatype::kInt16:
    case Datatype::kInt32: return use("int_contents", contents.int_contents(), integer);
    case Datatype::kInt64: return use("int64_contents", contents.int64_contents(), integer);
    case Datatype::kUint8:
    case Datatype::kUint16:
    case Datatype::kUint32: return use("uint_contents", contents.uint_contents(), integer);
    case Datatype::kUint64: return use("uint64_contents", contents.uint64_contents(), integer);
    case Datatype::kFp32: return use("fp32_contents", contents.fp32_contents(), as_it_is);
    case Datatype::kFp64: return use("fp64_contents", contents.fp64_contents(), as_it_is);
    case Datatype::kFp16:
    case Datatype::kBf16: break;
  }
  return Refused(OutcomeCode::kInvalid,
                 fmt::format("values of type {} stand in raw_input_contents", DatatypeName(datatype)));
}

// Whether they are as many as the shape says.
Outcome CheckContents(const TensorPlace& place, const InferTensorContents& contents) {
  return WithField(place.datatype, contents, [&place](std::string_view field, const auto& values, const auto&) {
    const auto count = static_cast<int64_t>(values.size());
    if (count % place.rows == 0 && count / place.rows == place.width) return Done();
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("input \"{}\" has {} values in {}; expected {} x {} (type {})", place.name, count, field,
                               place.rows, place.width, DatatypeName(place.datatype)));
  });
}

void PlaceContents(const TensorPlace& place, const InferTensorContents& contents, Job* job) {
  (void)WithField(place.datatype, contents, [&](std::string_view, const auto& values, const auto& cell) {
    PlaceValues(place, job, [&](int64_t i) {
      using Value = std::decay_t<decltype(values[0])>;
      const auto& value = values[static_cast<int>(i)];
      if constexpr (std::is_same_v<Value, uint64_t>)
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
          return Cell(job->Keep(std::to_string(value)));
      return cell(value);
    });
    return Done();
  });
}

Outcome ReadOutputs(const InferView& request, Job* job) {
  if (request.outputs.empty()) {
    job->WantDefaultOutputs();
    return Done();
  }
  const Predictor& predictor = *job->version().predictor;
  for (const std::string_view output : request.outputs) {
    const int found = predictor.FindOutput(output);
    if (found >= 0) {
      if (job->wants(static_cast<size_t>(found)))
        return Refused(OutcomeCode::kInvalid, fmt::format("output \"{}\" is asked for twice", output));
      job->WantOutput(static_cast<size_t>(found));
      continue;
    }
    std::vector<std::string> names;
    for (const PredictorOutput& known : predictor.outputs()) names.push_back(known.name);
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("model \"{}\" has no output {}. {}", job->version().name, Shown(output),
                               Suggestion(output.substr(0, 80), names, "Outputs")));
  }
  return Done();
}

Outcome CheckInputs(const InferView& request, int64_t max_rows, InferGrpcWorkspace* workspace, const Job& job) {
  const bool raw = !request.raw_input_contents.empty();
  if (raw && request.raw_input_contents.size() != request.inputs.size())
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("{} inputs, and {} raw_input_contents; expected one of each input",
                               request.inputs.size(), request.raw_input_contents.size()));
  workspace->inputs.Start(job.version(), max_rows);
  workspace->places.clear();
  workspace->contents.clear();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const InferView::Input& input = request.inputs[i];
    TensorPlace& place = workspace->places.emplace_back();
    MG_RETURN_IF_REFUSED(workspace->inputs.Add(input.name, input.datatype, request.Shape(input), &place));
    if (raw && input.has_contents)
      return Refused(OutcomeCode::kInvalid,
                     fmt::format("input \"{}\" has contents beside raw_input_contents", input.name));
    if (raw) {
      MG_RETURN_IF_REFUSED(CheckTensor(place, request.raw_input_contents[i]));
      continue;
    }
    InferTensorContents& contents = workspace->contents.emplace_back();
    if (!contents.ParseFromArray(input.contents.data(), static_cast<int>(input.contents.size())))
      return Refused(OutcomeCode::kInvalid, fmt::format("input \"{}\": its contents cannot be read", input.name));
    MG_RETURN_IF_REFUSED(CheckContents(place, contents));
  }
  return workspace->inputs.Complete();
}

void AddOutput(const Job& job, size_t index, inference::ModelInferResponse* response) {
  const PredictorOutput& known = job.version().predictor->outputs()[index];
  auto* const output = response->add_outputs();
  output->set_name(known.name);
  output->set_datatype("FP32");
  output->add_shape(job.rows());
  if (known.width != 1) output->add_shape(known.width);
  const std::vector<float>& values = job.output(index);
  response->add_raw_output_contents(values.data(), values.size() * sizeof(float));
}

void WriteTensor(const std::string& name, const char* datatype, int64_t width,
                 inference::ModelMetadataResponse::TensorMetadata* tensor) {
  tensor->set_name(name);
  tensor->set_datatype(datatype);
  tensor->add_shape(-1);
  if (width != 1) tensor->add_shape(width);
}

}  // namespace

Outcome ReadInferRequest(const InferView& request, int64_t max_rows, InferGrpcWorkspace* workspace, Job* job) {
  MG_RETURN_IF_REFUSED(ReadOutputs(request, job));
  // All is checked before room is made for the cells.
  MG_RETURN_IF_REFUSED(CheckInputs(request, max_rows, workspace, *job));
  job->cells(workspace->inputs.rows());
  const bool raw = !request.raw_input_contents.empty();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const TensorPlace& place = workspace->places[i];
    if (raw) {
      PlaceTensor(place, request.raw_input_contents[i], job);
    } else {
      PlaceContents(place, workspace->contents[i], job);
    }
  }
  return Done();
}

std::chrono::microseconds TimeoutOf(const InferView& request) {
  constexpr int64_t kLongest = int64_t{24} * 3600 * 1000 * 1000;
  return std::chrono::microseconds(std::clamp<int64_t>(request.timeout, 0, kLongest));
}

void WriteInferResponse(const InferView& request, const Job& job, inference::ModelInferResponse* response) {
  response->set_model_name(job.version().name);
  response->set_model_version(std::to_string(job.version().version));
  response->set_id(request.id.data(), request.id.size());
  const Predictor& predictor = *job.version().predictor;
  for (const std::string_view output : request.outputs)
    AddOutput(job, static_cast<size_t>(predictor.FindOutput(output)), response);
  for (size_t i = 0; i < predictor.outputs().size(); ++i)
    if (request.outputs.empty() && job.wants(i)) AddOutput(job, i, response);
}

void WriteModelMetadata(const ServedVersion& served, const std::vector<VersionInfo>& versions,
                        inference::ModelMetadataResponse* response) {
  response->set_name(served.name);
  for (const VersionInfo& info : versions)
    if (info.name == served.name && info.state == VersionState::kReady)
      response->add_versions(std::to_string(info.version));
  response->set_platform("manygate_" + served.predictor->model_name());
  for (const PredictorInput& input : served.predictor->inputs())
    WriteTensor(input.name, input.number ? "FP32" : "BYTES", 1, response->add_inputs());
  for (const PredictorOutput& output : served.predictor->outputs())
    WriteTensor(output.name, "FP32", output.width, response->add_outputs());
}

}  // namespace manygate::serve
