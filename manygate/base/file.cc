// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace manygate {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

std::string ErrorText() { return std::strerror(errno); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

Status ReadError(const std::string& path) {
  return InvalidInput(fmt::format("{}: cannot read: {}", path, ErrorText()));
}
Status WriteError(const std::string& path) { return Failed(fmt::format("{}: cannot write: {}", path, ErrorText())); }

// Opens a regular file for reading and gives its size; a folder would open but not read.
StatusOr<int> OpenForReading(const std::string& path, uint64_t* size) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return ReadError(path);
  struct stat info;
  if (fstat(descriptor, &info) != 0) {
    const Status status = ReadError(path);
    close(descriptor);
    return status;
  }
  if (S_ISDIR(info.st_mode)) {
    close(descriptor);
    return InvalidInput(fmt::format("{}: is a folder, expected a file", path));
  }
  *size = static_cast<uint64_t>(info.st_size);
  return descriptor;
}

// Calls `consume(data, size)` on the whole file in pieces; pipes and other files without a size work too.
template <typename Consumer>
Status ReadPieces(const std::string& path, int descriptor, Consumer consume) {
  std::string buffer(kBufferBytes, '\0');
  while (true) {
    const ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ReadError(path);
    if (count == 0) return OkStatus();
    consume(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace

Status SyncFolder(const std::string& folder) {
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.value() < 0) return WriteError(folder);
  // Some network file systems cannot sync a folder and say EINVAL; there is nothing more to do then.
  if (fsync(descriptor.value()) != 0 && errno != EINVAL) return WriteError(folder);
  return OkStatus();
}

StatusOr<std::string> ReadFile(const std::string& path) {
  uint64_t size = 0;
  MG_ASSIGN_OR_RETURN(const int value, OpenForReading(path, &size));
  const Descriptor descriptor(value);
  std::string text;
  text.reserve(size);
  MG_RETURN_IF_ERROR(
      ReadPieces(path, descriptor.value(), [&](const char* data, size_t count) { text.append(data, count); }));
  return text;
}

Status WriteFileAtomic(const std::string& path, std::string_view content) {
  AtomicFile file;
  MG_RETURN_IF_ERROR(file.Open(path));
  MG_RETURN_IF_ERROR(file.Append(content));
  return file.Commit();
}

AtomicFile::~AtomicFile() { Abandon(); }

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  path_ = std::move(other.path_);
  temporary_path_ = std::move(other.temporary_path_);
  buffer_ = std::move(other.buffer_);
  descriptor_ = std::exchange(other.descriptor_, -1);
  failed_ = std::exchange(other.failed_, false);
  return *this;
}

Status AtomicFile::Open(const std::string& path) {
  Abandon();
  static std::atomic<uint64_t> counter{0};
  path_ = path;
  failed_ = false;
  buffer_.clear();
  if (std::error_code error; std::filesystem::is_directory(path, error)) {
    return Failed(fmt::format("{}: cannot write: is a folder", path));
  }
  // The process number and a counter make the name unique among all who write here.
  temporary_path_ = fmt::format("{}.{}.{}.tmp", path, getpid(), counter.fetch_add(1));
  descriptor_ = open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    failed_ = true;
    return WriteError(path);
  }
  return OkStatus();
}

Status AtomicFile::Append(std::string_view content) {
  if (descriptor_ < 0 || failed_) return Failed(fmt::format("{}: cannot write: not open after an error", path_));
  buffer_.append(content);
  return buffer_.size() < kBufferBytes ? OkStatus() : Flush();
}

Status AtomicFile::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      failed_ = true;
      return WriteError(path_);
    }
    rest.remove_prefix(static_cast<size_t>(count));
  }
  buffer_.clear();
  return OkStatus();
}

Status AtomicFile::Commit(Durability durability) {
  if (descriptor_ < 0 || failed_) return Failed(fmt::format("{}: cannot write: not open after an error", path_));
  Status status = Flush();
  const bool synced = durability == Durability::kSynced;
  if (status.ok() && synced && fsync(descriptor_) != 0) status = WriteError(path_);
  const int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) != 0 && status.ok()) status = WriteError(path_);
  if (status.ok() && rename(temporary_path_.c_str(), path_.c_str()) != 0) status = WriteError(path_);
  if (!status.ok()) {
    unlink(temporary_path_.c_str());
    return status;
  }
  return synced ? SyncFolder(DirectoryOf(path_)) : OkStatus();
}

void AtomicFile::Abandon() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  descriptor_ = -1;
  unlink(temporary_path_.c_str());
}

StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  uint64_t size = 0;
  MG_ASSIGN_OR_RETURN(const int value, OpenForReading(path, &size));
  const Descriptor descriptor(value);
  MappedFile file;
  if (size == 0) return file;
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.value(), 0);
  if (mapping == MAP_FAILED) return ReadError(path);
  file.data_ = static_cast<const char*>(mapping);
  file.size_ = size;
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Failed(fmt::format("{}: cannot make this folder: {}", path, error.message()));
  if (!std::filesystem::is_directory(path, error)) {
    return Failed(fmt::format("{}: cannot make this folder: a file of that name exists", path));
  }
  return OkStatus();
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return Failed(fmt::format("{}: cannot remove: {}", path, error.message()));
  return OkStatus();
}

bool FileExists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

StatusOr<uint64_t> FileSize(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return ReadError(path);
  if (S_ISDIR(info.st_mode)) return InvalidInput(fmt::format("{}: is a folder, expected a file", path));
  return static_cast<uint64_t>(info.st_size);
}

StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    names.push_back(entries->path().filename().string());
  }
  if (error) return InvalidInput(fmt::format("{}: cannot list this folder: {}", path, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  return fmt::format("{}{}{}", folder, folder.back() == '/' ? "" : "/", name);
}

std::string DirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string BaseName(const std::string& path) { return std::filesystem::path(path).filename().string(); }

uint64_t Xxh3(const void* data, size_t size) { return XXH3_64bits(data, size); }

StatusOr<uint64_t> Xxh3File(const std::string& path) {
  uint64_t size = 0;
  MG_ASSIGN_OR_RETURN(const int value, OpenForReading(path, &size));
  const Descriptor descriptor(value);
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  const Status status = ReadPieces(path, descriptor.value(),
                                   [&](const char* data, size_t count) { XXH3_64bits_update(state, data, count); });
  const uint64_t digest = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  if (!status.ok()) return status;
  return digest;
}

}  // namespace manygate
