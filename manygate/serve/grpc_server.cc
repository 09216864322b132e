// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/grpc_server.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "manygate/base/file.h"
#include "manygate/base/version.h"
#include "manygate/serve/grpc_call.h"
#include "manygate/serve/infer_grpc.h"
#include "manygate/serve/open_inference.grpc.pb.h"

namespace manygate::serve {
namespace {

// ModelInfer as bytes: a message that cannot be read is then answered with INVALID_ARGUMENT, not with UNIMPLEMENTED.
using ServiceBase =
    inference::GRPCInferenceService::WithRawCallbackMethod_ModelInfer<inference::GRPCInferenceService::CallbackService>;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class Service final : public ServiceBase {
 public:
  Service(const ServerParts& parts, const std::atomic<bool>* draining)
      : parts_(parts), draining_(*draining), calls_(parts, draining) {}

  ServerUnaryReactor* ModelInfer(CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override {
    return calls_.Take()->Start(context, request, response);
  }

  // Health is for everybody.
  ServerUnaryReactor* ServerLive(CallbackServerContext* context, const inference::ServerLiveRequest*,
                                 inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return End(context, Done());
  }
  ServerUnaryReactor* ServerReady(CallbackServerContext* context, const inference::ServerReadyRequest*,
                                  inference::ServerReadyResponse* response) override {
    response->set_ready(!draining_ && parts_.repository.Ready());
    return End(context, Done());
  }
  // Not ready is also what is not there, as for HTTP's clients.
  ServerUnaryReactor* ModelReady(CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* response) override {
    std::shared_ptr<const ServedVersion> version;
    response->set_ready(parts_.repository.Find(request->name(), request->version(), &version).ok());
    return End(context, Authorize(*context, parts_.options));
  }
  ServerUnaryReactor* ServerMetadata(CallbackServerContext* context, const inference::ServerMetadataRequest*,
                                     inference::ServerMetadataResponse* response) override {
    response->set_name("manygate");
    response->set_version(kProgramVersion);
    return End(context, Authorize(*context, parts_.options));
  }
  ServerUnaryReactor* ModelMetadata(CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* response) override {
    Outcome outcome = Authorize(*context, parts_.options);
    std::shared_ptr<const ServedVersion> version;
    if (outcome.ok()) outcome = parts_.repository.Find(request->name(), request->version(), &version);
    if (outcome.ok()) WriteModelMetadata(*version, parts_.repository.List(), response);
    return End(context, outcome);
  }

 private:
  static ServerUnaryReactor* End(CallbackServerContext* context, const Outcome& outcome) {
    ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(outcome));
    return reactor;
  }

  const ServerParts& parts_;
  const std::atomic<bool>& draining_;
  GrpcCallPool calls_;
};

StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const ServerOptions& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  MG_ASSIGN_OR_RETURN(const std::string certificate, ReadFile(options.tls_certificate));
  MG_ASSIGN_OR_RETURN(const std::string key, ReadFile(options.tls_key));
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({key, certificate});
  return grpc::SslServerCredentials(ssl);
}

// "address:port"; IPv6 addresses in brackets.
std::string Endpoint(const ServerOptions& options) {
  const bool brackets = options.address.find(':') != std::string::npos && options.address[0] != '[';
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", options.address, brackets ? "]" : "", options.grpc_port);
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder* builder) {
  constexpr int kStreamsPerConnection = 1024;
  const auto idle = static_cast<int>(options.idle_timeout.count());
  builder->SetMaxReceiveMessageSize(static_cast<int>(std::min<int64_t>(options.max_body_bytes, INT32_MAX)));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, idle);
  builder->AddChannelArgument("grpc.server_handshake_timeout_ms", idle);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server at the port must hear of the first
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP})
    builder->SetCompressionAlgorithmSupportStatus(algorithm, false);
}

class RunningGrpcServer final : public GrpcServer {
 public:
  explicit RunningGrpcServer(const ServerParts& parts) : service_(parts, &draining_) {}
  ~RunningGrpcServer() override { Drain(std::chrono::milliseconds(0)); }

  Status Listen(const ServerOptions& options) {
    MG_ASSIGN_OR_RETURN(const auto credentials, Credentials(options));
    // What clients do wrong is no news for the operator, and both libraries write it to stderr.
    gpr_set_log_function([](gpr_log_func_args*) {});
    google::protobuf::SetLogHandler(nullptr);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    SetLimits(options, &builder);
    builder.AddListeningPort(Endpoint(options), credentials, &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0)
      return InvalidInput(
          fmt::format("gRPC cannot listen at {}: {}", Endpoint(options),
                      options.tls_certificate.empty()
                          ? "the port is taken, or the address is none of this machine"
                          : "the port is taken, the address is none of this machine, or the certificate "
                            "or key cannot be used"));
    server_->GetHealthCheckService()->SetServingStatus(inference::GRPCInferenceService::service_full_name(), true);
    return OkStatus();
  }
  int port() const override { return port_; }

  void Drain(std::chrono::milliseconds patience) override {
    if (server_ == nullptr || draining_.exchange(true)) return;
    server_->GetHealthCheckService()->SetServingStatus(false);
    server_->Shutdown(std::chrono::system_clock::now() + patience);
  }

 private:
  std::atomic<bool> draining_ = false;
  int port_ = 0;
  Service service_;
  std::unique_ptr<grpc::Server> server_;  // ends before the service does
};

}  // namespace

StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServerParts& parts) {
  auto server = std::make_unique<RunningGrpcServer>(parts);
  MG_RETURN_IF_ERROR(server->Listen(parts.options));
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace manygate::serve
