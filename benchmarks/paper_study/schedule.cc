// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/schedule.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "manygate/base/thread_pool.h"

namespace manygate::paper_study {
namespace {

// Seeds of runs, far apart for different --seed and different for pilot runs.
uint64_t SeedOf(const StudyOptions& options, bool pilot, int run) {
  return (options.seed << 24) + (pilot ? uint64_t{1} << 23 : 0) + static_cast<uint64_t>(run);
}

// One call of TrainBeside.
struct Job {
  Rows rows;
  std::vector<Trial> trials;
};

class Runner {
 public:
  Runner(const StudyOptions& options, int64_t total, const std::function<void(const Progress&)>& report)
      : options_(options), report_(report), pool_(options.threads), progress_{.total = total} {}

  // Outcomes by job. The first problem in the order of the jobs.
  StatusOr<std::vector<std::vector<Outcome>>> Run(const std::vector<Job>& jobs) {
    std::vector<std::vector<Outcome>> outcomes(jobs.size());
    std::vector<Status> problems(jobs.size());
    pool_.ParallelFor(static_cast<int64_t>(jobs.size()), [&](int64_t j, int) {
      auto found = TrainBeside(jobs[j].rows, options_.length, jobs[j].trials);
      if (found.ok()) {
        outcomes[j] = std::move(*found);
      } else {
        problems[j] = found.status();
      }
      const std::lock_guard lock(mutex_);
      progress_.done += static_cast<int64_t>(jobs[j].trials.size());
      progress_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
      report_(progress_);
    });
    for (const Status& problem : problems) MG_RETURN_IF_ERROR(problem);
    return outcomes;
  }

 private:
  const StudyOptions& options_;
  const std::function<void(const Progress&)>& report_;
  ThreadPool pool_;
  std::mutex mutex_;
  Progress progress_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Status RunPilot(const StudyOptions& options, Runner& runner, StudyResult* result) {
  std::vector<Job> jobs;
  for (int run = 0; run < options.pilot_runs; ++run) {
    for (const double correlation : kCorrelations) {
      Job& job = jobs.emplace_back();
      job.rows = {correlation, SeedOf(options, true, run), options.sines};
      for (const char* model : kModels)
        for (const double rate : kRates) job.trials.push_back({model, rate});
    }
  }
  MG_ASSIGN_OR_RETURN(const auto outcomes, runner.Run(jobs));
  for (size_t model = 0; model < kModels.size(); ++model) {
    std::array<double, kRates.size()>& losses = result->pilot[model];
    for (size_t rate = 0; rate < kRates.size(); ++rate)
      for (const auto& job : outcomes)
        for (const double loss : job[model * kRates.size() + rate].loss)
          losses[rate] += loss / 2 / static_cast<double>(outcomes.size());
    result->rates[model] = kRates[std::min_element(losses.begin(), losses.end()) - losses.begin()];
  }
  return OkStatus();
}

Status RunMain(const StudyOptions& options, Runner& runner, StudyResult* result) {
  std::vector<Job> jobs;
  for (int run = 0; run < options.runs; ++run) {
    for (const double correlation : kCorrelations) {
      Job& job = jobs.emplace_back();
      job.rows = {correlation, SeedOf(options, false, run), options.sines};
      for (size_t model = 0; model < kModels.size(); ++model)
        job.trials.push_back({kModels[model], result->rates[model]});
    }
  }
  MG_ASSIGN_OR_RETURN(auto outcomes, runner.Run(jobs));
  for (size_t j = 0; j < outcomes.size(); ++j)
    for (size_t model = 0; model < kModels.size(); ++model)
      result->outcomes[j % kCorrelations.size()][model].push_back(std::move(outcomes[j][model]));
  return OkStatus();
}

Status RunSparse(const StudyOptions& options, Runner& runner, StudyResult* result) {
  std::vector<Job> jobs;
  for (int run = 0; run < options.sparse_runs; ++run)
    jobs.push_back({{kSparseCorrelation, SeedOf(options, false, run), options.sines, kRemovedShare},
                    {{kModels[kMmoe], result->rates[kMmoe]}}});
  MG_ASSIGN_OR_RETURN(auto outcomes, runner.Run(jobs));
  for (auto& outcome : outcomes) result->sparse.push_back(std::move(outcome[0]));
  return OkStatus();
}

}  // namespace

StatusOr<StudyResult> RunStudy(const StudyOptions& options, const std::function<void(const Progress&)>& report) {
  constexpr auto kCells = static_cast<int64_t>(kModels.size() * kCorrelations.size());
  const int64_t total =
      kCells * (options.runs + options.pilot_runs * static_cast<int64_t>(kRates.size())) + options.sparse_runs;
  Runner runner(options, total, report);
  StudyResult result;
  MG_RETURN_IF_ERROR(RunPilot(options, runner, &result));
  MG_RETURN_IF_ERROR(RunMain(options, runner, &result));
  MG_RETURN_IF_ERROR(RunSparse(options, runner, &result));
  return result;
}

Losses TaskOneLosses(const StudyResult& result) {
  Losses losses;
  for (size_t correlation = 0; correlation < losses.size(); ++correlation)
    for (size_t model = 0; model < losses[correlation].size(); ++model)
      for (const Outcome& outcome : result.outcomes[correlation][model])
        losses[correlation][model].push_back(outcome.loss[0]);
  return losses;
}

GateEntropies EntropiesOf(const StudyResult& result) {
  constexpr size_t kHigh = 1;
  static_assert(kCorrelations[kHigh] == kSparseCorrelation);
  GateEntropies entropies;
  for (size_t run = 0; run < result.sparse.size(); ++run) {
    entropies.full_task.push_back(result.sparse[run].gates[0].entropy);
    entropies.sparse_task.push_back(result.sparse[run].gates[1].entropy);
    entropies.sparse_task_with_all_labels.push_back(result.outcomes[kHigh][kMmoe][run].gates[1].entropy);
  }
  return entropies;
}

}  // namespace manygate::paper_study
