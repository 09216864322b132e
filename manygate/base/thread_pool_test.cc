// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <vector>

namespace manygate {
namespace {

// Half the smallest normal float, computed where the compiler cannot see it.
float HalfOfSmallest() {
  volatile float smallest = std::numeric_limits<float>::min();
  volatile float half = smallest * 0.5f;
  return half;
}

class ThreadPoolTest : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, RunCallsEveryThreadOnce) {
  ThreadPool pool(GetParam());
  ASSERT_EQ(pool.size(), GetParam());
  std::vector<std::atomic<int>> calls(GetParam());
  for (int round = 0; round < 1000; ++round) {
    pool.Run([&](int thread) { ++calls[thread]; });
    for (const auto& count : calls) ASSERT_EQ(count.load(), round + 1);
  }
}

TEST_P(ThreadPoolTest, ParallelForVisitsEveryIndexOnce) {
  ThreadPool pool(GetParam());
  for (int64_t n : {0, 1, 2, 3, 100, 5000}) {
    std::vector<std::atomic<int>> visits(n);
    pool.ParallelFor(n, [&](int64_t index, int thread) {
      ASSERT_GE(thread, 0);
      ASSERT_LT(thread, pool.size());
      ++visits[index];
    });
    for (const auto& count : visits) ASSERT_EQ(count.load(), 1);
  }
}

TEST_P(ThreadPoolTest, WakesSleepingThreads) {
  ThreadPool pool(GetParam());
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // longer than any spinning
    std::atomic<int> calls{0};
    pool.Run([&](int thread) {
      if (thread != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ++calls;
    });
    EXPECT_EQ(calls.load(), GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThreadPoolTest, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPoolTest, OneThreadRunsInlineInOrder) {
  ThreadPool pool(1);
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<int64_t> order;
  pool.ParallelFor(4, [&](int64_t index, int) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    order.push_back(index);
  });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3}));
}

#if defined(__x86_64__) || defined(__aarch64__)
TEST(FlushDenormalsTest, HoldsInTheScopeAndIsRestored) {
  EXPECT_GT(HalfOfSmallest(), 0.0f);
  {
    ScopedFlushDenormals outer;
    EXPECT_EQ(HalfOfSmallest(), 0.0f);
    { ScopedFlushDenormals inner; }
    EXPECT_EQ(HalfOfSmallest(), 0.0f);
  }
  EXPECT_GT(HalfOfSmallest(), 0.0f);
}

TEST(FlushDenormalsTest, HoldsInWorkers) {
  ThreadPool pool(3);
  std::vector<float> results(3, -1);
  pool.Run([&](int thread) { results[thread] = HalfOfSmallest(); });
  EXPECT_GT(results[0], 0.0f);  // the caller decides for itself
  EXPECT_EQ(results[1], 0.0f);
  EXPECT_EQ(results[2], 0.0f);
}
#endif

}  // namespace
}  // namespace manygate
