// SPDX-License-Identifier: Apache-2.0
// manygate report MODEL_DIR [--output F] [--data F]...
#include "manygate/cli/verbs.h"

namespace manygate::cli {

Status RunReport(const ReportFlags& flags, const Console& console) {
  return Failed("report is being written");
}

}  // namespace manygate::cli
