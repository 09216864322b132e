// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/features/schema.h"

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kFeatures[] = R"(
data_config { with_header: true }
feature_configs { id_feature { feature_name: "city" one_hot: true num_buckets: 3 } }
feature_configs { id_feature { feature_name: "hour" one_hot: true num_buckets: 24 } }
feature_configs { id_feature { feature_name: "user" embedding_dim: 8 num_buckets: 1000 } }
feature_configs { raw_feature { feature_name: "age" } }
feature_configs { raw_feature { feature_name: "price" transform { missing_indicator: true } } }
)";

constexpr char kSchema[] = R"(
features { name: "city" column: "city" kind: BUCKETS encoding: ONE_HOT id_slot: 0 vocabulary_size: 5 num_buckets: 3 }
features { name: "hour" column: "hour" kind: BUCKETS encoding: ONE_HOT id_slot: 1 vocabulary_size: 26 num_buckets: 24 }
features {
  name: "user" column: "user" kind: BUCKETS encoding: EMBEDDING id_slot: 2 vocabulary_size: 1002 num_buckets: 1000
  embedding_dim: 8
}
features { name: "age" column: "age" kind: NUMBER encoding: NUMBERS number_offset: 0 width: 1 fill: 30 }
features {
  name: "price" column: "price" kind: NUMBER encoding: NUMBERS number_offset: 1 width: 2 fill: 1 missing_indicator: true
}
labels { name: "click" column: "click" kind: BINARY rows: 20000 positives: 500 mean: 0.025 deviation: 0.156 }
labels { name: "spend" column: "spend" kind: NUMBER rows: 500 mean: 12.5 deviation: 4 }
training_rows: 20000
num_id_slots: 3
number_width: 3
)";

std::string Draw(const std::string& model) {
  auto loaded = config::LoadPipelineFromText("test.config", kFeatures + ("model_config { " + model + " }"));
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_TRUE(config::ValidatePipeline(*loaded).ok()) << config::ValidatePipeline(*loaded).message();
  config::ResolveDefaults(&loaded->pipeline);
  const auto schema = features::SchemaFromText(kSchema, "schema.pbtxt");
  EXPECT_TRUE(schema.ok()) << schema.status().message();
  return DrawModel(*MakePredictionModel(loaded->pipeline, *schema));
}

constexpr char kTwoTowers[] = R"(
    task_towers { label_name: "click" mlp { hidden_units: 16 } }
    task_towers { label_name: "spend" losses { l2_loss {} } }
)";

