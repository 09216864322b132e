// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/tensor_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "manygate/base/text.h"
#include "manygate/data/row_writer.h"

namespace manygate::serve {
namespace {

using features::Cell;

static_assert(std::endian::native == std::endian::little, "raw tensors are read as they lie");

struct DatatypeRow {
  std::string_view name;
  size_t bytes;
};
// By Datatype.
constexpr DatatypeRow kDatatypes[] = {{"BYTES", 0}, {"BOOL", 1},  {"INT8", 1},   {"INT16", 2},  {"INT32", 4},
                                      {"INT64", 8}, {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8},
                                      {"FP16", 2},  {"BF16", 2},  {"FP32", 4},   {"FP64", 8}};
constexpr size_t kLengthBytes = sizeof(uint32_t);

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

float FromBfloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

float FromHalf(uint16_t bits) {
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0x1f)
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
}

template <typename T>
void PlaceLoaded(const TensorPlace& place, std::string_view raw, Job* job) {
  PlaceValues(place, job, [&](int64_t i) {
    const T value = Load<T>(raw.data() + static_cast<size_t>(i) * sizeof(T));
    if constexpr (std::is_floating_point_v<T>) return Cell(value);
    if constexpr (std::is_same_v<T, uint64_t>)
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return Cell(job->Keep(fmt::format("{}", value)));
    return Cell(static_cast<int64_t>(value));
  });
}

void PlaceHalves(const TensorPlace& place, std::string_view raw, float (*widen)(uint16_t), Job* job) {
  PlaceValues(place, job, [&](int64_t i) { return Cell(widen(Load<uint16_t>(raw.data() + i * 2))); });
}

void PlaceTexts(const TensorPlace& place, std::string_view raw, Job* job) {
  const char* at = raw.data();
  PlaceValues(place, job, [&at](int64_t) {
    const size_t size = Load<uint32_t>(at);
    const std::string_view text(at + kLengthBytes, size);
    at += kLengthBytes + size;
    return Cell(text);
  });
}

std::string ShapeText(std::span<const int64_t> shape) {
  constexpr size_t kShown = 4;
  std::string text = fmt::format("[{}", fmt::join(shape.subspan(0, std::min(shape.size(), kShown)), ","));
  return text + (shape.size() > kShown ? fmt::format(",... {} in all]", shape.size()) : "]");
}

// Of a tensor that should hold so many values; without an overflow.
bool HasBytes(int64_t rows, int64_t width, size_t value_bytes, size_t bytes) {
  if (bytes % value_bytes != 0) return false;
  const size_t values = bytes / value_bytes, n = static_cast<size_t>(rows);
  return values % n == 0 && values / n == static_cast<size_t>(width);
}

Outcome CheckTexts(const TensorPlace& place, std::string_view raw) {
  const auto refuse = [&](const std::string& what) {
    return Refused(OutcomeCode::kInvalid, fmt::format("input \"{}\": {}; BYTES values have a length of 4 bytes, "
                                                      "little-endian, before each",
                                                      place.name, what));
  };
  size_t at = 0;
  for (int64_t row = 0; row < place.rows; ++row) {
    for (int64_t k = 0; k < place.width; ++k) {
      if (raw.size() - at < kLengthBytes)
        return refuse(
            fmt::format("the data ends after {} of {} x {} values", row * place.width + k, place.rows, place.width));
      const size_t size = Load<uint32_t>(raw.data() + at);
      at += kLengthBytes;
      if (raw.size() - at < size)
        return refuse(fmt::format("value {} says that it has {} bytes, and {} are left", row * place.width + k, size,
                                  raw.size() - at));
      at += size;
    }
  }
  if (at == raw.size()) return Done();
  return refuse(fmt::format("{} bytes are left behind {} x {} values", raw.size() - at, place.rows, place.width));
}

}  // namespace

bool ParseDatatype(std::string_view name, Datatype* datatype) {
  for (size_t i = 0; i < std::size(kDatatypes); ++i) {
    if (name != kDatatypes[i].name) continue;
    *datatype = static_cast<Datatype>(i);
    return true;
  }
  return false;
}

std::string_view DatatypeName(Datatype datatype) { return kDatatypes[static_cast<size_t>(datatype)].name; }
size_t ValueBytes(Datatype datatype) { return kDatatypes[static_cast<size_t>(datatype)].bytes; }

std::string Shown(std::string_view text) {
  constexpr size_t kMostBytes = 80;
  return text.size() <= kMostBytes ? fmt::format("\"{}\"", text)
                                   : fmt::format("\"{}...\" ({} bytes)", text.substr(0, kMostBytes), text.size());
}

void InputTensors::Start(const ServedVersion& version, int64_t max_rows) {
  version_ = &version;
  max_rows_ = max_rows;
  rows_ = 0;
  next_ = 0;
  seen_.assign(version.predictor->inputs().size(), 0);
}

