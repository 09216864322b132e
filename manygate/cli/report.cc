// SPDX-License-Identifier: Apache-2.0
// manygate report MODEL_DIR [--output F] [--data F]...
#include <fmt/format.h>

#include <ostream>
#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/report/report_page.h"
#include "manygate/train/report_data.h"

namespace manygate::cli {

Status RunReport(const ReportFlags& flags, const Console& console) {
  const std::string dir = WithoutSlash(flags.model_dir);
  const std::string output = flags.output.empty() ? JoinPath(dir, "report.html") : flags.output;
  // Before the long work; a model directory that is none has a better message of its own.
  if (!flags.output.empty()) MG_RETURN_IF_ERROR(CheckOutputPath(output));
  ThreadPool pool(flags.threads);
  std::vector<std::string> notes;
  MG_ASSIGN_OR_RETURN(const ReportData data, CollectReport(dir, JoinPaths(flags.data), pool, &notes));
  PrintNotes(notes, console);
  MG_RETURN_IF_ERROR(WriteFileAtomic(output, DrawReport(data)));
  if (flags.json) {
    console.out << fmt::format("{{\"report\": {}, \"tasks\": {}, \"rows\": {}}}\n", JsonString(output),
                               data.tasks.size(), data.evaluation.rows);
  } else {
    console.out << output << "\n";
  }
  return OkStatus();
}

}  // namespace manygate::cli
