// SPDX-License-Identifier: Apache-2.0
// The server over real sockets.
#include "manygate/serve/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "manygate/data/test_files.h"
#include "manygate/serve/serve_testing.h"
#include "manygate/serve/server.h"

namespace manygate::serve {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A connection that sends what it is told and reads what comes.
class Client {
 public:
  explicit Client(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience = {.tv_sec = 5, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view text) { send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void EndSending() { shutdown(socket_, SHUT_WR); }
  // All until the server closes.
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    for (ssize_t size = 0; (size = recv(socket_, buffer, sizeof(buffer), 0)) > 0;)
      all.append(buffer, static_cast<size_t>(size));
    return all;
  }
  // One answer: header and body by Content-Length; "": none comes.
  std::string ReadAnswer(bool head = false) {
    char c = 0;
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      if (recv(socket_, &c, 1, 0) != 1) return answer;
      answer += c;
    }
    const size_t at = answer.find("Content-Length: ");
    if (at == std::string::npos || head) return answer;
    for (int left = std::stoi(answer.substr(at + 16)); left > 0 && recv(socket_, &c, 1, 0) == 1; --left) answer += c;
    return answer;
  }
  std::string Ask(std::string_view request) {
    Send(request);
    return ReadAnswer();
  }

 private:
  const int socket_;
  bool connected_ = false;
};

std::string Get(const std::string& target, const std::string& headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, headers);
}

std::string Post(const std::string& target, const std::string& body, const std::string& headers = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{}\r\n{}", target, body.size(), headers,
                     body);
}

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

class HttpServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TestFolder();
    SaveTestModel(folder_->Path("census/1"), 3);
  }
  static void TearDownTestSuite() { delete folder_; }

  void SetUp() override {
    options_.http_port = 0;
    options_.grpc_port = -1;
  }
  void Start() {
    auto started = Server::Start(folder_->path(), options_, [](const std::string&) {});
    ASSERT_TRUE(started.ok()) << started.status().message();
    server_ = std::move(*started);
  }
  std::string Ask(const std::string& request) { return Client(server_->http_port()).Ask(request); }

  static std::string Row() {
    return R"({"instances":[{"age":40,"wealth":1,"job":"a","state":"x","kind":"k","height":2}]})";
  }
  static constexpr const char* kPredict = "/v1/models/census:predict";

  static TestFolder* folder_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TestFolder* HttpServerTest::folder_ = nullptr;

