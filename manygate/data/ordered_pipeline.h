// SPDX-License-Identifier: Apache-2.0
// Runs the pieces of one file through all threads and hands them over in the order of the file.
//
//   OrderedPipeline<Piece> pipeline(
//       [&](Piece* piece) { return file->Next(&piece->block); },         // StatusOr<bool>: false at the end
//       [&](Piece* piece, int thread) { parsers[thread].Parse(piece); },
//       [&](Piece& piece) { return Consume(piece); });                   // false: enough
//   MG_RETURN_IF_ERROR(pipeline.Run(pool));                              // the status of the reading
//
// Reading is by one thread at a time, parsing by all, and whoever holds the next piece in order hands it over: never two
// at once. Pieces are reused; at most twice as many as threads are under way. What is read before an error of the reading
// is handed over.
#ifndef MANYGATE_DATA_ORDERED_PIPELINE_H_
#define MANYGATE_DATA_ORDERED_PIPELINE_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"

namespace manygate {

template <typename Piece>
class OrderedPipeline {
 public:
  OrderedPipeline(std::function<StatusOr<bool>(Piece*)> read, std::function<void(Piece*, int thread)> parse,
                  std::function<bool(Piece&)> consume)
      : read_(std::move(read)), parse_(std::move(parse)), consume_(std::move(consume)) {}

  // Once.
  Status Run(ThreadPool& pool) {
    max_pieces_ = 2 * static_cast<uint64_t>(pool.size()) + 1;
    pool.Run([this](int thread) { Work(thread); });
    return read_status_;
  }

 private:
  void Work(int thread) {
    for (;;) {
      uint64_t number = 0;
      std::unique_ptr<Piece> piece = Take(&number);
      if (piece == nullptr) return;
      parse_(piece.get(), thread);
      HandOver(number, std::move(piece));
    }
  }

  // The next piece of the file, or null at the end. Waits while too many are under way.
  std::unique_ptr<Piece> Take(uint64_t* number) {
    std::lock_guard reading(read_mutex_);
    std::unique_ptr<Piece> piece;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || next_read_ - next_consumed_ < max_pieces_; });
      if (stop_ || ended_) return nullptr;
      if (!free_.empty()) {
        piece = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (piece == nullptr) piece = std::make_unique<Piece>();
    const StatusOr<bool> more = read_(piece.get());
    std::lock_guard lock(mutex_);
    if (!more.ok()) read_status_ = more.status();
    if (!more.ok() || !*more) {
      ended_ = true;
      return nullptr;
    }
    *number = next_read_++;
    return piece;
  }

  void HandOver(uint64_t number, std::unique_ptr<Piece> piece) {
    std::lock_guard lock(mutex_);
    waiting_[number] = std::move(piece);
    while (!waiting_.empty() && waiting_.begin()->first == next_consumed_) {
      std::unique_ptr<Piece> next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      ++next_consumed_;
      if (!stop_) stop_ = !consume_(*next);
      free_.push_back(std::move(next));
    }
    changed_.notify_all();
  }

  const std::function<StatusOr<bool>(Piece*)> read_;
  const std::function<void(Piece*, int)> parse_;
  const std::function<bool(Piece&)> consume_;
  uint64_t max_pieces_ = 1;

  std::mutex read_mutex_;  // held while reading; taken before mutex_
  std::mutex mutex_;       // guards all that follows
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Piece>> free_;
  std::map<uint64_t, std::unique_ptr<Piece>> waiting_;
  uint64_t next_read_ = 0;
  uint64_t next_consumed_ = 0;
  bool ended_ = false;
  bool stop_ = false;
  Status read_status_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ORDERED_PIPELINE_H_
