// SPDX-License-Identifier: Apache-2.0
// Reads a configuration's training and evaluation rows and reports what is wrong, or looks wrong, with them.
//
//   StatusOr<std::vector<Finding>> findings = CheckData(loaded, pool, cache_dir);
//   for (const Finding& finding : *findings) use(finding.where, finding.what, finding.remedy);
//
// An error is a fault whatever the data mean: training on it fails or its figures mislead. A warning may be meant. The
// limits of every check stand in docs/howto/check.md and beside the checks (detectors.h).
#ifndef MANYGATE_CHECK_CHECK_H_
#define MANYGATE_CHECK_CHECK_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/config/load.h"

namespace manygate::check {

enum class Severity { kError, kWarning };
const char* SeverityName(Severity severity);  // "error", "warning"

struct Finding {
  Severity severity = Severity::kWarning;
  std::string where;   // `mmoe.config:14:1: feature "age" (column "age")`
  std::string what;    // a clause that goes behind `where`
  std::string remedy;  // a sentence
};

// kQuick: of up to 20,000 rows of each file, and only what they show: leaks, the order of labels, row weights, ids read
// as numbers, ranges, blanks, spellings, markers of missing values, dates; not what training itself refuses. Training does
// so before it starts.
enum class Extent { kAll, kQuick };

// loaded: has passed ValidatePipeline and ResolveDefaults. cache_dir: of the column cache, "" = none. notes: what reading
// has to say (ReadTable); may be null. Errors first, else in the order of the checks. InvalidInput: the files cannot be read (as ReadTable), too few rows to hold any out.
StatusOr<std::vector<Finding>> CheckData(const config::LoadedPipeline& loaded, ThreadPool& pool,
                                         const std::string& cache_dir, Extent extent = Extent::kAll,
                                         std::vector<std::string>* notes = nullptr);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_CHECK_H_
