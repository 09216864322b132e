// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/outcome.h"

namespace manygate::serve {

int HttpStatus(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kOk: return 200;
    case OutcomeCode::kInvalid: return 400;
    case OutcomeCode::kUnauthenticated: return 401;
    case OutcomeCode::kForbidden: return 403;
    case OutcomeCode::kNotFound: return 404;
    case OutcomeCode::kWrongMethod: return 405;
    case OutcomeCode::kTooLarge: return 413;
    case OutcomeCode::kOverloaded: return 429;
    case OutcomeCode::kUnavailable: return 503;
    case OutcomeCode::kDeadlineExceeded: return 504;
    case OutcomeCode::kInternal: break;
  }
  return 500;
}

int GrpcStatus(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kOk: return 0;
    case OutcomeCode::kInvalid: return 3;
    case OutcomeCode::kDeadlineExceeded: return 4;
    case OutcomeCode::kNotFound: return 5;
    case OutcomeCode::kForbidden: return 7;
    case OutcomeCode::kTooLarge:
    case OutcomeCode::kOverloaded: return 8;
    case OutcomeCode::kWrongMethod: return 12;
    case OutcomeCode::kUnavailable: return 14;
    case OutcomeCode::kUnauthenticated: return 16;
    case OutcomeCode::kInternal: break;
  }
  return 13;
}

}  // namespace manygate::serve
