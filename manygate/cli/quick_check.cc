// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/quick_check.h"

#include <fmt/format.h>

#include "manygate/base/thread_pool.h"
#include "manygate/check/check.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"

namespace manygate::cli {

std::vector<std::string> QuickFindings(config::LoadedPipeline loaded, const std::string& cache_dir, int threads,
                                       std::vector<std::string>* notes) {
  if (!config::ValidatePipeline(loaded).ok()) return {};
  config::ResolveDefaults(&loaded.pipeline);
  ThreadPool pool(threads);
  const auto findings = check::CheckData(loaded, pool, cache_dir, check::Extent::kQuick, notes);
  if (!findings.ok()) return {};
  std::vector<std::string> texts;
  for (const check::Finding& finding : *findings)
    texts.push_back(fmt::format("{} {}. {}", finding.where, finding.what, finding.remedy));
  return texts;
}

}  // namespace manygate::cli
