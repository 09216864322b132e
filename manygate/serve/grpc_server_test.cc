// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <thread>

#include "manygate/serve/open_inference.grpc.pb.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using inference::GRPCInferenceService;
using testing::HasSubstr;

// A server of model "census", versions 1 and 2, at a free port.
class GrpcServerTest : public testing::Test {
 protected:
  GrpcServerTest() {
    SaveTestModel(folder_.Path("census/1"), 1);
    SaveTestModel(folder_.Path("census/2"), 2);
    options_.grpc_port = 0;
    options_.versions = {.latest = 0};
    repository_ = *Repository::Open(
        folder_.path(), options_.versions, [](const std::string&) {}, 8);
    request_log_ = *RequestLog::Open(1, folder_.Path("requests"));
  }
  ~GrpcServerTest() override {
    if (server_ != nullptr) server_->Drain(std::chrono::seconds(5));
    if (batcher_ != nullptr) batcher_->Drain();
    server_.reset();
  }

  void Start() {
    batcher_ = std::make_unique<Batcher>(options_.batcher);
    parts_.emplace(ServerParts{options_, *repository_, *batcher_, metrics_, *request_log_});
    auto server = GrpcServer::Start(*parts_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
    ASSERT_GT(server_->port(), 0);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()), grpc::InsecureChannelCredentials());
    stub_ = GRPCInferenceService::NewStub(channel_);
  }
  std::shared_ptr<const ServedVersion> Version(std::string_view version) {
    std::shared_ptr<const ServedVersion> found;
    MG_CHECK(repository_->Find("census", version, &found).ok(), "{}", version);
    return found;
  }
  // BYTES for all inputs: each text of TestCells, with its length.
  inference::ModelInferRequest Request(int64_t rows, const std::string& version = "") {
    inference::ModelInferRequest request;
    request.set_model_name("census");
    request.set_model_version(version);
    request.set_id("q1");
    const auto inputs = Version("1")->predictor->inputs();
    const auto cells = TestCells(*Version("1"), rows);
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto* const input = request.add_inputs();
      input->set_name(inputs[i].name);
      input->set_datatype("BYTES");
      input->add_shape(rows);
      std::string raw, buffer;
      for (int64_t row = 0; row < rows; ++row) {
        const std::string_view text = cells[static_cast<size_t>(row) * inputs.size() + i].AsText(&buffer);
        const auto size = static_cast<uint32_t>(text.size());
        raw.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text);
      }
      request.add_raw_input_contents(raw);
    }
    return request;
  }
  grpc::Status Infer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response,
                     const std::string& token = "", std::chrono::milliseconds deadline = std::chrono::seconds(10)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    if (!token.empty()) context.AddMetadata("authorization", token);
    return stub_->ModelInfer(&context, request, response);
  }
  static std::vector<float> Floats(const std::string& raw) {
    std::vector<float> values(raw.size() / sizeof(float));
    std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }

  const TestFolder folder_;
  ServerOptions options_;
  Metrics metrics_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<RequestLog> request_log_;
  std::unique_ptr<Batcher> batcher_;
  std::optional<ServerParts> parts_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcServerTest, Predicts) {
  Start();
  for (const char* version : {"", "1", "2"}) {
    inference::ModelInferResponse response;
    const grpc::Status status = Infer(Request(5, version), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.model_version(), *version != '\0' ? version : "2");
    EXPECT_EQ(response.id(), "q1");
    ASSERT_EQ(response.outputs_size(), 2);
    ASSERT_EQ(response.outputs(0).name(), "probs_income");
    EXPECT_EQ(Floats(response.raw_output_contents(0)),
              PredictAlone(*Version(version), TestCells(*Version("1"), 5), "probs_income"));
  }
  EXPECT_THAT(metrics_.Text({}, {}),
              HasSubstr("manygate_requests_total{protocol=\"grpc\",model=\"census\",version=\"2\",code=\"200\"} 2\n"));
  EXPECT_THAT(
      FileContent(folder_.Path("requests")),
      HasSubstr("\"protocol\":\"grpc\",\"model\":\"census\",\"version\":1,\"id\":\"q1\",\"rows\":5,\"code\":200"));
}

TEST_F(GrpcServerTest, ManyCallsAtOnce) {
  Start();
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 50; ++i) {
        const int64_t rows = 1 + (client * 13 + i * 7) % 30;
        const std::string version = i % 2 == 0 ? "1" : "2";
        inference::ModelInferResponse response;
        if (!Infer(Request(rows, version), &response).ok()) continue;
        right += Floats(response.raw_output_contents(0)) ==
                 PredictAlone(*Version(version), TestCells(*Version("1"), rows), "probs_income");
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 200);
}

TEST_F(GrpcServerTest, RefusesWithTheOutcomesCode) {
  options_.max_rows = 10;
  Start();
  inference::ModelInferResponse response;
  auto request = Request(1);
  request.set_model_name("cencus");
  grpc::Status status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("Did you mean \"census\"?"));
  status = Infer(Request(11), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  request = Request(1);
  request.set_raw_input_contents(0, std::string("\3\0\0\0old", 7));
  status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("\"old\" is no number"));
  request.set_raw_input_contents(0, std::string("\0\0\2\0", 4) + std::string(0x20000, 'o'));
  status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LE(status.error_message().size(), 1500u) << "a long value in the message";
  EXPECT_TRUE(Infer(Request(10), &response).ok());
}

