// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "manygate/base/check.h"
#include "manygate/base/file.h"

namespace manygate {
namespace {

using Json = nlohmann::ordered_json;

// The values are copied as they lie in memory.
static_assert(std::endian::native == std::endian::little, "the container is little-endian");

constexpr char kMetadata[] = "__metadata__";
constexpr uint64_t kLargestHeader = 100'000'000;  // bytes; the limit of the format's own reader

// Number of values of a shape whose sizes are not negative; false on overflow.
bool ShapeSize(const std::vector<int64_t>& shape, uint64_t* size) {
  *size = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(*size, static_cast<uint64_t>(extent), size)) return false;
  }
  return *size <= UINT64_MAX / sizeof(float);
}

std::string_view Bytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string HeaderText(std::span<const TensorView* const> sorted, const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) {
    json[kMetadata] = Json::object();
    for (const auto& [key, value] : metadata) json[kMetadata][key] = value;
  }
  uint64_t offset = 0;
  for (const TensorView* entry : sorted) {
    const uint64_t end = offset + entry->values.size_bytes();
    json[entry->name] = {{"dtype", "F32"}, {"shape", entry->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

// What a header says about one tensor, checked against the file's size but not yet against its neighbours.
struct TensorPlace {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

class Reader {
 public:
  Reader(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  Status Read(std::vector<TensorEntry>* entries, std::map<std::string, std::string>* metadata) {
    Json header;
    MG_RETURN_IF_ERROR(ReadHeader(&header));
    std::vector<TensorPlace> places;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        MG_RETURN_IF_ERROR(ReadMetadata(value, metadata));
        continue;
      }
      TensorPlace place;
      MG_RETURN_IF_ERROR(ReadPlace(name, value, &place));
      places.push_back(std::move(place));
    }
    MG_RETURN_IF_ERROR(CheckLayout(&places));
    for (TensorPlace& place : places) {
      TensorEntry entry{std::move(place.name), std::move(place.shape), {}};
      entry.values.resize((place.end - place.begin) / sizeof(float));
      if (!entry.values.empty()) std::memcpy(entry.values.data(), data_.data() + place.begin, place.end - place.begin);
      entries->push_back(std::move(entry));
    }
    std::sort(entries->begin(), entries->end(),
              [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
    return OkStatus();
  }

 private:
  Status Damaged(const std::string& what) const {
    return InvalidInput(fmt::format("{}: not a sound safetensors file: {}", path_, what));
  }

  Status ReadHeader(Json* header) {
    uint64_t length = 0;
    if (bytes_.size() < sizeof(length)) {
      return Damaged(fmt::format("{} bytes, at least 8 expected", bytes_.size()));
    }
    std::memcpy(&length, bytes_.data(), sizeof(length));
    const uint64_t rest = bytes_.size() - sizeof(length);
    if (length > rest || length > kLargestHeader) {
      return Damaged(fmt::format("a header of {} bytes is announced, {} bytes follow", length, rest));
    }
    const std::string_view text = bytes_.substr(sizeof(length), length);
    data_ = bytes_.substr(sizeof(length) + length);
    // JSON objects that hold a key twice would silently keep one of them.
    std::vector<std::set<std::string>> keys;
    std::string repeated;
    const auto watch = [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.empty()) {
        const std::string& key = value.get_ref<const std::string&>();
        if (!keys.back().insert(key).second) repeated = key;
      }
      return true;
    };
    *header = Json::parse(text, watch, /*allow_exceptions=*/false);
    if (!repeated.empty()) return Damaged(fmt::format("\"{}\" appears twice", repeated));
    if (header->is_discarded() || !header->is_object()) return Damaged("the header is not a JSON object");
    return OkStatus();
  }

  Status ReadMetadata(const Json& value, std::map<std::string, std::string>* metadata) const {
    if (!value.is_object()) return Damaged("\"__metadata__\" is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) return Damaged(fmt::format("\"__metadata__\".\"{}\" is not a string", key));
      if (metadata != nullptr) (*metadata)[key] = text.get<std::string>();
    }
    return OkStatus();
  }

  Status ReadPlace(const std::string& name, const Json& value, TensorPlace* place) const {
    place->name = name;
    if (!value.is_object()) return Damaged(fmt::format("\"{}\" is not an object", name));
    const auto dtype = value.find("dtype");
    if (dtype == value.end() || !dtype->is_string()) return Damaged(fmt::format("\"{}\" has no \"dtype\"", name));
    if (*dtype != "F32") {
      return Damaged(fmt::format("\"{}\" has dtype {}, only F32 is supported", name, dtype->get<std::string>()));
    }
    const auto shape = value.find("shape");
    if (shape == value.end() || !shape->is_array()) return Damaged(fmt::format("\"{}\" has no \"shape\"", name));
    for (const Json& extent : *shape) {
      if (!extent.is_number_integer() || extent.get<int64_t>() < 0) {
        return Damaged(
            fmt::format("\"{}\" has the shape {}, whole numbers of at least 0 expected", name, shape->dump()));
      }
      place->shape.push_back(extent.get<int64_t>());
    }
    uint64_t size = 0;
    if (!ShapeSize(place->shape, &size)) {
      return Damaged(fmt::format("\"{}\" has the shape {}, more values than can be counted", name, shape->dump()));
    }
    const auto offsets = value.find("data_offsets");
    if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
        !(*offsets)[1].is_number_unsigned()) {
      return Damaged(fmt::format("\"{}\" needs \"data_offsets\": two whole numbers", name));
    }
    place->begin = (*offsets)[0].get<uint64_t>();
    place->end = (*offsets)[1].get<uint64_t>();
    if (place->begin > place->end || place->end > data_.size()) {
      return Damaged(fmt::format("\"{}\" lies at bytes {} to {}, the file holds {} bytes of values", name, place->begin,
                                 place->end, data_.size()));
    }
    if (place->end - place->begin != size * sizeof(float)) {
      return Damaged(fmt::format("\"{}\" of shape {} needs {} bytes, data_offsets give {}", name, shape->dump(),
                                 size * sizeof(float), place->end - place->begin));
    }
    return OkStatus();
  }

  Status CheckLayout(std::vector<TensorPlace>* places) const {
    std::sort(places->begin(), places->end(), [](const TensorPlace& a, const TensorPlace& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    uint64_t expected = 0;
    for (const TensorPlace& place : *places) {
      if (place.begin != expected) {
        return Damaged(fmt::format("\"{}\" begins at byte {}, expected {} ({})", place.name, place.begin, expected,
                                   place.begin < expected ? "overlap" : "gap"));
      }
      expected = place.end;
    }
    if (expected != data_.size()) {
      return Damaged(fmt::format("{} bytes of values, the header accounts for {}", data_.size(), expected));
    }
    return OkStatus();
  }

  const std::string& path_;
  std::string_view bytes_;
  std::string_view data_;
};

}  // namespace

Status WriteSafetensors(const std::string& path, std::span<const TensorView> entries,
                        const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorView*> sorted;
  for (const TensorView& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
  for (size_t i = 0; i < sorted.size(); ++i) {
    const TensorView& entry = *sorted[i];
    uint64_t size = 0;
    MG_CHECK(ShapeSize(entry.shape, &size) && size == entry.values.size(), "{}: shape [{}], {} values", entry.name,
             fmt::join(entry.shape, ", "), entry.values.size());
    MG_CHECK(entry.name != kMetadata && (i == 0 || entry.name != sorted[i - 1]->name), "name \"{}\"", entry.name);
  }
  const std::string header = HeaderText(sorted, metadata);
  const uint64_t length = header.size();
  AtomicFile file;
  MG_RETURN_IF_ERROR(file.Open(path));
  MG_RETURN_IF_ERROR(file.Append({reinterpret_cast<const char*>(&length), sizeof(length)}));
  MG_RETURN_IF_ERROR(file.Append(header));
  for (const TensorView* entry : sorted) MG_RETURN_IF_ERROR(file.Append(Bytes(entry->values)));
  return file.Commit();
}

Status WriteSafetensors(const std::string& path, std::span<const TensorEntry> entries,
                        const std::map<std::string, std::string>& metadata) {
  std::vector<TensorView> views;
  for (const TensorEntry& entry : entries) views.push_back({entry.name, entry.shape, entry.values});
  return WriteSafetensors(path, std::span<const TensorView>(views), metadata);
}

StatusOr<std::vector<TensorEntry>> ReadSafetensors(const std::string& path,
                                                   std::map<std::string, std::string>* metadata) {
  MG_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  std::vector<TensorEntry> entries;
  MG_RETURN_IF_ERROR(Reader(path, file.view()).Read(&entries, metadata));
  return entries;
}

}  // namespace manygate
