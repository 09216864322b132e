// SPDX-License-Identifier: Apache-2.0
// A connection of HTTP/1: reads requests one after the other, lets the service answer them and writes the answers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>

#include "manygate/serve/http_loop.h"

namespace manygate::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr uint32_t kMostHeaderBytes = 16 * 1024;
constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kFirstBodyBytes = 64 * 1024;  // what a Content-Length alone may make us take
constexpr size_t kKeptBytes = 256 * 1024;      // of a buffer, from request to request
constexpr std::chrono::seconds kHeaderTimeout(10), kLingerTimeout(1);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// A body in a text that belongs to the connection, with room behind it for the parser of JSON.
struct PaddedBody {
  using value_type = std::string*;
  class reader {
   public:
    template <bool is_request, typename Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>& length, error_code& error) {
      body_->reserve(std::min<size_t>(length.value_or(0), kFirstBodyBytes) + JsonWorkspace::kPadding);
      error = {};
    }
    template <typename Buffers>
    size_t put(const Buffers& buffers, error_code& error) {
      size_t size = 0;
      for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
        const asio::const_buffer part = *it;
        body_->append(static_cast<const char*>(part.data()), part.size());
        size += part.size();
      }
      error = {};
      return size;
    }
    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;  // set behind the parser's construction
  };
};

std::string_view Reason(int status) {
  const auto text = http::obsolete_reason(static_cast<http::status>(status));
  return {text.data(), text.size()};
}

// What a request that is not HTTP, or too large, is answered.
int StatusOfBroken(const error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

void ReleaseLarge(std::string* text) {
  text->clear();
  if (text->capacity() > kKeptBytes) text->shrink_to_fit();
}

template <typename Stream>
class Session final : public HttpSession, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <typename... Args>
  Session(HttpLoop& loop, bool refused, Args&&... args)
      : HttpSession(loop, refused), stream_(std::forward<Args>(args)...), refused_(refused) {
    exchange_.job.done = [this](Outcome outcome) {
      outcome_ = std::move(outcome);
      loop_.Scored(this);
    };
  }

  void Start() override;
  void Submit() override;
  void Resume() override;
  void CheckTime(Clock::time_point now) override;
  void CloseIfIdle() override;
  void Close() override {
    error_code ignored;
    socket().close(ignored);
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;
  enum class Step { kIdle, kHeader, kBody, kWaiting, kWriting, kEnding };

  auto& socket() { return stream_.lowest_layer(); }
  void Expire(std::chrono::milliseconds after) { expires_ = Clock::now() + after; }
  void StartRequest();
  void Read();
  void OnRead(const error_code& error, size_t size);
  void Consume();
  bool AskForBody();
  void Handle();
  void Answer(const HttpRequest& request);
  void Refuse(int status, std::string_view why);
  void Write();
  void OnWritten(const error_code& error);
  void End();
  void Discard(size_t left);

  Stream stream_;
  const bool refused_;
  Step step_ = Step::kIdle;
  Clock::time_point expires_ = Clock::time_point::max();
  bool timed_out_ = false;
  boost::beast::flat_buffer buffer_;  // read, not yet parsed
  std::optional<http::request_parser<PaddedBody>> parser_;
  size_t header_bytes_ = 0;
  bool header_done_ = false, keep_ = false, head_ = false, old_ = false;  // of the request
  std::string body_;
  HttpExchange exchange_;
  Outcome outcome_;
  std::shared_ptr<HttpSession> self_;  // while a scoring or slow thread has the exchange
  std::string header_;                 // of the answer
};

template <typename Stream>
void Session<Stream>::Start() {
  error_code ignored;
  socket().set_option(tcp::no_delay(true), ignored);
  if (refused_) return Refuse(503, "the server has as many connections as it may have (--max_connections)");
  if constexpr (kTls) {
    step_ = Step::kEnding;  // a handshake that takes too long is closed
    Expire(kHeaderTimeout);
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [this, self = this->shared_from_this()](const error_code& error) {
                              if (!error) StartRequest();
                            });
  } else {
    StartRequest();
  }
}

