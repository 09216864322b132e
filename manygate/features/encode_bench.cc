// SPDX-License-Identifier: Apache-2.0
// Fitting, encoding and copying shuffled rows of a table shaped like Census-Income: 199,523 rows, 29 categories of 2 to
// 50 values, 10 numbers of which most rows are 0, two labels.
//
//   build/release/manygate/features_encode_bench
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/random.h"
#include "manygate/features/encode.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

constexpr int64_t kRows = 199523;
constexpr int kCategories = 29;
constexpr int kNumbers = 10;

struct Census {
  Census() {
    TestTable rows(kRows);
    std::string text, labels;
    for (int c = 0; c < kCategories + 2; ++c) {
      const bool is_label = c >= kCategories;
      const std::string name = (is_label ? "label" : "category") + std::to_string(c);
      const uint32_t values = is_label ? 2 : 2 + c * 48 / (kCategories - 1);
      std::vector<std::string> texts;
      const Philox random(1, static_cast<uint64_t>(c));
      for (int64_t row = 0; row < kRows; ++row)
        texts.push_back(std::to_string(random.Block(static_cast<uint64_t>(row))[0] % values));
      rows.Category(name, texts);
      if (is_label) {
        labels += "label_fields: \"" + name + "\" ";
      } else {
        text += "feature_configs { id_feature { feature_name: \"" + name + "\" one_hot: true } }\n";
      }
    }
    for (int c = 0; c < kNumbers; ++c) {
      const std::string name = "number" + std::to_string(c);
      std::vector<float> numbers;
      const Philox random(2, static_cast<uint64_t>(c));
      for (int64_t row = 0; row < kRows; ++row) {
        const auto bits = random.Block(static_cast<uint64_t>(row));
        numbers.push_back(bits[0] % 16 == 0 ? static_cast<float>(bits[1] % 100000) : 0.0f);
      }
      rows.Number(name, std::move(numbers));
      text += "feature_configs { raw_feature { feature_name: \"" + name +
              "\" transform { log1p: true standardise: true } } }\n";
    }
    table = rows.Build();
    auto result = config::LoadPipelineFromText("bench.config", text + "data_config { " + labels + "}");
    MG_CHECK(result.ok(), "{}", result.status().message());
    loaded = *std::move(result);
    training_rows = FirstRows(kRows);
    auto fitted = FitFeatures(loaded, table, training_rows);
    MG_CHECK(fitted.ok(), "{}", fitted.status().message());
    schema = *std::move(fitted);
  }
  config::LoadedPipeline loaded;
  Table table;
  std::vector<uint32_t> training_rows;
  Schema schema;
};

const Census& TheCensus() {
  static const Census census;
  return census;
}

void Fit(benchmark::State& state) {
  const Census& census = TheCensus();
  for (auto _ : state) {
    const auto schema = FitFeatures(census.loaded, census.table, census.training_rows);
    benchmark::DoNotOptimize(schema.ok());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Fit)->Unit(benchmark::kMillisecond);

void EncodeAll(benchmark::State& state) {
  const Census& census = TheCensus();
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    const auto encoded = Encode(census.schema, census.table, true, pool);
    benchmark::DoNotOptimize(encoded.ok());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(EncodeAll)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// The argument is the batch. Items per second are rows.
void CopyShuffledRows(benchmark::State& state) {
  const Census& census = TheCensus();
  ThreadPool pool(2);
  const auto encoded = Encode(census.schema, census.table, true, pool);
  const std::vector<uint32_t> order = RandomPermutation(kRows, 1, 1);
  const int batch = static_cast<int>(state.range(0));
  std::vector<int32_t> ids(static_cast<size_t>(batch) * kCategories);
  std::vector<float> numbers(static_cast<size_t>(batch) * kNumbers), labels(static_cast<size_t>(batch) * 2),
      weights(batch);
  size_t start = 0;
  for (auto _ : state) {
    if (start + batch > order.size()) start = 0;
    encoded->CopyRows(order.data() + start, batch, ids.data(), numbers.data(), labels.data(), weights.data());
    benchmark::DoNotOptimize(ids.data());
    benchmark::ClobberMemory();
    start += batch;
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(CopyShuffledRows)->Arg(32)->Arg(512)->Arg(4096);

}  // namespace
}  // namespace manygate::features

BENCHMARK_MAIN();
