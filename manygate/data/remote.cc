// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/remote.h"

#include <algorithm>

#include "manygate/data/columnar.h"

namespace manygate {
namespace {

RemoteEntry EntryOf(std::string path, const ManygateFileInfo& info) {
  const bool is_folder = info.bytes < 0;
  return {std::move(path), is_folder, is_folder ? 0 : static_cast<uint64_t>(info.bytes), info.modified_ns};
}

}  // namespace

bool IsRemote(std::string_view path) {
  const size_t colon = path.find("://");
  return colon != std::string_view::npos && colon > 0 &&
         path.substr(0, colon).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") == std::string_view::npos;
}

std::string_view WithoutQuery(std::string_view path) { return path.substr(0, path.find('?')); }

StatusOr<RemoteEntry> RemoteInfo(const std::string& path) {
  MG_ASSIGN_OR_RETURN(const ManygateColumnar* const columnar, LoadColumnar());
  ManygateFileInfo info = {};
  MG_RETURN_IF_ERROR(CallColumnar(path, columnar->info, path.c_str(), &info));
  return EntryOf(path, info);
}

StatusOr<std::vector<RemoteEntry>> ListRemote(const std::string& folder, bool recursive) {
  MG_ASSIGN_OR_RETURN(const ManygateColumnar* const columnar, LoadColumnar());
  std::vector<RemoteEntry> entries;
  const auto add = [](void* context, const char* path, ManygateFileInfo info) {
    static_cast<std::vector<RemoteEntry>*>(context)->push_back(EntryOf(path, info));
  };
  void (*const found)(void*, const char*, ManygateFileInfo) = add;
  MG_RETURN_IF_ERROR(
      CallColumnar(folder, columnar->list, folder.c_str(), recursive ? 1 : 0, static_cast<void*>(&entries), found));
  if (recursive) std::erase_if(entries, [](const RemoteEntry& entry) { return entry.is_folder; });
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

StatusOr<std::unique_ptr<RemoteFile>> RemoteFile::Open(const std::string& path) {
  MG_ASSIGN_OR_RETURN(const ManygateColumnar* const columnar, LoadColumnar());
  std::unique_ptr<RemoteFile> file(new RemoteFile(path, columnar));
  MG_RETURN_IF_ERROR(CallColumnar(path, columnar->input_open, path.c_str(), &file->input_));
  return file;
}

RemoteFile::~RemoteFile() {
  if (input_ != nullptr) columnar_->input_close(input_);
}

StatusOr<size_t> RemoteFile::Read(char* buffer, size_t size) {
  size_t read = 0;
  MG_RETURN_IF_ERROR(CallColumnar(path_, columnar_->input_read, input_, static_cast<void*>(buffer), size, &read));
  return read;
}

}  // namespace manygate
