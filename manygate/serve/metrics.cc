// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "manygate/base/version.h"

namespace manygate::serve {
namespace {

constexpr size_t kNumCodes = static_cast<size_t>(OutcomeCode::kDeadlineExceeded) + 1;
// Upper ends of the histogram's buckets in seconds, and what the last one is called.
constexpr std::array<double, 17> kBuckets = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                             0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};
// Series of more versions of a model are not kept: the lowest versions are forgotten.
constexpr size_t kMostVersions = 100;

// Of a series.
struct Key {
  Protocol protocol;
  std::string model;
  int64_t version;
};
struct KeyView {
  Protocol protocol;
  std::string_view model;
  int64_t version;
};
struct KeyLess {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return std::tuple(a.protocol, std::string_view(a.model), a.version) <
           std::tuple(b.protocol, std::string_view(b.model), b.version);
  }
};

// Of one protocol and version; the counters are independent of each other.
struct Series {
  std::array<std::atomic<uint64_t>, kNumCodes> codes = {};
  std::array<std::atomic<uint64_t>, kBuckets.size() + 1> buckets = {};  // not added up; the last: beyond all
  std::atomic<uint64_t> rows = 0, nanoseconds = 0;
};
using AllSeries = std::map<Key, Series, KeyLess>;

void Add(std::atomic<uint64_t>* counter, uint64_t count) { counter->fetch_add(count, std::memory_order_relaxed); }
uint64_t Read(const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

void AddTo(Series* series, OutcomeCode code, int64_t rows, double seconds) {
  Add(&series->codes[static_cast<size_t>(code)], 1);
  if (code == OutcomeCode::kOk) Add(&series->rows, static_cast<uint64_t>(rows));
  const auto bucket = std::ranges::lower_bound(kBuckets, seconds) - kBuckets.begin();
  Add(&series->buckets[static_cast<size_t>(bucket)], 1);
  Add(&series->nanoseconds, static_cast<uint64_t>(std::max(seconds, 0.0) * 1e9));
}

// Backslash, quote and line feed are escaped.
std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string LabelsOf(const Key& key) {
  return fmt::format("protocol=\"{}\",model=\"{}\",version=\"{}\"", key.protocol == Protocol::kHttp ? "http" : "grpc",
                     Escaped(key.model), key.version == 0 ? "" : std::to_string(key.version));
}

class Page {
 public:
  void Head(std::string_view name, std::string_view type, std::string_view help) {
    Append("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename... Values>
  void Append(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }
  // A series by itself.
  void One(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    Head(name, type, help);
    Append("{} {}\n", name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddRequests(const AllSeries& all, Page* page) {
  page->Head("manygate_requests_total", "counter", "Prediction requests by how they ended, as HTTP's status.");
  for (const auto& [key, series] : all) {
    const std::string labels = LabelsOf(key);
    for (size_t i = 0; i < kNumCodes; ++i)
      if (const uint64_t count = Read(series.codes[i]); count > 0)
        page->Append("manygate_requests_total{{{},code=\"{}\"}} {}\n", labels, HttpStatus(static_cast<OutcomeCode>(i)),
                     count);
  }
  page->Head("manygate_request_rows_total", "counter", "Rows of the requests that were answered with predictions.");
  for (const auto& [key, series] : all)
    page->Append("manygate_request_rows_total{{{}}} {}\n", LabelsOf(key), Read(series.rows));
}

void AddDurations(const AllSeries& all, Page* page) {
  constexpr std::string_view kName = "manygate_request_duration_seconds";
  page->Head(kName, "histogram", "From the last byte of a prediction request to its answer.");
  for (const auto& [key, series] : all) {
    const std::string labels = LabelsOf(key);
    uint64_t count = 0;
    for (size_t i = 0; i <= kBuckets.size(); ++i) {
      count += Read(series.buckets[i]);
      const std::string end = i < kBuckets.size() ? fmt::format("{}", kBuckets[i]) : "+Inf";
      page->Append("{}_bucket{{{},le=\"{}\"}} {}\n", kName, labels, end, count);
    }
    page->Append("{}_sum{{{}}} {}\n", kName, labels, static_cast<double>(Read(series.nanoseconds)) / 1e9);
    page->Append("{}_count{{{}}} {}\n", kName, labels, count);
  }
}

void AddQueue(const BatcherCounts& batches, Page* page) {
  page->One("manygate_batches_total", "counter", "Batches that were scored.", batches.batches);
  page->One("manygate_batch_rows_total", "counter", "Rows of the batches that were scored.", batches.rows);
  page->One("manygate_queue_rows", "gauge", "Rows that wait to be scored.",
            static_cast<uint64_t>(std::max<int64_t>(batches.queued_rows, 0)));
  page->One("manygate_queue_refused_total", "counter", "Requests that were refused because the queue was full.",
            batches.refused);
  page->One("manygate_queue_expired_total", "counter", "Requests whose deadline passed while they waited.",
            batches.expired);
}

}  // namespace

struct Metrics::State {
  mutable std::shared_mutex mutex;  // exclusive: series come and go
  AllSeries series;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::Count(Protocol protocol, std::string_view model, int64_t version, OutcomeCode code, int64_t rows,
                    double seconds) {
  const KeyView key{protocol, model, version};
  {
    const std::shared_lock lock(state_->mutex);
    if (const auto found = state_->series.find(key); found != state_->series.end()) {
      AddTo(&found->second, code, rows, seconds);
      return;
    }
  }
  const std::unique_lock lock(state_->mutex);
  AllSeries& all = state_->series;
  AddTo(&all[Key{protocol, std::string(model), version}], code, rows, seconds);
  const auto first = all.lower_bound(KeyView{protocol, model, 0});
  const auto end = all.upper_bound(KeyView{protocol, model, std::numeric_limits<int64_t>::max()});
  if (static_cast<size_t>(std::distance(first, end)) > kMostVersions) all.erase(first);
}

std::string Metrics::Text(const BatcherCounts& batches, const std::vector<VersionInfo>& versions) const {
  Page page;
  {
    const std::shared_lock lock(state_->mutex);
    AddRequests(state_->series, &page);
    AddDurations(state_->series, &page);
  }
  AddQueue(batches, &page);
  page.Head("manygate_model_version_ready", "gauge", "1: the version serves; 0: it could not be loaded.");
  for (const VersionInfo& version : versions)
    page.Append("manygate_model_version_ready{{model=\"{}\",version=\"{}\"}} {}\n", Escaped(version.name),
                version.version, version.state == VersionState::kReady ? 1 : 0);
  page.Head("manygate_build_info", "gauge", "The program's version.");
  page.Append("manygate_build_info{{version=\"{}\"}} 1\n", kProgramVersion);
  return page.Take();
}

}  // namespace manygate::serve
