// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "manygate/base/text.h"

namespace manygate {
namespace {

constexpr char kClearLine[] = "\r\x1b[K";
constexpr int kBarCharacters = 20;
// How much of the newest speed goes into the one shown on the terminal, which would flicker otherwise.
constexpr double kNewShare = 0.3;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int Percent(const ProgressState& state) {
  return static_cast<int>(std::clamp<int64_t>(state.step * 100 / state.num_steps, 0, 100));
}

// At most `width` UTF-8 characters.
std::string Cut(const std::string& text, int width) {
  int characters = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++characters > width) return text.substr(0, i);
  return text;
}

}  // namespace

Progress::Progress(std::ostream* out, ProgressOptions options) : out_(out), options_(std::move(options)) {
  if (options_.seconds == nullptr) options_.seconds = SteadySeconds;
  last_draw_seconds_ = window_seconds_ = options_.seconds();
}

void Progress::Start(int64_t step, int64_t rows) {
  window_seconds_ = options_.seconds();
  window_step_ = step;
  window_rows_ = rows;
}

bool Progress::Due(int64_t step) const {
  if (options_.is_terminal) return options_.seconds() - last_draw_seconds_ >= options_.redraw_seconds;
  return options_.log_every_steps > 0 && step % options_.log_every_steps == 0;
}

void Progress::Update(const ProgressState& state) {
  Measure(state);
  last_draw_seconds_ = options_.seconds();
  if (options_.is_terminal) {
    *out_ << kClearLine << Cut(BarLine(state), options_.terminal_columns - 1) << std::flush;
    bar_drawn_ = true;
  } else {
    *out_ << PlainLine(state) << '\n' << std::flush;
  }
}

void Progress::PrintLine(std::string_view line) {
  Finish();
  *out_ << line << '\n' << std::flush;
}

void Progress::Finish() {
  if (bar_drawn_) *out_ << kClearLine << std::flush;
  bar_drawn_ = false;
}

void Progress::Measure(const ProgressState& state) {
  const double seconds = options_.seconds() - window_seconds_;
  if (seconds <= 0.0 || state.step <= window_step_) return;
  const double rate = static_cast<double>(state.rows - window_rows_) / seconds;
  const bool smooth = options_.is_terminal && rows_per_second_ > 0.0;
  rows_per_second_ = smooth ? (1.0 - kNewShare) * rows_per_second_ + kNewShare * rate : rate;
  trained_seconds_ += seconds;
  trained_steps_ += state.step - window_step_;
  Start(state.step, state.rows);
}

double Progress::SecondsLeft(const ProgressState& state) const {
  const double steps_left = static_cast<double>(std::max<int64_t>(state.num_steps - state.step, 0));
  return steps_left * trained_seconds_ / static_cast<double>(trained_steps_);
}

std::string Progress::BarLine(const ProgressState& state) const {
  std::string line = fmt::format("epoch {}/{}", state.epoch, state.num_epochs);
  if (state.num_steps > 0) {
    const int full = Percent(state) * kBarCharacters / 100;
    line += fmt::format(" [{:#>{}}{:.>{}}] {:3} %", "", full, "", kBarCharacters - full, Percent(state));
  }
  line += fmt::format("  {} rows/s", FormatCount(std::llround(rows_per_second_)));
  if (state.num_steps > 0 && trained_steps_ > 0) line += fmt::format("  {} left", FormatSeconds(SecondsLeft(state)));
  for (const auto& [task, loss] : state.losses) line += fmt::format("  {} {:.4f}", task, loss);
  return line;
}

std::string Progress::PlainLine(const ProgressState& state) const {
  std::string line = fmt::format("epoch {}/{} step {}", state.epoch, state.num_epochs, state.step);
  if (state.num_steps > 0) line += fmt::format("/{} ({} %)", state.num_steps, Percent(state));
  line += fmt::format(": {} rows/s", FormatCount(std::llround(rows_per_second_)));
  const char* separator = ", loss ";
  for (const auto& [task, loss] : state.losses) {
    line += fmt::format("{}{} {:.4f}", separator, task, loss);
    separator = ", ";
  }
  if (state.num_steps > 0 && trained_steps_ > 0) line += fmt::format(", {} left", FormatSeconds(SecondsLeft(state)));
  return line;
}

}  // namespace manygate
