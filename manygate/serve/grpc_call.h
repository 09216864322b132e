// SPDX-License-Identifier: Apache-2.0
// One ModelInfer call of gRPC on its way through the server, with all that it needs; used again for later calls.
//
//   GrpcCallPool pool(parts, &draining);
//   return pool.Take()->Start(context, request, response);       // in the service's method; the rest happens by itself
#ifndef MANYGATE_SERVE_GRPC_CALL_H_
#define MANYGATE_SERVE_GRPC_CALL_H_

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "manygate/serve/infer_grpc.h"
#include "manygate/serve/job.h"
#include "manygate/serve/open_inference.pb.h"
#include "manygate/serve/outcome.h"
#include "manygate/serve/server.h"

namespace manygate::serve {

// Messages are cut: clients refuse trailers of more than a few KiB.
grpc::Status ToGrpcStatus(const Outcome& outcome);

// kUnauthenticated: the call's metadata has not the token, where there is one.
Outcome Authorize(const grpc::CallbackServerContext& context, const ServerOptions& options);

class GrpcCallPool;

class GrpcCall {
 public:
  explicit GrpcCall(GrpcCallPool* pool);
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response);

 private:
  class Reactor : public grpc::ServerUnaryReactor {
   public:
    explicit Reactor(GrpcCall* call) : call_(call) {}
    void OnCancel() override { call_->job_.Abandon(); }
    void OnDone() override { call_->Recycle(); }

   private:
    // Without this gRPC hands every OnDone to another thread.
    bool InternalInlineable() override { return true; }
    GrpcCall* const call_;
  };

  Outcome Read(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes);
  void End(const Outcome& outcome);
  void Count(const Outcome& outcome);
  void Recycle();

  static constexpr size_t kBlockBytes = 8 << 10;  // for the messages of an answer
  GrpcCallPool* const pool_;
  alignas(8) std::array<char, kBlockBytes> block_;
  google::protobuf::Arena arena_;
  grpc::Slice bytes_;  // of the request
  InferView request_;  // views bytes_
  grpc::ByteBuffer* response_ = nullptr;
  Clock::time_point arrived_;
  InferGrpcWorkspace workspace_;
  Job job_;
  std::optional<Reactor> reactor_;
};

class GrpcCallPool {
 public:
  GrpcCallPool(const ServerParts& parts, const std::atomic<bool>* draining) : parts_(parts), draining_(*draining) {}
  GrpcCall* Take();
  void Give(GrpcCall* call);
  const ServerParts& parts() const { return parts_; }
  bool draining() const { return draining_; }

 private:
  static constexpr size_t kMostIdle = 256;
  const ServerParts& parts_;
  const std::atomic<bool>& draining_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<GrpcCall>> idle_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_GRPC_CALL_H_
