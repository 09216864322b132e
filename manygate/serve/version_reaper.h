// SPDX-License-Identifier: Apache-2.0
// Destroys versions that nobody holds any more, on a thread of its own: who lets go of the last one is often a thread that
// answers requests, and giving back a large model takes milliseconds.
//
//   auto reaper = std::make_shared<VersionReaper>();
//   std::shared_ptr<const ServedVersion> version = MakeReaped(std::move(served), reaper);
#ifndef MANYGATE_SERVE_VERSION_REAPER_H_
#define MANYGATE_SERVE_VERSION_REAPER_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "manygate/serve/job.h"

namespace manygate::serve {

class VersionReaper {
 public:
  VersionReaper();
  ~VersionReaper();  // destroys what is left
  VersionReaper(const VersionReaper&) = delete;
  VersionReaper& operator=(const VersionReaper&) = delete;
  void Add(std::unique_ptr<const ServedVersion> version);

 private:
  void Run();

  std::mutex mutex_;  // guards all below but the thread
  std::condition_variable changed_;
  std::vector<std::unique_ptr<const ServedVersion>> versions_;
  bool ending_ = false;
  std::thread thread_;
};

// The reaper lives at least as long as the version.
std::shared_ptr<const ServedVersion> MakeReaped(std::unique_ptr<const ServedVersion> version,
                                                std::shared_ptr<VersionReaper> reaper);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_VERSION_REAPER_H_
