// SPDX-License-Identifier: Apache-2.0
// Calls that work without the GIL, and the end of the interpreter: a thread that came back from one of them behind it
// would hang or end the process, so the interpreter asks them to end and waits for them first (atexit).
//
//   std::atomic<bool> stop = false;
//   { const WithoutGil without(&stop);  Work(&stop); }
#ifndef MANYGATE_PYTHON_CALLS_H_
#define MANYGATE_PYTHON_CALLS_H_

#include <nanobind/nanobind.h>

#include <atomic>

namespace manygate::python {

// Whether the interpreter is about to end.
bool IsEnding();

class ScopedCall {
 public:
  // stop: set when the interpreter is about to end; may be nullptr.
  explicit ScopedCall(std::atomic<bool>* stop);
  ~ScopedCall();
  ScopedCall(const ScopedCall&) = delete;
  ScopedCall& operator=(const ScopedCall&) = delete;

 private:
  std::atomic<bool>* const stop_;
};

// Releases the GIL while it lives. Failed: the interpreter is about to end.
class WithoutGil {
 public:
  explicit WithoutGil(std::atomic<bool>* stop = nullptr) : call_(stop) {}

 private:
  const ScopedCall call_;  // ends when the GIL is back
  const nanobind::gil_scoped_release release_;
};

}  // namespace manygate::python

#endif  // MANYGATE_PYTHON_CALLS_H_
