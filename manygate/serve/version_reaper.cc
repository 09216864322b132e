// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/version_reaper.h"

#include <utility>

namespace manygate::serve {

VersionReaper::VersionReaper() : thread_([this] { Run(); }) {}

VersionReaper::~VersionReaper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void VersionReaper::Add(std::unique_ptr<const ServedVersion> version) {
  {
    const std::lock_guard lock(mutex_);
    versions_.push_back(std::move(version));
  }
  changed_.notify_one();
}

void VersionReaper::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !versions_.empty(); });
    if (versions_.empty()) return;
    std::vector<std::unique_ptr<const ServedVersion>> ends = std::exchange(versions_, {});
    lock.unlock();
    ends.clear();
    lock.lock();
  }
}

std::shared_ptr<const ServedVersion> MakeReaped(std::unique_ptr<const ServedVersion> version,
                                                std::shared_ptr<VersionReaper> reaper) {
  return {version.release(), [reaper = std::move(reaper)](const ServedVersion* end) {
            reaper->Add(std::unique_ptr<const ServedVersion>(end));
          }};
}

}  // namespace manygate::serve
