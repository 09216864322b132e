// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/op.h"

#include <fmt/format.h>

namespace manygate {

StatusOr<Tensor> Op::Export(const ExportContext&) const {
  return InvalidInput(fmt::format("the operation \"{}\" cannot be exported", Describe()));
}

}  // namespace manygate
