// SPDX-License-Identifier: Apache-2.0
// manygate compare [CONFIG] [--data F]... [--label L]... [--seeds N] [--with gbdt]
#include "manygate/cli/verbs.h"

namespace manygate::cli {

Status RunCompare(const CompareFlags& flags, const Console& console) {
  return Failed("compare is being written");
}

}  // namespace manygate::cli
