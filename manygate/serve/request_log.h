// SPDX-License-Identifier: Apache-2.0
// A sample of the prediction requests, as JSON lines: time, protocol, model, version, request id, rows, code, microseconds.
// No values of the rows are written: they may be personal.
#ifndef MANYGATE_SERVE_REQUEST_LOG_H_
#define MANYGATE_SERVE_REQUEST_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "manygate/base/status.h"
#include "manygate/serve/metrics.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

struct LoggedRequest {
  Protocol protocol = Protocol::kHttp;
  std::string_view model = {};
  int64_t version = 0;
  std::string_view id = {};
  int64_t rows = 0;
  Outcome outcome = {};
  double seconds = 0;
};

class RequestLog {
 public:
  // share: of the requests, 0 to 1; file: appended to; "": stderr. InvalidInput: the file cannot be opened.
  static StatusOr<std::unique_ptr<RequestLog>> Open(double share, const std::string& file);
  virtual ~RequestLog() = default;
  // Thread-safe. Whether it is written depends on a counter, evenly: of a share of 0.1 every tenth is.
  virtual void Add(const LoggedRequest& request) = 0;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_REQUEST_LOG_H_
