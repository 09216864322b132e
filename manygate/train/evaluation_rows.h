// SPDX-License-Identifier: Apache-2.0
// The rows that a trained model is evaluated on: files that the user names, or what its training held out.
//
//   MG_ASSIGN_OR_RETURN(EvaluationRows rows, RowsToEvaluate(*model, dir, "", pool, cache, &notes));
//   rows.selection;  rows.name;   // "test rows held out of census.csv"
#ifndef MANYGATE_TRAIN_EVALUATION_ROWS_H_
#define MANYGATE_TRAIN_EVALUATION_ROWS_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/catalog/model.h"
#include "manygate/train/dataset.h"

namespace manygate {

struct EvaluationRows {
  RowSelection selection;
  std::string name;    // for people
  std::string source;  // the files that they come from, as a configuration names them
};

// paths: files as a configuration names them; "": the test rows held out, or the validation rows where there are none.
// dir: the model's directory, for messages. InvalidInput: nothing was held out; and as PrepareRows and PrepareHoldOut.
StatusOr<EvaluationRows> RowsToEvaluate(const Model& model, const std::string& dir, const std::string& paths,
                                        ThreadPool& pool, const std::string& cache_dir,
                                        std::vector<std::string>* notes);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_EVALUATION_ROWS_H_
