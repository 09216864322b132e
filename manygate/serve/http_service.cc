// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_service.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <utility>

#include "manygate/serve/authorization.h"
#include "manygate/serve/http_pages.h"
#include "manygate/serve/json_text.h"

namespace manygate::serve {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

void WriteJson(std::string body, HttpAnswer* answer) {
  answer->content_type = kJson;
  answer->body = std::move(body);
}

void WriteOutcome(const Outcome& outcome, HttpAnswer* answer) {
  if (!outcome.ok()) WriteError(HttpStatus(outcome.code), outcome.message, answer);
}

// The size of the JSON in front of binary tensors.
Outcome JsonSize(std::string_view header, size_t body_size, size_t* size) {
  *size = body_size;
  if (header.empty()) return Done();
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), *size);
  if (error == std::errc() && end == header.data() + header.size() && *size <= body_size) return Done();
  return Refused(
      OutcomeCode::kInvalid,
      fmt::format("Inference-Header-Content-Length must be a number of bytes, at most the body's {}", body_size));
}

bool IsHealth(HttpPage page) { return page == HttpPage::kLive || page == HttpPage::kReady; }

}  // namespace

void WriteError(int status, std::string_view message, HttpAnswer* answer) {
  answer->status = status;
  answer->content_type = kJson;
  answer->json_size = 0;
  answer->body.clear();
  AppendJsonError(message, &answer->body);
}

HttpStep HttpService::Handle(const HttpRequest& request, JsonWorkspace* workspace, HttpExchange* exchange) {
  HttpRoute& route = exchange->route;
  HttpAnswer& answer = exchange->answer;
  answer.status = 200;
  answer.content_type = {};
  answer.json_size = 0;
  answer.header.clear();
  answer.body.clear();
  const bool known = ParseTarget(request.target, &route);
  if (!(known && IsHealth(route.page)) && !IsAuthorized(request.authorization, parts_.options.token)) {
    answer.header = "WWW-Authenticate: Bearer\r\n";
    WriteError(401, "this server needs a token: Authorization: Bearer TOKEN", &answer);
    return HttpStep::kAnswered;
  }
  if (!known) {
    WriteError(404, fmt::format("there is nothing here. Paths:\n{}", PathList()), &answer);
    return HttpStep::kAnswered;
  }
  if (!Allows(route, request.method)) {
    answer.header = fmt::format("Allow: {}\r\n", route.methods);
    WriteError(405, fmt::format("this path answers {}", route.methods), &answer);
    return HttpStep::kAnswered;
  }
  if (!request.content_encoding.empty() && request.content_encoding != "identity") {
    WriteError(415, "compressed bodies are not read; send it as it is", &answer);
    return HttpStep::kAnswered;
  }
  if (route.page == HttpPage::kInfer || route.page == HttpPage::kPredict) {
    const Outcome outcome = Predict(request, workspace, exchange);
    if (outcome.ok()) return HttpStep::kEncoded;
    WriteOutcome(outcome, &answer);
    Count(outcome, exchange);
    return HttpStep::kAnswered;
  }
  if (route.page == HttpPage::kLoad || route.page == HttpPage::kUnload) {
    if (parts_.options.admin) return HttpStep::kSlow;
    WriteError(403, "models are not loaded on request here; the server was started without --admin", &answer);
    return HttpStep::kAnswered;
  }
  WritePage(route, &answer);
  return HttpStep::kAnswered;
}

