// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/tf_example.h"

#include <cstring>

namespace manygate {
namespace {

constexpr char kCutOff[] = "it ends within a field";
constexpr char kOtherMessage[] = "it holds a field that no tf.Example has";

// Takes one field after the other off a message.
class Fields {
 public:
  explicit Fields(std::string_view message) : at_(message.data()), end_(message.data() + message.size()) {}

  bool at_end() const { return at_ == end_; }

  // A tag is number * 8 + wire type.
  bool TakeTag(uint64_t* tag) { return TakeVarint(tag); }

  bool TakeVarint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool TakeBytes(std::string_view* bytes) {
    uint64_t size = 0;
    if (!TakeVarint(&size) || size > static_cast<uint64_t>(end_ - at_)) return false;
    *bytes = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

  bool TakeFloat(float* value) {
    if (end_ - at_ < static_cast<std::ptrdiff_t>(sizeof(*value))) return false;
    memcpy(value, at_, sizeof(*value));
    at_ += sizeof(*value);
    return true;
  }

 private:
  const char* at_;
  const char* const end_;
};

constexpr uint64_t kVarint = 0, kBytes = 2, kFixed32 = 5;
constexpr uint64_t Tag(uint64_t number, uint64_t wire_type) { return number * 8 + wire_type; }

const char* ReadEntry(std::string_view message, FeatureEntry* entry) {
  bool has_feature = false;
  for (Fields fields(message); !fields.at_end();) {
    uint64_t tag = 0;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag == Tag(1, kBytes)) {
      if (!fields.TakeBytes(&entry->name)) return kCutOff;
    } else if (tag == Tag(2, kBytes) && !has_feature) {
      if (!fields.TakeBytes(&entry->feature)) return kCutOff;
      has_feature = true;
    } else {
      return kOtherMessage;
    }
  }
  return nullptr;
}

const char* ReadFeatures(std::string_view message, std::vector<FeatureEntry>* entries) {
  for (Fields fields(message); !fields.at_end();) {
    uint64_t tag = 0;
    std::string_view bytes;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag != Tag(1, kBytes)) return kOtherMessage;
    if (!fields.TakeBytes(&bytes)) return kCutOff;
    if (const char* problem = ReadEntry(bytes, &entries->emplace_back())) return problem;
  }
  return nullptr;
}

const char* ReadBytesList(std::string_view message, std::vector<std::string_view>* texts) {
  for (Fields fields(message); !fields.at_end();) {
    uint64_t tag = 0;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag != Tag(1, kBytes)) return kOtherMessage;
    if (!fields.TakeBytes(&texts->emplace_back())) return kCutOff;
  }
  return nullptr;
}

const char* ReadFloatList(std::string_view message, std::vector<float>* floats) {
  for (Fields fields(message); !fields.at_end();) {
    uint64_t tag = 0;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag == Tag(1, kFixed32)) {
      if (!fields.TakeFloat(&floats->emplace_back())) return kCutOff;
      continue;
    }
    if (tag != Tag(1, kBytes)) return kOtherMessage;
    std::string_view packed;
    if (!fields.TakeBytes(&packed) || packed.size() % sizeof(float) != 0) return kCutOff;
    const size_t before = floats->size();
    floats->resize(before + packed.size() / sizeof(float));
    if (!packed.empty()) memcpy(floats->data() + before, packed.data(), packed.size());
  }
  return nullptr;
}

const char* ReadInt64List(std::string_view message, std::vector<int64_t>* integers) {
  for (Fields fields(message); !fields.at_end();) {
    uint64_t tag = 0, value = 0;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag == Tag(1, kVarint)) {
      if (!fields.TakeVarint(&value)) return kCutOff;
      integers->push_back(static_cast<int64_t>(value));
      continue;
    }
    if (tag != Tag(1, kBytes)) return kOtherMessage;
    std::string_view packed;
    if (!fields.TakeBytes(&packed)) return kCutOff;
    for (Fields varints(packed); !varints.at_end();) {
      if (!varints.TakeVarint(&value)) return kCutOff;
      integers->push_back(static_cast<int64_t>(value));
    }
  }
  return nullptr;
}

void Clear(FeatureValues* values) {
  values->texts.clear();
  values->floats.clear();
  values->integers.clear();
}

}  // namespace

const char* ReadExample(std::string_view record, std::vector<FeatureEntry>* entries) {
  entries->clear();
  for (Fields fields(record); !fields.at_end();) {
    uint64_t tag = 0;
    std::string_view features;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag == Tag(2, kBytes)) return "it is a tf.SequenceExample, whose features are sequences of lists";
    if (tag != Tag(1, kBytes)) return kOtherMessage;
    if (!fields.TakeBytes(&features)) return kCutOff;
    if (const char* problem = ReadFeatures(features, entries)) return problem;
  }
  return nullptr;
}

const char* ReadFeature(std::string_view feature, FeatureValues* values) {
  using Kind = FeatureValues::Kind;
  values->kind = Kind::kNone;
  Clear(values);
  for (Fields fields(feature); !fields.at_end();) {
    uint64_t tag = 0;
    std::string_view list;
    if (!fields.TakeTag(&tag)) return kCutOff;
    if (tag != Tag(1, kBytes) && tag != Tag(2, kBytes) && tag != Tag(3, kBytes)) return kOtherMessage;
    if (!fields.TakeBytes(&list)) return kCutOff;
    const Kind kind = tag == Tag(1, kBytes) ? Kind::kBytes : tag == Tag(2, kBytes) ? Kind::kFloat : Kind::kInt64;
    if (kind != values->kind) Clear(values);  // lists of one kind that follow each other are one list
    values->kind = kind;
    const char* problem = kind == Kind::kBytes   ? ReadBytesList(list, &values->texts)
                          : kind == Kind::kFloat ? ReadFloatList(list, &values->floats)
                                                 : ReadInt64List(list, &values->integers);
    if (problem != nullptr) return problem;
  }
  return nullptr;
}

}  // namespace manygate
