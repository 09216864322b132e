// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <latch>
#include <mutex>
#include <new>
#include <thread>

#include "manygate/serve/serve_testing.h"

namespace {
std::atomic<int64_t> g_allocations = 0;
thread_local bool counts_allocations = false;  // other tests' threads live on
}  // namespace

// For NothingIsAllocatedAfterTheFirstJobs. Inlined, gcc takes them for the usual ones and warns of free.
__attribute__((noinline)) void* operator new(size_t size) {
  if (counts_allocations) g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size > 0 ? size : 1); memory != nullptr) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace manygate::serve {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr Clock::time_point kNever = Clock::time_point::max();

// A job of some rows, filled and encoded; `outcome` is there when it is done.
class Request {
 public:
  Request(std::shared_ptr<const ServedVersion> version, int64_t rows, int64_t first_row = 0,
          Clock::time_point deadline = kNever) {
    Fill(std::move(version), rows, first_row, deadline);
    job.done = [this](Outcome ended) { done_.set_value(std::move(ended)); };
  }
  void Fill(std::shared_ptr<const ServedVersion> version, int64_t rows, int64_t first_row, Clock::time_point deadline) {
    job.Start(std::move(version), Clock::now(), deadline);
    cells = TestCells(job.version(), rows, first_row);
    std::ranges::copy(cells, job.cells(rows).begin());
    job.WantDefaultOutputs();
    MG_CHECK(job.Encode().ok(), "cells of a test");
  }
  Outcome Wait() { return done_.get_future().get(); }
  // Behind Wait.
  bool IsRight() const {
    const Predictor& predictor = *job.version().predictor;
    for (size_t i = 0; i < predictor.outputs().size(); ++i)
      if (job.wants(i) && job.output(i) != PredictAlone(job.version(), cells, predictor.outputs()[i].name))
        return false;
    return true;
  }

  Job job;
  std::vector<features::Cell> cells;

 private:
  std::promise<Outcome> done_;
};

// Holds the only scoring thread of a batcher in the `done` of a job, until it is let go.
class Holder {
 public:
  Holder(Batcher* batcher, const std::shared_ptr<const ServedVersion>& version) : request_(version, 1) {
    request_.job.done = [this](const Outcome&) {
      held_.count_down();
      let_go_.wait();
    };
    MG_CHECK(batcher->Submit(&request_.job).ok(), "refused");
    held_.wait();
  }
  ~Holder() { LetGo(); }
  void LetGo() {
    if (!let_go_.try_wait()) let_go_.count_down();
  }

 private:
  Request request_;
  std::latch held_{1}, let_go_{1};
};

TEST(Batcher, ScoresJobsOfOneVersionTogether) {
  const auto version = MakeTestVersion();
  Batcher batcher({});
  Holder holder(&batcher, version);
  Request small(version, 1, 1), large(version, 300, 2), logits(version, 7, 5);
  const auto index = static_cast<size_t>(version->predictor->FindOutput("logits_income"));
  logits.job.WantOutput(index);
  ASSERT_TRUE(logits.job.Encode().ok());
  for (Request* request : {&small, &large, &logits}) ASSERT_TRUE(batcher.Submit(&request->job).ok());
  EXPECT_EQ(batcher.Counts().queued_rows, 308);
  holder.LetGo();
  for (Request* request : {&small, &large, &logits}) {
    EXPECT_TRUE(request->Wait().ok());
    EXPECT_TRUE(request->IsRight());
  }
  EXPECT_EQ(logits.job.output(index).size(), 7u);
  EXPECT_TRUE(small.job.output(index).empty()) << "logits were not wanted";
  const BatcherCounts counts = batcher.Counts();
  EXPECT_EQ(counts.batches, 2u);
  EXPECT_EQ(counts.rows, 309u);
  EXPECT_EQ(counts.queued_rows, 0);
}

TEST(Batcher, VersionsTakeTurnsAndNeverMeet) {
  const auto one = MakeTestVersion(1), two = MakeTestVersion(2);
  Batcher batcher({.max_batch_rows = 2});
  Holder holder(&batcher, one);
  std::vector<std::unique_ptr<Request>> requests;
  std::mutex mutex;
  std::vector<int> order;
  std::latch all(5);
  for (int i = 0; i < 5; ++i) {
    requests.push_back(std::make_unique<Request>(i == 3 ? two : one, 1, i));
    requests.back()->job.done = [&, i](const Outcome& outcome) {
      EXPECT_TRUE(outcome.ok());
      const std::lock_guard lock(mutex);
      order.push_back(i);
      all.count_down();
    };
    ASSERT_TRUE(batcher.Submit(&requests.back()->job).ok());
  }
  holder.LetGo();
  all.wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 3, 2, 4));
  EXPECT_EQ(batcher.Counts().batches, 4u);
  for (const auto& request : requests) EXPECT_TRUE(request->IsRight());
}

