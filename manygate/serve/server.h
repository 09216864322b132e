// SPDX-License-Identifier: Apache-2.0
// The server: HTTP and gRPC in front of one repository and one batcher.
//
//   MG_ASSIGN_OR_RETURN(auto server, Server::Start("models", options, log));
//   server->http_port();                 // the real one where options said 0
//   server->Drain();                     // answers what was taken, refuses the rest, ends
#ifndef MANYGATE_SERVE_SERVER_H_
#define MANYGATE_SERVE_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "manygate/base/status.h"
#include "manygate/serve/batcher.h"
#include "manygate/serve/metrics.h"
#include "manygate/serve/repository.h"
#include "manygate/serve/request_log.h"

namespace manygate::serve {

struct ServerOptions {
  std::string address = "127.0.0.1";  // to listen at
  int http_port = 8080;               // 0: any free one; -1: none
  int grpc_port = 8081;               // 0: any free one; -1: none
  int http_threads = 1;
  BatcherOptions batcher;
  VersionPolicy versions;
  double poll_seconds = 0;  // how often the repository is looked at; 0: only on Refresh
  bool admin = false;       // whether clients may load and unload models
  std::string token;        // "": none; else every request but health checks needs "Authorization: Bearer <token>"
  std::string tls_certificate, tls_key;           // PEM files; both or none
  std::chrono::milliseconds deadline{1000};       // of requests that do not name one
  std::chrono::milliseconds idle_timeout{60000};  // of connections; for the time between two reads or writes, too
  int64_t max_body_bytes = 16 << 20;
  int64_t max_rows = 65536;    // of one request
  int max_connections = 1024;  // HTTP; one more is answered 503 and closed
  double log_share = 0;        // of the prediction requests that are logged, 0 to 1
  std::string log_file;        // JSON lines; "": stderr
};

// What the protocols share; all of it thread-safe.
struct ServerParts {
  const ServerOptions& options;
  Repository& repository;
  Batcher& batcher;
  Metrics& metrics;
  RequestLog& request_log;
};

class Server {
 public:
  // InvalidInput: the repository, a port that is taken, a certificate that cannot be read. log: lines for the operator.
  static StatusOr<std::unique_ptr<Server>> Start(const std::string& repository, const ServerOptions& options,
                                                 std::function<void(const std::string&)> log);
  virtual ~Server() = default;
  virtual int http_port() const = 0;
  virtual int grpc_port() const = 0;
  // Thread-safe; returns at once and works in the background.
  virtual void Refresh() = 0;
  // Stops listening, answers what was taken (readiness says no meanwhile), and ends after at most `patience`.
  virtual void Drain(std::chrono::milliseconds patience) = 0;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_SERVER_H_
