// SPDX-License-Identifier: Apache-2.0
// Tables and schemas written out in tests.
//
//   Table table = TestTable(4).Category("job", {"a", "b", "", "a"}).Number("age", {1, 2, kNan, 4}).Build();
//   StatusOr<Schema> schema = FitText(R"(feature_configs { id_feature { feature_name: "job" one_hot: true } })", table);
#ifndef MANYGATE_FEATURES_TEST_TABLE_H_
#define MANYGATE_FEATURES_TEST_TABLE_H_

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/config/load.h"
#include "manygate/data/table.h"
#include "manygate/features/fit.h"

namespace manygate::features {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class TestTable {
 public:
  explicit TestTable(int64_t rows) {
    table_.rows = rows;
    table_.source = "rows.csv";
  }

  // "" = missing. code_bytes: how wide the codes are stored.
  TestTable& Category(const std::string& name, const std::vector<std::string>& texts, int code_bytes = 1) {
    MG_CHECK(static_cast<int64_t>(texts.size()) == table_.rows, "{} texts", texts.size());
    Column& column = table_.columns.emplace_back();
    column.name = name;
    column.code_bytes = code_bytes;
    column.dictionary = {""};
    auto codes = std::make_shared<std::vector<uint8_t>>(texts.size() * code_bytes);
    std::unordered_map<std::string, uint32_t> known = {{"", 0}};
    for (size_t row = 0; row < texts.size(); ++row) {
      const auto [found, added] = known.try_emplace(texts[row], static_cast<uint32_t>(column.dictionary.size()));
      if (added) column.dictionary.push_back(texts[row]);
      std::memcpy(codes->data() + row * code_bytes, &found->second, code_bytes);  // little endian
    }
    column.codes = codes->data();
    table_.storage.push_back(std::move(codes));
    return *this;
  }

  TestTable& Number(const std::string& name, std::vector<float> numbers) {
    MG_CHECK(static_cast<int64_t>(numbers.size()) == table_.rows, "{} numbers", numbers.size());
    Column& column = table_.columns.emplace_back();
    column.name = name;
    column.kind = ColumnKind::kNumber;
    auto values = std::make_shared<std::vector<float>>(std::move(numbers));
    column.numbers = values->data();
    table_.storage.push_back(std::move(values));
    return *this;
  }

  Table Build() { return table_; }

 private:
  Table table_;
};

inline std::vector<uint32_t> FirstRows(int64_t n) {
  std::vector<uint32_t> rows(static_cast<size_t>(n));
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

// Fits a configuration, given as text named "test.config", on the first training_rows rows; -1 = all.
inline StatusOr<Schema> FitText(const std::string& text, const Table& table, int64_t training_rows = -1,
                                std::vector<std::string>* notes = nullptr) {
  MG_ASSIGN_OR_RETURN(const config::LoadedPipeline loaded, config::LoadPipelineFromText("test.config", text));
  return FitFeatures(loaded, table, FirstRows(training_rows < 0 ? table.rows : training_rows), notes);
}

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_TEST_TABLE_H_
