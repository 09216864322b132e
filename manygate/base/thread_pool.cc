// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/thread_pool.h"

#include "manygate/base/check.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace manygate {
namespace {

#if defined(__x86_64__) || defined(_M_X64)
constexpr uint64_t kFlushBits = 0x8040;  // MXCSR: flush-to-zero (bit 15), denormals-are-zero (bit 6)
uint64_t ReadFloatControl() { return _mm_getcsr(); }
void WriteFloatControl(uint64_t value) { _mm_setcsr(static_cast<unsigned>(value)); }
void Pause() { _mm_pause(); }
#elif defined(__aarch64__)
constexpr uint64_t kFlushBits = uint64_t{1} << 24;  // FPCR.FZ covers inputs and results
uint64_t ReadFloatControl() {
  uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void WriteFloatControl(uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
void Pause() { asm volatile("yield"); }
#else
constexpr uint64_t kFlushBits = 0;
uint64_t ReadFloatControl() { return 0; }
void WriteFloatControl(uint64_t) {}
void Pause() {}
#endif

// About 5 to 10 microseconds, shorter than the sleep and wake-up they save. With more threads than processors a
// spinning thread only keeps a working one from running.
int SpinCount(int num_threads) {
  return num_threads <= static_cast<int>(std::thread::hardware_concurrency()) ? 200 : 0;
}

}  // namespace

ScopedFlushDenormals::ScopedFlushDenormals() : saved_(ReadFloatControl()) { WriteFloatControl(saved_ | kFlushBits); }

// Only our bits go back: exception flags raised meanwhile stay visible.
ScopedFlushDenormals::~ScopedFlushDenormals() {
  WriteFloatControl((ReadFloatControl() & ~kFlushBits) | (saved_ & kFlushBits));
}

ThreadPool::ThreadPool(int num_threads) : num_threads_(num_threads) {
  MG_CHECK(num_threads >= 1, "num_threads {}", num_threads);
  for (int thread = 1; thread < num_threads; ++thread) {
    workers_.emplace_back([this, thread] { WorkerLoop(thread); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

// Sleeping is announced (sleeping_) before generation_ is looked at for the last time, and Run raises generation_
// before it looks at sleeping_; both in one total order, so a wake-up cannot be missed.
void ThreadPool::WorkerLoop(int thread) {
  ScopedFlushDenormals flush;
  const int spins = SpinCount(num_threads_);
  uint64_t seen = 0;
  while (true) {
    for (int i = 0; i < spins && generation_.load(std::memory_order_acquire) == seen && !stop_.load(); ++i) Pause();
    if (generation_.load() == seen) {
      std::unique_lock<std::mutex> lock(mutex_);
      sleeping_.fetch_add(1);
      wake_.wait(lock, [&] { return generation_.load() != seen || stop_.load(); });
      sleeping_.fetch_sub(1);
    }
    if (generation_.load() == seen) return;  // stopped, nothing left to do
    ++seen;
    (*function_)(thread);
    if (running_.fetch_sub(1) == 1 && caller_sleeps_.load()) {
      std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

void ThreadPool::Run(const std::function<void(int)>& function) {
  if (num_threads_ == 1) return function(0);
  function_ = &function;
  running_.store(num_threads_ - 1);
  generation_.fetch_add(1);
  if (sleeping_.load() > 0) {
    { std::lock_guard<std::mutex> lock(mutex_); }
    wake_.notify_all();
  }
  function(0);
  const int spins = SpinCount(num_threads_);
  for (int i = 0; i < spins && running_.load(std::memory_order_acquire) > 0; ++i) Pause();
  if (running_.load() > 0) {
    std::unique_lock<std::mutex> lock(mutex_);
    caller_sleeps_.store(true);
    done_.wait(lock, [&] { return running_.load() == 0; });
    caller_sleeps_.store(false);
  }
}

void ThreadPool::ParallelFor(int64_t n, const std::function<void(int64_t, int)>& function) {
  if (num_threads_ == 1 || n <= 1) {
    for (int64_t i = 0; i < n; ++i) function(i, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  Run([&](int thread) {
    for (int64_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) function(i, thread);
  });
}

}  // namespace manygate