TEST_F(HttpServerTest, Pages) {
  Start();
  EXPECT_THAT(Ask(Get("/v2/health/live")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Body(Ask(Get("/v2/health/ready"))), R"({"ready":true})");
  EXPECT_EQ(json::parse(Body(Ask(Get("/v2"))))["name"], "manygate");
  const json model = json::parse(Body(Ask(Get("/v2/models/census"))));
  EXPECT_EQ(model["versions"], json::array({"1"}));
  EXPECT_EQ(model["inputs"].size(), 6u);
  EXPECT_EQ(model["outputs"][0]["name"], "probs_income");
  EXPECT_EQ(Body(Ask(Get("/v2/models/census/versions/1/ready"))), R"({"name":"census","ready":true})");
  EXPECT_EQ(json::parse(Body(Ask(Get("/v1/models/census"))))["model_version_status"][0]["state"], "AVAILABLE");
  EXPECT_EQ(json::parse(Body(Ask(Post("/v2/repository/index", ""))))[0]["state"], "READY");
  EXPECT_THAT(Ask(Get("/v2/models/cencus")), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(Ask(Get("/v2/models/census/versions/2")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask(Get("/nope")), HasSubstr("Paths:"));
  EXPECT_THAT(Ask(Get("/v2/models/census/infer")), HasSubstr("405 Method Not Allowed\r\n"));
  EXPECT_THAT(Ask(Get("/v2/models/census/infer")), HasSubstr("\r\nAllow: POST\r\n"));
  EXPECT_THAT(Ask(Post("/v2/repository/models/census/load", "")), StartsWith("HTTP/1.1 403"));
}

TEST_F(HttpServerTest, PredictsAndCounts) {
  Start();
  const std::string answer = Ask(Post(kPredict, Row()));
  const auto version = LoadTestVersion(folder_->Path("census/1"), "census", 1);
  std::vector<features::Cell> cells;
  for (const PredictorInput& input : version->predictor->inputs()) {
    const json row = json::parse(Row())["instances"][0][input.name];
    cells.push_back(row.is_number() ? features::Cell(row.get<float>())
                                    : features::Cell(input.name == "job"     ? "a"
                                                     : input.name == "state" ? "x"
                                                                             : "k"));
  }
  EXPECT_EQ(json::parse(Body(answer))["predictions"][0]["probs_income"].get<float>(),
            PredictAlone(*version, cells, "probs_income")[0]);
  EXPECT_THAT(Ask(Post(kPredict, "{")), StartsWith("HTTP/1.1 400 Bad Request"));
  const std::string metrics = Body(Ask(Get("/metrics")));
  EXPECT_THAT(metrics,
              HasSubstr(R"(manygate_requests_total{protocol="http",model="census",version="1",code="200"} 1)"));
  EXPECT_THAT(metrics,
              HasSubstr(R"(manygate_requests_total{protocol="http",model="census",version="1",code="400"} 1)"));
}

TEST_F(HttpServerTest, ConnectionsLast) {
  Start();
  Client client(server_->http_port());
  const std::string first = client.Ask(Post(kPredict, Row()));
  EXPECT_THAT(first, Not(HasSubstr("Connection:")));
  EXPECT_EQ(Body(client.Ask(Post(kPredict, Row()))), Body(first));
  // Two requests at once are answered one after the other.
  client.Send(Post(kPredict, Row()) + Get("/v2/health/live"));
  EXPECT_EQ(Body(client.ReadAnswer()), Body(first));
  EXPECT_EQ(Body(client.ReadAnswer()), R"({"live":true})");
  client.Send(Post(kPredict, Row(), "Connection: close\r\n"));
  const std::string last = client.ReadAll();
  EXPECT_EQ(Body(last), Body(first));
  EXPECT_THAT(last, HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerTest, FormsOfHttp) {
  Start();
  const std::string body = Body(Ask(Post(kPredict, Row())));
  Client pieces(server_->http_port());
  for (const char c : Post(kPredict, Row())) pieces.Send({&c, 1});
  EXPECT_EQ(Body(pieces.ReadAnswer()), body);
  Client chunked(server_->http_port());
  const std::string row = Row();
  EXPECT_EQ(
      Body(chunked.Ask(fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:x}"
                                   "\r\n{}\r\n0\r\n\r\n",
                                   kPredict, 10, row.substr(0, 10), row.size() - 10, row.substr(10)))),
      body);
  Client old(server_->http_port());
  old.Send(fmt::format("POST {} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", kPredict, row.size(), row));
  EXPECT_EQ(Body(old.ReadAll()), body);
  Client asks(server_->http_port());
  asks.Send(fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n", kPredict,
                        row.size()));
  EXPECT_EQ(asks.ReadAnswer(true), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(Body(asks.Ask(row)), body);
  Client head(server_->http_port());
  head.Send("HEAD /v2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(Body(head.ReadAnswer(true)), "");
  EXPECT_EQ(Body(head.Ask(Get("/v2/health/live"))), R"({"live":true})");
}

TEST_F(HttpServerTest, WrongHttp) {
  options_.max_body_bytes = 1000;
  Start();
  const auto ask = [&](const std::string& request) {
    Client client(server_->http_port());
    client.Send(request);
    client.EndSending();
    return client.ReadAll();
  };
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("PRI * HTTP/2.0\r\n\r\n"), StartsWith("HTTP/1.1 505"));
  EXPECT_THAT(ask(Post(kPredict, std::string(1001, ' '))), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(Get("/v2", "X: " + std::string(20000, 'x') + "\r\n")), StartsWith("HTTP/1.1 431"));
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X: a\r\n";
  EXPECT_THAT(ask(Get("/v2", many)), StartsWith("HTTP/1.1 431"));
  const std::string chunked =
      fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", kPredict);
  EXPECT_THAT(ask(chunked + "5;" + std::string(100000, 'a')), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(chunked + "0\r\n" + many), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(Post(kPredict, Row()).substr(0, 120)), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(
      ask(fmt::format("POST {} HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", kPredict)),
      StartsWith("HTTP/1.1 501"));
  EXPECT_THAT(ask(Post(kPredict, Row(), "Content-Encoding: gzip\r\nConnection: close\r\n")),
              StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(ask(Post("/v2/models/census/infer", "{}", "Inference-Header-Content-Length: 3\r\n")),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask(Get("/v2/health/live")), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, Tokens) {
  options_.token = "secret";
  options_.admin = true;
  Start();
  EXPECT_THAT(Ask(Get("/v2/health/live")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask(Get("/v2")), HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(Ask(Get("/nope")), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Ask(Post(kPredict, Row(), "Authorization: Bearer secre\r\n")), StartsWith("HTTP/1.1 401"));
  const std::string token = "Authorization: Bearer secret\r\n";
  EXPECT_THAT(Ask(Post(kPredict, Row(), token)), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask(Post("/v2/repository/models/census/unload", "", token)), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask(Post(kPredict, Row(), token)), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_THAT(Ask(Post("/v2/repository/models/census/load", "", token)), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask(Post(kPredict, Row(), token)), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SlowClientsAndTooManyAreTurnedAway) {
  options_.idle_timeout = std::chrono::milliseconds(100);
  options_.max_connections = 2;
  Start();
  {
    Client silent(server_->http_port());
    Client slow(server_->http_port());
    slow.Send("POST /v2 HTTP/1.1\r\nHost:");
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    Client third(server_->http_port());
    EXPECT_THAT(third.ReadAll(), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(slow.ReadAll(), StartsWith("HTTP/1.1 408"));
    EXPECT_EQ(silent.ReadAll(), "");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_THAT(Ask(Get("/v2/health/live")), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, DrainsWhatWasTaken) {
  Start();
  Client idle(server_->http_port()), within(server_->http_port());
  EXPECT_THAT(idle.Ask(Get("/v2/health/ready")), StartsWith("HTTP/1.1 200"));
  const std::string request = Get("/v2/health/ready");
  within.Send(request.substr(0, 20));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  std::thread drain([&] { server_->Drain(std::chrono::seconds(5)); });
  EXPECT_EQ(idle.ReadAll(), "");
  within.Send(request.substr(20));
  const std::string answer = within.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  drain.join();
}

TEST_F(HttpServerTest, WrongOptions) {
  const auto why = [&] {
    return Server::Start(folder_->path(), options_, [](const std::string&) {}).status().message();
  };
  options_.address = "nowhere";
  EXPECT_THAT(why(), HasSubstr("\"nowhere\" is no address to listen at"));
  options_.address = "127.0.0.1";
  options_.tls_certificate = folder_->Path("none.pem");
  EXPECT_THAT(why(), HasSubstr("TLS needs a certificate and a key"));
  options_.tls_key = options_.tls_certificate;
  EXPECT_THAT(why(), HasSubstr("none.pem: no certificate in PEM can be read"));
  options_.tls_certificate = options_.tls_key = "";
  Start();
  options_.http_port = server_->http_port();
  EXPECT_THAT(why(), HasSubstr("cannot listen at 127.0.0.1, port"));
}

}  // namespace
}  // namespace manygate::serve
