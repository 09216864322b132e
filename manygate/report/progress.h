// SPDX-License-Identifier: Apache-2.0
// Progress of a long run: on a terminal one line that is drawn over at most ten times a second, elsewhere one plain
// line every so many steps. Writes to the given stream only.
//
//   Progress progress(&std::cerr, {.is_terminal = isatty(2), .log_every_steps = 1000});
//   progress.Start(step, rows);
//   for (each step) if (progress.Due(step)) progress.Update({.epoch = 1, .num_epochs = 3, .step = step, ...});
//   progress.PrintLine("evaluation at step 6000: mean_auc 0.97");   // the bar makes room
//   progress.Start(step, rows);                                     // after a pause, which must not count as training
//   progress.Finish();
#ifndef MANYGATE_REPORT_PROGRESS_H_
#define MANYGATE_REPORT_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace manygate {

struct ProgressState {
  int64_t epoch = 1;  // the current one, from 1
  int64_t num_epochs = 1;
  int64_t step = 0;       // steps done
  int64_t num_steps = 0;  // of the whole run; 0 = not known: no percentage, no time left
  int64_t rows = 0;       // rows trained on so far
  std::vector<std::pair<std::string, double>> losses = {};  // (task, mean loss of late)
};

struct ProgressOptions {
  bool is_terminal = false;
  int terminal_columns = 100;                 // the line is cut to this width less one
  int64_t log_every_steps = 1000;             // without a terminal
  double redraw_seconds = 0.1;                // on a terminal
  std::function<double()> seconds = nullptr;  // a clock for tests; default: the steady clock
};

class Progress {
 public:
  // `out` must outlive this.
  Progress(std::ostream* out, ProgressOptions options);
  ~Progress() { Finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Training begins, or goes on after a pause, at these counts.
  void Start(int64_t step, int64_t rows);
  // Whether Update would print; cheap enough for every step.
  bool Due(int64_t step) const;
  // Draws the bar or prints a line.
  void Update(const ProgressState& state);
  // A line of its own; a bar on the terminal is removed first and comes back with the next Update.
  void PrintLine(std::string_view line);
  // Removes the bar. May be called twice.
  void Finish();

 private:
  void Measure(const ProgressState& state);
  std::string BarLine(const ProgressState& state) const;
  std::string PlainLine(const ProgressState& state) const;
  double SecondsLeft(const ProgressState& state) const;

  std::ostream* const out_;
  ProgressOptions options_;
  bool bar_drawn_ = false;
  double last_draw_seconds_;  // of the last Update
  double window_seconds_;     // start of the window that rows per second are taken over
  int64_t window_step_ = 0;
  int64_t window_rows_ = 0;
  double rows_per_second_ = 0.0;
  double trained_seconds_ = 0.0;  // without pauses
  int64_t trained_steps_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_REPORT_PROGRESS_H_
