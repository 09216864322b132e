// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol, version 2, over gRPC (open_inference.proto), with gRPC's own health service
// (grpc.health.v1.Health).
//
//   MG_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> grpc, GrpcServer::Start(parts));
//   grpc->port();                                // the real one where options say 0
//   grpc->Drain(std::chrono::seconds(10));       // before the batcher drains: it ends the calls
//
// Calls are read on gRPC's threads, scored there or on the batcher's (Batcher::WorkOrWake), and answered where they were
// scored. Compressed messages are refused (UNIMPLEMENTED): small ones can become larger than any limit.
#ifndef MANYGATE_SERVE_GRPC_SERVER_H_
#define MANYGATE_SERVE_GRPC_SERVER_H_

#include <chrono>
#include <memory>

#include "manygate/base/status.h"
#include "manygate/serve/server.h"

namespace manygate::serve {

class GrpcServer {
 public:
  // parts and all that they refer to must live longer. InvalidInput: the port cannot be listened at, a certificate or key
  // that cannot be read.
  static StatusOr<std::unique_ptr<GrpcServer>> Start(const ServerParts& parts);
  virtual ~GrpcServer() = default;  // as Drain without patience
  virtual int port() const = 0;
  // Readiness says no and health NOT_SERVING; stops listening; returns when all calls have ended, or were cancelled after
  // `patience`.
  virtual void Drain(std::chrono::milliseconds patience) = 0;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_GRPC_SERVER_H_
