// SPDX-License-Identifier: Apache-2.0
// The problems of a file, one a line, up to a number that a person still reads.
//
//   ProblemList problems(path);
//   problems.Add("a.txt:17:3", "expected a number");
//   if (problems.full()) return problems.Result(OkStatus());
#ifndef MANYGATE_DATA_PROBLEM_LIST_H_
#define MANYGATE_DATA_PROBLEM_LIST_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "manygate/base/status.h"

namespace manygate {

class ProblemList {
 public:
  explicit ProblemList(std::string path) : path_(std::move(path)) {}

  // What comes when the list is full is dropped.
  void Add(std::string_view place, std::string_view text);
  bool empty() const { return count_ == 0; }
  bool full() const;  // kMaxProblems (csv_block.h)

  // InvalidInput with all of them and, behind them, what reading itself ended with; Ok: neither.
  Status Result(const Status& read_status) const;

 private:
  const std::string path_;
  size_t count_ = 0;
  std::string text_;
};

// Runs `read` on every file; the problems of all are joined (at most of 10 files). Another status than InvalidInput ends it.
Status ForEachPath(std::span<const std::string> files, const std::function<Status(const std::string&)>& read);

}  // namespace manygate

#endif  // MANYGATE_DATA_PROBLEM_LIST_H_
