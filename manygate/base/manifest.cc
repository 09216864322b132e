// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/manifest.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "manygate/base/file.h"
#include "manygate/base/text.h"

namespace manygate {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kLargestManifest = uint64_t{1} << 20;  // bytes

struct FileRecord {
  uint64_t bytes = 0;
  std::string xxh3;
};

// A relative name whose every part is a real name: nothing outside the folder can be reached.
bool StaysInFolder(const std::string& name) {
  if (name.empty() || name.find('\\') != std::string::npos || name.find('\0') != std::string::npos) return false;
  for (const std::string& part : Split(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

std::string HexDigits(uint64_t checksum) { return fmt::format("{:016x}", checksum); }

Status Malformed(const std::string& path, std::string_view what) {
  return InvalidInput(
      fmt::format("{}: damaged manifest: {}. Restore this folder from a copy or train again", path, what));
}

Status ParseFiles(const std::string& path, const Json& json, std::map<std::string, FileRecord>* records) {
  const auto files = json.find("files");
  if (files == json.end() || !files->is_object()) return Malformed(path, "no object \"files\"");
  for (const auto& [name, value] : files->items()) {
    if (!StaysInFolder(name)) {
      return Malformed(path, fmt::format("\"{}\" is not a relative name inside the folder", name));
    }
    const auto bytes = value.is_object() ? value.find("bytes") : value.end();
    const auto xxh3 = value.is_object() ? value.find("xxh3") : value.end();
    if (bytes == value.end() || !bytes->is_number_unsigned() || xxh3 == value.end() || !xxh3->is_string() ||
        xxh3->get_ref<const std::string&>().size() != 16) {
      return Malformed(path,
                       fmt::format("\"{}\" needs \"bytes\" (a count) and \"xxh3\" (16 hexadecimal digits)", name));
    }
    (*records)[name] = {bytes->get<uint64_t>(), ToLower(xxh3->get_ref<const std::string&>())};
  }
  return OkStatus();
}

StatusOr<std::map<std::string, FileRecord>> ReadManifest(const std::string& dir, int newest_format_version) {
  const std::string path = JoinPath(dir, kManifestName);
  if (!FileExists(path)) {
    return InvalidInput(fmt::format(
        "{}: no such file, so {} is not complete. It is written last: an interrupted run leaves none", path, dir));
  }
  MG_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  if (size > kLargestManifest) {
    return Malformed(path, fmt::format("{} bytes, at most {} expected", size, kLargestManifest));
  }
  MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return Malformed(path, "not a JSON object");
  const auto version = json.find("format_version");
  if (version == json.end() || !version->is_number_integer()) return Malformed(path, "no number \"format_version\"");
  const int64_t found = version->get<int64_t>();
  if (found < 1) return Malformed(path, fmt::format("format_version {}, expected 1 or more", found));
  if (found > newest_format_version) {
    const auto program = json.find("program_version");
    return InvalidInput(fmt::format(
        "{}: format version {}, this program reads up to {}. Use the version that wrote it ({}) or a newer one", path,
        found, newest_format_version,
        program != json.end() && program->is_string() ? program->get<std::string>() : "unknown"));
  }
  std::map<std::string, FileRecord> records;
  MG_RETURN_IF_ERROR(ParseFiles(path, json, &records));
  return records;
}

}  // namespace

Status WriteManifest(const std::string& dir, int format_version, std::string_view program_version,
                     std::span<const std::string> files) {
  std::map<std::string, FileRecord> records;
  for (const std::string& name : files) {
    if (!StaysInFolder(name)) {
      return InvalidInput(fmt::format("{}: \"{}\" is not a relative name inside the folder", dir, name));
    }
    const std::string path = JoinPath(dir, name);
    MG_ASSIGN_OR_RETURN(const uint64_t bytes, FileSize(path));
    MG_ASSIGN_OR_RETURN(const uint64_t checksum, Xxh3File(path));
    records[name] = {bytes, HexDigits(checksum)};
  }
  Json json;
  json["format_version"] = format_version;
  json["program_version"] = std::string(program_version);
  json["files"] = Json::object();
  for (const auto& [name, record] : records) json["files"][name] = {{"bytes", record.bytes}, {"xxh3", record.xxh3}};
  return WriteFileAtomic(JoinPath(dir, kManifestName), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Status VerifyManifest(const std::string& dir, int newest_format_version) {
  MG_ASSIGN_OR_RETURN(const auto records, ReadManifest(dir, newest_format_version));
  for (const auto& [name, record] : records) {
    const std::string path = JoinPath(dir, name);
    const std::string advice = "Restore it from a copy or train again";
    if (!FileExists(path)) {
      return InvalidInput(
          fmt::format("{}: missing, but {} lists it ({} bytes). {}", path, kManifestName, record.bytes, advice));
    }
    MG_ASSIGN_OR_RETURN(const uint64_t bytes, FileSize(path));
    if (bytes != record.bytes) {
      return InvalidInput(
          fmt::format("{}: damaged: {} bytes, {} says {}. {}", path, bytes, kManifestName, record.bytes, advice));
    }
    MG_ASSIGN_OR_RETURN(const uint64_t checksum, Xxh3File(path));
    if (HexDigits(checksum) != record.xxh3) {
      return InvalidInput(fmt::format("{}: damaged: checksum {}, {} says {}. {}", path, HexDigits(checksum),
                                      kManifestName, record.xxh3, advice));
    }
  }
  return OkStatus();
}

StatusOr<std::vector<std::string>> ManifestFiles(const std::string& dir, int newest_format_version) {
  MG_ASSIGN_OR_RETURN(const auto records, ReadManifest(dir, newest_format_version));
  std::vector<std::string> names;
  for (const auto& [name, record] : records) names.push_back(name);
  return names;
}

}  // namespace manygate
