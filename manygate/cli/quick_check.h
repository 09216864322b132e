// SPDX-License-Identifier: Apache-2.0
// The cheap part of `manygate check`, for verbs that go on whatever it finds.
//
//   for (const std::string& warning : QuickFindings(loaded, cache_dir, threads, &notes))
//     fmt::print("warning: {}\n", warning);
#ifndef MANYGATE_CLI_QUICK_CHECK_H_
#define MANYGATE_CLI_QUICK_CHECK_H_

#include <string>
#include <vector>

#include "manygate/config/load.h"

namespace manygate::cli {

// check::Extent::kQuick, a text for each finding: place, what, remedy. cache_dir: of the column cache, "" = none. Nothing
// where the configuration or the files are refused: the verb itself says so. notes: what reading has to say; may be null.
std::vector<std::string> QuickFindings(config::LoadedPipeline loaded, const std::string& cache_dir, int threads,
                                       std::vector<std::string>* notes);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_QUICK_CHECK_H_
