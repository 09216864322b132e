// SPDX-License-Identifier: Apache-2.0
// Throughput of reading text. The argument is the number of threads.
//
//   MANYGATE_DATA=../shared/data build/release/manygate/data_csv_bench      # adds the real file
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/data/reader.h"
#include "manygate/data/source.h"
#include "manygate/data/text_source.h"

namespace manygate {
namespace {

std::string Folder() {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "manygate_csv_bench";
  std::filesystem::create_directories(folder);
  return folder.string();
}

void WriteText(const std::string& path, const std::string& text) {
  FILE* file = fopen(path.c_str(), "wb");
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
}

void ReadAll(benchmark::State& state, const std::string& path, const SourceOptions& options,
             const std::vector<ColumnRequest>& requests, int64_t text_bytes) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    StatusOr<Table> table = ReadFiles({&path, 1}, options, requests, pool);
    if (!table.ok()) return state.SkipWithError(table.status().message().c_str());
    benchmark::DoNotOptimize(table->rows);
    state.counters["rows"] = static_cast<double>(table->rows);
  }
  state.SetBytesProcessed(state.iterations() * text_bytes);
}

// Every column of Census-Income; numbers as the data set's description has them.
std::vector<ColumnRequest> CensusRequests() {
  std::vector<ColumnRequest> requests;
  for (int i = 0; i < 42; ++i) {
    const bool number = i == 0 || i == 5 || (i >= 16 && i <= 18) || i == 24 || i == 30 || i == 39;
    requests.push_back({fmt::format("column_{}", i), number ? ColumnKind::kNumber : ColumnKind::kCategory});
  }
  return requests;
}

void Census(benchmark::State& state, bool compressed) {
  const char* data = std::getenv("MANYGATE_DATA");
  if (data == nullptr) return state.SkipWithError("MANYGATE_DATA is not set");
  const std::string packed = fmt::format("{}/census-income/census-income.data.noweight.gz", data);
  StatusOr<std::unique_ptr<TextSource>> source = TextSource::Open(packed);
  if (!source.ok()) return state.SkipWithError(source.status().message().c_str());
  std::string text(110 << 20, '\0');
  text.resize((*source)->Read(text.data(), text.size()).value());
  const std::string plain = Folder() + "/census.csv";
  WriteText(plain, text);
  SourceOptions options;
  options.missing_values = {"?"};
  ReadAll(state, compressed ? packed : plain, options, CensusRequests(), static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(Census, plain, false)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(Census, gzip, true)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// From the text to a column cache on disk: state and checksum of the source, parsing, checksum and writing of the columns.
void CensusToCache(benchmark::State& state) {
  SourceOptions options;
  options.missing_values = {"?"};
  const std::string plain = Folder() + "/census.csv";  // of the benchmark above
  const std::string cache = Folder() + "/cache";
  ThreadPool pool(static_cast<int>(state.range(0)));
  const std::vector<ColumnRequest> requests = CensusRequests();
  for (auto _ : state) {
    std::vector<std::string> notes;
    if (!RemoveTree(cache).ok()) state.SkipWithError("cannot remove the cache");
    StatusOr<Table> table = ReadTableFiles({&plain, 1}, options, requests, pool, cache, &notes);
    if (!table.ok() || !notes.empty()) return state.SkipWithError("no cache");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(FileSize(plain).value()));
}
BENCHMARK(CensusToCache)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime();

// Ids that hardly repeat, decimal numbers, and quoted texts: the expensive kinds of values.
void Synthetic(benchmark::State& state, bool quoted) {
  std::string text = "id,price,label\n";
  for (int i = 0; i < 500000; ++i) {
    const int id = static_cast<int>(i * 2654435761u % 400000);
    text += quoted ? fmt::format("\"user, {}\",{}.{:02},{}\n", id, i % 977, i % 100, i % 2)
                   : fmt::format("user_{},{}.{:02},{}\n", id, i % 977, i % 100, i % 2);
  }
  const std::string path = Folder() + (quoted ? "/quoted.csv" : "/ids.csv");
  WriteText(path, text);
  SourceOptions options;
  options.with_header = true;
  ReadAll(state, path, options,
          {{"id", ColumnKind::kCategory}, {"price", ColumnKind::kNumber}, {"label", ColumnKind::kNumber}},
          static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(Synthetic, ids, false)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(Synthetic, quoted, true)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace manygate

BENCHMARK_MAIN();