TEST_F(GrpcServerTest, RefusesWhatIsNoMessage) {
  Start();
  grpc::GenericStub stub(channel_);
  grpc::Slice slice(std::string("\xff\xff\xff garbage"));
  grpc::ByteBuffer request(&slice, 1), response;
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer", request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "the message is no inference.ModelInferRequest");
}

TEST_F(GrpcServerTest, RefusesLargeAndCompressedMessages) {
  options_.max_body_bytes = 10000;
  Start();
  inference::ModelInferResponse response;
  auto request = Request(1);
  request.set_id(std::string(20000, 'x'));
  EXPECT_EQ(Infer(request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  request = Request(1);
  request.set_id(std::string(5000, 'x'));
  EXPECT_EQ(stub_->ModelInfer(&context, request, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Infer(Request(1), &response).ok());
}

TEST_F(GrpcServerTest, WantsTheTokenButForHealth) {
  options_.token = "secret";
  Start();
  inference::ModelInferResponse response;
  for (const char* token : {"", "Bearer wrong", "secret"})
    EXPECT_EQ(Infer(Request(1), &response, token).error_code(), grpc::StatusCode::UNAUTHENTICATED) << token;
  EXPECT_TRUE(Infer(Request(1), &response, "Bearer secret").ok());
  {
    grpc::ClientContext context;
    inference::ModelMetadataRequest request;
    inference::ModelMetadataResponse metadata;
    EXPECT_EQ(stub_->ModelMetadata(&context, request, &metadata).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  }
  grpc::ClientContext context;
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(stub_->ServerReady(&context, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
}

TEST_F(GrpcServerTest, HealthAndMetadata) {
  Start();
  const auto ready = [this](const std::string& name, const std::string& version) {
    grpc::ClientContext context;
    inference::ModelReadyRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelReadyResponse response;
    EXPECT_TRUE(stub_->ModelReady(&context, request, &response).ok());
    return response.ready();
  };
  EXPECT_TRUE(ready("census", ""));
  EXPECT_TRUE(ready("census", "2"));
  EXPECT_FALSE(ready("census", "3"));
  EXPECT_FALSE(ready("other", ""));
  grpc::ClientContext live_context, server_context, model_context;
  inference::ServerLiveResponse live;
  EXPECT_TRUE(stub_->ServerLive(&live_context, {}, &live).ok() && live.live());
  inference::ServerMetadataResponse server;
  EXPECT_TRUE(stub_->ServerMetadata(&server_context, {}, &server).ok());
  EXPECT_EQ(server.name(), "manygate");
  inference::ModelMetadataRequest request;
  request.set_name("census");
  inference::ModelMetadataResponse model;
  EXPECT_TRUE(stub_->ModelMetadata(&model_context, request, &model).ok());
  EXPECT_EQ(model.versions_size(), 2);
  EXPECT_EQ(model.inputs_size(), 6);
}

TEST_F(GrpcServerTest, DeadlinesPassWhileACallWaits) {
  options_.batcher.max_queue_delay = std::chrono::milliseconds(100);
  Start();
  inference::ModelInferResponse response;
  auto request = Request(1);
  (*request.mutable_parameters())["timeout"].set_int64_param(1000);
  const grpc::Status status = Infer(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(), "the deadline passed before the request's turn came");
  EXPECT_EQ(Infer(Request(1), &response, "", std::chrono::milliseconds(10)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Infer(Request(1), &response).ok());
}

TEST_F(GrpcServerTest, DrainAnswersWhatWasTaken) {
  options_.batcher.max_queue_delay = std::chrono::milliseconds(200);
  Start();
  inference::ModelInferResponse response;
  auto answer = std::async(std::launch::async, [&] { return Infer(Request(3), &response); });
  while (batcher_->Counts().queued_rows == 0) std::this_thread::yield();
  server_->Drain(std::chrono::seconds(10));
  EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(response.raw_output_contents(0).size(), 3 * sizeof(float));
  inference::ModelInferResponse none;
  EXPECT_EQ(Infer(Request(1), &none).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, APortThatIsTaken) {
  Start();
  ServerOptions options = options_;
  options.grpc_port = server_->port();
  const auto second = GrpcServer::Start(ServerParts{options, *repository_, *batcher_, metrics_, *request_log_});
  EXPECT_THAT(second.status().message(),
              HasSubstr("gRPC cannot listen at 127.0.0.1:" + std::to_string(server_->port()) + ": the port is taken"));
  options.tls_certificate = folder_.Path("none.pem");
  const auto third = GrpcServer::Start(ServerParts{options, *repository_, *batcher_, metrics_, *request_log_});
  EXPECT_THAT(third.status().message(), HasSubstr("none.pem"));
}

}  // namespace
}  // namespace manygate::serve
