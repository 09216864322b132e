// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/request_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>

namespace manygate::serve {
namespace {

// In quotes; bytes that are no UTF-8 are replaced.
std::string JsonText(std::string_view text) {
  constexpr size_t kMostBytes = 256;  // clients choose ids
  return nlohmann::json(text.substr(0, kMostBytes)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string TimeText() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto milliseconds = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     milliseconds);
}

class FileRequestLog : public RequestLog {
 public:
  FileRequestLog(double share, std::FILE* file) : share_(share), file_(file) {}
  ~FileRequestLog() override {
    if (file_ != stderr) std::fclose(file_);
  }

  void Add(const LoggedRequest& request) override {
    if (!IsChosen()) return;
    std::string line = fmt::format(
        R"({{"time":"{}","protocol":"{}","model":{},"version":{},"id":{},"rows":{},"code":{},"microseconds":{:.0f})",
        TimeText(), request.protocol == Protocol::kHttp ? "http" : "grpc", JsonText(request.model), request.version,
        JsonText(request.id), request.rows, HttpStatus(request.outcome.code), request.seconds * 1e6);
    line += "}\n";
    const std::lock_guard lock(mutex_);
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fflush(file_);
  }

 private:
  // Whether the share of all requests up to this one passes a whole number.
  bool IsChosen() {
    if (share_ <= 0) return false;
    const auto before = static_cast<double>(count_.fetch_add(1, std::memory_order_relaxed));
    return std::floor((before + 1) * share_) > std::floor(before * share_);
  }

  const double share_;
  std::FILE* const file_;
  std::atomic<uint64_t> count_ = 0;
  std::mutex mutex_;  // one line at a time
};

}  // namespace

StatusOr<std::unique_ptr<RequestLog>> RequestLog::Open(double share, const std::string& file) {
  if (!(share >= 0 && share <= 1))
    return InvalidInput(fmt::format("the share of requests that are logged is {}; expected 0 to 1", share));
  std::FILE* const opened = file.empty() ? stderr : std::fopen(file.c_str(), "ae");
  if (opened == nullptr) return InvalidInput(fmt::format("{}: {}", file, std::generic_category().message(errno)));
  return std::unique_ptr<RequestLog>(std::make_unique<FileRequestLog>(share, opened));
}

}  // namespace manygate::serve
