// SPDX-License-Identifier: Apache-2.0
// Counters of the server, as text in the Prometheus exposition format 0.0.4.
//
//   metrics.Count(Protocol::kHttp, "census", 3, OutcomeCode::kOk, rows, seconds);   // once per prediction request
//   std::string page = metrics.Text(batcher.Counts(), repository.List());
//
//   manygate_requests_total{protocol,model,version,code}        prediction requests; code as HTTP's
//   manygate_request_rows_total{protocol,model,version}         rows of those that were answered
//   manygate_request_duration_seconds{protocol,model,version}   histogram, from the request's last byte to its answer
//   manygate_batches_total, manygate_batch_rows_total           what the batcher scored
//   manygate_queue_rows, manygate_queue_refused_total, manygate_queue_expired_total
//   manygate_model_version_ready{model,version}                 1, or 0 for one that could not be loaded
//   manygate_build_info{version}
#ifndef MANYGATE_SERVE_METRICS_H_
#define MANYGATE_SERVE_METRICS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/serve/batcher.h"
#include "manygate/serve/outcome.h"
#include "manygate/serve/repository.h"

namespace manygate::serve {

enum class Protocol { kHttp, kGrpc };

class Metrics {
 public:
  Metrics();
  ~Metrics();
  // Thread-safe. model: "" and version 0 where the request did not come so far as to find one; names that are not served
  // are never passed, so that no client can make new series.
  void Count(Protocol protocol, std::string_view model, int64_t version, OutcomeCode code, int64_t rows,
             double seconds);
  std::string Text(const BatcherCounts& batches, const std::vector<VersionInfo>& versions) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_METRICS_H_
