// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "manygate/base/check.h"

namespace manygate::serve {
namespace {

// Of WorkOrWake. A handoff to another thread and back costs about 10 us of the processor; what takes longer keeps its caller
// from reading requests, and belongs to the scoring threads. Batches in a row: other callers add to the queue meanwhile.
constexpr int64_t kMostRowsHere = 32;
constexpr double kMostSecondsHere = 50e-6;
constexpr int kMostBatchesHere = 8;
constexpr double kNewestWeight = 0.1;  // in the average of batches' times

// What waits of one version, first in, first out.
struct VersionQueue {
  const ServedVersion* version = nullptr;
  Job* first = nullptr;
  Job* last = nullptr;
  int64_t rows = 0;
};

// A scoring thread, and what it works with.
struct Scorer {
  std::condition_variable wake;
  bool woken = false;
  std::vector<Job*> batch, expired;
  std::vector<int32_t> ids;
  std::vector<float> numbers;
  std::vector<std::vector<float>> outputs;
  std::vector<float*> values;  // by output: where Score writes, null where nobody wants it
  double seconds = 0;          // that the batch took to score
  std::thread thread;
};

}  // namespace

struct Batcher::State {
  explicit State(const BatcherOptions& batcher_options) : options(batcher_options) {}
  void Run(Scorer* self);
  // Waits for a batch and takes it; false: drained.
  bool Take(Scorer* self);
  void Sleep(Scorer* self, Clock::time_point until, std::unique_lock<std::mutex>* lock);
  Outcome Enqueue(Job* job, bool* worth_waking);
  Scorer* TakeSleeper();
  size_t FindRipe(Clock::time_point now, Clock::time_point* next) const;
  void TakeFrom(size_t index, Clock::time_point now, Scorer* self);
  void Work(Scorer* self) const;
  void Retire(Scorer* self);

  const BatcherOptions options;
  std::vector<std::unique_ptr<Scorer>> scorers;

