// SPDX-License-Identifier: Apache-2.0
// manygate check [CONFIG] [--data F]... [--label L]...: what is wrong with a configuration and its data.
#include "manygate/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/cli/load_or_infer.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/train/dataset.h"

namespace manygate::cli {
namespace {

using Json = nlohmann::ordered_json;

int64_t CountOf(const std::vector<check::Finding>& findings, check::Severity severity) {
  return std::count_if(findings.begin(), findings.end(), [&](const auto& f) { return f.severity == severity; });
}

std::string Counted(int64_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void PrintJson(const std::vector<check::Finding>& findings, const Console& console) {
  Json list = Json::array();
  for (const check::Finding& finding : findings) {
    list.push_back({{"severity", check::SeverityName(finding.severity)},
                    {"where", finding.where},
                    {"what", finding.what},
                    {"remedy", finding.remedy}});
  }
  const Json result = {{"errors", CountOf(findings, check::Severity::kError)},
                       {"warnings", CountOf(findings, check::Severity::kWarning)},
                       {"findings", std::move(list)}};
  console.out << result.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void PrintText(const std::string& config, const std::vector<check::Finding>& findings, const Console& console) {
  for (const check::Finding& finding : findings) {
    console.out << fmt::format("{}: {} {}.\n  {}.\n", check::SeverityName(finding.severity), finding.where,
                               finding.what, finding.remedy);
  }
  if (findings.empty()) console.out << config << ": no problem found\n";
}

}  // namespace

Status RunCheck(const CheckFlags& flags, const Console& console) {
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, LoadOrInfer(flags, console));
  const std::string name = flags.config.empty() ? JoinPaths(flags.data) : loaded.name;
  MG_RETURN_IF_ERROR(config::ValidatePipeline(loaded));
  config::ResolveDefaults(&loaded.pipeline);
  // The cache of the training, where it is known which one that will be; else nothing is written.
  const bool cached = loaded.pipeline.data_config().has_cache_dir() || loaded.pipeline.has_model_dir();
  ThreadPool pool(flags.threads);
  MG_ASSIGN_OR_RETURN(
      const std::vector<check::Finding> findings,
      check::CheckData(loaded, pool, cached ? CacheDirectory(loaded.pipeline, loaded.pipeline.model_dir()) : ""));
  flags.json ? PrintJson(findings, console) : PrintText(name, findings, console);
  const int64_t errors = CountOf(findings, check::Severity::kError);
  if (errors == 0 || flags.exit_zero) return OkStatus();
  const int64_t warnings = CountOf(findings, check::Severity::kWarning);
  return InvalidInput(fmt::format("{}: {}{}", name, Counted(errors, "error"),
                                  warnings > 0 ? " and " + Counted(warnings, "warning") : ""));
}

}  // namespace manygate::cli
