// SPDX-License-Identifier: Apache-2.0
// Times the training steps of a configuration, as benchmarks/run.py asks for (benchmarks/README.md "Interface").
//
//   manygate_bench_train --config examples/census_income/mmoe.config --batch 32 --seconds 5 --json
//   manygate_bench_train --config examples/census_income/mmoe.config --batch 512 --steps 390 --seed 1 --json
//
// One thread; rows are read and encoded before the clock starts; a step includes gathering its batch.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "manygate/base/thread_pool.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/data/split.h"
#include "manygate/train/dataset.h"
#include "manygate/train/stepper.h"

namespace manygate {
namespace {

struct Flags {
  std::string config;
  int batch = 32;
  double seconds = 0;
  int64_t steps = 0;
  uint64_t seed = 1;
  int threads = 1;
  std::vector<std::string> set;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Walks over the epochs of a dataset, batch by batch.
class Batches {
 public:
  Batches(const Dataset& data, int batch, uint64_t seed) : data_(data), batch_(batch), seed_(seed) {}
  int64_t steps_per_epoch() const { return static_cast<int64_t>(data_.train.rows.size()) / batch_; }
  const uint32_t* Next() {
    if (position_ == steps_per_epoch() || order_.empty()) {
      order_ = EpochOrder(data_.train.rows, seed_, epoch_++);
      position_ = 0;
    }
    return order_.data() + batch_ * position_++;
  }

 private:
  const Dataset& data_;
  const int batch_;
  const uint64_t seed_;
  uint64_t epoch_ = 0;
  int64_t position_ = 0;
  std::vector<uint32_t> order_;
};

double PeakMegabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

StatusOr<nlohmann::json> Measure(const Flags& flags) {
  const ScopedFlushDenormals flush;
  ThreadPool pool(flags.threads);
  std::vector<std::string> overrides = flags.set;
  overrides.push_back("data_config.batch_size=" + std::to_string(flags.batch));
  overrides.push_back("train_config.seed=" + std::to_string(flags.seed));
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, config::LoadPipeline(flags.config, overrides));
  MG_RETURN_IF_ERROR(config::ValidatePipeline(loaded));
  config::ResolveDefaults(&loaded.pipeline);
  MG_ASSIGN_OR_RETURN(Dataset data, PrepareTraining(loaded, pool, CacheDirectory(loaded.pipeline, "build/bench"), nullptr));
  auto model = MakeTrainingModel(loaded.pipeline, data.schema);
  Batches batches(data, flags.batch, flags.seed);
  Stepper stepper(*model, {batches.steps_per_epoch(), 1 << 30}, pool);
  const auto step = [&] { return stepper.Step(*data.train.table, batches.Next(), flags.batch); };
  if (flags.steps > 0) {
    double last_fifth = 0;
    const int64_t counted = std::max<int64_t>(1, flags.steps / 5);
    for (int64_t s = 0; s < flags.steps; ++s) {
      if (s == flags.steps - counted) stepper.TakeLosses();
      MG_RETURN_IF_ERROR(step());
    }
    for (const auto& [tower, loss] : stepper.TakeLosses()) last_fifth += loss;
    return nlohmann::json{{"mean_loss_last_fifth", last_fifth}};
  }
  for (int s = 0; s < 50; ++s) MG_RETURN_IF_ERROR(step());
  stepper.phases() = {};
  const double start = Now();
  int64_t steps = 0;
  double elapsed = 0;
  for (; elapsed < flags.seconds; elapsed = Now() - start)
    for (int s = 0; s < 20; ++s, ++steps) MG_RETURN_IF_ERROR(step());
  const PhaseSeconds& p = stepper.phases();
  const double total = p.batch + p.settle + p.forward_backward + p.optimizer;
  return nlohmann::json{{"rows_per_second", static_cast<double>(steps * flags.batch) / elapsed},
                        {"microseconds_per_step", elapsed / static_cast<double>(steps) * 1e6},
                        {"peak_rss_mb", PeakMegabytes()},
                        {"phases",
                         {{"batch", p.batch / total},
                          {"settle rows", p.settle / total},
                          {"forward and backward", p.forward_backward / total},
                          {"dense optimizer", p.optimizer / total}}}};
}

}  // namespace
}  // namespace manygate

int main(int argc, char** argv) {
  manygate::Flags flags;
  bool json = false;
  CLI::App app("Times the training steps of a configuration on one thread");
  app.add_option("--config", flags.config, "pipeline configuration")->required();
  app.add_option("--batch", flags.batch, "rows per step")->check(CLI::PositiveNumber);
  app.add_option("--seconds", flags.seconds, "measure for this long");
  app.add_option("--steps", flags.steps, "or take so many steps and report their loss");
  app.add_option("--seed", flags.seed, "of weights and order");
  app.add_option("--threads", flags.threads, "threads")->check(CLI::PositiveNumber);
  app.add_option("--set", flags.set, "path=value, as in manygate train");
  app.add_flag("--json", json, "one line of JSON (the only format)");
  CLI11_PARSE(app, argc, argv);
  const auto result = manygate::Measure(flags);
  if (!result.ok()) {
    std::fprintf(stderr, "manygate_bench_train: %s\n", result.status().message().c_str());
    return result.status().code() == manygate::StatusCode::kInvalidInput ? 2 : 1;
  }
  std::printf("%s\n", result->dump().c_str());
  return 0;
}
