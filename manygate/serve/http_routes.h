// SPDX-License-Identifier: Apache-2.0
// What a request's target asks for.
//
//   HttpRoute route;
//   if (!ParseTarget("/v2/models/census/infer", &route)) ...       // kInfer, model "census", version ""
//
// To add a path: a line in the table of http_routes.cc and a case in http_pages.cc.
#ifndef MANYGATE_SERVE_HTTP_ROUTES_H_
#define MANYGATE_SERVE_HTTP_ROUTES_H_

#include <string>
#include <string_view>

namespace manygate::serve {

enum class HttpPage {
  kLive,            // GET  /v2/health/live
  kReady,           // GET  /v2/health/ready
  kServerMetadata,  // GET  /v2
  kModelMetadata,   // GET  /v2/models/{model}[/versions/{version}]
  kModelReady,      // GET  /v2/models/{model}[/versions/{version}]/ready
  kInfer,           // POST /v2/models/{model}[/versions/{version}]/infer
  kModelStatus,     // GET  /v1/models/{model}[/versions/{version}]
  kPredict,         // POST /v1/models/{model}[/versions/{version}]:predict
  kMetrics,         // GET  /metrics
  kIndex,           // GET, POST /v2/repository/index
  kLoad,            // POST /v2/repository/models/{model}/load
  kUnload,          // POST /v2/repository/models/{model}/unload
};

struct HttpRoute {
  HttpPage page = HttpPage::kLive;
  std::string_view methods;  // as Allow has them: "GET, HEAD"
  std::string model;
  std::string version;  // "": not named
};

// target: as the request line has it; what follows "?" does not matter. False: no such path.
bool ParseTarget(std::string_view target, HttpRoute* route);
// All paths with their methods, a line each.
std::string PathList();
// Whether `method` is one of the route's.
bool Allows(const HttpRoute& route, std::string_view method);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_HTTP_ROUTES_H_
