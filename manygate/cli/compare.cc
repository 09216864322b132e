// SPDX-License-Identifier: Apache-2.0
// manygate compare [CONFIG] [--data F]... [--label L]... [--seeds N] [--with gbdt]
#include "manygate/train/compare.h"

#include <fmt/format.h>

#include <chrono>
#include <ostream>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/load_or_infer.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/report/text_table.h"

namespace manygate::cli {
namespace {

constexpr char kDefaultModelDir[] = "out/compare";

// The flag, else beside the folder of the configuration, else a place of our own choice.
std::string ModelDirectory(const CompareFlags& flags, const std::string& configured) {
  if (!flags.model_dir.empty()) return WithoutSlash(flags.model_dir);
  return configured.empty() ? kDefaultModelDir : WithoutSlash(configured) + "_compare";
}

}  // namespace

Status RunCompare(const CompareFlags& flags, const Console& console) {
  const auto start = std::chrono::steady_clock::now();
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, LoadOrInfer(flags, console));
  const std::string dir = ModelDirectory(flags, loaded.pipeline.model_dir());
  MG_RETURN_IF_ERROR(CheckModelDirectory(dir));
  CompareOptions options{.model_dir = dir,
                         .num_seeds = static_cast<int>(flags.seeds),
                         .num_threads = flags.threads,
                         .resume = flags.resume,
                         .stop = console.stop,
                         .log = &console.err};
  for (const std::string& name : flags.with) {
    options.gbdt = true;
    if (const size_t equals = name.find('='); equals != std::string::npos)
      options.xgboost_library = name.substr(equals + 1);
  }
  MG_ASSIGN_OR_RETURN(const TransferTable table, Compare(std::move(loaded), options));
  if (flags.json) {
    console.out << ToJson(table) << "\n";
    return OkStatus();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  console.out << fmt::format("compared on the {}, {} seeds\n\n{}\n{} in {}\n", table.rows_name, table.seeds.size(),
                             TransferText(table), JoinPath(dir, kTransferFileName), FormatSeconds(seconds.count()));
  return OkStatus();
}

}  // namespace manygate::cli
