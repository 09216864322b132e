// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/cache_format.h"

#include <cstring>
#include <utility>

namespace manygate {
namespace {

// Appends the parts of the description.
class Packer {
 public:
  template <typename T>
  void Put(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void PutText(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    out_.append(text);
  }
  std::string& out() { return out_; }

 private:
  std::string out_;
};

// Takes them back; every size is checked before it is used, and the first bad one makes ok() false for good.
class Unpacker {
 public:
  explicit Unpacker(std::string_view text) : text_(text) {}
  template <typename T>
  T Get() {
    T value{};
    if (!Has(sizeof(T))) return value;
    memcpy(&value, text_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::string GetText() {
    const auto size = Get<uint32_t>();
    if (!Has(size)) return "";
    at_ += size;
    return std::string(text_.substr(at_ - size, size));
  }
  // A number of elements that take at least `element_bytes` each.
  uint32_t GetCount(size_t element_bytes) {
    const auto count = Get<uint32_t>();
    if (count > (text_.size() - at_) / element_bytes) ok_ = false;
    return ok_ ? count : 0;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && at_ == text_.size(); }

 private:
  bool Has(size_t bytes) {
    ok_ = ok_ && bytes <= text_.size() - at_;
    return ok_;
  }
  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

std::string PackCacheDescription(const CacheDescription& description) {
  Packer packer;
  packer.PutText(description.key);
  packer.Put(static_cast<uint32_t>(description.sources.size()));
  for (const SourceState& source : description.sources) {
    packer.PutText(source.path);
    packer.Put(source.bytes);
    packer.Put(source.modified_ns);
  }
  packer.Put(description.rows);
  packer.PutText(description.source);
  packer.Put(static_cast<uint32_t>(description.columns.size()));
  for (const ColumnPlace& column : description.columns) {
    packer.PutText(column.name);
    packer.Put(static_cast<uint8_t>(column.kind));
    packer.Put(column.value_bytes);
    packer.Put(column.dictionary_size);
    packer.Put(column.values_offset);
    packer.Put(column.dictionary_offset);
    packer.Put(column.dictionary_bytes);
  }
  return std::move(packer.out());
}

std::optional<CacheDescription> UnpackCacheDescription(std::string_view text) {
  Unpacker unpacker(text);
  CacheDescription description;
  description.key = unpacker.GetText();
  const uint32_t num_sources = unpacker.GetCount(28);
  for (uint32_t i = 0; i < num_sources && unpacker.ok(); ++i) {
    SourceState source;
    source.path = unpacker.GetText();
    source.bytes = unpacker.Get<uint64_t>();
    source.modified_ns = unpacker.Get<int64_t>();
    description.sources.push_back(std::move(source));
  }
  description.rows = unpacker.Get<uint64_t>();
  description.source = unpacker.GetText();
  const uint32_t num_columns = unpacker.GetCount(34);
  for (uint32_t i = 0; i < num_columns && unpacker.ok(); ++i) {
    ColumnPlace column;
    column.name = unpacker.GetText();
    const auto kind = unpacker.Get<uint8_t>();
    if (kind > 1) return std::nullopt;
    column.kind = static_cast<ColumnKind>(kind);
    column.value_bytes = unpacker.Get<uint8_t>();
    column.dictionary_size = unpacker.Get<uint32_t>();
    column.values_offset = unpacker.Get<uint64_t>();
    column.dictionary_offset = unpacker.Get<uint64_t>();
    column.dictionary_bytes = unpacker.Get<uint64_t>();
    description.columns.push_back(std::move(column));
  }
  if (!unpacker.at_end()) return std::nullopt;
  return description;
}

}  // namespace manygate
