// SPDX-License-Identifier: Apache-2.0
// Owning buffer of floats for parameters, gradients, optimizer state and activations: 64-byte aligned, zeroed, and from
// 1 MiB on in huge pages where the system grants them (large tables walked at random miss the TLB far less).
//
//   FloatBuffer weights(num_parameters);
//   weights[0] = 1;   Use(weights.data(), weights.size());
#ifndef MANYGATE_BASE_MEMORY_H_
#define MANYGATE_BASE_MEMORY_H_

#include <cstddef>
#include <span>
#include <utility>

namespace manygate {

class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(size_t size) { Resize(size); }
  ~FloatBuffer() { Free(); }
  FloatBuffer(FloatBuffer&& other) noexcept { *this = std::move(other); }
  FloatBuffer& operator=(FloatBuffer&& other) noexcept;
  FloatBuffer(const FloatBuffer&) = delete;
  FloatBuffer& operator=(const FloatBuffer&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  float& operator[](size_t i) { return data_[i]; }
  const float& operator[](size_t i) const { return data_[i]; }
  float* begin() { return data_; }
  float* end() { return data_ + size_; }
  const float* begin() const { return data_; }
  const float* end() const { return data_ + size_; }
  std::span<float> span() { return {data_, size_}; }
  std::span<const float> span() const { return {data_, size_}; }

  // Keeps the first min(old, new) values, zeroes the rest; pointers become invalid. Throws std::bad_alloc.
  void Resize(size_t size);
  void FillZero();

 private:
  void Free();

  float* data_ = nullptr;
  size_t size_ = 0;
  void* mapping_ = nullptr;  // start of the mmap, null if data_ came from aligned_alloc
  size_t mapping_bytes_ = 0;
};

// Advice about the whole pages within `bytes` from `begin`, which must be mapped from a file: their memory may be given
// back (they are read from the file again when they are next used), or they will soon be read.
void ReleasePages(const void* begin, size_t bytes);
void ReadAheadPages(const void* begin, size_t bytes);

}  // namespace manygate

#endif  // MANYGATE_BASE_MEMORY_H_