  mutable std::mutex mutex;          // guards all below
  std::vector<VersionQueue> queues;  // none empty; the one whose turn it is first
  std::vector<Scorer*> sleepers;     // woken last in, first out: its caches are warm
  std::condition_variable all_done;
  BatcherCounts counts;
  int64_t under_way = 0;     // jobs that were taken from Submit and are not done
  double batch_seconds = 1;  // lately; long until something is known
  bool draining = false;
};

Batcher::Batcher(const BatcherOptions& options) : state_(std::make_unique<State>(options)) {
  MG_CHECK(options.threads >= 1 && options.max_batch_rows >= 1, "{} threads, {} rows", options.threads,
           options.max_batch_rows);
  state_->queues.reserve(64);
  state_->sleepers.reserve(static_cast<size_t>(options.threads));
  for (int i = 0; i < options.threads; ++i) {
    Scorer* const scorer = state_->scorers.emplace_back(std::make_unique<Scorer>()).get();
    scorer->thread = std::thread([state = state_.get(), scorer] { state->Run(scorer); });
  }
}

Batcher::~Batcher() {
  Drain();
  for (const auto& scorer : state_->scorers) scorer->thread.join();
}

// One of the scorers that sleep, which its caller notifies behind the lock; null: none sleeps.
Scorer* Batcher::State::TakeSleeper() {
  if (sleepers.empty()) return nullptr;
  Scorer* const sleeper = sleepers.back();
  sleepers.pop_back();
  sleeper->woken = true;
  return sleeper;
}

// worth_waking: whether a scoring thread should be woken for it.
Outcome Batcher::State::Enqueue(Job* job, bool* worth_waking) {
  if (draining) return Refused(OutcomeCode::kUnavailable, "the server is shutting down");
  if (counts.queued_rows > 0 && counts.queued_rows + job->rows() > options.max_queue_rows) {
    ++counts.refused;
    return Refused(OutcomeCode::kOverloaded,
                   fmt::format("the queue is full: {} rows wait, {} more would be above the limit of {}",
                               counts.queued_rows, job->rows(), options.max_queue_rows));
  }
  const ServedVersion* const version = &job->version();
  auto queue = std::ranges::find(queues, version, &VersionQueue::version);
  if (queue == queues.end()) queue = queues.insert(queue, VersionQueue{.version = version});
  const bool was_empty = queue->first == nullptr;
  job->next = nullptr;
  (was_empty ? queue->first : queue->last->next) = job;
  queue->last = job;
  queue->rows += job->rows();
  counts.queued_rows += job->rows();
  ++under_way;
  // One that waits for a batch to fill is left alone between the first job, which sets its clock, and the last.
  *worth_waking = was_empty || options.max_queue_delay.count() == 0 || queue->rows >= options.max_batch_rows;
  return Done();
}

Outcome Batcher::Submit(Job* job) {
  State& state = *state_;
  Scorer* sleeper = nullptr;
  {
    const std::lock_guard lock(state.mutex);
    bool worth_waking = false;
    MG_RETURN_IF_REFUSED(state.Enqueue(job, &worth_waking));
    if (worth_waking) sleeper = state.TakeSleeper();
  }
  if (sleeper != nullptr) sleeper->wake.notify_one();
  return Done();
}

Outcome Batcher::Add(Job* job) {
  const std::lock_guard lock(state_->mutex);
  bool worth_waking = false;
  return state_->Enqueue(job, &worth_waking);
}

// As many as there are batches.
void Batcher::Wake() {
  State& state = *state_;
  int64_t rows = 0;
  do {
    Scorer* sleeper = nullptr;
    {
      const std::lock_guard lock(state.mutex);
      if (rows == 0) rows = state.counts.queued_rows;
      if (rows > 0) sleeper = state.TakeSleeper();
    }
    if (sleeper == nullptr) return;
    sleeper->wake.notify_one();
    rows -= state.options.max_batch_rows;
  } while (rows > 0);
}

// The first queue, by turn, that is full or has waited long enough. None: queues.size(), and `next` is when one will be.
size_t Batcher::State::FindRipe(Clock::time_point now, Clock::time_point* next) const {
  *next = Clock::time_point::max();
  for (size_t i = 0; i < queues.size(); ++i) {
    const VersionQueue& queue = queues[i];
    const Clock::time_point ripe = queue.first->arrived() + options.max_queue_delay;
    if (draining || options.max_queue_delay.count() == 0 || queue.rows >= options.max_batch_rows || ripe <= now)
      return i;
    *next = std::min(*next, ripe);
  }
  return queues.size();
}

// The queue's next batch; what is left of the queue waits for its next turn.
void Batcher::State::TakeFrom(size_t index, Clock::time_point now, Scorer* self) {
  VersionQueue queue = queues[index];
  queues.erase(queues.begin() + static_cast<std::ptrdiff_t>(index));
  int64_t rows = 0;
  while (queue.first != nullptr) {
    Job* const job = queue.first;
    const bool expired = job->abandoned() || job->deadline() <= now;
    if (!expired && rows > 0 && rows + job->rows() > options.max_batch_rows) break;
    queue.first = job->next;
    queue.rows -= job->rows();
    counts.queued_rows -= job->rows();
    if (!expired) rows += job->rows();
    (expired ? self->expired : self->batch).push_back(job);
  }
  if (queue.first != nullptr) queues.push_back(queue);
  counts.expired += self->expired.size();
  counts.batches += rows > 0 ? 1 : 0;
  counts.rows += static_cast<uint64_t>(rows);
}

void Batcher::State::Sleep(Scorer* self, Clock::time_point until, std::unique_lock<std::mutex>* lock) {
  self->woken = false;
  sleepers.push_back(self);
  const auto woken = [self] { return self->woken; };
  if (until == Clock::time_point::max()) {
    self->wake.wait(*lock, woken);
  } else {
    self->wake.wait_until(*lock, until, woken);
  }
  if (!self->woken) std::erase(sleepers, self);
}

// Its jobs are done.
void Batcher::State::Retire(Scorer* self) {
  if (!self->batch.empty())
    batch_seconds =
        counts.batches == 1 ? self->seconds : batch_seconds + kNewestWeight * (self->seconds - batch_seconds);
  under_way -= static_cast<int64_t>(self->batch.size() + self->expired.size());
  self->batch.clear();
  self->expired.clear();
  if (draining && under_way == 0) all_done.notify_all();
}

bool Batcher::State::Take(Scorer* self) {
  std::unique_lock lock(mutex);
  Retire(self);
  while (true) {
    Clock::time_point next = Clock::time_point::max();
    const Clock::time_point now = queues.empty() ? Clock::time_point() : Clock::now();
    if (const size_t ripe = FindRipe(now, &next); ripe < queues.size()) {
      TakeFrom(ripe, now, self);
      return true;
    }
    if (draining && queues.empty()) return false;
    Sleep(self, next, &lock);
  }
}

namespace {

// One job is scored where it lies.
void ScoreAlone(Job* job, Scorer* self) {
  const Predictor& predictor = *job->version().predictor;
  self->values.assign(predictor.outputs().size(), nullptr);
  for (size_t i = 0; i < self->values.size(); ++i)
    if (job->wants(i)) self->values[i] = job->output(i).data();
  predictor.Score(job->rows(), job->ids().data(), job->numbers().data(), self->values);
}

// Room in the scorer's buffers for what any of the jobs wants.
void PlaceOutputs(int64_t rows, Scorer* self) {
  const auto outputs = self->batch[0]->version().predictor->outputs();
  self->values.assign(outputs.size(), nullptr);
  if (self->outputs.size() < outputs.size()) self->outputs.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (std::ranges::none_of(self->batch, [i](const Job* job) { return job->wants(i); })) continue;
    const auto size = static_cast<size_t>(rows * outputs[i].width);
    if (self->outputs[i].size() < size) self->outputs[i].resize(size);
    self->values[i] = self->outputs[i].data();
  }
}

void ScoreTogether(Scorer* self) {
  const Predictor& predictor = *self->batch[0]->version().predictor;
  self->ids.clear();
  self->numbers.clear();
  int64_t rows = 0;
  for (const Job* job : self->batch) {
    self->ids.insert(self->ids.end(), job->ids().begin(), job->ids().end());
    self->numbers.insert(self->numbers.end(), job->numbers().begin(), job->numbers().end());
    rows += job->rows();
  }
  PlaceOutputs(rows, self);
  predictor.Score(rows, self->ids.data(), self->numbers.data(), self->values);
  int64_t first = 0;
  for (Job* job : self->batch) {
    for (size_t i = 0; i < self->values.size(); ++i)
      if (job->wants(i))
        std::memcpy(job->output(i).data(), self->values[i] + first * predictor.outputs()[i].width,
                    job->output(i).size() * sizeof(float));
    first += job->rows();
  }
}

}  // namespace

