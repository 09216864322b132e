// SPDX-License-Identifier: Apache-2.0
// For tests of the server: small model directories (features and towers of catalog/catalog_testing.h), and their versions.
//
//   SaveTestModel(folder.Path("census/1"), 3);             // seed 3
//   std::shared_ptr<const ServedVersion> version = LoadTestVersion(folder.Path("census/1"), "census", 1);
//   std::vector<Cell> cells = TestCells(*version, 5);      // five rows
#ifndef MANYGATE_SERVE_SERVE_TESTING_H_
#define MANYGATE_SERVE_SERVE_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog_testing.h"
#include "manygate/catalog/model.h"
#include "manygate/data/test_files.h"
#include "manygate/features/cell.h"
#include "manygate/predictor/predictor.h"
#include "manygate/serve/job.h"

namespace manygate::serve {

// Models of different seeds predict different numbers.
inline void SaveTestModel(const std::string& dir, uint64_t seed) {
  config::Pipeline pipeline = TestPipeline();
  pipeline.mutable_train_config()->set_seed(seed);
  const Status status = SaveModel(*MakeTrainingModel(pipeline, TestSchema()), dir);
  MG_CHECK(status.ok(), "{}", status.message());
}

inline std::shared_ptr<const ServedVersion> LoadTestVersion(const std::string& dir, std::string name, int64_t version) {
  auto predictor = Predictor::Load(dir);
  MG_CHECK(predictor.ok(), "{}", predictor.status().message());
  return std::make_shared<const ServedVersion>(ServedVersion{std::move(name), version, std::move(*predictor)});
}

// Of a folder that is gone again.
inline std::shared_ptr<const ServedVersion> MakeTestVersion(uint64_t seed = 3, std::string name = "census",
                                                            int64_t version = 1) {
  const TestFolder folder;
  SaveTestModel(folder.Path("model"), seed);
  return LoadTestVersion(folder.Path("model"), std::move(name), version);
}

// Rows that differ: every column's value in row r is one of several, by r + first.
inline std::vector<features::Cell> TestCells(const ServedVersion& version, int64_t rows, int64_t first = 0) {
  static constexpr std::string_view kTexts[] = {"a", "b", "c", "x", "y", "", "other"};
  std::vector<features::Cell> cells;
  for (int64_t row = first; row < first + rows; ++row)
    for (const PredictorInput& input : version.predictor->inputs())
      cells.push_back(input.number ? features::Cell(static_cast<float>(row % 90) / 4)
                                   : features::Cell(kTexts[static_cast<size_t>(row) % std::size(kTexts)]));
  return cells;
}

// One output for these cells, without a server: what it must answer.
inline std::vector<float> PredictAlone(const ServedVersion& version, const std::vector<features::Cell>& cells,
                                       std::string_view output) {
  const Predictor& predictor = *version.predictor;
  const auto rows = static_cast<int64_t>(cells.size() / predictor.inputs().size());
  const auto index = static_cast<size_t>(predictor.FindOutput(output));
  std::vector<float> values(static_cast<size_t>(rows * predictor.outputs()[index].width));
  std::vector<float*> outputs(predictor.outputs().size());
  outputs[index] = values.data();
  const Status status = predictor.Predict(cells, rows, outputs);
  MG_CHECK(status.ok(), "{}", status.message());
  return values;
}

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_SERVE_TESTING_H_
