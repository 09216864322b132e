// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/growing_array.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "manygate/base/memory.h"

namespace manygate {
namespace {

constexpr size_t kKeptBytes = size_t{4} << 20;  // of a file, in memory

// A file that nobody else sees and that is gone when it is closed; -1: none can be made.
int OpenNameless(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string path = folder + "/.growing-XXXXXX";  // file systems without O_TMPFILE
  const int named = mkstemp(path.data());
  if (named >= 0) unlink(path.c_str());
  return named;
}

// The room is claimed at once: a write into a hole of a full disk would end the program.
char* MapFile(int descriptor, size_t bytes) {
  if (posix_fallocate(descriptor, 0, static_cast<off_t>(bytes)) != 0) return nullptr;
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<char*>(mapped);
}

}  // namespace

GrowingArray::~GrowingArray() { Free(); }

GrowingArray& GrowingArray::operator=(GrowingArray&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(released_, other.released_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void GrowingArray::Free() {
  if (in_file()) {
    munmap(data_, capacity_);
    close(descriptor_);
  } else {
    std::free(data_);
  }
}

// In memory by realloc, which moves pages instead of bytes once they are many: there is never a second copy.
void GrowingArray::Resize(size_t bytes) {
  if (in_file()) {
    char* const mapped = MapFile(descriptor_, bytes);
    if (mapped == nullptr) throw std::bad_alloc();
    munmap(data_, capacity_);
    data_ = mapped;
    released_ = 0;
  } else {
    void* const moved = std::realloc(data_, bytes);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<char*>(moved);
  }
  capacity_ = bytes;
}

void GrowingArray::Reserve(size_t bytes) {
  if (bytes > capacity_) Resize(std::max(bytes, capacity_ + capacity_ / 2));
}

bool GrowingArray::MoveToFile(const std::string& folder, size_t used) {
  if (in_file() || capacity_ == 0) return in_file();
  const int descriptor = OpenNameless(folder);
  char* const mapped = descriptor < 0 ? nullptr : MapFile(descriptor, capacity_);
  if (mapped == nullptr) {
    if (descriptor >= 0) close(descriptor);
    return false;
  }
  std::memcpy(mapped, data_, used);
  std::free(std::exchange(data_, mapped));
  descriptor_ = descriptor;
  released_ = 0;
  Written(used);
  return true;
}

void GrowingArray::Written(size_t used) {
  if (!in_file() || used < released_ + kKeptBytes) return;
  ReleasePages(data_ + released_, used - released_);
  released_ = used / 4096 * 4096;
}

std::shared_ptr<const void> GrowingArray::Take(size_t used) {
  const size_t bytes = std::max<size_t>(used, 1);
  if (!in_file()) {
    Resize(bytes);
    capacity_ = 0;
    return {std::exchange(data_, nullptr), [](const void* memory) { std::free(const_cast<void*>(memory)); }};
  }
  ReleasePages(data_, capacity_);
  auto kept = std::make_shared<GrowingArray>();  // unmaps and closes
  *kept = std::move(*this);
  const void* const data = kept->data();
  return {std::move(kept), data};
}

}  // namespace manygate
