// SPDX-License-Identifier: Apache-2.0
// For tests: columns and streams of Arrow made by hand.
//
//   ArrowMade job("u", 3), age("l", 3), rows("+s", 3);
//   job.Name("job").Texts<int32_t>({"a", "b", ""}).Valid("110");
//   rows.Child(job).Child(age.Name("age").Values<int64_t>({17, 30, 41}));
//   ArrowMadeStream stream({&rows});                          // &stream.stream
#ifndef MANYGATE_DATA_ARROW_TESTING_H_
#define MANYGATE_DATA_ARROW_TESTING_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "manygate/data/arrow_abi.h"

namespace manygate {

// One column made by hand; the memory lives as long as the object.
class ArrowMade {
 public:
  ArrowMade(std::string format, int64_t length, int64_t offset = 0) : format_(std::move(format)) {
    schema.format = format_.c_str();
    schema.name = "x";
    array.length = length;
    array.offset = offset;
    array.null_count = -1;
    AddBuffer(nullptr, 0);  // all valid
  }
  ArrowMade(ArrowMade&& other) = delete;

  // bits: "1011" for value 0, 1, ..., from the beginning of the buffer.
  ArrowMade& Valid(const std::string& bits) {
    buffers_[0] = Keep(Bits(bits).data(), (bits.size() + 7) / 8);
    return *this;
  }
  template <typename T>
  ArrowMade& Values(std::vector<T> values) {
    AddBuffer(values.data(), values.size() * sizeof(T));
    return *this;
  }
  ArrowMade& BoolValues(const std::string& bits) { return AddBuffer(Bits(bits).data(), (bits.size() + 7) / 8); }
  template <typename Offset>
  ArrowMade& Texts(const std::vector<std::string>& texts) {
    std::vector<Offset> offsets = {0};
    std::string bytes;
    for (const std::string& text : texts) {
      bytes += text;
      offsets.push_back(static_cast<Offset>(bytes.size()));
    }
    Values(offsets);
    return AddBuffer(bytes.data(), bytes.size());
  }
  // Views into one buffer, whose number each of them says.
  ArrowMade& Views(const std::vector<std::string>& texts, int32_t buffer = 0) {
    std::vector<int32_t> words;
    std::string bytes = "...";
    for (const std::string& text : texts) {
      int32_t view[4] = {static_cast<int32_t>(text.size()), 0, buffer, static_cast<int32_t>(bytes.size())};
      memcpy(&view[1], text.data(), text.size() <= 12 ? text.size() : 4);
      if (text.size() > 12) bytes += text;
      words.insert(words.end(), view, view + 4);
    }
    return Values(words).AddBuffer(bytes.data(), bytes.size()).Values<int64_t>({static_cast<int64_t>(bytes.size())});
  }
  ArrowMade& Dictionary(ArrowMade& values) {
    schema.dictionary = &values.schema;
    array.dictionary = &values.array;
    return *this;
  }
  ArrowMade& Child(ArrowMade& child) {
    child_schemas_.push_back(&child.schema);
    child_arrays_.push_back(&child.array);
    schema.children = child_schemas_.data();
    array.children = child_arrays_.data();
    schema.n_children = array.n_children = static_cast<int64_t>(child_arrays_.size());
    return *this;
  }
  ArrowMade& AddBuffer(const void* data, size_t size) {
    buffers_.push_back(data == nullptr ? nullptr : Keep(data, size));
    array.buffers = buffers_.data();
    array.n_buffers = static_cast<int64_t>(buffers_.size());
    return *this;
  }
  ArrowMade& Name(const char* name) {
    schema.name = name;
    return *this;
  }

  ArrowSchema schema = {};
  ArrowArray array = {};

 private:
  static std::vector<uint8_t> Bits(const std::string& bits) {
    std::vector<uint8_t> bytes((bits.size() + 7) / 8 + 1);
    for (size_t i = 0; i < bits.size(); ++i) bytes[i / 8] |= static_cast<uint8_t>((bits[i] == '1') << (i % 8));
    return bytes;
  }
  const void* Keep(const void* data, size_t size) {
    memory_.push_back(std::make_unique<char[]>(size + 1));  // no padding: a sanitizer sees reads beyond
    memcpy(memory_.back().get(), data, size);
    return memory_.back().get();
  }

  const std::string format_;
  std::vector<const void*> buffers_;
  std::vector<std::unique_ptr<char[]>> memory_;
  std::vector<ArrowSchema*> child_schemas_;
  std::vector<ArrowArray*> child_arrays_;
};

// Hands over the batches, views whose release only counts; they and the stream outlive what reads them.
class ArrowMadeStream {
 public:
  explicit ArrowMadeStream(std::vector<ArrowMade*> batches) : batches_(std::move(batches)) {
    stream.get_schema = [](ArrowArrayStream* from, ArrowSchema* out) {
      *out = Self(from)->batches_[0]->schema;
      out->release = [](ArrowSchema* schema) { schema->release = nullptr; };
      return 0;
    };
    stream.get_next = [](ArrowArrayStream* from, ArrowArray* out) {
      ArrowMadeStream* const self = Self(from);
      if (self->next_ == self->fail_at) return 5;  // EIO
      *out = {};
      if (self->next_ == self->batches_.size()) return 0;
      *out = self->batches_[self->next_++]->array;
      ++self->alive;
      out->private_data = self;
      out->release = [](ArrowArray* array) {
        --static_cast<ArrowMadeStream*>(array->private_data)->alive;
        array->release = nullptr;
      };
      return 0;
    };
    stream.get_last_error = [](ArrowArrayStream* from) { return Self(from)->error; };
    stream.private_data = this;
  }
  ArrowMadeStream(const ArrowMadeStream&) = delete;

  ArrowArrayStream stream = {};
  int alive = 0;                // batches that nobody has released yet
  size_t fail_at = SIZE_MAX;    // the batch that cannot be read
  const char* error = nullptr;  // what the stream says then

 private:
  static ArrowMadeStream* Self(ArrowArrayStream* from) { return static_cast<ArrowMadeStream*>(from->private_data); }

  const std::vector<ArrowMade*> batches_;
  size_t next_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_TESTING_H_
