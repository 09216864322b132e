// SPDX-License-Identifier: Apache-2.0
// The verbs: one function and one file each. They print results to console.out, notes to console.err; errors are
// returned and printed by cli.cc.
#ifndef MANYGATE_CLI_VERBS_H_
#define MANYGATE_CLI_VERBS_H_

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"
#include "manygate/cli/flags.h"

namespace manygate::cli {

Status RunInit(const InitFlags& flags, const Console& console);
Status RunTrain(const TrainFlags& flags, const Console& console);
Status RunEvaluate(const EvaluateFlags& flags, const Console& console);
Status RunCompare(const CompareFlags& flags, const Console& console);
Status RunReport(const ReportFlags& flags, const Console& console);
Status RunPredict(const PredictFlags& flags, const Console& console);
Status RunExport(const ExportFlags& flags, const Console& console);
Status RunInspect(const InspectFlags& flags, const Console& console);
Status RunCheck(const CheckFlags& flags, const Console& console);
Status RunGenerate(const GenerateFlags& flags, const Console& console);
// Until console.stop.
Status RunServe(const ServeFlags& flags, const Console& console);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_VERBS_H_