Outcome InputTensors::Add(std::string_view name, std::string_view datatype, std::span<const int64_t> shape,
                          TensorPlace* place) {
  const auto inputs = version_->predictor->inputs();
  if (next_ == inputs.size() || inputs[next_].name != name) {
    const int found = version_->predictor->FindInput(name);
    if (found < 0) {
      std::vector<std::string> names;
      for (const PredictorInput& input : inputs) names.push_back(input.name);
      const std::string suggestion = Suggestion(name.substr(0, 80), names, "Inputs");  // a long name would cost long
      return Refused(OutcomeCode::kInvalid,
                     fmt::format("model \"{}\" has no input {}. {}", version_->name, Shown(name), suggestion));
    }
    next_ = static_cast<size_t>(found);
  }
  place->name = inputs[next_].name;
  place->column = next_++;
  if (seen_[place->column] != 0)
    return Refused(OutcomeCode::kInvalid, fmt::format("input \"{}\" is there twice", name));
  seen_[place->column] = 1;
  if (!ParseDatatype(datatype, &place->datatype))
    return Refused(
        OutcomeCode::kInvalid,
        fmt::format("input \"{}\" has the datatype {}; expected BYTES, BOOL, INT8 to INT64, UINT8 to UINT64, "
                    "FP16, BF16, FP32 or FP64",
                    name, Shown(datatype)));
  if (shape.empty() || shape.size() > 2 || shape[0] < 1 || shape.back() < 1)
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("input \"{}\" has the shape {}; expected [n], [n,1] or, of several values in one text, "
                               "[n,k], with n and k at least 1",
                               name, ShapeText(shape)));
  place->rows = shape[0];
  place->width = shape.size() == 2 ? shape[1] : 1;
  if (place->rows > max_rows_)
    return Refused(OutcomeCode::kTooLarge,
                   fmt::format("input \"{}\" has {} rows, and a request may have {}", name, place->rows, max_rows_));
  if (rows_ != 0 && place->rows != rows_)
    return Refused(OutcomeCode::kInvalid,
                   fmt::format("input \"{}\" has {} rows, and the inputs before it have {}", name, place->rows, rows_));
  rows_ = place->rows;
  return Done();
}

Outcome InputTensors::Complete() const {
  std::vector<std::string> missing;
  const auto inputs = version_->predictor->inputs();
  for (size_t i = 0; i < seen_.size(); ++i)
    if (seen_[i] == 0) missing.push_back(inputs[i].name);
  if (missing.empty()) return Done();
  return Refused(OutcomeCode::kInvalid, fmt::format("{} of the {} inputs of model \"{}\" are not there: {}",
                                                    missing.size(), inputs.size(), version_->name, JoinNames(missing)));
}

Outcome CheckTensor(const TensorPlace& place, std::string_view raw) {
  if (place.datatype == Datatype::kBytes) return CheckTexts(place, raw);
  const size_t bytes = ValueBytes(place.datatype);
  if (HasBytes(place.rows, place.width, bytes, raw.size())) return Done();
  return Refused(OutcomeCode::kInvalid,
                 fmt::format("input \"{}\" has {} bytes of data; expected {} x {} values of {} (type {})", place.name,
                             raw.size(), place.rows, place.width, bytes, DatatypeName(place.datatype)));
}

void PlaceTensor(const TensorPlace& place, std::string_view raw, Job* job) {
  switch (place.datatype) {
    case Datatype::kBytes: PlaceTexts(place, raw, job); break;
    case Datatype::kBool:
      PlaceValues(place, job, [&](int64_t i) { return Cell(int64_t{raw[static_cast<size_t>(i)] != 0}); });
      break;
    case Datatype::kInt8: PlaceLoaded<int8_t>(place, raw, job); break;
    case Datatype::kInt16: PlaceLoaded<int16_t>(place, raw, job); break;
    case Datatype::kInt32: PlaceLoaded<int32_t>(place, raw, job); break;
    case Datatype::kInt64: PlaceLoaded<int64_t>(place, raw, job); break;
    case Datatype::kUint8: PlaceLoaded<uint8_t>(place, raw, job); break;
    case Datatype::kUint16: PlaceLoaded<uint16_t>(place, raw, job); break;
    case Datatype::kUint32: PlaceLoaded<uint32_t>(place, raw, job); break;
    case Datatype::kUint64: PlaceLoaded<uint64_t>(place, raw, job); break;
    case Datatype::kFp16: PlaceHalves(place, raw, FromHalf, job); break;
    case Datatype::kBf16: PlaceHalves(place, raw, FromBfloat, job); break;
    case Datatype::kFp32: PlaceLoaded<float>(place, raw, job); break;
    case Datatype::kFp64: PlaceLoaded<double>(place, raw, job); break;
  }
}

Outcome ReadTensor(const TensorPlace& place, std::string_view raw, Job* job) {
  Outcome outcome = CheckTensor(place, raw);
  if (outcome.ok()) PlaceTensor(place, raw, job);
  return outcome;
}

Cell JoinValues(std::span<const Cell> values, Job* job) {
  if (values.size() == 1) return values[0];
  std::string joined, buffer;
  for (size_t k = 0; k < values.size(); ++k) {
    if (k > 0) joined += kValueSeparator;
    joined += values[k].AsText(&buffer);
  }
  return Cell(job->Keep(std::move(joined)));
}

}  // namespace manygate::serve
