// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/evaluation_rows.h"

#include <fmt/format.h>

#include <utility>

namespace manygate {

StatusOr<EvaluationRows> RowsToEvaluate(const Model& model, const std::string& dir, const std::string& paths,
                                        ThreadPool& pool, const std::string& cache_dir,
                                        std::vector<std::string>* notes) {
  const config::Pipeline& pipeline = model.pipeline;
  if (!paths.empty()) {
    MG_ASSIGN_OR_RETURN(RowSelection selection,
                        PrepareRows(pipeline, model.schema, paths, /*with_labels=*/true, pool, cache_dir, notes));
    return EvaluationRows{std::move(selection), paths, paths};
  }
  MG_ASSIGN_OR_RETURN(Dataset data, PrepareHoldOut(pipeline, model.schema, pool, cache_dir, notes));
  const bool has_test = !data.test.rows.empty();
  RowSelection selection = has_test ? std::move(data.test) : std::move(data.validation);
  if (selection.rows.empty())
    return InvalidInput(fmt::format("{}: its training held out no rows; name data to evaluate on: --data FILE", dir));
  const std::string source =
      pipeline.eval_input_path().empty() ? pipeline.train_input_path() : pipeline.eval_input_path();
  return EvaluationRows{std::move(selection),
                        fmt::format("{} rows held out of {}", has_test ? "test" : "validation", source), source};
}

}  // namespace manygate