template <typename Stream>
void Session<Stream>::StartRequest() {
  parser_.emplace();
  parser_->get().body() = &body_;
  parser_->header_limit(kMostHeaderBytes);
  parser_->body_limit(static_cast<uint64_t>(loop_.options().max_body_bytes));
  parser_->eager(false);  // until the header is there
  header_done_ = false;
  header_bytes_ = 0;
  step_ = Step::kIdle;
  Expire(loop_.options().idle_timeout);
  if (buffer_.size() > 0) return Consume();
  if (loop_.service().draining()) return End();
  Read();
}

template <typename Stream>
void Session<Stream>::Read() {
  stream_.async_read_some(
      buffer_.prepare(kReadBytes),
      [this, self = this->shared_from_this()](const error_code& error, size_t size) { OnRead(error, size); });
}

template <typename Stream>
void Session<Stream>::OnRead(const error_code& error, size_t size) {
  const bool within = step_ == Step::kHeader || step_ == Step::kBody;
  if (error && within && timed_out_) return Refuse(408, "the request took too long to arrive");
  if (error == asio::error::eof && within) return Refuse(400, "the request ends too early");
  if (error) return Close();
  buffer_.commit(size);
  Consume();
}

template <typename Stream>
void Session<Stream>::Consume() {
  if (step_ == Step::kIdle) {
    step_ = Step::kHeader;
    Expire(std::min<std::chrono::milliseconds>(kHeaderTimeout, loop_.options().idle_timeout));
  } else if (step_ == Step::kBody) {
    Expire(loop_.options().idle_timeout);
  }
  while (buffer_.size() > 0) {
    error_code error;
    const size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (!header_done_ && (header_bytes_ += used) > kMostHeaderBytes)
      return Refuse(431, fmt::format("the header has more than {} bytes", kMostHeaderBytes));
    // Between and behind chunks of a body there is no limit but this.
    if (buffer_.size() > kMostHeaderBytes && (used == 0 || error == http::error::need_more))
      return Refuse(431, fmt::format("the header, or that of a chunk, has more than {} bytes", kMostHeaderBytes));
    if (error == http::error::need_more) break;
    if (error == http::error::body_limit)
      return Refuse(413, fmt::format("the body has more than {} bytes", loop_.options().max_body_bytes));
    if (error) return Refuse(StatusOfBroken(error), fmt::format("the request is not HTTP: {}", error.message()));
    if (!header_done_ && parser_->is_header_done()) {
      header_done_ = true;
      step_ = Step::kBody;
      parser_->eager(true);
      const auto coding = parser_->get()[http::field::transfer_encoding];
      if (!coding.empty() && !boost::beast::iequals(coding, "chunked"))
        return Refuse(501, "of the transfer encodings only chunked is read");
      if (AskForBody()) return;
    }
    if (parser_->is_done()) return Handle();
    if (used == 0) break;
  }
  Read();
}

// Whether the client waits to be asked; then it is, and reading goes on behind that.
template <typename Stream>
bool Session<Stream>::AskForBody() {
  const auto& request = parser_->get();
  const auto expected = request[http::field::expect];
  if (parser_->is_done() || request.version() < 11 || !boost::beast::iequals(expected, "100-continue")) return false;
  asio::async_write(stream_, asio::buffer(kContinue),
                    [this, self = this->shared_from_this()](const error_code& error, size_t) {
                      if (error) return Close();
                      Consume();
                    });
  return true;
}

template <typename Stream>
void Session<Stream>::Handle() {
  const auto& message = parser_->get();
  const auto field = [&](auto name) {
    const auto value = message[name];
    return std::string_view(value.data(), value.size());
  };
  const auto method = message.method_string();
  const auto target = message.target();
  keep_ = parser_->keep_alive();
  head_ = message.method() == http::verb::head;
  old_ = message.version() < 11;
  body_.reserve(body_.size() + JsonWorkspace::kPadding);
  Answer({.method = {method.data(), method.size()},
          .target = {target.data(), target.size()},
          .authorization = field(http::field::authorization),
          .json_size = field("Inference-Header-Content-Length"),
          .content_encoding = field(http::field::content_encoding),
          .body = body_,
          .arrived = Clock::now()});
}

