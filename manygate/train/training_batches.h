// SPDX-License-Identifier: Apache-2.0
// The training rows of each epoch in their order, batch by batch, in memory or streamed.
//
//   TrainingBatches batches(data, pipeline, pool);
//   for (int64_t first = 0; first < batches.rows(); first += n) {
//     const TrainingBatches::Batch batch = batches.Take(epoch, first, n);
//     stepper.Step(*batch.table, batch.rows, n);
//   }
//
// In memory an epoch is one random order of all rows. Streamed, the rows are cut into blocks that stand together in the
// files; an epoch takes the blocks in a random order, as many at a time as fit data_config.memory_limit_mb (a window), and
// the rows of a window in a random order. All of it follows from the seed, the epoch and the sizes, so a run can be
// resumed at any batch. No batch crosses a window: blocks hold whole batches, but for the last, which always comes last.
#ifndef MANYGATE_TRAIN_TRAINING_BATCHES_H_
#define MANYGATE_TRAIN_TRAINING_BATCHES_H_

#include <cstdint>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/features/encode.h"
#include "manygate/train/dataset.h"

namespace manygate {

class TrainingBatches {
 public:
  struct Batch {
    const features::EncodedTable* table = nullptr;
    const uint32_t* rows = nullptr;  // of the table
  };

  // data and pool must outlive it. pipeline: resolved.
  TrainingBatches(const Dataset& data, const config::Pipeline& pipeline, ThreadPool& pool);

  int64_t rows() const { return static_cast<int64_t>(data_.train.rows.size()); }
  // Rows first .. first + n - 1 of the epoch's order; first is a multiple of the batch size, n at most that. Valid until
  // the next call.
  Batch Take(int64_t epoch, int64_t first, int64_t n);

  // Streamed: training rows of a block, and blocks of a window. 0: in memory.
  int64_t block_rows() const { return block_rows_; }
  int64_t window_blocks() const { return window_blocks_; }

 private:
  void PlanBlocks();
  void OrderEpoch(int64_t epoch);
  void LoadWindow(int64_t window);
  // Rows of the files that a block spans, from its first training row to its last.
  struct Span {
    int64_t begin, end;
  };
  Span SpanOf(int64_t block) const;

  const Dataset& data_;
  const config::Pipeline& pipeline_;
  ThreadPool& pool_;
  int64_t epoch_ = -1;
  // In memory: rows of the table, of the epoch. Streamed: of the window.
  std::vector<uint32_t> order_;

  int64_t block_rows_ = 0;
  int64_t window_blocks_ = 0;
  int64_t num_blocks_ = 0;
  int64_t window_ = -1;
  std::vector<uint32_t> blocks_;    // of the epoch, in order
  features::EncodedTable encoded_;  // the spans of the window's blocks, end to end
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_TRAINING_BATCHES_H_