void Batcher::State::Work(Scorer* self) const {
  if (!self->batch.empty()) {
    const Clock::time_point start = Clock::now();
    self->batch.size() == 1 ? ScoreAlone(self->batch[0], self) : ScoreTogether(self);
    self->seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  for (Job* job : self->batch) job->done(Done());  // which may use the job for its next request at once
  for (Job* job : self->expired)
    job->done(Refused(OutcomeCode::kDeadlineExceeded, "the deadline passed before the request's turn came"));
  if (options.after_batch) options.after_batch();
}

void Batcher::State::Run(Scorer* self) {
  while (Take(self)) Work(self);
}

void Batcher::WorkOrWake() {
  State& state = *state_;
  {
    std::unique_lock lock(state.mutex);
    for (int i = 0; i < kMostBatchesHere; ++i) {
      if (state.options.max_queue_delay.count() > 0 || state.counts.queued_rows > kMostRowsHere ||
          state.batch_seconds > kMostSecondsHere)
        break;
      if (state.queues.empty() || state.sleepers.empty()) return;  // whoever works looks at the queue again
      Scorer* const self = state.sleepers.back();                  // which sleeps on
      state.sleepers.pop_back();
      state.TakeFrom(0, Clock::now(), self);
      lock.unlock();
      state.Work(self);
      lock.lock();
      state.Retire(self);
      self->woken = state.draining;
      if (state.draining) {
        self->wake.notify_one();
      } else {
        state.sleepers.push_back(self);
      }
    }
  }
  Wake();
}

void Batcher::Drain() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.draining = true;
  for (Scorer* sleeper : state.sleepers) {
    sleeper->woken = true;
    sleeper->wake.notify_one();
  }
  state.sleepers.clear();
  state.all_done.wait(lock, [&state] { return state.under_way == 0; });
}

BatcherCounts Batcher::Counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace manygate::serve
