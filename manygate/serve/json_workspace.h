// SPDX-License-Identifier: Apache-2.0
// Memory in which bodies of requests are read as JSON; kept from request to request. One per thread.
//
//   JsonWorkspace workspace;
//   Outcome outcome = ParseInferRequest(body, ..., &workspace, &job, &reply);
//   outcome = job.Encode();       // the job's texts lie in the workspace until its next request
#ifndef MANYGATE_SERVE_JSON_WORKSPACE_H_
#define MANYGATE_SERVE_JSON_WORKSPACE_H_

#include <cstddef>
#include <memory>

namespace manygate::serve {

class JsonWorkspace {
 public:
  // So many bytes behind a body must be readable; what they hold does not matter.
  static constexpr size_t kPadding = 64;

  JsonWorkspace();
  ~JsonWorkspace();
  JsonWorkspace(const JsonWorkspace&) = delete;
  JsonWorkspace& operator=(const JsonWorkspace&) = delete;

  // Gives back what a body of many megabytes made it take.
  void Shrink();

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_WORKSPACE_H_
