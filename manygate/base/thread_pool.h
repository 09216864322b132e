// SPDX-License-Identifier: Apache-2.0
// A fixed set of threads for short parallel steps (tens of microseconds). The caller is thread 0 and works too.
//
//   ThreadPool pool(4);
//   pool.ParallelFor(num_slices, [&](int64_t slice, int thread) { Work(slice, &scratch[thread]); });
//
// Which thread takes which index differs from run to run: write results by index and combine them in index order.
//
// Denormal floats are flushed to zero in every worker, and in the caller by ScopedFlushDenormals: the CPU handles each
// denormal by microcode, and Adam's moments of rarely used weights decay into that range, where a whole training step
// then costs 4 to 6 times as much.
#ifndef MANYGATE_BASE_THREAD_POOL_H_
#define MANYGATE_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace manygate {

// Sets flush-to-zero and denormals-are-zero for the calling thread while it lives (x86: MXCSR; ARM64: FPCR; elsewhere
// nothing) and restores what was set before.
class ScopedFlushDenormals {
 public:
  ScopedFlushDenormals();
  ~ScopedFlushDenormals();
  ScopedFlushDenormals(const ScopedFlushDenormals&) = delete;
  ScopedFlushDenormals& operator=(const ScopedFlushDenormals&) = delete;

 private:
  uint64_t saved_;
};

class ThreadPool {
 public:
  // num_threads >= 1, the caller included. With 1 nothing is started or locked: work runs inline.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return num_threads_; }

  // Calls function(thread) once on every thread, 0 .. size()-1, and waits for all. Not to be nested, and called by one
  // thread at a time. The functions must not throw.
  void Run(const std::function<void(int thread)>& function);

  // Calls function(index, thread) for every index 0 .. n-1; a free thread takes the next index.
  void ParallelFor(int64_t n, const std::function<void(int64_t index, int thread)>& function);

 private:
  void WorkerLoop(int thread);

  const int num_threads_;
  std::vector<std::thread> workers_;
  const std::function<void(int)>* function_ = nullptr;
  std::atomic<uint64_t> generation_{0};  // raised once per Run; workers wait for the change
  std::atomic<int> running_{0};          // workers that have not finished the current Run
  std::atomic<int> sleeping_{0};         // workers that wait on wake_, so that Run signals only when one does
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;  // a new generation, or stop
  std::condition_variable done_;  // running_ has become 0
};

}  // namespace manygate

#endif  // MANYGATE_BASE_THREAD_POOL_H_
