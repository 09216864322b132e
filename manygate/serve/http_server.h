// SPDX-License-Identifier: Apache-2.0
// HTTP/1.0 and 1.1, plain or over TLS, on threads of its own.
//
//   MG_ASSIGN_OR_RETURN(auto server, HttpServer::Start(parts));
//   server->Wake();                               // the batcher's after_batch
//   server->Drain(); while (server->connections() > 0 && ...) ...
//   server.reset();                               // closes what is left; no job of it may wait any more
#ifndef MANYGATE_SERVE_HTTP_SERVER_H_
#define MANYGATE_SERVE_HTTP_SERVER_H_

#include <memory>

#include "manygate/base/status.h"
#include "manygate/serve/server.h"

namespace manygate::serve {

class HttpServer {
 public:
  // parts: what they refer to outlives the server. InvalidInput: an address that is none, a port that is taken, a
  // certificate or key that cannot be read.
  static StatusOr<std::unique_ptr<HttpServer>> Start(const ServerParts& parts);
  ~HttpServer();

  int port() const;
  // By any thread, behind the last `done` of a batch: writes the answers.
  void Wake();
  // Stops listening; connections close behind the answer that they wait for.
  void Drain();
  int connections() const;
  // Closes all connections, wherever they are. Jobs may still be done afterwards.
  void CloseAll();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_HTTP_SERVER_H_
