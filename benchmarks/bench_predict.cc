// SPDX-License-Identifier: Apache-2.0
// Times predictions inside the process, from encoded rows and from texts, as benchmarks/predict.py asks for.
//
//   manygate_bench_predict --model_dir out/census --batch 1 64 1024 --seconds 2 --json
//   manygate_bench_predict --model_dir out/census --dump rows.bin --json
//
// One thread; the rows are those of the model's evaluation file, kMostRows of them, in turn. A call gives the predictions of
// all tasks. The texts of a call are copied together before its clock starts, as they come together in a request: where they
// lie spread over the memory of all rows, a row takes about 1 us longer, in cache misses. Before any timing each batch size must
// give the bits of all rows in one call; exit code 1 otherwise.
// The file of --dump: int64 rows, id slots, numbers, tasks; int32 ids [rows, slots]; float numbers, float predictions.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "manygate/base/file.h"
#include "manygate/config/load.h"
#include "manygate/data/source.h"
#include "manygate/predictor/predictor.h"

namespace manygate {
namespace {

using features::Cell;

constexpr int64_t kMostRows = 4096;

struct Flags {
  std::string model_dir, data, dump;
  std::vector<int64_t> batches;
  double seconds = 1;
};

struct Rows {
  int64_t count = 0;
  std::vector<std::string> texts;  // [count, inputs]
  std::vector<int32_t> ids;
  std::vector<float> numbers;
};

StatusOr<Rows> ReadRows(const Flags& flags, const Predictor& predictor) {
  MG_ASSIGN_OR_RETURN(const config::LoadedPipeline loaded,
                      config::LoadPipeline(JoinPath(flags.model_dir, "pipeline.config")));
  const config::Pipeline& pipeline = loaded.pipeline;
  const std::string path = !flags.data.empty()                   ? flags.data
                           : !pipeline.eval_input_path().empty() ? pipeline.eval_input_path()
                                                                 : pipeline.train_input_path();
  std::vector<ColumnRequest> requests;
  for (const PredictorInput& input : predictor.inputs()) requests.push_back({input.name, ColumnKind::kCategory});
  ThreadPool pool(1);
  MG_ASSIGN_OR_RETURN(const Table table, ReadTable(path, pipeline.data_config(), requests, pool, "off", nullptr));
  Rows rows;
  rows.count = std::min(kMostRows, table.rows);
  for (int64_t r = 0; r < rows.count; ++r) {
    for (const ColumnRequest& request : requests) {
      const Column& column = table.columns[static_cast<size_t>(table.Find(request.name))];
      rows.texts.push_back(column.dictionary[column.Code(r)]);
    }
  }
  const std::vector<Cell> cells(rows.texts.begin(), rows.texts.end());
  rows.ids.resize(static_cast<size_t>(rows.count * predictor.num_id_slots()));
  rows.numbers.resize(static_cast<size_t>(rows.count * predictor.number_width()));
  MG_RETURN_IF_ERROR(predictor.Encode(cells, rows.count, rows.ids.data(), rows.numbers.data()));
  return rows;
}

// Predictions of batch after batch of the rows.
class Caller {
 public:
  Caller(const Predictor& predictor, const Rows& rows) : predictor_(predictor), rows_(rows) {
    for (const PredictorOutput& output : predictor.outputs()) {
      values_.emplace_back(output.logits ? 0 : static_cast<size_t>(rows.count * output.width));
      places_.push_back(nullptr);
    }
  }
  void Encoded(int64_t first, int64_t count) {
    predictor_.Score(count, rows_.ids.data() + first * predictor_.num_id_slots(),
                     rows_.numbers.data() + first * predictor_.number_width(), Places(first));
  }
  // The cells of rows for Texts.
  void Receive(int64_t first, int64_t count) {
    const auto inputs = static_cast<int64_t>(predictor_.inputs().size());
    const std::span texts(rows_.texts.data() + first * inputs, static_cast<size_t>(count * inputs));
    request_.clear();
    cells_.clear();
    for (const std::string& text : texts) request_ += text;
    size_t at = 0;
    for (const std::string& text : texts) {
      cells_.emplace_back(std::string_view(request_).substr(at, text.size()));
      at += text.size();
    }
  }
  void Texts(int64_t first, int64_t count) {
    const Status status = predictor_.Predict(cells_, count, Places(first));
    if (!status.ok()) std::abort();  // the rows have been encoded before
  }
  const std::vector<std::vector<float>>& values() const { return values_; }