template <typename Stream>
void Session<Stream>::Answer(const HttpRequest& request) {
  step_ = Step::kWaiting;
  self_ = this->shared_from_this();
  HttpStep step = HttpStep::kAnswered;
  try {
    step = loop_.service().Handle(request, &loop_.workspace(), &exchange_);
  } catch (const std::exception& error) {  // no memory
    if (exchange_.job.shared_version() != nullptr) exchange_.job.Finish();
    WriteError(500, error.what(), &exchange_.answer);
  }
  if (body_.size() > kKeptBytes) loop_.workspace().Shrink();
  ReleaseLarge(&body_);
  if (step == HttpStep::kEncoded) return loop_.Encoded(this);
  if (step == HttpStep::kAnswered) return Write();
  asio::post(loop_.slow(), [this] {
    loop_.service().HandleSlow(&exchange_);
    loop_.Post([this] { Write(); });
  });
}

template <typename Stream>
void Session<Stream>::Submit() {
  if (!loop_.service().Submit(&exchange_)) Write();
}

template <typename Stream>
void Session<Stream>::Resume() {
  try {
    loop_.service().Finish(std::move(outcome_), &exchange_);
  } catch (const std::exception& error) {  // no memory
    if (exchange_.job.shared_version() != nullptr) exchange_.job.Finish();
    WriteError(500, error.what(), &exchange_.answer);
  }
  Write();
}

// Answers a request of which no more is read, and ends.
template <typename Stream>
void Session<Stream>::Refuse(int status, std::string_view why) {
  keep_ = false;
  head_ = false;
  exchange_.answer.header.clear();
  WriteError(status, why, &exchange_.answer);
  self_ = this->shared_from_this();
  Write();
}

template <typename Stream>
void Session<Stream>::Write() {
  const std::shared_ptr<HttpSession> self = std::move(self_);
  const HttpAnswer& answer = exchange_.answer;
  keep_ = keep_ && !loop_.service().draining();
  header_.clear();
  const auto to = std::back_inserter(header_);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Length: {}\r\n", answer.status, Reason(answer.status),
                 loop_.date(), answer.body.size());
  if (!answer.content_type.empty()) fmt::format_to(to, "Content-Type: {}\r\n", answer.content_type);
  if (answer.json_size > 0) fmt::format_to(to, "Inference-Header-Content-Length: {}\r\n", answer.json_size);
  header_ += answer.header;
  header_ += !keep_ ? "Connection: close\r\n\r\n" : old_ ? "Connection: keep-alive\r\n\r\n" : "\r\n";
  step_ = Step::kWriting;
  Expire(loop_.options().idle_timeout);
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(header_),
                                                   head_ ? asio::const_buffer() : asio::buffer(answer.body)};
  asio::async_write(stream_, parts, [this, self](const error_code& error, size_t) { OnWritten(error); });
}

template <typename Stream>
void Session<Stream>::OnWritten(const error_code& error) {
  if (error) return Close();
  ReleaseLarge(&exchange_.answer.body);
  if (!keep_) return End();
  StartRequest();
}

// Closing a socket with unread bytes would take the answer from the client, so they are read for a while.
template <typename Stream>
void Session<Stream>::End() {
  step_ = Step::kEnding;
  Expire(kLingerTimeout);
  if constexpr (kTls) {
    stream_.async_shutdown([this, self = this->shared_from_this()](const error_code&) { Close(); });
  } else {
    error_code error;
    socket().shutdown(tcp::socket::shutdown_send, error);
    if (error) return Close();
    Discard(1 << 20);
  }
}

template <typename Stream>
void Session<Stream>::Discard(size_t left) {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [this, self = this->shared_from_this(), left](const error_code& error, size_t size) {
                            if (error || size >= left) return Close();
                            Discard(left - size);
                          });
}

template <typename Stream>
void Session<Stream>::CheckTime(Clock::time_point now) {
  if (step_ == Step::kWaiting || now < expires_) return;
  if (step_ != Step::kHeader && step_ != Step::kBody) return Close();
  timed_out_ = true;  // the reader answers
  error_code ignored;
  socket().cancel(ignored);
}

template <typename Stream>
void Session<Stream>::CloseIfIdle() {
  error_code ignored;
  if (step_ == Step::kIdle && buffer_.size() == 0 && socket().available(ignored) == 0) Close();
}

}  // namespace

std::shared_ptr<HttpSession> MakeSession(tcp::socket socket, asio::ssl::context* tls, bool refused, HttpLoop& loop) {
  if (tls != nullptr) return std::make_shared<Session<TlsStream>>(loop, refused, std::move(socket), *tls);
  return std::make_shared<Session<tcp::socket>>(loop, refused, std::move(socket));
}

}  // namespace manygate::serve
