// SPDX-License-Identifier: Apache-2.0
// Scores jobs on threads of its own, as many of one version at once as are waiting, up to a limit. A batch never holds two
// versions, and no number depends on the batch that its row was in.
//
//   Batcher batcher({.threads = 2, .max_batch_rows = 1024});
//   Outcome outcome = batcher.Submit(&job);   // kOverloaded where the queue is full, kUnavailable after Drain
//   batcher.Drain();                          // waits until all jobs are done
#ifndef MANYGATE_SERVE_BATCHER_H_
#define MANYGATE_SERVE_BATCHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "manygate/serve/job.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

struct BatcherOptions {
  int threads = 1;
  int64_t max_batch_rows = 1024;                 // one job of more rows is a batch of its own
  int64_t max_queue_rows = 16384;                // rows that wait, over all versions; one more job is refused
  std::chrono::microseconds max_queue_delay{0};  // how long a batch that is not full waits for more; 0: not at all
  // Called by a scoring thread behind the last `done` of each batch: where `done` only puts the job into a list of its
  // protocol, this wakes whoever writes the answers, once.
  std::function<void()> after_batch = {};
};

// What happened since the start; for /metrics.
struct BatcherCounts {
  uint64_t batches = 0, rows = 0, refused = 0, expired = 0;
  int64_t queued_rows = 0;  // now
};

class Batcher {
 public:
  explicit Batcher(const BatcherOptions& options);
  ~Batcher();  // as Drain
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // The job must live until its `done` is called, once, on a scoring thread or in WorkOrWake, with kOk or kDeadlineExceeded (a job whose
  // deadline has passed before its turn is not scored). Where the outcome is not kOk, `done` is not called. Versions take
  // turns. Nothing is allocated after the first jobs.
  Outcome Submit(Job* job);
  // As Submit, but no scoring thread is woken for it before Wake: whoever has several jobs at once gets them into one batch.
  Outcome Add(Job* job);
  void Wake();
  // As Wake; but where few rows wait, a scoring thread sleeps and batches have lately been short, this thread does that
  // one's work, `done` included: waking it would cost more.
  void WorkOrWake();
  // Refuses new jobs and waits for those that were taken.
  void Drain();
  BatcherCounts Counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_BATCHER_H_
