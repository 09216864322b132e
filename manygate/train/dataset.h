// SPDX-License-Identifier: Apache-2.0
// The rows of a run, read, split and encoded.
//
//   MG_ASSIGN_OR_RETURN(Dataset data, PrepareTraining(loaded, pool, cache_dir, &notes));
//   data.schema;  data.train->rows();  data.validation_rows;
#ifndef MANYGATE_TRAIN_DATASET_H_
#define MANYGATE_TRAIN_DATASET_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/config/load.h"
#include "manygate/features/encode.h"
#include "manygate/features/schema.h"

namespace manygate {

// Some rows of an encoded table.
struct RowSelection {
  std::shared_ptr<const features::EncodedTable> table;
  std::vector<uint32_t> rows;
};

struct Dataset {
  features::Schema schema;
  RowSelection train, validation, test;  // test may be empty
};

// Where the column cache of a run is: data_config.cache_dir, or ".manygate_cache" beside the model directory, or "" for
// "off".
std::string CacheDirectory(const config::Pipeline& pipeline, const std::string& model_dir);

// Reads train_input_path and, if given, eval_input_path; splits (config::SplitConfig); fits the schema on the training
// rows; encodes. notes: sentences for the log.
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
