// SPDX-License-Identifier: Apache-2.0
// One of HTTP's threads with its connections, which stay with it: nothing of a connection needs a lock.
//
//   HttpLoop loop(service, options, &slow);
//   std::thread thread([&] { loop.Run(); });
//   loop.Post([&] { MakeSession(std::move(socket), nullptr, false, loop)->Start(); });
//   loop.Scored(session); loop.Wake();        // on a scoring thread: behind each job; behind each batch
//   loop.Stop();
#ifndef MANYGATE_SERVE_HTTP_LOOP_H_
#define MANYGATE_SERVE_HTTP_LOOP_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "manygate/serve/http_service.h"
#include "manygate/serve/json_workspace.h"
#include "manygate/serve/server.h"

namespace manygate::serve {

class HttpLoop;

// A connection. All but the constructor and Scored is called on its loop's thread.
class HttpSession {
 public:
  // refused: only to be told that there are too many.
  HttpSession(HttpLoop& loop, bool refused);
  virtual ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  virtual void Start() = 0;
  // Gives its job to the batcher.
  virtual void Submit() = 0;
  // Its job is done.
  virtual void Resume() = 0;
  // Closes it where it has waited too long for the client.
  virtual void CheckTime(Clock::time_point now) = 0;
  // Closes it where it has no request.
  virtual void CloseIfIdle() = 0;
  virtual void Close() = 0;

 protected:
  HttpLoop& loop_;

 private:
  friend class HttpLoop;
  const bool refused_;
  size_t index_ = 0;                    // in the loop's list
  HttpSession* next_scored_ = nullptr;  // in the loop's stack
};

class HttpLoop {
 public:
  // slow: threads for work that may take seconds.
  HttpLoop(HttpService& service, const ServerOptions& options, boost::asio::thread_pool* slow);

  void Run();
  void Stop() { context_.stop(); }
  template <typename Function>
  void Post(Function&& function) {
    boost::asio::post(context_, std::forward<Function>(function));
  }

  // The session's Submit is to be called behind what else has arrived by now, so that jobs come into one batch.
  void Encoded(HttpSession* session);
  // By any thread: the session's Resume is to be called behind the next Wake.
  void Scored(HttpSession* session);
  void Wake();
  // By any thread.
  int connections() const { return connections_.load(std::memory_order_relaxed); }
  int refused() const { return refused_.load(std::memory_order_relaxed); }  // of them, those that are told so

  void CloseIdle();
  void CloseAll();

  boost::asio::io_context& context() { return context_; }
  HttpService& service() { return service_; }
  const ServerOptions& options() const { return options_; }
  JsonWorkspace& workspace() { return workspace_; }
  boost::asio::thread_pool& slow() { return slow_; }
  // Of the answers' header Date; at most a second old.
  const std::string& date() const { return date_; }

 private:
  friend class HttpSession;
  void SubmitEncoded();
  void ResumeScored();
  void Tick();

  HttpService& service_;
  const ServerOptions& options_;
  boost::asio::thread_pool& slow_;
  JsonWorkspace workspace_;
  std::vector<HttpSession*> encoded_;
  std::atomic<HttpSession*> scored_{nullptr};  // a stack
  std::atomic<int> connections_{0}, refused_{0};
  std::vector<HttpSession*> sessions_;
  std::string date_;
  boost::asio::io_context context_{1};  // ends before what its handlers refer to
  boost::asio::steady_timer timer_{context_};
};

// tls: null: none. refused: it is told that there are too many, and closed. A session lives while it waits for something.
std::shared_ptr<HttpSession> MakeSession(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                                         bool refused, HttpLoop& loop);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_HTTP_LOOP_H_
