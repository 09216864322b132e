// SPDX-License-Identifier: Apache-2.0
// Rules of id features that hold several values in a cell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/config/load.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

std::string ErrorOf(const std::string& feature, const std::string& data = "") {
  const StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", R"(train_input_path: "train.csv"
train_config { num_epochs: 3 }
data_config { label_fields: "click" with_header: true )" + data + R"( }
feature_configs { id_feature { feature_name: "tags" )" + feature + R"( } }
model_config { omoe { expert_mlp { hidden_units: 8 } num_expert: 2 task_towers { label_name: "click" } } }
)");
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? ValidatePipeline(*loaded).message() : "";
}

struct ValueListCase {
  const char* feature;
  const char* data;
  const char* message;  // behind the place; "": no problem
};

std::ostream& operator<<(std::ostream& out, const ValueListCase& one) { return out << one.feature << " " << one.data; }

class ValueListErrorTest : public ::testing::TestWithParam<ValueListCase> {};

TEST_P(ValueListErrorTest, SaysWhereWhatAndHow) {
  const ValueListCase& one = GetParam();
  const std::string error = ErrorOf(one.feature, one.data);
  if (std::string_view(one.message).empty()) {
    EXPECT_EQ(error, "");
  } else {
    EXPECT_THAT(error, StartsWith("p.config:4:"));
    EXPECT_THAT(error, EndsWith(std::string(": feature_configs[0].id_feature.") + one.message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Features, ValueListErrorTest,
    ::testing::Values(
        ValueListCase{"separator: \"|\" pooling: \"mean\" max_values: 20 embedding_dim: 8", "", ""},
        ValueListCase{"separator: \"|\" one_hot: true", "", ""},
        ValueListCase{"separator: \"\" embedding_dim: 8", "", ""},
        ValueListCase{"separator: \"||\" embedding_dim: 8", "",
                      "separator is \"||\", expected one character such as \"|\", or \"\" for one value in a cell"},
        ValueListCase{"separator: \"\\n\" embedding_dim: 8", "",
                      "separator is a line end, expected one character such as \"|\", or \"\" for one value in a cell"},
        ValueListCase{
            "separator: \";\" embedding_dim: 8", "delimiter: \";\" quote: \"\"",
            "separator \";\" also separates the columns (data_config.delimiter), and there are no quotes: they "
            "must differ"},
        ValueListCase{"separator: \"\\t\" embedding_dim: 8", "delimiter: \"\\t\" quote: \"\"",
                      "separator \"\\t\" also separates the columns (data_config.delimiter), and there are no quotes: "
                      "they must differ"},
        // "comedy,drama" between quotes is one cell.
        ValueListCase{"separator: \",\" embedding_dim: 8", "", ""},
        ValueListCase{"separator: \",\" embedding_dim: 8", "dataset_type: ParquetDataset quote: \"\"", ""},
        ValueListCase{"pooling: \"max\" embedding_dim: 8", "", "pooling is \"max\", expected \"sum\" or \"mean\""},
        ValueListCase{"pooling: \"mean\" one_hot: true", "",
                      "pooling \"mean\" needs an embedding: the inputs of one_hot count the values of a row. Write "
                      "embedding_dim: 16 or remove pooling"},
        ValueListCase{"max_values: 70000 embedding_dim: 8", "", "max_values is 70000, expected 0 to 65536"},
        ValueListCase{"max_values: 3 separator: \"\" embedding_dim: 8", "",
                      "max_values has no meaning: without a separator a cell is one value"},
        ValueListCase{"vocab_list: [\"a\", \"b|c\"] separator: \"|\" embedding_dim: 8", "",
                      "vocab_list[1] \"b|c\" holds the separator \"|\", so no value can be it"},
        ValueListCase{"default_value: \"b|c\" separator: \"|\" embedding_dim: 8", "",
                      "default_value \"b|c\" holds the separator \"|\": a missing value stands for one value"}));

}  // namespace
}  // namespace manygate::config
