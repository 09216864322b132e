// SPDX-License-Identifier: Apache-2.0
// What the server answers to a whole HTTP request; http_session.h brings requests and takes answers away. Free of the
// network, but predictions are made on the batcher's threads:
//
//   HttpExchange exchange;                                  // kept by its connection
//   exchange.job.done = [&](Outcome outcome) { ... service.Finish(outcome, &exchange) on the connection's thread ... };
//   switch (service.Handle(request, &workspace, &exchange)) {
//     case HttpStep::kAnswered: ... write exchange.answer ...
//     case HttpStep::kEncoded: ... with those of other connections: if (!service.Submit(&exchange)) write the answer ...
//                              service.WakeScorers(), wait for done ...
//     case HttpStep::kSlow: ... service.HandleSlow(&exchange) on a thread that may wait, then write the answer ...
//   }
//
// Thread-safe, for different exchanges and workspaces.
#ifndef MANYGATE_SERVE_HTTP_SERVICE_H_
#define MANYGATE_SERVE_HTTP_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

#include "manygate/serve/http_routes.h"
#include "manygate/serve/infer_json.h"
#include "manygate/serve/job.h"
#include "manygate/serve/json_workspace.h"
#include "manygate/serve/outcome.h"
#include "manygate/serve/predict_json.h"
#include "manygate/serve/server.h"

namespace manygate::serve {

struct HttpRequest {
  std::string_view method, target;
  std::string_view authorization;     // the header; "": none
  std::string_view json_size;         // Inference-Header-Content-Length; "": none
  std::string_view content_encoding;  // "": none
  std::string_view body;              // with JsonWorkspace::kPadding readable bytes behind
  Clock::time_point arrived;          // of the last byte
};

struct HttpAnswer {
  int status = 200;
  std::string_view content_type;  // "": no body
  size_t json_size = 0;           // Inference-Header-Content-Length; 0: none
  std::string header;             // one more, with its line's end; "": none
  std::string body;
};

struct HttpExchange {
  Job job;
  HttpRoute route;
  InferReply infer;
  PredictReply predict;
  HttpAnswer answer;
};

enum class HttpStep { kAnswered, kEncoded, kSlow };

class HttpService {
 public:
  explicit HttpService(const ServerParts& parts) : parts_(parts) {}

  HttpStep Handle(const HttpRequest& request, JsonWorkspace* workspace, HttpExchange* exchange);
  // Gives the job to the batcher, which begins at WakeScorers. False: it was refused, and the answer says so.
  bool Submit(HttpExchange* exchange);
  void WakeScorers() { parts_.batcher.WorkOrWake(); }
  // Of a scored job; its outcome is that of `done`.
  void Finish(Outcome outcome, HttpExchange* exchange);
  // Loads or unloads a model.
  void HandleSlow(HttpExchange* exchange);

  // From now on readiness says no.
  void Drain() { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const { return draining_.load(std::memory_order_relaxed); }

 private:
  Outcome Predict(const HttpRequest& request, JsonWorkspace* workspace, HttpExchange* exchange);
  void WritePage(const HttpRoute& route, HttpAnswer* answer) const;
  void Count(const Outcome& outcome, HttpExchange* exchange);

  const ServerParts parts_;
  std::atomic<bool> draining_{false};
};

// An answer that says why not: {"error": "..."}.
void WriteError(int status, std::string_view message, HttpAnswer* answer);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_HTTP_SERVICE_H_
