// SPDX-License-Identifier: Apache-2.0
// manygate serve REPOSITORY. MANYGATE_SERVER is set where its packages were found.
#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <ostream>
#include <thread>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/verbs.h"
#ifdef MANYGATE_SERVER
#include "manygate/serve/server.h"
#endif

namespace manygate::cli {

#ifdef MANYGATE_SERVER

namespace {

constexpr std::chrono::milliseconds kLook(20);    // how often the signals are looked for
constexpr std::chrono::seconds kPatience(30);     // for requests that were taken before the end

bool IsLoopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

StatusOr<std::string> ReadToken(const std::string& file) {
  if (file.empty()) return std::string();
  MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  const std::string_view token = Trim(text);
  if (token.empty() || token.find_first_of(" \t\r\n") != std::string_view::npos)
    return InvalidInput(fmt::format("{}: expected one line with a token, without blanks", file));
  return std::string(token);
}

StatusOr<serve::ServerOptions> OptionsFromFlags(const ServeFlags& flags) {
  serve::ServerOptions options;
  MG_ASSIGN_OR_RETURN(options.versions, serve::ParseVersionPolicy(flags.versions));
  MG_ASSIGN_OR_RETURN(options.token, ReadToken(flags.token_file));
  options.address = flags.address;
  options.http_port = flags.http_port;
  options.grpc_port = flags.grpc_port;
  options.http_threads = flags.http_threads;
  options.batcher = {.threads = flags.threads,
                     .max_batch_rows = flags.max_batch_rows,
                     .max_queue_rows = flags.max_queue_rows,
                     .max_queue_delay = std::chrono::microseconds(flags.max_queue_delay_us),
                     .after_batch = {}};
  options.deadline = std::chrono::milliseconds(flags.deadline_ms);
  options.poll_seconds = flags.poll_seconds;
  options.admin = flags.admin;
  options.tls_certificate = flags.tls_certificate;
  options.tls_key = flags.tls_key;
  options.log_share = flags.log_share;
  options.log_file = flags.log_file;
  options.max_connections = flags.max_connections;
  options.max_body_bytes = static_cast<int64_t>(flags.max_body_mb) << 20;
  return options;
}

}  // namespace

Status RunServe(const ServeFlags& flags, const Console& console) {
  MG_ASSIGN_OR_RETURN(const serve::ServerOptions options, OptionsFromFlags(flags));
  std::mutex mutex;  // lines come from several threads
  const auto log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    console.err << line << std::endl;
  };
  const bool tls = !options.tls_certificate.empty();
  if (!IsLoopback(options.address) && (options.token.empty() || !tls)) {
    log(fmt::format("warning: {} may be reached from other machines, and the server has no {}", options.address,
                    options.token.empty() ? (tls ? "token" : "token and no TLS") : "TLS"));
  }
  MG_ASSIGN_OR_RETURN(const auto server, serve::Server::Start(flags.repository, options, log));
  const std::string host = options.address.find(':') == std::string::npos ? options.address : "[" + options.address + "]";
  log(fmt::format("HTTP at {}://{}:{}", tls ? "https" : "http", host, server->http_port()));
  log(fmt::format("gRPC at {}:{}{}", host, server->grpc_port(), tls ? " (TLS)" : ""));
  while (console.stop == nullptr || !console.stop->load()) {
    if (console.refresh != nullptr && console.refresh->exchange(false)) server->Refresh();
    std::this_thread::sleep_for(kLook);
  }
  log("ending: what was taken is answered first");
  server->Drain(kPatience);
  log("ended");
  return OkStatus();
}

#else

Status RunServe(const ServeFlags& flags, const Console& console) {
  return InvalidInput("this program was built without its server, because packages that it needs were not there. "
                      "Install them with: ./run deps serve, then build again with: ./run build");
}

#endif

}  // namespace manygate::cli
