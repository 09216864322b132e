// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as lists of fields. Beside the sanitizers' silence: the result depends neither on where the
// text is cut into blocks nor on the threads, and every error names the file.
//
//   build/fuzz/tests/field_list_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/field_list tests/fuzz/corpus/field_list
//
// The first byte of an input chooses the options (see OptionsOf), the second which columns are numbers; the rest is the
// file, which may be compressed.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/data/field_list.h"
#include "manygate/data/field_list_guess.h"
#include "tests/fuzz/fuzzing.h"

namespace manygate {
namespace {

constexpr size_t kSmallBlockBytes = 64;

SourceOptions OptionsOf(uint8_t choice) {
  SourceOptions options;
  options.dataset_type = config::FieldListDataset;
  options.delimiter = ",\t |"[choice & 3];
  options.trim_blanks = (choice & 4) == 0;
  if ((choice & 8) != 0) options.names = {"id", "click"};
  if ((choice & 16) != 0) options.comment = "#";
  if ((choice & 32) != 0) options.missing_values = {"?", "-1"};
  options.skip_lines = choice >> 7;
  return options;
}

// In small blocks; the head of a file is judged by its first block, so that they may refuse it where one block does not.
bool Opens(const std::string& path, const SourceOptions& options) {
  return MakeFieldListReader({&path, 1}, options, kSmallBlockBytes)->ReadColumns(false).ok();
}

void CompareReadings(const std::string& path, const SourceOptions& options, uint8_t numbers) {
  static ThreadPool one(1), two(2);
  const std::unique_ptr<Reader> whole = MakeFieldListReader({&path, 1}, options);
  const StatusOr<Columns> columns = whole->ReadColumns(true);
  if (!columns.ok()) return CheckNamesFile(columns.status().message(), path);
  const std::vector<ColumnRequest> requests = RequestsOf(columns->names, numbers);
  const Cells expected = ReadCells(*whole, requests, one);
  if (!expected.problem.empty()) CheckNamesFile(expected.problem, path);
  if (!Opens(path, options)) return;
  const std::unique_ptr<Reader> cut = MakeFieldListReader({&path, 1}, options, kSmallBlockBytes);
  const StatusOr<Columns> cut_columns = cut->ReadColumns(true);
  MG_CHECK(cut_columns.ok() && columns->names == cut_columns->names, "{} names in one block; in small blocks {}",
           columns->names.size(), cut_columns.status().message());
  CheckSameCells(expected, ReadCells(*cut, requests, one), ReadCells(*cut, requests, two));
}

}  // namespace
}  // namespace manygate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  manygate::GuessFieldList(text);
  const manygate::MemoryFile file(text);
  manygate::CompareReadings(file.path(), manygate::OptionsOf(data[0]), data[1]);
  return 0;
}
