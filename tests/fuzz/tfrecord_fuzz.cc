// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as a TFRecord file. Beside the sanitizers' silence: the result depends neither on where the
// records are cut into blocks nor on the threads, and every error names the file.
//
//   build/fuzz/tests/tfrecord_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/tfrecord tests/fuzz/corpus/tfrecord
//
// The first byte of an input says how the rest is understood: bit 0, as a whole file, which may be compressed; else as the
// contents of records, each behind a byte with its size, with right checksums: what a fuzzer cannot make up. Bit 1: with
// missing values. The second byte says which columns are numbers.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/data/test_records.h"
#include "manygate/data/tfrecord.h"
#include "tests/fuzz/fuzzing.h"

namespace manygate {
namespace {

constexpr size_t kSmallBlockBytes = 64;

std::string RecordsOf(std::string_view input) {
  std::string file;
  while (!input.empty()) {
    const std::string_view content = input.substr(1, static_cast<uint8_t>(input[0]));
    file += Record(content);
    input.remove_prefix(1 + content.size());
  }
  return file;
}

void CompareReadings(const std::string& path, const SourceOptions& options, uint8_t numbers) {
  static ThreadPool one(1), two(2);
  const std::unique_ptr<Reader> whole = MakeTfRecordReader({&path, 1}, options);
  const std::unique_ptr<Reader> cut = MakeTfRecordReader({&path, 1}, options, kSmallBlockBytes);
  const StatusOr<Columns> columns = whole->ReadColumns(true), cut_columns = cut->ReadColumns(true);
  MG_CHECK(columns.ok() == cut_columns.ok(), "{}\n{}", columns.status().message(), cut_columns.status().message());
  if (!columns.ok()) CheckNamesFile(columns.status().message(), path);
  std::vector<std::string> names = {"a", "b"};
  if (columns.ok()) {
    MG_CHECK(columns->names == cut_columns->names, "{} and {} names", columns->names.size(), cut_columns->names.size());
    names = columns->names;
  }
  const std::vector<ColumnRequest> requests = RequestsOf(names, numbers);
  const Cells expected = ReadCells(*whole, requests, one);
  CheckSameCells(expected, ReadCells(*cut, requests, one), ReadCells(*cut, requests, two));
  if (!expected.problem.empty()) CheckNamesFile(expected.problem, path);
}

}  // namespace
}  // namespace manygate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  manygate::SourceOptions options;
  options.dataset_type = manygate::config::TFRecordDataset;
  if ((data[0] & 2) != 0) options.missing_values = {"?", "-1"};
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const manygate::MemoryFile file((data[0] & 1) != 0 ? rest : manygate::RecordsOf(rest));
  manygate::CompareReadings(file.path(), options, data[1]);
  return 0;
}
