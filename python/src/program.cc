// SPDX-License-Identifier: Apache-2.0
// run and main of _core.pyi.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"
#include "python/src/calls.h"
#include "python/src/errors.h"
#include "python/src/module.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

constexpr std::chrono::milliseconds kLook(50);  // how often signals are looked for

// Standard error of a verb: what its thread writes and flushes, the calling thread takes.
class LogBuffer : public std::streambuf {
 public:
  // Waits for text or for the end, but not long. False: the end, and nothing is left.
  bool Take(std::string* text) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return ended_ || !flushed_.empty(); });
    *text = std::exchange(flushed_, {});
    return !ended_ || !text->empty();
  }

  void End() {
    sync();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

 protected:
  int_type overflow(int_type character) override {
    if (!traits_type::eq_int_type(character, traits_type::eof())) written_ += traits_type::to_char_type(character);
    return traits_type::not_eof(character);
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    written_.append(text, static_cast<size_t>(size));
    return size;
  }
  int sync() override {
    const std::lock_guard lock(mutex_);
    flushed_ += written_;
    written_.clear();
    changed_.notify_one();
    return 0;
  }

 private:
  std::string written_;  // of the writing thread
  std::mutex mutex_;     // guards what follows
  std::condition_variable changed_;
  std::string flushed_;
  bool ended_ = false;
};

// While it lives, new threads leave the signals of users and timers to the threads there are: a handler of Python would
// interrupt their reading and writing of files.
class ScopedBlockSignals {
 public:
  ScopedBlockSignals() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&blocked, own);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~ScopedBlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  ScopedBlockSignals(const ScopedBlockSignals&) = delete;
  ScopedBlockSignals& operator=(const ScopedBlockSignals&) = delete;

 private:
  sigset_t before_;
};

// One verb on a thread of its own.
class VerbThread {
 public:
  // stop: ends it, set here or elsewhere.
  VerbThread(std::vector<std::string> arguments, int columns, std::atomic<bool>* stop)
      : arguments_(std::move(arguments)), columns_(columns), stop_(stop) {
    const ScopedBlockSignals block;
    thread_ = std::thread([this] { Work(); });
  }
  ~VerbThread() {
    *stop_ = true;
    thread_.join();
  }
  VerbThread(const VerbThread&) = delete;
  VerbThread& operator=(const VerbThread&) = delete;

  bool TakeLog(std::string* text) { return log_.Take(text); }
  void Stop() { *stop_ = true; }
  // Behind the end.
  const Status& status() const { return status_; }
  std::string Output() const { return out_.str(); }

 private:
  void Work() {
    std::ostream err(&log_);
    const cli::Console console{.out = out_,
                               .err = err,
                               .err_is_terminal = columns_ > 0,
                               .terminal_columns = columns_ > 0 ? columns_ : 100,
                               .stop = stop_};
    status_ = cli::Run(arguments_, console);
    log_.End();
  }

  const std::vector<std::string> arguments_;
  const int columns_;
  std::atomic<bool>* const stop_;
  std::ostringstream out_;
  LogBuffer log_;
  Status status_;
  std::thread thread_;
};

// Hands the text over and lets Python handle signals: what either raises. Takes the GIL.
std::exception_ptr Attend(const nb::object& log, const std::string& text) {
  const nb::gil_scoped_acquire acquire;
  try {
    if (!text.empty() && !log.is_none()) log(DecodeText(text));
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

// Until the verb has ended, also where Python raises something meanwhile, which is returned. Without the GIL.
std::exception_ptr Wait(VerbThread* verb, const nb::object& log) {
  std::exception_ptr raised;
  std::string text;
  while (verb->TakeLog(&text)) {
    if (raised != nullptr) continue;
    raised = Attend(log, text);
    if (raised != nullptr) verb->Stop();
  }
  return raised;
}

// A training that was stopped has said where its checkpoint is; that goes with the KeyboardInterrupt.
void RaiseAgain(const std::exception_ptr& raised, const Status& status) {
  try {
    std::rethrow_exception(raised);
  } catch (nb::python_error& error) {
    if (status.code() == StatusCode::kCancelled && error.matches(PyExc_KeyboardInterrupt))
      Raise(PyExc_KeyboardInterrupt, status.message());
    throw;
  }
}

nb::str RunVerb(std::vector<std::string> arguments, const nb::object& log, int columns) {
  if (arguments.empty()) RaiseIfWrong(InvalidInput("there is no verb"));
  if (!log.is_none() && PyCallable_Check(log.ptr()) == 0)
    throw WrongType(
        fmt::format("log: found an object of type {}; expected a function of a text, or None", TypeName(log)));
  std::exception_ptr raised;
  Status status;
  std::string output;
  std::atomic<bool> stop = false;
  {
    const WithoutGil without(&stop);
    VerbThread verb(std::move(arguments), columns, &stop);
    raised = Wait(&verb, log);
    status = verb.status();
    output = verb.Output();
  }
  if (raised != nullptr) RaiseAgain(raised, status);
  RaiseIfWrong(status);
  return DecodeText(output);
}

// While it lives, signals are handled as in a program of C: the program sets handlers of its own, and SIGPIPE, which
// Python ignores, ends it.
class ScopedProgramSignals {
 public:
  ScopedProgramSignals() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], nullptr, &before_[i]);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
  }
  ~ScopedProgramSignals() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  ScopedProgramSignals(const ScopedProgramSignals&) = delete;
  ScopedProgramSignals& operator=(const ScopedProgramSignals&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  struct sigaction before_[std::size(kSignals)] = {};
};

int RunProgram(std::vector<std::string> arguments) {
  const nb::gil_scoped_release release;
  const ScopedProgramSignals signals;
  arguments.insert(arguments.begin(), "manygate");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  return cli::Main(static_cast<int>(arguments.size()), pointers.data());
}

}  // namespace

void AddProgram(nb::module_& module) {
  module.def("run", RunVerb, nb::arg("arguments"), nb::arg("log") = nb::none(), nb::arg("columns") = 0,
             "One verb of the program, in this process: what it writes to standard output.");
  module.def("main", RunProgram, nb::arg("arguments"), "The whole program, as from a shell: its exit code.");
}

}  // namespace manygate::python
