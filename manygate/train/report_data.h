// SPDX-License-Identifier: Apache-2.0
// Gathers what the report shows (report/report_page.h) from a model directory and from the rows it is evaluated on.
//
//   MG_ASSIGN_OR_RETURN(ReportData data, CollectReport("out/mmoe", /*paths=*/"", pool, &notes));
//   MG_RETURN_IF_ERROR(WriteFileAtomic("out/mmoe/report.html", DrawReport(data)));
#ifndef MANYGATE_TRAIN_REPORT_DATA_H_
#define MANYGATE_TRAIN_REPORT_DATA_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/report/report_page.h"

namespace manygate {

// dir: of a model or an ensemble. paths: files to evaluate on; "": the rows that the training held out. A directory
// without metrics.jsonl or transfer.json is fine, as is one with lines of metrics.jsonl that cannot be read. notes:
// sentences for the log. InvalidInput: as LoadMembers, RowsToEvaluate and TransferFromJson.
StatusOr<ReportData> CollectReport(const std::string& dir, const std::string& paths, ThreadPool& pool,
                                   std::vector<std::string>* notes);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_REPORT_DATA_H_
