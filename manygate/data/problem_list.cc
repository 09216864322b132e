// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/problem_list.h"

#include <fmt/format.h>

#include "manygate/data/csv_block.h"

namespace manygate {

bool ProblemList::full() const { return count_ >= kMaxProblems; }

void ProblemList::Add(std::string_view place, std::string_view text) {
  if (full()) return;
  text_ += fmt::format("{}{}: {}", empty() ? "" : "\n", place, text);
  if (++count_ == kMaxProblems) text_ += fmt::format("\n{}: {} problems, stopped looking", path_, kMaxProblems);
}

Status ProblemList::Result(const Status& read_status) const {
  if (empty()) return read_status;
  return InvalidInput(read_status.ok() || full() ? text_ : text_ + "\n" + read_status.message());
}

Status ForEachPath(std::span<const std::string> files, const std::function<Status(const std::string&)>& read) {
  std::string problems;
  size_t bad_files = 0;
  for (const std::string& path : files) {
    const Status status = read(path);
    if (status.ok()) continue;
    if (status.code() != StatusCode::kInvalidInput) return status;
    problems += (problems.empty() ? "" : "\n") + status.message();
    if (++bad_files == kMaxProblems) break;
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace manygate
