// SPDX-License-Identifier: Apache-2.0
#include "python/src/calls.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "manygate/base/status.h"
#include "python/src/errors.h"
#include "python/src/module.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

struct Calls {
  std::atomic<bool> ending = false;
  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::multiset<std::atomic<bool>*> stops;  // of the calls there are
};

// Never destroyed: calls may go on while static objects are.
Calls& AllCalls() {
  static Calls* const calls = new Calls;
  return *calls;
}

// By atexit, before the interpreter ends.
void EndCalls() {
  const nb::gil_scoped_release release;
  Calls& calls = AllCalls();
  calls.ending = true;
  std::unique_lock lock(calls.mutex);
  for (std::atomic<bool>* const stop : calls.stops)
    if (stop != nullptr) *stop = true;
  calls.changed.wait(lock, [&] { return calls.stops.empty(); });
}

// In a process that was forked the other threads, and their calls, are not there. Python forks with the GIL held, as it
// is where calls are entered and left, so that nobody holds the mutex then.
void ForgetCalls() { AllCalls().stops.clear(); }

}  // namespace

bool IsEnding() { return AllCalls().ending; }

ScopedCall::ScopedCall(std::atomic<bool>* stop) : stop_(stop) {
  if (IsEnding()) RaiseIfWrong(Failed("the interpreter is about to end"));
  const std::lock_guard lock(AllCalls().mutex);
  AllCalls().stops.insert(stop_);
}

ScopedCall::~ScopedCall() {
  Calls& calls = AllCalls();
  const std::lock_guard lock(calls.mutex);
  if (const auto found = calls.stops.find(stop_); found != calls.stops.end()) calls.stops.erase(found);
  calls.changed.notify_one();
}

void AddCalls(nb::module_& module) {
  pthread_atfork(nullptr, nullptr, ForgetCalls);
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(EndCalls));
}

}  // namespace manygate::python
