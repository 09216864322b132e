// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/grpc_call.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "manygate/serve/authorization.h"

namespace manygate::serve {
namespace {

google::protobuf::ArenaOptions WithBlock(char* block, size_t bytes) {
  google::protobuf::ArenaOptions options;
  options.initial_block = block;
  options.initial_block_size = bytes;
  return options;
}

// The earlier of the call's own deadline and the request's parameter; without either, the server's.
Clock::time_point DeadlineOf(const grpc::CallbackServerContext& context, const InferView& request,
                             Clock::time_point arrived, std::chrono::milliseconds usual) {
  Clock::time_point deadline = Clock::time_point::max();
  if (const auto named = context.deadline(); named != std::chrono::system_clock::time_point::max())
    deadline = arrived + std::chrono::duration_cast<Clock::duration>(named - std::chrono::system_clock::now());
  if (const auto timeout = TimeoutOf(request); timeout.count() > 0) deadline = std::min(deadline, arrived + timeout);
  return deadline == Clock::time_point::max() ? arrived + usual : deadline;
}

}  // namespace

grpc::Status ToGrpcStatus(const Outcome& outcome) {
  if (outcome.ok()) return grpc::Status::OK;
  constexpr size_t kMostBytes = 1500;  // three times as many where bytes must be escaped
  return {static_cast<grpc::StatusCode>(GrpcStatus(outcome.code)), outcome.message.substr(0, kMostBytes)};
}

Outcome Authorize(const grpc::CallbackServerContext& context, const ServerOptions& options) {
  if (options.token.empty()) return Done();
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  const std::string_view header =
      found == metadata.end() ? std::string_view() : std::string_view(found->second.data(), found->second.size());
  if (IsAuthorized(header, options.token)) return Done();
  return Refused(OutcomeCode::kUnauthenticated, "this server needs a token: metadata \"authorization: Bearer TOKEN\"");
}

GrpcCall::GrpcCall(GrpcCallPool* pool) : pool_(pool), arena_(WithBlock(block_.data(), block_.size())) {
  job_.done = [this](const Outcome& outcome) { End(outcome); };
}

grpc::ServerUnaryReactor* GrpcCall::Start(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) {
  arrived_ = Clock::now();
  response_ = response;
  Reactor* const reactor = &reactor_.emplace(this);
  Outcome outcome = Read(*context, *request);
  // Once it is added the call may end on another thread, at any time.
  Batcher& batcher = pool_->parts().batcher;
  if (outcome.ok()) outcome = batcher.Add(&job_);
  if (outcome.ok()) {
    batcher.WorkOrWake();
  } else {
    End(outcome);
  }
  return reactor;
}

// Up to an encoded job.
Outcome GrpcCall::Read(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes) {
  const ServerParts& parts = pool_->parts();
  MG_RETURN_IF_REFUSED(Authorize(context, parts.options));
  if (pool_->draining()) return Refused(OutcomeCode::kUnavailable, "the server is shutting down");
  if (!bytes.TrySingleSlice(&bytes_).ok() && !bytes.DumpToSingleSlice(&bytes_).ok())
    return Refused(OutcomeCode::kInvalid, "the message cannot be read");
  if (!ReadInferView({reinterpret_cast<const char*>(bytes_.begin()), bytes_.size()}, &request_))
    return Refused(OutcomeCode::kInvalid, "the message is no inference.ModelInferRequest");
  std::shared_ptr<const ServedVersion> version;
  MG_RETURN_IF_REFUSED(parts.repository.Find(request_.model_name, request_.model_version, &version));
  job_.Start(std::move(version), arrived_, DeadlineOf(context, request_, arrived_, parts.options.deadline));
  MG_RETURN_IF_REFUSED(ReadInferRequest(request_, parts.options.max_rows, &workspace_, &job_));
  return job_.Encode();
}

void GrpcCall::End(const Outcome& outcome) {
  if (outcome.ok()) {
    auto* const message = google::protobuf::Arena::CreateMessage<inference::ModelInferResponse>(&arena_);
    WriteInferResponse(request_, job_, message);
    grpc::Slice slice(message->ByteSizeLong());
    message->SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
    *response_ = grpc::ByteBuffer(&slice, 1);
  }
  Count(outcome);
  reactor_->Finish(ToGrpcStatus(outcome));
}

void GrpcCall::Count(const Outcome& outcome) {
  const ServerParts& parts = pool_->parts();
  LoggedRequest logged{.protocol = Protocol::kGrpc,
                       .id = request_.id,
                       .outcome = outcome,
                       .seconds = std::chrono::duration<double>(Clock::now() - arrived_).count()};
  // What did not find a version is counted without one: names from outside make no series.
  const std::shared_ptr<const ServedVersion> version = job_.shared_version();
  if (version != nullptr) {
    logged.model = version->name;
    logged.version = version->version;
    logged.rows = job_.rows();
    job_.Finish();
  }
  parts.metrics.Count(logged.protocol, logged.model, logged.version, outcome.code, logged.rows, logged.seconds);
  parts.request_log.Add(logged);
}

void GrpcCall::Recycle() {
  reactor_.reset();
  request_.Clear();
  bytes_ = grpc::Slice();
  workspace_.contents.clear();
  arena_.Reset();
  pool_->Give(this);
}

GrpcCall* GrpcCallPool::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      GrpcCall* const call = idle_.back().release();
      idle_.pop_back();
      return call;
    }
  }
  return new GrpcCall(this);  // Give takes it back
}

void GrpcCallPool::Give(GrpcCall* call) {
  std::unique_ptr<GrpcCall> owned(call);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(owned));
}

}  // namespace manygate::serve