void HttpService::WritePage(const HttpRoute& route, HttpAnswer* answer) const {
  std::shared_ptr<const ServedVersion> version;
  Outcome outcome;
  switch (route.page) {
    case HttpPage::kLive: WriteJson(R"({"live":true})", answer); break;
    case HttpPage::kReady: {
      const bool ready = !draining() && parts_.repository.Ready();
      WriteJson(ready ? R"({"ready":true})" : R"({"ready":false})", answer);
      if (!ready) answer->status = HttpStatus(OutcomeCode::kUnavailable);
      break;
    }
    case HttpPage::kServerMetadata: WriteJson(ServerMetadata(), answer); break;
    case HttpPage::kModelMetadata:
    case HttpPage::kModelReady:
      outcome = parts_.repository.Find(route.model, route.version, &version);
      if (!outcome.ok()) break;
      WriteJson(route.page == HttpPage::kModelReady ? ModelReady(*version)
                                                    : ModelMetadata(*version, parts_.repository.List()),
                answer);
      break;
    case HttpPage::kModelStatus: {
      std::string status = ModelStatus(route.model, route.version, parts_.repository.List());
      if (!status.empty()) {
        WriteJson(std::move(status), answer);
      } else {
        outcome = parts_.repository.Find(route.model, route.version, &version);  // for its message
      }
      break;
    }
    case HttpPage::kMetrics:
      answer->content_type = kMetricsText;
      answer->body = parts_.metrics.Text(parts_.batcher.Counts(), parts_.repository.List());
      break;
    case HttpPage::kIndex: WriteJson(RepositoryIndex(parts_.repository.List()), answer); break;
    default: outcome = Refused(OutcomeCode::kInternal, "no page");
  }
  WriteOutcome(outcome, answer);
}

Outcome HttpService::Predict(const HttpRequest& request, JsonWorkspace* workspace, HttpExchange* exchange) {
  Job& job = exchange->job;
  std::shared_ptr<const ServedVersion> version;
  exchange->infer.id.clear();
  if (draining()) return Refused(OutcomeCode::kUnavailable, "the server is about to end");
  MG_RETURN_IF_REFUSED(parts_.repository.Find(exchange->route.model, exchange->route.version, &version));
  job.Start(std::move(version), request.arrived, request.arrived + parts_.options.deadline);
  if (exchange->route.page == HttpPage::kInfer) {
    size_t json_size = 0;
    MG_RETURN_IF_REFUSED(JsonSize(request.json_size, request.body.size(), &json_size));
    MG_RETURN_IF_REFUSED(
        ParseInferRequest(request.body, json_size, parts_.options.max_rows, workspace, &job, &exchange->infer));
    if (exchange->infer.timeout.count() > 0) job.set_deadline(request.arrived + exchange->infer.timeout);
  } else {
    MG_RETURN_IF_REFUSED(
        ParsePredictRequest(request.body, parts_.options.max_rows, workspace, &job, &exchange->predict));
  }
  return job.Encode();
}

bool HttpService::Submit(HttpExchange* exchange) {
  Outcome outcome = parts_.batcher.Add(&exchange->job);
  if (outcome.ok()) return true;
  Finish(std::move(outcome), exchange);
  return false;
}

void HttpService::Finish(Outcome outcome, HttpExchange* exchange) {
  HttpAnswer& answer = exchange->answer;
  if (!outcome.ok()) {
    WriteOutcome(outcome, &answer);
  } else if (exchange->route.page == HttpPage::kInfer) {
    answer.json_size = WriteInferAnswer(exchange->job, exchange->infer, &answer.body);
    answer.content_type = answer.json_size > 0 ? "application/octet-stream" : kJson;
  } else {
    answer.content_type = kJson;
    WritePredictAnswer(exchange->job, exchange->predict, &answer.body);
  }
  Count(outcome, exchange);
}

void HttpService::Count(const Outcome& outcome, HttpExchange* exchange) {
  Job& job = exchange->job;
  const std::shared_ptr<const ServedVersion> version = job.shared_version();
  // What did not find a version is counted without one: names from outside make no series.
  const std::string_view model = version != nullptr ? std::string_view(version->name) : "";
  const int64_t number = version != nullptr ? version->version : 0;
  const double seconds = version != nullptr ? std::chrono::duration<double>(Clock::now() - job.arrived()).count() : 0;
  const int64_t rows = version != nullptr ? job.rows() : 0;
  parts_.metrics.Count(Protocol::kHttp, model, number, outcome.code, rows, seconds);
  parts_.request_log.Add({.protocol = Protocol::kHttp,
                          .model = model,
                          .version = number,
                          .id = exchange->infer.id,
                          .rows = rows,
                          .outcome = outcome,
                          .seconds = seconds});
  if (version != nullptr) job.Finish();
}

void HttpService::HandleSlow(HttpExchange* exchange) {
  const HttpRoute& route = exchange->route;
  WriteOutcome(
      route.page == HttpPage::kLoad ? parts_.repository.Load(route.model) : parts_.repository.Unload(route.model),
      &exchange->answer);
}

}  // namespace manygate::serve
