// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/outcome.h"

#include <grpcpp/support/status_code_enum.h>
#include <gtest/gtest.h>

namespace manygate::serve {
namespace {

TEST(Outcome, CodesOfBothProtocols) {
  const struct {
    OutcomeCode code;
    int http;
    grpc::StatusCode grpc;
  } rows[] = {{OutcomeCode::kOk, 200, grpc::StatusCode::OK},
              {OutcomeCode::kInvalid, 400, grpc::StatusCode::INVALID_ARGUMENT},
              {OutcomeCode::kUnauthenticated, 401, grpc::StatusCode::UNAUTHENTICATED},
              {OutcomeCode::kForbidden, 403, grpc::StatusCode::PERMISSION_DENIED},
              {OutcomeCode::kNotFound, 404, grpc::StatusCode::NOT_FOUND},
              {OutcomeCode::kWrongMethod, 405, grpc::StatusCode::UNIMPLEMENTED},
              {OutcomeCode::kTooLarge, 413, grpc::StatusCode::RESOURCE_EXHAUSTED},
              {OutcomeCode::kOverloaded, 429, grpc::StatusCode::RESOURCE_EXHAUSTED},
              {OutcomeCode::kInternal, 500, grpc::StatusCode::INTERNAL},
              {OutcomeCode::kUnavailable, 503, grpc::StatusCode::UNAVAILABLE},
              {OutcomeCode::kDeadlineExceeded, 504, grpc::StatusCode::DEADLINE_EXCEEDED}};
  for (const auto& row : rows) {
    EXPECT_EQ(HttpStatus(row.code), row.http);
    EXPECT_EQ(GrpcStatus(row.code), static_cast<int>(row.grpc)) << row.http;
  }
}

TEST(Outcome, SaysWhy) {
  EXPECT_TRUE(Done().ok());
  const Outcome refused = Refused(OutcomeCode::kNotFound, "no such model");
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.message, "no such model");
}

}  // namespace
}  // namespace manygate::serve