TEST(Batcher, AJobOfMoreRowsThanABatchIsOneOfItsOwn) {
  const auto version = MakeTestVersion();
  Batcher batcher({.max_batch_rows = 8, .max_queue_rows = 10});
  Request request(version, 100);
  ASSERT_TRUE(batcher.Submit(&request.job).ok()) << "into an empty queue";
  EXPECT_TRUE(request.Wait().ok());
  EXPECT_TRUE(request.IsRight());
}

TEST(Batcher, RefusesWhatTheQueueCannotHold) {
  const auto version = MakeTestVersion();
  Batcher batcher({.max_queue_rows = 10});
  Holder holder(&batcher, version);
  Request first(version, 8), second(version, 3), third(version, 2);
  ASSERT_TRUE(batcher.Submit(&first.job).ok());
  const Outcome refused = batcher.Submit(&second.job);
  EXPECT_EQ(refused.code, OutcomeCode::kOverloaded);
  EXPECT_EQ(refused.message, "the queue is full: 8 rows wait, 3 more would be above the limit of 10");
  ASSERT_TRUE(batcher.Submit(&third.job).ok());
  EXPECT_EQ(batcher.Counts().refused, 1u);
  holder.LetGo();
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_TRUE(third.Wait().ok());
  Request again(version, 3);
  ASSERT_TRUE(batcher.Submit(&again.job).ok());
  EXPECT_TRUE(again.Wait().ok());
}

TEST(Batcher, WhatNobodyWaitsForIsNotScored) {
  const auto version = MakeTestVersion();
  Batcher batcher({});
  Holder holder(&batcher, version);
  Request late(version, 4, 0, Clock::now() - milliseconds(1)), gone(version, 2), good(version, 1);
  for (Request* request : {&late, &gone, &good}) ASSERT_TRUE(batcher.Submit(&request->job).ok());
  gone.job.Abandon();
  holder.LetGo();
  const Outcome outcome = late.Wait();
  EXPECT_EQ(outcome.code, OutcomeCode::kDeadlineExceeded);
  EXPECT_EQ(outcome.message, "the deadline passed before the request's turn came");
  EXPECT_EQ(gone.Wait().code, OutcomeCode::kDeadlineExceeded);
  EXPECT_TRUE(good.Wait().ok());
  EXPECT_TRUE(good.IsRight());
  batcher.Drain();
  EXPECT_EQ(batcher.Counts().expired, 2u);
  EXPECT_EQ(batcher.Counts().rows, 2u) << "of the holder and of the good one";
}

TEST(Batcher, WaitsForABatchToFill) {
  const auto version = MakeTestVersion();
  constexpr milliseconds kDelay(200);
  Batcher batcher({.max_batch_rows = 4, .max_queue_delay = kDelay});
  Request alone(version, 1);
  const Clock::time_point start = alone.job.arrived();
  ASSERT_TRUE(batcher.Submit(&alone.job).ok());
  EXPECT_TRUE(alone.Wait().ok());
  EXPECT_GE(Clock::now() - start, kDelay);

  Request first(version, 3), last(version, 1);
  ASSERT_TRUE(batcher.Submit(&first.job).ok());
  ASSERT_TRUE(batcher.Submit(&last.job).ok());
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_LT(Clock::now() - first.job.arrived(), kDelay) << "a full batch does not wait";
  EXPECT_TRUE(last.Wait().ok());
  EXPECT_EQ(batcher.Counts().batches, 2u);
}

TEST(Batcher, TellsOfTheEndOfABatchOnce) {
  const auto version = MakeTestVersion();
  std::atomic<int> ends = 0;
  Batcher batcher({.after_batch = [&ends] { ++ends; }});
  Holder holder(&batcher, version);
  Request first(version, 1), second(version, 1);
  ASSERT_TRUE(batcher.Submit(&first.job).ok());
  ASSERT_TRUE(batcher.Submit(&second.job).ok());
  EXPECT_EQ(ends, 0) << "the holder's batch is not at its end";
  holder.LetGo();
  batcher.Drain();
  EXPECT_TRUE(second.Wait().ok());
  EXPECT_EQ(ends, 2);
}

TEST(Batcher, WhatIsAddedIsScoredAfterWake) {
  const auto version = MakeTestVersion();
  Batcher batcher({.max_queue_rows = 3});
  for (int i = 0; i < 100; ++i) {
    Request first(version, 1), second(version, 2);
    ASSERT_TRUE(batcher.Add(&first.job).ok());
    ASSERT_TRUE(batcher.Add(&second.job).ok());
    batcher.Wake();
    EXPECT_TRUE(first.Wait().ok());
    EXPECT_TRUE(second.Wait().ok());
  }
  EXPECT_EQ(batcher.Counts().rows, 300u);
}

