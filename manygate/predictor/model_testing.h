// SPDX-License-Identifier: Apache-2.0
// For tests: a model directory with random weights over a small table of texts, numbers, lists and made columns.
//
//   const TestModel model("mmoe { num_expert: 3 expert_mlp { hidden_units: 8 } TOWERS }");
//   Predictor::Load(model.dir());
//
//   job      id, "?" missing     age     number, may be missing      tags   several ids of "|"   history  sequence of ";"
//   made of them: job x tags (hash), age squared, what `counts` ("a:3|b:1") says of job
#ifndef MANYGATE_PREDICTOR_MODEL_TESTING_H_
#define MANYGATE_PREDICTOR_MODEL_TESTING_H_

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/catalog/model.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/data/source.h"
#include "manygate/data/test_files.h"
#include "manygate/features/generated_column.h"
#include "manygate/features/test_table.h"

namespace manygate {

inline constexpr char kTestTowers[] = R"(
  task_towers { label_name: "income" mlp { hidden_units: 4 } }
  task_towers { label_name: "kind" num_class: 3 losses { softmax_cross_entropy {} } }
  task_towers { label_name: "hours" losses { l2_loss {} } })";

inline constexpr char kTestFeatures[] = R"(
  feature_configs { id_feature { feature_name: "job" embedding_dim: 3 } }
  feature_configs { raw_feature { feature_name: "age" transform { standardise: true missing_indicator: true } } }
  feature_configs { id_feature { feature_name: "tags" separator: "|" max_values: 3 embedding_dim: 2 pooling: "mean" } })";

inline constexpr char kTestMadeFeatures[] = R"(
  feature_configs { combo_feature { feature_name: "job_tags" expression: ["job", "tags"] hash_bucket_size: 20 embedding_dim: 2 } }
  feature_configs { expr_feature { feature_name: "square" expression: "age * age / 1000" variables: "age" } }
  feature_configs { lookup_feature { feature_name: "count" map: "counts" key: "job" default_value: "0" } })";

// What the columns hold in row r, as texts; "" = missing.
inline std::vector<std::string> TestRow(int64_t r) {
  static const std::vector<std::string> kJobs = {"a", "b", "c", "", "?", " d"},
                                        kTags = {"x", "x|y", "z|y|x|w", "", "|"};
  return {kJobs[static_cast<size_t>(r * 7 % 6)], r % 5 == 3 ? "" : fmt::format("{}", 17 + r * 13 % 61),
          kTags[static_cast<size_t>(r * 3 % 5)],
          r % 4 == 0 ? ""
                     : fmt::format("a:{}\x1d"
                                   "b:{}",
                                   r % 9, r % 3)};
}
inline const std::vector<std::string> kTestColumns = {"job", "age", "tags", "counts"};

class TestModel {
 public:
  // model: the field of model_config, TOWERS standing for kTestTowers.
  explicit TestModel(std::string model, const std::string& features = kTestFeatures, int members = 1) {
    if (const size_t at = model.find("TOWERS"); at != std::string::npos) model.replace(at, 6, kTestTowers);
    auto loaded = config::LoadPipelineFromText(
        "test.config",
        fmt::format(R"(
      train_input_path: "rows.csv"
      train_config {{ dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} }} seed: 3 slice_rows: 16 }}
      data_config {{ with_header: true missing_values: "?" missing_values: "-1" }}
      {} model_config {{ {} }} {})",
                    features, model, members > 1 ? fmt::format("ensemble {{ members: {} }}", members) : ""));
    MG_CHECK(loaded.ok(), "{}", loaded.status().message());
    config::ResolveDefaults(&loaded->pipeline);
    const Table table = ReadRows(500, loaded->pipeline, features::RequiredColumns(loaded->pipeline),
                                 config::ListGenerators(config::ListFeatures(loaded->pipeline)));
    auto schema = features::FitFeatures(*loaded, table, features::FirstRows(table.rows));
    MG_CHECK(schema.ok(), "{}", schema.status().message());
    for (int member = 0; member < members && members > 1; ++member) {
      const config::Pipeline pipeline = MemberPipeline(loaded->pipeline, dir(), member);
      Save(*MakeTrainingModel(pipeline, *schema), pipeline.model_dir());
    }
    if (members == 1) {
      Save(*MakeTrainingModel(loaded->pipeline, *schema), dir());
      return;
    }
    const Status saved = SaveEnsemble(loaded->pipeline, *schema, dir());
    MG_CHECK(saved.ok(), "{}", saved.message());
  }
  std::string dir() const { return folder_.Path("model"); }

  // Rows 0 .. rows - 1 of TestRow and their labels, from a file, as training and `manygate predict` read it.
  Table ReadRows(int64_t rows, const config::Pipeline& pipeline, const std::vector<ColumnRequest>& requests,
                 const std::vector<config::Generator>& generators) const {
    std::string csv = "job,age,tags,counts,income,kind,hours\n";
    for (int64_t r = 0; r < rows; ++r)
      csv += fmt::format("{},{:d},{},{}\n", fmt::join(TestRow(r), ","), r % 3 == 0, r % 3, r % 50);
    ThreadPool pool(1);
    auto table =
        ReadTable(folder_.Write("rows.csv", csv), pipeline.data_config(), requests, pool, /*cache_dir=*/"off", nullptr);
    MG_CHECK(table.ok(), "{}", table.status().message());
    const Status added = features::AddGeneratedColumns(generators, &*table);
    MG_CHECK(added.ok(), "{}", added.message());
    return *std::move(table);
  }

 private:
  static void Save(const Model& model, const std::string& dir) {
    const Status saved = SaveModel(model, dir);
    MG_CHECK(saved.ok(), "{}", saved.message());
  }
  TestFolder folder_;
};

}  // namespace manygate

#endif  // MANYGATE_PREDICTOR_MODEL_TESTING_H_
