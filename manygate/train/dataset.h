// SPDX-License-Identifier: Apache-2.0
// The rows of a run, read, split and encoded.
//
//   MG_ASSIGN_OR_RETURN(Dataset data, PrepareTraining(loaded, pool, cache_dir, &notes));
//   data.schema;  data.train.rows;  data.validation.table;
#ifndef MANYGATE_TRAIN_DATASET_H_
#define MANYGATE_TRAIN_DATASET_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/config/load.h"
#include "manygate/data/table.h"
#include "manygate/features/encode.h"
#include "manygate/features/schema.h"
#include "manygate/features/table_encoder.h"

namespace manygate {

// Some rows of an encoded table.
struct RowSelection {
  std::shared_ptr<const features::EncodedTable> table;
  std::vector<uint32_t> rows;
  // Where the table holds these rows and no others: their numbers in the files.
  std::vector<uint32_t> numbers;

  // [rows] which rows of the files these are.
  const std::vector<uint32_t>& FileRows() const { return numbers.empty() ? rows : numbers; }
};

// The rows of the training files where they are too many to be encoded at once (data_config.memory_limit_mb): encoded
// block by block (train/training_batches.h).
struct StreamedTable {
  Table raw;
  features::Schema schema;
  std::unique_ptr<const features::TableEncoder> encoder;
};

struct Dataset {
  features::Schema schema;
  RowSelection train, validation, test;  // test may be empty
  // Set where the training rows are not held in memory: train.table is null then, and train.rows are rows of stream->raw.
  std::shared_ptr<const StreamedTable> stream;
  RowSelection sample;  // training rows in memory: all, or some of the streamed ones drawn at random
};

// Where the column cache of a run is: data_config.cache_dir, or ".manygate_cache" beside the model directory, or "" for
// "off".
std::string CacheDirectory(const config::Pipeline& pipeline, const std::string& model_dir);

// Reads train_input_path and, if given, eval_input_path; splits (config::SplitConfig); fits the schema on the training
// rows; encodes. Where the files' rows take more than data_config.memory_limit_mb when encoded, the training rows are
// streamed and the others encoded alone. notes: sentences for the log.
StatusOr<Dataset> PrepareTraining(const config::LoadedPipeline& loaded, ThreadPool& pool, const std::string& cache_dir,
                                  std::vector<std::string>* notes);

// The hold-out rows of a trained model once more, from the paths in its configuration: validation and test. train stays
// empty.
StatusOr<Dataset> PrepareHoldOut(const config::Pipeline& pipeline, const features::Schema& schema, ThreadPool& pool,
                                 const std::string& cache_dir, std::vector<std::string>* notes);

// All rows of other files, for evaluation (with labels) or prediction.
StatusOr<RowSelection> PrepareRows(const config::Pipeline& pipeline, const features::Schema& schema,
                                   const std::string& paths, bool with_labels, ThreadPool& pool,
                                   const std::string& cache_dir, std::vector<std::string>* notes);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_DATASET_H_