 private:
  std::span<float* const> Places(int64_t first) {
    for (size_t i = 0; i < places_.size(); ++i)
      places_[i] = values_[i].empty() ? nullptr : values_[i].data() + first * predictor_.outputs()[i].width;
    return places_;
  }
  const Predictor& predictor_;
  const Rows& rows_;
  std::vector<std::vector<float>> values_;  // by output
  std::vector<float*> places_;
  std::string request_;  // the texts behind each other
  std::vector<Cell> cells_;
};

using Call = std::function<void(int64_t first, int64_t count)>;

Status CheckBits(const Predictor& predictor, const Rows& rows, int64_t batch) {
  Caller whole(predictor, rows), encoded(predictor, rows), texts(predictor, rows);
  whole.Encoded(0, rows.count);
  for (int64_t first = 0; first < rows.count; first += batch) {
    encoded.Encoded(first, std::min(batch, rows.count - first));
    texts.Receive(first, std::min(batch, rows.count - first));
    texts.Texts(first, std::min(batch, rows.count - first));
  }
  for (const Caller* caller : {&encoded, &texts})
    for (size_t i = 0; i < whole.values().size(); ++i)
      if (std::memcmp(whole.values()[i].data(), caller->values()[i].data(), whole.values()[i].size() * sizeof(float)) !=
          0)
        return Failed(fmt::format("{} in batches of {} has other bits than all rows in one call",
                                  predictor.outputs()[i].name, batch));
  return OkStatus();
}

double Microseconds() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A call is timed alone; what the clock itself takes is in it.
nlohmann::json Time(const Call& prepare, const Call& call, const Rows& rows, int64_t batch, double seconds) {
  std::vector<double> times;
  const double start = Microseconds();
  double begin = start;
  for (int64_t first = 0; begin - start<seconds * 1e6; first = first + 2 * batch> rows.count ? 0 : first + batch) {
    prepare(first, batch);
    begin = Microseconds();
    call(first, batch);
    times.push_back(Microseconds() - begin);
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
  };
  return {{"p50_us", at(0.5)}, {"p99_us", at(0.99)}, {"calls", times.size()}};
}

Status Dump(const Predictor& predictor, const Rows& rows, const std::string& path) {
  Caller caller(predictor, rows);
  caller.Encoded(0, rows.count);
  std::vector<float> predictions;  // [rows, tasks]
  int64_t tasks = 0;
  for (const PredictorOutput& output : predictor.outputs()) tasks += output.logits ? 0 : output.width;
  for (int64_t r = 0; r < rows.count; ++r)
    for (size_t i = 0; i < caller.values().size(); ++i)
      for (int64_t k = 0; !caller.values()[i].empty() && k < predictor.outputs()[i].width; ++k)
        predictions.push_back(caller.values()[i][static_cast<size_t>(r * predictor.outputs()[i].width + k)]);
  const int64_t sizes[] = {rows.count, predictor.num_id_slots(), predictor.number_width(), tasks};
  std::string bytes(reinterpret_cast<const char*>(sizes), sizeof(sizes));
  bytes.append(reinterpret_cast<const char*>(rows.ids.data()), rows.ids.size() * sizeof(int32_t));
  bytes.append(reinterpret_cast<const char*>(rows.numbers.data()), rows.numbers.size() * sizeof(float));
  bytes.append(reinterpret_cast<const char*>(predictions.data()), predictions.size() * sizeof(float));
  return WriteFileAtomic(path, bytes);
}

StatusOr<nlohmann::json> Measure(const Flags& flags) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor, Predictor::Load(flags.model_dir));
  MG_ASSIGN_OR_RETURN(const Rows rows, ReadRows(flags, *predictor));
  if (!flags.dump.empty()) MG_RETURN_IF_ERROR(Dump(*predictor, rows, flags.dump));
  nlohmann::json results = nlohmann::json::array();
  for (const int64_t batch : flags.batches) {
    if (batch > rows.count) return InvalidInput(fmt::format("--batch {}: there are {} rows", batch, rows.count));
    MG_RETURN_IF_ERROR(CheckBits(*predictor, rows, batch));
    Caller caller(*predictor, rows);
    const Call encoded = [&](int64_t first, int64_t count) { caller.Encoded(first, count); };
    const Call nothing = [](int64_t, int64_t) {};
    const Call receive = [&](int64_t first, int64_t count) { caller.Receive(first, count); };
    const Call texts = [&](int64_t first, int64_t count) { caller.Texts(first, count); };
    results.push_back({{"batch", batch},
                       {"inputs", predictor->inputs().size()},
                       {"encoded", Time(nothing, encoded, rows, batch, flags.seconds)},
                       {"strings", Time(receive, texts, rows, batch, flags.seconds)}});
  }
  return results.size() == 1 ? results[0] : results;
}

}  // namespace
}  // namespace manygate

int main(int argc, char** argv) {
  manygate::Flags flags;
  bool json = false;
  CLI::App app("Times predictions of a model directory on one thread");
  app.add_option("--model_dir", flags.model_dir, "model directory")->required();
  app.add_option("--data", flags.data, "rows (default: the model's evaluation file)");
  app.add_option("--batch", flags.batches, "rows per call; several: a list of results")->check(CLI::PositiveNumber);
  app.add_option("--seconds", flags.seconds, "measure each for this long");
  app.add_option("--dump", flags.dump, "file for encoded rows and their predictions");
  app.add_flag("--json", json, "one line of JSON (the only format)");
  CLI11_PARSE(app, argc, argv);
  const auto result = manygate::Measure(flags);
  if (!result.ok()) {
    std::fprintf(stderr, "manygate_bench_predict: %s\n", result.status().message().c_str());
    return result.status().code() == manygate::StatusCode::kInvalidInput ? 2 : 1;
  }
  std::printf("%s\n", result->dump().c_str());
  return 0;
}
