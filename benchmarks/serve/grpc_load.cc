// SPDX-License-Identifier: Apache-2.0
// Loads a server with ModelInfer calls over gRPC, all inputs as BYTES, and prints calls per second and latencies as JSON.
//
//   manygate_grpc_load --address 127.0.0.1:8081 --model census --data rows.jsonl --channels 4 --in_flight 4 --seconds 5
//
// rows.jsonl: one JSON object a line, input to text: {"age": "39", "job": "Private", ...}. Each line is a request of one
// row, or of --rows rows with --rows lines from it on. Requests are made before the clock starts. Every answer must be the
// bytes of the first answer to the same request; calls that fail and answers that differ are counted.
#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "manygate/serve/open_inference.pb.h"

namespace manygate {
namespace {

using Clock = std::chrono::steady_clock;
constexpr char kMethod[] = "/inference.GRPCInferenceService/ModelInfer";

struct Flags {
  std::string address = "127.0.0.1:8081", model, data;
  int channels = 4, in_flight = 4;
  size_t rows = 1;
  double seconds = 5, warm_seconds = 1;
};

struct Request {
  grpc::ByteBuffer bytes;
  std::string answer;  // "": none yet
};

// One of the calls that are under way, again and again.
struct Slot {
  grpc::GenericStub* stub = nullptr;
  size_t request = 0;
  Clock::time_point start;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call;
  grpc::ByteBuffer response;
  grpc::Status status;
};

struct Result {
  uint64_t failed = 0, different = 0;
  std::string problem;  // of the first that failed
  std::vector<double> microseconds;
};

std::vector<Request> MakeRequests(const Flags& flags) {
  std::vector<nlohmann::json> rows;
  std::ifstream file(flags.data);
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  std::vector<Request> requests;
  for (size_t first = 0; first < rows.size(); ++first) {
    inference::ModelInferRequest request;
    request.set_model_name(flags.model);
    for (const auto& [name, value] : rows[first].items()) {
      auto* const input = request.add_inputs();
      input->set_name(name);
      input->set_datatype("BYTES");
      input->add_shape(static_cast<int64_t>(flags.rows));
      std::string& raw = *request.add_raw_input_contents();
      for (size_t i = 0; i < flags.rows; ++i) {
        const std::string text = rows[(first + i) % rows.size()].at(name).get<std::string>();
        const auto size = static_cast<uint32_t>(text.size());
        raw.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text);
      }
    }
    grpc::Slice slice(request.SerializeAsString());
    requests.push_back({grpc::ByteBuffer(&slice, 1), ""});
  }
  return requests;
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

class Load {
 public:
  Load(const Flags& flags, std::vector<Request> requests) : flags_(flags), requests_(std::move(requests)) {
    for (int i = 0; i < flags.channels; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt("grpc.use_local_subchannel_pool", 1);  // a connection for each
      stubs_.push_back(std::make_unique<grpc::GenericStub>(
          grpc::CreateCustomChannel(flags.address, grpc::InsecureChannelCredentials(), arguments)));
    }
    slots_.resize(static_cast<size_t>(flags.channels * flags.in_flight));
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i].stub = stubs_[i % stubs_.size()].get();
  }

  Result Run(double seconds) {
    Result result;
    const Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (Slot& slot : slots_) Start(&slot);
    size_t under_way = slots_.size();
    void* tag = nullptr;
    for (bool ok = false; under_way > 0 && queue_.Next(&tag, &ok);) {
      Slot* const slot = static_cast<Slot*>(tag);
      const Clock::time_point now = Clock::now();
      result.microseconds.push_back(std::chrono::duration<double, std::micro>(now - slot->start).count());
      Check(*slot, &result);
      if (now < end) {
        Start(slot);
      } else {
        --under_way;
      }
    }
    return result;
  }

 private:
  void Start(Slot* slot) {
    slot->request = next_++ % requests_.size();
    slot->start = Clock::now();
    slot->call.reset();
    slot->context = std::make_unique<grpc::ClientContext>();
    slot->call = slot->stub->PrepareUnaryCall(slot->context.get(), kMethod, requests_[slot->request].bytes, &queue_);
    slot->call->StartCall();
    slot->call->Finish(&slot->response, &slot->status, slot);
  }

  void Check(const Slot& slot, Result* result) {
    if (!slot.status.ok()) {
      if (result->failed++ == 0) result->problem = slot.status.error_message();
      return;
    }
    std::string bytes = Bytes(slot.response);
    std::string& first = requests_[slot.request].answer;
    if (first.empty())
      first = std::move(bytes);
    else if (first != bytes)
      ++result->different;
  }

  const Flags& flags_;
  std::vector<Request> requests_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<Slot> slots_;
  grpc::CompletionQueue queue_;
  size_t next_ = 0;
};

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Loads a server with ModelInfer calls.");
  app.add_option("--address", flags.address);
  app.add_option("--model", flags.model)->required();
  app.add_option("--data", flags.data)->required()->check(CLI::ExistingFile);
  app.add_option("--channels", flags.channels)->check(CLI::PositiveNumber);
  app.add_option("--in_flight", flags.in_flight, "calls at once per channel")->check(CLI::PositiveNumber);
  app.add_option("--rows", flags.rows)->check(CLI::PositiveNumber);
  app.add_option("--seconds", flags.seconds);
  app.add_option("--warm_seconds", flags.warm_seconds);
  CLI11_PARSE(app, argc, argv);
  std::vector<Request> requests = MakeRequests(flags);
  if (requests.empty()) {
    fmt::print(stderr, "{}: no rows\n", flags.data);
    return 2;
  }
  Load load(flags, std::move(requests));
  load.Run(flags.warm_seconds);
  const Clock::time_point start = Clock::now();
  Result result = load.Run(flags.seconds);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double>& times = result.microseconds;
  std::ranges::sort(times);
  const auto quantile = [&times](double q) {
    return times[static_cast<size_t>(q * static_cast<double>(times.size() - 1))];
  };
  const auto calls = static_cast<double>(times.size());
  const nlohmann::ordered_json report = {{"channels", flags.channels},
                                         {"in_flight", flags.in_flight},
                                         {"rows", flags.rows},
                                         {"calls", times.size()},
                                         {"calls_per_second", calls / seconds},
                                         {"p50_us", quantile(0.5)},
                                         {"p99_us", quantile(0.99)},
                                         {"failed", result.failed},
                                         {"different", result.different},
                                         {"problem", result.problem}};
  fmt::print("{}\n", report.dump());
  return result.failed + result.different > 0 ? 1 : 0;
}

}  // namespace
}  // namespace manygate

int main(int argc, char** argv) { return manygate::Main(argc, argv); }
