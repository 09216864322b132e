// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace manygate {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeFrom = size_t{1} << 20;  // bytes

size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

FloatBuffer& FloatBuffer::operator=(FloatBuffer&& other) noexcept {
  if (this == &other) return *this;
  Free();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  mapping_ = std::exchange(other.mapping_, nullptr);
  mapping_bytes_ = std::exchange(other.mapping_bytes_, 0);
  return *this;
}

void FloatBuffer::Resize(size_t size) {
  if (size == size_) return;
  FloatBuffer fresh;
  if (size > (SIZE_MAX - 2 * kHugePage) / sizeof(float)) throw std::bad_alloc();
  const size_t bytes = size * sizeof(float);
  if (bytes >= kHugeFrom) {
    // mmap aligns to small pages only: ask for one huge page more and start at the first boundary inside.
    const size_t mapping_bytes = RoundUp(bytes, kHugePage) + kHugePage;
    void* mapping = mmap(nullptr, mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    const uintptr_t start = RoundUp(reinterpret_cast<uintptr_t>(mapping), kHugePage);
#ifdef MADV_HUGEPAGE
    madvise(reinterpret_cast<void*>(start), RoundUp(bytes, kHugePage), MADV_HUGEPAGE);  // a refusal costs speed only
#endif
    fresh.mapping_ = mapping;
    fresh.mapping_bytes_ = mapping_bytes;
    fresh.data_ = reinterpret_cast<float*>(start);
  } else if (bytes > 0) {
    fresh.data_ = static_cast<float*>(std::aligned_alloc(kAlignment, RoundUp(bytes, kAlignment)));
    if (fresh.data_ == nullptr) throw std::bad_alloc();
    std::memset(fresh.data_, 0, RoundUp(bytes, kAlignment));
  }
  fresh.size_ = size;
  std::copy_n(data_, std::min(size, size_), fresh.data_);
  *this = std::move(fresh);
}

void FloatBuffer::FillZero() { std::fill(begin(), end(), 0.0f); }

void FloatBuffer::Free() {
  if (mapping_ != nullptr) {
    munmap(mapping_, mapping_bytes_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  size_ = 0;
  mapping_ = nullptr;
  mapping_bytes_ = 0;
}

namespace {

void Advise(const void* begin, size_t bytes, int advice) {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page;
  const uintptr_t last = (reinterpret_cast<uintptr_t>(begin) + bytes) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, advice);
}

}  // namespace

// Only for files: of other memory MADV_DONTNEED would drop the content.
void ReleasePages(const void* begin, size_t bytes) { Advise(begin, bytes, MADV_DONTNEED); }
void ReadAheadPages(const void* begin, size_t bytes) { Advise(begin, bytes, MADV_WILLNEED); }

}  // namespace manygate
