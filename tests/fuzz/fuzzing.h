// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of readers share: a file in memory that has a path, and the cells that a reader makes of it.
//
//   const MemoryFile file(bytes);
//   const Cells whole = ReadCells(*MakeTfRecordReader({{file.path()}}, options), requests, pool);
#ifndef MANYGATE_TESTS_FUZZ_FUZZING_H_
#define MANYGATE_TESTS_FUZZ_FUZZING_H_

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/data/reader.h"

namespace manygate {

// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    MG_CHECK(descriptor_ >= 0, "memfd_create {}", descriptor_);
    const ssize_t written = write(descriptor_, content.data(), content.size());
    MG_CHECK(written == static_cast<ssize_t>(content.size()), "{} of {} bytes", written, content.size());
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

 private:
  const int descriptor_;
};

// At most 64 of the columns; bit i of `numbers` makes column i, i + 8, ... a number.
inline std::vector<ColumnRequest> RequestsOf(const std::vector<std::string>& names, uint8_t numbers) {
  std::vector<ColumnRequest> requests;
  for (size_t i = 0; i < std::min<size_t>(names.size(), 64); ++i)
    requests.push_back({names[i], (numbers >> (i % 8) & 1) != 0 ? ColumnKind::kNumber : ColumnKind::kCategory});
  return requests;
}

struct Cells {
  std::string problem;
  std::vector<std::string> texts;  // row by row

  void Append(const RowBlock& block, const std::vector<ColumnRequest>& requests) {
    for (int64_t row = 0; row < block.rows; ++row) {
      for (size_t i = 0; i < requests.size(); ++i) {
        const RowBlock::Column& column = block.columns[i];
        const size_t at = static_cast<size_t>(row);
        texts.push_back(requests[i].kind == ColumnKind::kNumber
                            ? fmt::format("{}", column.numbers[at])
                            : std::string(column.dictionary.text(column.codes[at])));
      }
    }
  }
};

inline Cells ReadCells(Reader& reader, const std::vector<ColumnRequest>& requests, ThreadPool& pool) {
  Cells cells;
  cells.problem = reader.ReadRows(requests, pool, [&](RowBlock& block) { cells.Append(block, requests); }).message();
  return cells;
}

// Read in one block, in small ones, and in small ones by several threads. The blocks may change which problems are told: a
// value that is not UTF-8 is told of once per block.
inline void CheckSameCells(const Cells& whole, const Cells& cut, const Cells& cut_by_threads) {
  MG_CHECK(whole.problem.empty() == cut.problem.empty(), "in one block: {}\nin small blocks: {}", whole.problem,
           cut.problem);
  MG_CHECK(cut.problem == cut_by_threads.problem, "by one thread: {}\nby several: {}", cut.problem,
           cut_by_threads.problem);
  if (!whole.problem.empty()) return;
  MG_CHECK(whole.texts == cut.texts, "{} cells in one block, {} in small blocks", whole.texts.size(), cut.texts.size());
  MG_CHECK(cut.texts == cut_by_threads.texts, "{} and {} cells by several threads", cut.texts.size(),
           cut_by_threads.texts.size());
}

// Every message names the file that it is about.
inline void CheckNamesFile(const std::string& message, const std::string& path) {
  MG_CHECK(message.find(path) != std::string::npos, "names no file: {}", message);
}

}  // namespace manygate

#endif  // MANYGATE_TESTS_FUZZ_FUZZING_H_
