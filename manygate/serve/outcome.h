// SPDX-License-Identifier: Apache-2.0
// How a request ended, in the terms that HTTP and gRPC share.
//
//   if (rows == 0) return Refused(OutcomeCode::kInvalid, "the request has no rows");
#ifndef MANYGATE_SERVE_OUTCOME_H_
#define MANYGATE_SERVE_OUTCOME_H_

#include <string>
#include <utility>

namespace manygate::serve {

enum class OutcomeCode {
  kOk,                // 200  OK
  kInvalid,           // 400  INVALID_ARGUMENT
  kUnauthenticated,   // 401  UNAUTHENTICATED
  kForbidden,         // 403  PERMISSION_DENIED: an admin call where they are off
  kNotFound,          // 404  NOT_FOUND
  kWrongMethod,       // 405  (HTTP only)
  kTooLarge,          // 413  RESOURCE_EXHAUSTED
  kOverloaded,        // 429  RESOURCE_EXHAUSTED: the queue is full
  kInternal,          // 500  INTERNAL
  kUnavailable,       // 503  UNAVAILABLE: draining, or no version is loaded
  kDeadlineExceeded,  // 504  DEADLINE_EXCEEDED
};

struct [[nodiscard]] Outcome {
  OutcomeCode code = OutcomeCode::kOk;
  std::string message = {};
  bool ok() const { return code == OutcomeCode::kOk; }
};

inline Outcome Done() { return {}; }
inline Outcome Refused(OutcomeCode code, std::string message) { return {code, std::move(message)}; }

int HttpStatus(OutcomeCode code);
// Value of grpc::StatusCode.
int GrpcStatus(OutcomeCode code);

}  // namespace manygate::serve

#define MG_RETURN_IF_REFUSED(expression)                   \
  do {                                                     \
    ::manygate::serve::Outcome mg_outcome_ = (expression); \
    if (!mg_outcome_.ok()) return mg_outcome_;             \
  } while (false)

#endif  // MANYGATE_SERVE_OUTCOME_H_
