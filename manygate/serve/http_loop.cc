// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_loop.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>

namespace manygate::serve {
namespace {

// As RFC 9110, section 5.6.7 has it.
std::string HttpDate() { return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))); }

}  // namespace

HttpSession::HttpSession(HttpLoop& loop, bool refused) : loop_(loop), refused_(refused), index_(loop.sessions_.size()) {
  if (refused) loop_.refused_.fetch_add(1, std::memory_order_relaxed);
  loop_.sessions_.push_back(this);
  loop_.connections_.fetch_add(1, std::memory_order_relaxed);
}

HttpSession::~HttpSession() {
  loop_.sessions_[index_] = loop_.sessions_.back();
  loop_.sessions_[index_]->index_ = index_;
  loop_.sessions_.pop_back();
  if (refused_) loop_.refused_.fetch_sub(1, std::memory_order_relaxed);
  loop_.connections_.fetch_sub(1, std::memory_order_relaxed);
}

HttpLoop::HttpLoop(HttpService& service, const ServerOptions& options, boost::asio::thread_pool* slow)
    : service_(service), options_(options), slow_(*slow), date_(HttpDate()) {}

void HttpLoop::Run() {
  Tick();
  const auto work = boost::asio::make_work_guard(context_);
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception&) {
      // No memory for one connection, which its handler has let go of; the others go on.
    }
  }
}

void HttpLoop::Encoded(HttpSession* session) {
  if (encoded_.empty()) Post([this] { SubmitEncoded(); });
  encoded_.push_back(session);
}

void HttpLoop::SubmitEncoded() {
  for (HttpSession* session : encoded_) session->Submit();
  encoded_.clear();
  service_.WakeScorers();
}

void HttpLoop::Scored(HttpSession* session) {
  session->next_scored_ = scored_.load(std::memory_order_relaxed);
  while (!scored_.compare_exchange_weak(session->next_scored_, session, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
}

void HttpLoop::Wake() {
  if (scored_.load(std::memory_order_relaxed) == nullptr) return;
  Post([this] { ResumeScored(); });
}

// First done, first answered.
void HttpLoop::ResumeScored() {
  HttpSession* turned = nullptr;
  for (HttpSession* session = scored_.exchange(nullptr, std::memory_order_acquire); session != nullptr;) {
    HttpSession* const next = session->next_scored_;
    session->next_scored_ = turned;
    turned = session;
    session = next;
  }
  while (turned != nullptr) {
    HttpSession* const session = turned;
    turned = session->next_scored_;
    session->Resume();
  }
}

void HttpLoop::Tick() {
  using std::chrono::milliseconds;
  date_ = HttpDate();
  const Clock::time_point now = Clock::now();
  // From the back: closing may take a session out of the list, whose last one then comes to its place.
  for (size_t i = sessions_.size(); i-- > 0;)
    if (i < sessions_.size()) sessions_[i]->CheckTime(now);
  timer_.expires_after(std::clamp(options_.idle_timeout / 4, milliseconds(10), milliseconds(250)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Tick();
  });
}

void HttpLoop::CloseIdle() {
  for (size_t i = sessions_.size(); i-- > 0;)
    if (i < sessions_.size()) sessions_[i]->CloseIfIdle();
}

void HttpLoop::CloseAll() {
  for (size_t i = sessions_.size(); i-- > 0;)
    if (i < sessions_.size()) sessions_[i]->Close();
}

}  // namespace manygate::serve