void ExpectFits(const std::string& drawing, size_t max_lines) {
  std::vector<std::string> lines = Split(drawing, '\n');
  EXPECT_EQ(lines.back(), "");
  lines.pop_back();
  EXPECT_LE(lines.size(), max_lines) << drawing;
  for (const std::string& line : lines) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(columns, 78) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

// Parameters: user 1002*8; experts (31+8+3)*4*16 + 4*16; gates 2 (42*4 + 4); click 16*16+16 + 16+1; spend 16+1.
TEST(DrawModelTest, Mmoe) {
  const std::string drawing =
      Draw(std::string("mmoe { num_expert: 4 expert_mlp { hidden_units: [16] }") + kTwoTowers + "}");
  EXPECT_EQ(drawing, R"(mmoe: 2 tasks, 11,418 parameters, 14 operations

 ┌─────────────────────────────────┐
 │ 2 one-hot columns            31 │
 │ 1 embedding of 1,002 values   8 │
 │ 2 numbers                     3 │
 └─┬───────────────────────────────┘
   │ 42
   │  ┌─────────────────────┐
   ├──┤ 4 experts → 16 ReLU ├──┐
   │  └─────────────────────┘  │
   │  ┌─────────────────────┐  │  ┌─────────────────────┐
   ├──┤ gate → 4 softmax    ├──Σ──┤ tower → 16 ReLU → 1 ├─▶ probs_click
   │  └─────────────────────┘  │  └─────────────────────┘
   │  ┌─────────────────────┐  │  ┌─────────────────────┐
   └──┤ gate → 4 softmax    ├──Σ──┤ tower → 1           ├─▶ y_spend
      └─────────────────────┘     └─────────────────────┘

 click: binary_cross_entropy, 2.5 % of 20,000 rows positive
 spend: l2_loss, 500 rows, mean 12.5, deviation 4
 first product, 72 wide:
   sum of weight rows: 2 one-hot columns + 1 tabulated embedding + dense rest
)");
  ExpectFits(drawing, 24);
}

TEST(DrawModelTest, Omoe) {
  const std::string drawing = Draw(
      std::string("omoe { num_expert: 4 expert_mlp { hidden_units: [64, 16] } gate_mlp { hidden_units: 5 activation: "
                  "\"nn.Tanh\" }") +
      kTwoTowers + "}");
  EXPECT_THAT(drawing, HasSubstr(R"(
   ├──┤ 4 experts → 64 → 16 ReLU  ├──┐
   │  └───────────────────────────┘  │
   │  ┌───────────────────────────┐  │   ┌─────────────────────┐
   └──┤ gate → 5 Tanh → 4 softmax ├──Σ─┬─┤ tower → 16 ReLU → 1 ├─▶ probs_click
      └───────────────────────────┘    │ └─────────────────────┘
                                       │ ┌─────────────────────┐
                                       └─┤ tower → 1           ├─▶ y_spend
                                         └─────────────────────┘
)"));
  ExpectFits(drawing, 24);
}

TEST(DrawModelTest, SharedBottom) {
  const std::string drawing =
      Draw(std::string("shared_bottom { bottom_mlp { hidden_units: 32 use_bn: true }") + kTwoTowers + "}");
  EXPECT_THAT(drawing, HasSubstr(R"(
   │  ┌─────────────────────┐   ┌─────────────────────┐
   └──┤ bottom → 32 ReLU bn ├─┬─┤ tower → 16 ReLU → 1 ├─▶ probs_click
      └─────────────────────┘ │ └─────────────────────┘
                              │ ┌─────────────────────┐
                              └─┤ tower → 1           ├─▶ y_spend
                                └─────────────────────┘
)"));
  ExpectFits(drawing, 24);
}

TEST(DrawModelTest, SimpleMultiTask) {
  const std::string drawing = Draw(std::string("simple_multi_task {") + kTwoTowers + "}");
  EXPECT_THAT(drawing, HasSubstr(R"(
   │ 42
   │  ┌─────────────────────┐
   ├──┤ tower → 16 ReLU → 1 ├─▶ probs_click
   │  └─────────────────────┘
   │  ┌─────────────────────┐
   └──┤ tower → 1           ├─▶ y_spend
      └─────────────────────┘
)"));
  ExpectFits(drawing, 24);
}

TEST(DrawModelTest, OneTowerHasNoFork) {
  const std::string drawing =
      Draw("shared_bottom { bottom_mlp { hidden_units: 32 } task_towers { label_name: \"click\" } }");
  EXPECT_THAT(drawing, HasSubstr("└──┤ bottom → 32 ReLU ├───┤ tower → 1 ├─▶ probs_click\n"));
  EXPECT_THAT(drawing, HasSubstr("shared_bottom: 1 task, "));
}

TEST(DrawModelTest, ManyTowersWithoutBoxes) {
  std::string towers;
  for (int i = 0; i < 11; ++i)
    towers += "task_towers { tower_name: \"t" + std::to_string(i) + "\" label_name: \"click\" }";
  const std::string drawing = Draw("mmoe { expert_mlp { hidden_units: 16 } " + towers + "}");
  EXPECT_THAT(drawing, HasSubstr("   ├──┤ gate → 3 softmax    ├──Σ──┤ tower → 1 ├─▶ probs_t6\n"));
  EXPECT_THAT(drawing, HasSubstr("... and 3 more towers\n"));
  EXPECT_THAT(drawing, Not(HasSubstr("probs_t8")));
  ExpectFits(drawing, 36);
}

TEST(DrawModelTest, LongNamesAndDeepNetworksAreCut) {
  const std::string name(70, 'x');
  const std::string drawing =
      Draw("mmoe { num_expert: 4 expert_mlp { hidden_units: [512, 256, 128, 64, 32] } task_towers { tower_name: \"" +
           name + "é\" label_name: \"click\" mlp { hidden_units: [64, 32, 16, 8, 4] } } }");
  EXPECT_THAT(drawing, HasSubstr("…"));
  ExpectFits(drawing, 24);
}

}  // namespace
}  // namespace manygate
