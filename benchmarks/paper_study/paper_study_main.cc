// SPDX-License-Identifier: Apache-2.0
// The synthetic study of Ma et al. 2018 (KDD), sections 3.2 and 5: README.md says what it does and what came out.
//
//   manygate_paper_study --output benchmarks/paper_study/results.json --threads 2
//   manygate_paper_study --quick --output quick.json          # seconds; shows that it works and nothing else
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "benchmarks/paper_study/results.h"
#include "manygate/base/file.h"
#include "manygate/base/text.h"

namespace manygate::paper_study {
namespace {

constexpr int kSines = 10;

struct Flags {
  StudyOptions study;
  std::string sines = "normal";
  std::string output;
  bool quick = false;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * time.tv_usec; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A line that is overwritten on a terminal, else one line every 30 seconds.
class ProgressLine {
 public:
  void Show(const Progress& progress) {
    const bool last = progress.done == progress.total;
    if (!terminal_ && !last && progress.seconds < next_) return;
    next_ = progress.seconds + 30;
    const double left =
        progress.seconds / static_cast<double>(progress.done) * static_cast<double>(progress.total - progress.done);
    std::fprintf(stderr, "%s%s of %s trainings, %s gone, about %s left   %s", terminal_ ? "\r" : "",
                 FormatCount(progress.done).c_str(), FormatCount(progress.total).c_str(),
                 FormatSeconds(progress.seconds).c_str(), FormatSeconds(left).c_str(), terminal_ && !last ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  double next_ = 0;
};

void MakeQuick(StudyOptions* options) {
  options->runs = 3;
  options->pilot_runs = 1;
  options->length.train_rows = 15'000;
  options->length.test_rows = 2'000;
}

Status Run(Flags flags) {
  StudyOptions& options = flags.study;
  if (flags.quick) MakeQuick(&options);
  options.sparse_runs = std::min(options.sparse_runs, options.runs);
  options.sines = flags.sines == "normal" ? FirstStrongSines(kSines) : RisingSines(kSines);
  Length& length = options.length;
  length.variance = options.sines.signal.variance;
  length.train_rows = length.train_rows / length.batch_rows * length.batch_rows;
  if (length.steps() < length.curve_points)
    return InvalidInput("--rows: found " + std::to_string(length.train_rows) + ", expected at least " +
                        std::to_string(length.curve_points * length.batch_rows));
  ProgressLine line;
  Progress end;
  const auto result = RunStudy(options, [&](const Progress& progress) { line.Show(end = progress); });
  if (!result.ok()) return result.status();
  const std::vector<Finding> findings = JudgeFindings(TaskOneLosses(*result), EntropiesOf(*result));
  std::fputs(ResultsText(options, *result, findings).c_str(), stdout);
  if (flags.quick) std::puts("This was a quick run: its numbers mean nothing.");
  const Cost cost{.wall_seconds = end.seconds, .cpu_seconds = CpuSeconds(), .threads = options.threads};
  std::printf("%s on %d threads, %s of processor time\n", FormatSeconds(cost.wall_seconds).c_str(), cost.threads,
              FormatSeconds(cost.cpu_seconds).c_str());
  return WriteFileAtomic(flags.output, ResultsJson(options, *result, findings, cost, !flags.quick));
}

}  // namespace
}  // namespace manygate::paper_study

int main(int argc, char** argv) {
  manygate::paper_study::Flags flags;
  auto& study = flags.study;
  CLI::App app("The synthetic study of the MMoE paper: Shared-Bottom, OMoE and MMoE on tasks of known correlation");
  app.add_option("--runs", study.runs, "trainings per model and correlation")->check(CLI::PositiveNumber);
  app.add_option("--threads", study.threads, "trainings at a time; changes the time only")->check(CLI::PositiveNumber);
  app.add_option("--seed", study.seed, "of rows and initial weights")->check(CLI::Range(uint64_t{1} << 39));
  app.add_option("--rows", study.length.train_rows, "rows per training, each seen once")->check(CLI::PositiveNumber);
  app.add_option("--sines", flags.sines,
                 "alpha and beta: normal (drawn), or rising (i and (i - 1)^2, with noise of 0.01)")
      ->check(CLI::IsMember({"normal", "rising"}));
  app.add_option("--output", flags.output, "JSON file to write")->required();
  app.add_flag("--quick", flags.quick, "3 runs on few rows: a test of the program");
  CLI11_PARSE(app, argc, argv);
  const manygate::Status status = manygate::paper_study::Run(flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "manygate_paper_study: %s\n", status.message().c_str());
  return status.code() == manygate::StatusCode::kInvalidInput ? 2 : 1;
}