// How long batches take is the machine's affair, so it is tried until they have been short.
TEST(Batcher, WorksOnTheCallersThreadWhereThatIsShorter) {
  const auto version = MakeTestVersion();
  Batcher batcher({});
  int here = 0;
  for (int i = 0; i < 100000 && here < 10; ++i) {
    Request request(version, 1 + i % 5);
    std::promise<std::thread::id> thread;
    request.job.done = [&thread](const Outcome& outcome) {
      EXPECT_TRUE(outcome.ok());
      thread.set_value(std::this_thread::get_id());
    };
    ASSERT_TRUE(batcher.Add(&request.job).ok());
    batcher.WorkOrWake();
    here += thread.get_future().get() == std::this_thread::get_id();
    EXPECT_TRUE(request.IsRight());
  }
  EXPECT_EQ(here, 10);
  Request large(version, 100);
  std::promise<std::thread::id> thread;
  large.job.done = [&thread](const Outcome&) { thread.set_value(std::this_thread::get_id()); };
  ASSERT_TRUE(batcher.Add(&large.job).ok());
  batcher.WorkOrWake();
  EXPECT_NE(thread.get_future().get(), std::this_thread::get_id()) << "many rows are for the scoring threads";
}

TEST(Batcher, DrainsWhatItTook) {
  const auto version = MakeTestVersion();
  Batcher batcher({.max_batch_rows = 2, .max_queue_delay = std::chrono::hours(1)});
  Request first(version, 1), second(version, 1);
  ASSERT_TRUE(batcher.Submit(&first.job).ok());
  batcher.Drain();
  EXPECT_TRUE(first.Wait().ok()) << "without waiting an hour";
  const Outcome refused = batcher.Submit(&second.job);
  EXPECT_EQ(refused.code, OutcomeCode::kUnavailable);
  EXPECT_EQ(refused.message, "the server is shutting down");
}

// Two versions, jobs of 1 to 40 rows from four threads, three scoring threads: every answer is that of its rows alone.
TEST(Batcher, ManyThreadsAtOnce) {
  const std::shared_ptr<const ServedVersion> versions[] = {MakeTestVersion(1), MakeTestVersion(2)};
  Batcher batcher({.threads = 3, .max_batch_rows = 64});
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 25; ++i) {
        std::vector<std::unique_ptr<Request>> requests;
        for (int k = 0; k < 4; ++k)
          requests.push_back(std::make_unique<Request>(versions[(i + k) % 2], 1 + (i * 7 + k * 11) % 40, client + i));
        for (const auto& request : requests) {
          if (i % 2 == 0) {
            ASSERT_TRUE(batcher.Submit(&request->job).ok());
          } else {
            ASSERT_TRUE(batcher.Add(&request->job).ok());
            batcher.WorkOrWake();
          }
        }
        for (const auto& request : requests) right += request->Wait().ok() && request->IsRight();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 400);
  EXPECT_LE(batcher.Counts().batches, 400u);
}

void WaitFor(std::atomic<int>& number, int wanted) {
  for (int now = number; now != wanted; now = number) number.wait(now);
}

TEST(Batcher, NothingIsAllocatedAfterTheFirstJobs) {
  const auto version = MakeTestVersion();
  Batcher batcher({});
  Request hold(version, 1), first(version, 3), second(version, 5);
  std::atomic<int> held = 0, let_go = 0, done = 0;
  hold.job.done = [&](const Outcome&) {
    counts_allocations = true;
    held = 1;
    held.notify_one();
    WaitFor(let_go, 1);
  };
  for (Request* request : {&first, &second})
    request->job.done = [&done](const Outcome&) {
      ++done;
      done.notify_one();
    };
  const auto round = [&] {
    held = let_go = done = 0;
    MG_CHECK(batcher.Submit(&hold.job).ok(), "refused");
    WaitFor(held, 1);
    MG_CHECK(batcher.Submit(&first.job).ok() && batcher.Submit(&second.job).ok(), "refused");
    let_go = 1;
    let_go.notify_one();
    WaitFor(done, 2);
  };
  for (int i = 0; i < 10; ++i) round();
  counts_allocations = true;
  const int64_t before = g_allocations;
  for (int i = 0; i < 1000; ++i) round();
  EXPECT_EQ(g_allocations - before, 0);
  counts_allocations = false;
  EXPECT_EQ(batcher.Counts().batches, 2020u);
  EXPECT_TRUE(first.IsRight());
  EXPECT_TRUE(second.IsRight());
}

}  // namespace
}  // namespace manygate::serve
