// SPDX-License-Identifier: Apache-2.0
// For tests: a resolved configuration and a schema written by hand that fit each other.
//
//   job      one-hot, a b c unknown missing; b has 70 of 100 training rows
//   state    embedding of 4, x y unknown missing
//   kind     one-hot of 7 hash buckets and missing
//   age      a number; wealth: two (with a missing indicator); height: a number
#ifndef MANYGATE_CATALOG_CATALOG_TESTING_H_
#define MANYGATE_CATALOG_CATALOG_TESTING_H_

#include <google/protobuf/text_format.h>

#include <string>

#include "manygate/base/check.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/features/schema.pb.h"

namespace manygate {

inline features::Schema TestSchema() {
  features::Schema schema;
  MG_CHECK(google::protobuf::TextFormat::ParseFromString(R"(
    features { name: "age" column: "age" kind: NUMBER encoding: NUMBERS number_offset: 0 width: 1 fill: 0 }
    features { name: "wealth" column: "wealth" kind: NUMBER encoding: NUMBERS number_offset: 1 width: 2 fill: 0
               missing_indicator: true }
    features { name: "job" column: "job" kind: VOCABULARY encoding: ONE_HOT id_slot: 0 vocabulary_size: 5
               value: ["a", "b", "c"] training_count: [10, 70, 5] missing_count: 15 }
    features { name: "state" column: "state" kind: VOCABULARY encoding: EMBEDDING id_slot: 1 vocabulary_size: 4
               embedding_dim: 4 value: ["x", "y"] training_count: [60, 40] init_fn: "nn.init.uniform_,a=2,b=3" }
    features { name: "kind" column: "kind" kind: HASH encoding: ONE_HOT id_slot: 2 vocabulary_size: 8
               hash_bucket_size: 7 }
    features { name: "height" column: "height" kind: NUMBER encoding: NUMBERS number_offset: 3 width: 1 fill: 0 }
    labels { name: "income" column: "income" kind: BINARY rows: 100 positives: 20 mean: 0.2 deviation: 0.4 }
    labels { name: "hours" column: "hours" kind: NUMBER rows: 100 mean: 37.5 deviation: 3 }
    training_rows: 100
    num_id_slots: 3
    number_width: 4)",
                                                         &schema),
           "a schema for tests");
  return schema;
}

// model: the field of model_config besides feature_groups, without its task_towers.
inline config::Pipeline TestPipeline(const std::string& model = "mmoe { expert_mlp { hidden_units: [6, 4] } TOWERS }",
                                     const std::string& optimizer = "adam_optimizer { lr: 0.01 }") {
  std::string text = R"(
    train_input_path: "rows.csv"
    train_config { dense_optimizer { )" +
                     optimizer + R"( } seed: 3 }
    data_config { with_header: true }
    feature_configs { raw_feature { feature_name: "age" } }
    feature_configs { raw_feature { feature_name: "wealth" transform { missing_indicator: true } } }
    feature_configs { id_feature { feature_name: "job" one_hot: true vocab_list: ["a", "b", "c"] } }
    feature_configs { id_feature { feature_name: "state" embedding_dim: 4 init_fn: "nn.init.uniform_,a=2,b=3" } }
    feature_configs { id_feature { feature_name: "kind" one_hot: true hash_bucket_size: 7 } }
    feature_configs { raw_feature { feature_name: "height" } }
    model_config { )" +
                     model + " }";
  const std::string towers = R"(
    task_towers { label_name: "income" mlp { hidden_units: 3 } }
    task_towers { label_name: "hours" losses { l2_loss {} } })";
  if (const size_t at = text.find("TOWERS"); at != std::string::npos) text.replace(at, 6, towers);
  auto loaded = config::LoadPipelineFromText("test.config", text);
  MG_CHECK(loaded.ok(), "{}", loaded.status().message());
  config::ResolveDefaults(&loaded->pipeline);
  return loaded->pipeline;
}

}  // namespace manygate

#endif  // MANYGATE_CATALOG_CATALOG_TESTING_H_
