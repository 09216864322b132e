// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_view.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>

#include "manygate/data/utf8.h"
#include "manygate/serve/open_inference.pb.h"

namespace manygate::serve {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using Request = inference::ModelInferRequest;
using InputTensor = Request::InferInputTensor;

constexpr uint32_t Bytes(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
constexpr uint32_t Varint(int field) { return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT); }

// The fields of one message. visit(tag) -> bool reads the field's value; false: the message is wrong.
class Message {
 public:
  explicit Message(std::string_view bytes)
      : bytes_(bytes), stream_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  template <typename Visit>
  bool Fields(Visit&& visit) {
    while (true) {
      const uint32_t tag = stream_.ReadTag();
      if (tag == 0) return stream_.ConsumedEntireMessage();
      if (!visit(tag)) return false;
    }
  }
  bool View(std::string_view* value) {
    uint32_t size = 0;
    if (!stream_.ReadVarint32(&size)) return false;
    const auto at = static_cast<size_t>(stream_.CurrentPosition());
    if (size > bytes_.size() - at) return false;
    *value = bytes_.substr(at, size);
    return stream_.Skip(static_cast<int>(size));
  }
  bool Text(std::string_view* value) { return View(value) && IsUtf8(*value); }
  bool Number(int64_t* value) { return stream_.ReadVarint64(reinterpret_cast<uint64_t*>(value)); }
  bool Skip(uint32_t tag) { return WireFormatLite::SkipField(&stream_, tag); }

 private:
  std::string_view bytes_;
  CodedInputStream stream_;
};

// Whether one more has room.
template <typename Parts>
bool Fits(const Parts& parts) {
  return parts.size() < kMostInferParts;
}

bool ReadPacked(std::string_view bytes, std::vector<int64_t>* values) {
  CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  while (stream.CurrentPosition() < static_cast<int>(bytes.size()))
    if (!Fits(*values) || !stream.ReadVarint64(reinterpret_cast<uint64_t*>(&values->emplace_back()))) return false;
  return true;
}

bool ReadInput(std::string_view bytes, InferView* view) {
  if (!Fits(view->inputs)) return false;
  InferView::Input& input = view->inputs.emplace_back();
  input.first_extent = view->extents.size();
  Message message(bytes);
  const bool read = message.Fields([&](uint32_t tag) {
    std::string_view part;
    switch (tag) {
      case Bytes(InputTensor::kNameFieldNumber): return message.Text(&input.name);
      case Bytes(InputTensor::kDatatypeFieldNumber): return message.Text(&input.datatype);
      case Bytes(InputTensor::kShapeFieldNumber): return message.View(&part) && ReadPacked(part, &view->extents);
      case Varint(InputTensor::kShapeFieldNumber):
        return Fits(view->extents) && message.Number(&view->extents.emplace_back());
      case Bytes(InputTensor::kContentsFieldNumber):
        if (input.has_contents) return false;
        input.has_contents = true;
        return message.View(&input.contents);
      default: return message.Skip(tag);
    }
  });
  input.num_extents = view->extents.size() - input.first_extent;
  return read;
}

// An entry of a map from names to InferParameter; the last one of a name counts.
bool ReadParameter(std::string_view bytes, InferView* view) {
  std::string_view key, value;
  Message entry(bytes);
  const bool read = entry.Fields([&](uint32_t tag) {
    if (tag == Bytes(1)) return entry.Text(&key);
    if (tag == Bytes(2)) return entry.View(&value);
    return entry.Skip(tag);
  });
  if (!read || key != "timeout") return read;
  view->timeout = 0;
  Message parameter(value);
  return parameter.Fields([&](uint32_t tag) {
    if (tag == Varint(inference::InferParameter::kInt64ParamFieldNumber)) return parameter.Number(&view->timeout);
    return parameter.Skip(tag);
  });
}

bool ReadOutput(std::string_view bytes, InferView* view) {
  if (!Fits(view->outputs)) return false;
  std::string_view& name = view->outputs.emplace_back();
  Message message(bytes);
  return message.Fields([&](uint32_t tag) {
    if (tag == Bytes(Request::InferRequestedOutputTensor::kNameFieldNumber)) return message.Text(&name);
    return message.Skip(tag);
  });
}

}  // namespace

void InferView::Clear() {
  // What an unusual request has needed is not kept.
  constexpr size_t kKept = 4096;
  if (std::max({inputs.capacity(), extents.capacity(), outputs.capacity(), raw_input_contents.capacity()}) > kKept)
    *this = {};
  model_name = model_version = id = {};
  timeout = 0;
  inputs.clear();
  extents.clear();
  outputs.clear();
  raw_input_contents.clear();
}

bool ReadInferView(std::string_view bytes, InferView* view) {
  view->Clear();
  Message message(bytes);
  return message.Fields([&](uint32_t tag) {
    std::string_view part;
    switch (tag) {
      case Bytes(Request::kModelNameFieldNumber): return message.Text(&view->model_name);
      case Bytes(Request::kModelVersionFieldNumber): return message.Text(&view->model_version);
      case Bytes(Request::kIdFieldNumber): return message.Text(&view->id);
      case Bytes(Request::kParametersFieldNumber): return message.View(&part) && ReadParameter(part, view);
      case Bytes(Request::kInputsFieldNumber): return message.View(&part) && ReadInput(part, view);
      case Bytes(Request::kOutputsFieldNumber): return message.View(&part) && ReadOutput(part, view);
      case Bytes(Request::kRawInputContentsFieldNumber):
        return Fits(view->raw_input_contents) && message.View(&view->raw_input_contents.emplace_back());
      default: return message.Skip(tag);
    }
  });
}

}  // namespace manygate::serve
