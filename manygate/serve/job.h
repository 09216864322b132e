// SPDX-License-Identifier: Apache-2.0
// One request for predictions on its way through the server, whatever its protocol. A connection (HTTP) or call (gRPC)
// owns one and reuses it, so that its buffers stop growing.
//
//   job.Start(version, arrived, deadline);         // version: from Repository::Find
//   ... read the request's values into job.cells(rows), [rows, inputs]; texts point into the request ...
//   job.WantOutput(i);
//   Outcome outcome = job.Encode();                // on the thread that read the request: its texts may go afterwards
//   job.done = [this](Outcome outcome) { ... };    // called by the batcher
//   outcome = batcher.Submit(&job);                // refused at once, or `done` is called once, later
//   ... write job.output(i), [rows, width] ...
//   job.Finish();                                  // lets go of the version
#ifndef MANYGATE_SERVE_JOB_H_
#define MANYGATE_SERVE_JOB_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "manygate/features/cell.h"
#include "manygate/predictor/predictor.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

using Clock = std::chrono::steady_clock;

// A loaded version of a model. Whoever holds it keeps it alive: a version that was replaced ends with its last request.
struct ServedVersion {
  std::string name;
  int64_t version = 1;
  std::unique_ptr<const Predictor> predictor;
};

class Job {
 public:
  void Start(std::shared_ptr<const ServedVersion> version, Clock::time_point arrived, Clock::time_point deadline);
  // Buffers that one large request has grown beyond kKeptBytes are let go, too.
  void Finish();
  static constexpr size_t kKeptBytes = 1 << 20;

  const ServedVersion& version() const { return *version_; }
  const std::shared_ptr<const ServedVersion>& shared_version() const { return version_; }
  Clock::time_point arrived() const { return arrived_; }
  Clock::time_point deadline() const { return deadline_; }
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }
  int64_t rows() const { return rows_; }

  // All cells missing, row-major: [rows, version().predictor->inputs().size()].
  std::span<features::Cell> cells(int64_t rows);
  std::span<features::Cell> cells() { return cells_; }
  // A text that a cell may view until Finish; for values whose text stands nowhere in the request.
  std::string_view Keep(std::string text);
  // Index into outputs() of the predictor. By default none is wanted; WantDefaultOutputs: all but logits.
  void WantOutput(size_t index);
  void WantDefaultOutputs();
  bool wants(size_t index) const { return wanted_[index] != 0; }

  // kInvalid: values that are no numbers, with row and input.
  Outcome Encode();

  // Of the batcher: what Score reads and writes.
  const std::vector<int32_t>& ids() const { return ids_; }
  const std::vector<float>& numbers() const { return numbers_; }
  std::vector<float>& output(size_t index) { return outputs_[index]; }
  const std::vector<float>& output(size_t index) const { return outputs_[index]; }

  // By any thread, while it waits: nobody wants the answer any more. It is not scored if its turn has not come yet, and
  // `done` is then called with kDeadlineExceeded.
  void Abandon() { abandoned_.store(true, std::memory_order_relaxed); }
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

  std::function<void(Outcome)> done;
  Job* next = nullptr;  // in the batcher's queue

 private:
  std::shared_ptr<const ServedVersion> version_;
  Clock::time_point arrived_, deadline_;
  int64_t rows_ = 0;
  std::vector<features::Cell> cells_;
  std::vector<std::unique_ptr<std::string>> kept_;
  std::vector<int32_t> ids_;
  std::vector<float> numbers_;
  std::vector<uint8_t> wanted_;
  std::vector<std::vector<float>> outputs_;
  std::atomic<bool> abandoned_ = false;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JOB_H_
