// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/server.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "manygate/serve/grpc_server.h"
#include "manygate/serve/http_server.h"

namespace manygate::serve {
namespace {

constexpr std::chrono::milliseconds kDrainStep(5);

class RunningServer final : public Server {
 public:
  RunningServer(const ServerOptions& options, std::unique_ptr<Repository> repository,
                std::unique_ptr<RequestLog> request_log)
      : options_(options),
        repository_(std::move(repository)),
        request_log_(std::move(request_log)),
        batcher_(WithHook(options.batcher)),
        parts_{options_, *repository_, batcher_, metrics_, *request_log_} {}
  ~RunningServer() override { Drain(std::chrono::milliseconds(0)); }

  Status Listen();
  int http_port() const override { return http_ != nullptr ? http_->port() : -1; }
  int grpc_port() const override { return grpc_ != nullptr ? grpc_->port() : -1; }
  void Refresh() override;
  void Drain(std::chrono::milliseconds patience) override;

 private:
  BatcherOptions WithHook(BatcherOptions options) {
    options.after_batch = [this] {
      if (HttpServer* const http = woken_.load(std::memory_order_acquire); http != nullptr) http->Wake();
    };
    return options;
  }
  void RefreshLoop();

  const ServerOptions options_;
  const std::unique_ptr<Repository> repository_;
  const std::unique_ptr<RequestLog> request_log_;
  Metrics metrics_;
  std::atomic<HttpServer*> woken_{nullptr};
  Batcher batcher_;
  const ServerParts parts_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> grpc_;

  std::mutex mutex_;  // guards the next two
  bool refresh_ = false, ending_ = false;
  std::condition_variable changed_;
  std::thread refresher_;
};

Status RunningServer::Listen() {
  if (options_.http_port >= 0) {
    MG_ASSIGN_OR_RETURN(http_, HttpServer::Start(parts_));
    woken_.store(http_.get(), std::memory_order_release);
    http_->Wake();  // for a request that came before
  }
  if (options_.grpc_port >= 0) {
    MG_ASSIGN_OR_RETURN(grpc_, GrpcServer::Start(parts_));
  }
  refresher_ = std::thread([this] { RefreshLoop(); });
  return OkStatus();
}

void RunningServer::RefreshLoop() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto due = [this] { return refresh_ || ending_; };
    if (options_.poll_seconds > 0) {
      changed_.wait_for(lock, std::chrono::duration<double>(options_.poll_seconds), due);
    } else {
      changed_.wait(lock, due);
    }
    if (ending_) return;
    refresh_ = false;
    lock.unlock();
    repository_->Refresh();
    lock.lock();
  }
}

void RunningServer::Refresh() {
  const std::lock_guard lock(mutex_);
  refresh_ = true;
  changed_.notify_one();
}

void RunningServer::Drain(std::chrono::milliseconds patience) {
  const Clock::time_point end = Clock::now() + patience;
  if (http_ != nullptr) http_->Drain();
  // Calls of gRPC end while HTTP's last answers are written.
  if (grpc_ != nullptr) grpc_->Drain(patience);
  if (http_ != nullptr) {
    while (http_->connections() > 0 && Clock::now() < end) std::this_thread::sleep_for(kDrainStep);
    http_->CloseAll();
  }
  batcher_.Drain();
  woken_.store(nullptr, std::memory_order_release);
  http_.reset();
  grpc_.reset();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  if (refresher_.joinable()) refresher_.join();
}

}  // namespace

StatusOr<std::unique_ptr<Server>> Server::Start(const std::string& repository, const ServerOptions& options,
                                                std::function<void(const std::string&)> log) {
  MG_ASSIGN_OR_RETURN(auto request_log, RequestLog::Open(options.log_share, options.log_file));
  MG_ASSIGN_OR_RETURN(auto models, Repository::Open(repository, options.versions, std::move(log),
                                                    options.batcher.max_batch_rows));
  auto server = std::make_unique<RunningServer>(options, std::move(models), std::move(request_log));
  MG_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace manygate::serve
