// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "manygate/serve/http_loop.h"

namespace manygate::serve {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// How many connections above the limit are told so at once; more are closed without a word.
constexpr int kMostRefused = 64;
constexpr std::chrono::milliseconds kAcceptPause(50);

StatusOr<std::unique_ptr<asio::ssl::context>> MakeTls(const ServerOptions& options) {
  if (options.tls_certificate.empty() && options.tls_key.empty()) return std::unique_ptr<asio::ssl::context>();
  if (options.tls_certificate.empty() || options.tls_key.empty())
    return InvalidInput("TLS needs a certificate and a key; one of them is missing");
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  error_code error;
  tls->use_certificate_chain_file(options.tls_certificate, error);
  if (error)
    return InvalidInput(
        fmt::format("{}: no certificate in PEM can be read: {}", options.tls_certificate, error.message()));
  tls->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error)
    return InvalidInput(fmt::format("{}: no key of {} can be read from it in PEM: {}", options.tls_key,
                                    options.tls_certificate, error.message()));
  return tls;
}

}  // namespace

struct HttpServer::State {
  explicit State(const ServerParts& server_parts) : options(server_parts.options), service(server_parts), slow(1) {}
  Status Listen();
  void Accept();
  void OnAccept(const error_code& error, tcp::socket socket, HttpLoop& loop);
  int Connections() const;

  const ServerOptions& options;
  HttpService service;
  std::unique_ptr<asio::ssl::context> tls;
  asio::thread_pool slow;
  std::vector<std::unique_ptr<HttpLoop>> loops;
  std::optional<tcp::acceptor> acceptor;  // of the first loop, as the timer
  std::optional<asio::steady_timer> pause;
  size_t next_loop = 0;
  int port = 0;
  std::vector<std::thread> threads;
};

Status HttpServer::State::Listen() {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error)
    return InvalidInput(fmt::format("\"{}\" is no address to listen at, like 127.0.0.1 or ::1", options.address));
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options.http_port));
  acceptor.emplace(loops[0]->context());
  pause.emplace(loops[0]->context());
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return InvalidInput(
        fmt::format("cannot listen at {}, port {} (HTTP): {}", options.address, options.http_port, error.message()));
  port = acceptor->local_endpoint(error).port();
  return OkStatus();
}

int HttpServer::State::Connections() const {
  int count = 0;
  for (const auto& loop : loops) count += loop->connections();
  return count;
}

// Connections go to the loops in turn.
void HttpServer::State::Accept() {
  HttpLoop& loop = *loops[next_loop++ % loops.size()];
  acceptor->async_accept(loop.context(), [this, &loop](const error_code& error, tcp::socket socket) {
    OnAccept(error, std::move(socket), loop);
  });
}

void HttpServer::State::OnAccept(const error_code& error, tcp::socket socket, HttpLoop& loop) {
  if (!acceptor->is_open()) return;
  if (error) {  // no descriptors are left: those of connections that end come back
    pause->expires_after(kAcceptPause);
    pause->async_wait([this](const error_code& stopped) {
      if (!stopped && acceptor->is_open()) Accept();
    });
    return;
  }
  int told = 0;  // that there are too many
  for (const auto& other : loops) told += other->refused();
  const bool refused = Connections() - told >= options.max_connections;
  if (!refused || (tls == nullptr && told < kMostRefused)) {
    loop.Post([this, &loop, refused, accepted = std::move(socket)]() mutable {
      MakeSession(std::move(accepted), tls.get(), refused, loop)->Start();
    });
  }
  Accept();
}

StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const ServerParts& parts) {
  auto state = std::make_unique<State>(parts);
  MG_ASSIGN_OR_RETURN(state->tls, MakeTls(parts.options));
  for (int i = 0; i < parts.options.http_threads; ++i)
    state->loops.push_back(std::make_unique<HttpLoop>(state->service, parts.options, &state->slow));
  MG_RETURN_IF_ERROR(state->Listen());
  State* const started = state.get();
  started->loops[0]->Post([started] { started->Accept(); });
  for (const auto& loop : started->loops) started->threads.emplace_back([&loop = *loop] { loop.Run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  state_->slow.join();
  for (const auto& loop : state_->loops) loop->Stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->acceptor.reset();
  state_->pause.reset();
}

int HttpServer::port() const { return state_->port; }

void HttpServer::Wake() {
  for (const auto& loop : state_->loops) loop->Wake();
}

void HttpServer::Drain() {
  State* const state = state_.get();
  state->service.Drain();
  state->loops[0]->Post([state] {
    error_code ignored;
    state->acceptor->close(ignored);
  });
  for (const auto& loop : state->loops) loop->Post([&loop = *loop] { loop.CloseIdle(); });
}

int HttpServer::connections() const { return state_->Connections(); }

void HttpServer::CloseAll() {
  for (const auto& loop : state_->loops) loop->Post([&loop = *loop] { loop.CloseAll(); });
}

}  // namespace manygate::serve
