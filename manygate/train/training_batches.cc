// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/training_batches.h"

#include <algorithm>
#include <numeric>

#include "manygate/base/check.h"
#include "manygate/data/split.h"

namespace manygate {
namespace {

// A block is read from each column in one piece: large enough for a disk, small enough for many blocks in a window.
constexpr int64_t kMostBlockRows = 65536;
constexpr int64_t kLeastWindowBlocks = 16;

}  // namespace

TrainingBatches::TrainingBatches(const Dataset& data, const config::Pipeline& pipeline, ThreadPool& pool)
    : data_(data), pipeline_(pipeline), pool_(pool) {
  if (data_.stream != nullptr) PlanBlocks();
}

TrainingBatches::Span TrainingBatches::SpanOf(int64_t block) const {
  const auto& train = data_.train.rows;
  const int64_t first = block * block_rows_;
  const int64_t last = std::min(first + block_rows_, rows()) - 1;
  return {train[static_cast<size_t>(first)], int64_t{train[static_cast<size_t>(last)]} + 1};
}

void TrainingBatches::PlanBlocks() {
  const Table& raw = data_.stream->raw;
  const features::EncodedTable none = data_.stream->encoder->NewTable(0);
  const auto record_bytes = static_cast<int64_t>(none.layout().record_bytes) + 4 * none.num_groups();
  const auto limit = static_cast<int64_t>(pipeline_.data_config().memory_limit_mb() << 20);
  const int64_t window_rows = limit / record_bytes;  // of the files: other rows stand between the training rows
  const int64_t batch = pipeline_.data_config().batch_size();
  const double share = static_cast<double>(rows()) / static_cast<double>(raw.rows);
  const auto fitting = static_cast<int64_t>(static_cast<double>(window_rows) * share) / kLeastWindowBlocks;
  block_rows_ = batch * std::max<int64_t>(1, std::min(kMostBlockRows, fitting) / batch);
  num_blocks_ = (rows() + block_rows_ - 1) / block_rows_;
  int64_t longest = 1;
  for (int64_t block = 0; block < num_blocks_; ++block) {
    const Span span = SpanOf(block);
    longest = std::max(longest, span.end - span.begin);
  }
  window_blocks_ = std::clamp<int64_t>(window_rows / longest, 1, num_blocks_);
  encoded_ = data_.stream->encoder->NewTable(window_blocks_ * longest);
}

void TrainingBatches::OrderEpoch(int64_t epoch) {
  epoch_ = epoch;
  window_ = -1;
  const bool shuffle = pipeline_.data_config().shuffle();
  const uint64_t seed = pipeline_.train_config().seed();
  if (data_.stream == nullptr) {
    order_ = shuffle ? EpochOrder(data_.train.rows, seed, static_cast<uint64_t>(epoch)) : data_.train.rows;
    return;
  }
  const bool has_short_block = rows() % block_rows_ != 0;
  const auto whole = static_cast<uint32_t>(num_blocks_ - (has_short_block ? 1 : 0));
  if (shuffle) {
    blocks_ = BlockOrder(whole, seed, static_cast<uint64_t>(epoch));
  } else {
    blocks_.resize(whole);
    std::iota(blocks_.begin(), blocks_.end(), 0u);
  }
  if (has_short_block) blocks_.push_back(whole);
}

void TrainingBatches::LoadWindow(int64_t window) {
  window_ = window;
  const Table& raw = data_.stream->raw;
  const auto& train = data_.train.rows;
  const int64_t first = window * window_blocks_;
  const int64_t last = std::min(first + window_blocks_, num_blocks_);
  std::vector<uint32_t> places;  // of the training rows in encoded_
  int64_t at = 0;
  for (int64_t i = first; i < last; ++i) {
    const int64_t block = blocks_[static_cast<size_t>(i)];
    const Span span = SpanOf(block);
    data_.stream->encoder->EncodeRows(span.begin, span.end - span.begin, at, pool_, &encoded_);
    raw.Release(span.begin, span.end);
    const int64_t end = std::min((block + 1) * block_rows_, rows());
    for (int64_t row = block * block_rows_; row < end; ++row)
      places.push_back(static_cast<uint32_t>(train[static_cast<size_t>(row)] - span.begin + at));
    at += span.end - span.begin;
  }
  // While this window is trained on, the system reads the next one.
  for (int64_t i = last; i < std::min(last + window_blocks_, num_blocks_); ++i) {
    const Span span = SpanOf(blocks_[static_cast<size_t>(i)]);
    raw.ReadAhead(span.begin, span.end);
  }
  if (pipeline_.data_config().shuffle()) {
    order_ = WindowOrder(static_cast<uint32_t>(places.size()), pipeline_.train_config().seed(),
                         static_cast<uint64_t>(epoch_), static_cast<uint32_t>(window));
    for (uint32_t& place : order_) place = places[place];
  } else {
    order_ = std::move(places);
  }
}

TrainingBatches::Batch TrainingBatches::Take(int64_t epoch, int64_t first, int64_t n) {
  if (epoch != epoch_) OrderEpoch(epoch);
  if (data_.stream == nullptr) return {data_.train.table.get(), order_.data() + first};
  const int64_t window_rows = window_blocks_ * block_rows_;
  if (first / window_rows != window_) LoadWindow(first / window_rows);
  const int64_t in_window = first - window_ * window_rows;
  MG_CHECK(in_window + n <= static_cast<int64_t>(order_.size()), "{} + {} of {}", in_window, n, order_.size());
  return {&encoded_, order_.data() + in_window};
}

}  // namespace manygate
