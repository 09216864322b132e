// SPDX-License-Identifier: Apache-2.0
// Loads the columnar plug-in (plugins/columnar, built on Apache Arrow) when something first needs it: Parquet files, and
// files of other machines (s3://, hdfs://). The program itself neither includes nor links Arrow.
//
//   MG_ASSIGN_OR_RETURN(const ManygateColumnar* const columnar, LoadColumnar());
//   MG_RETURN_IF_ERROR(CallColumnar(path, columnar->info, path.c_str(), &info));
//
// The library is the file that $MANYGATE_COLUMNAR names, or else libmanygate_columnar.so in the folder of the program, or
// in ../lib beside that folder. It stays loaded until the process ends: Arrow has threads of its own.
#ifndef MANYGATE_DATA_COLUMNAR_H_
#define MANYGATE_DATA_COLUMNAR_H_

#include <fmt/format.h>

#include <string>

#include "manygate/base/status.h"
#include "manygate/data/columnar_plugin.h"

namespace manygate {

// InvalidInput: there is none, it cannot be loaded, or it belongs to another version of the program; says what was tried
// and what to do.
StatusOr<const ManygateColumnar*> LoadColumnar();

// Calls a function of the plug-in; InvalidInput "<what>: <what it says>".
template <typename Function, typename... Arguments>
Status CallColumnar(const std::string& what, Function function, Arguments... arguments) {
  char error[2048] = "";
  if (function(arguments..., error, sizeof(error)) == 0) return OkStatus();
  return InvalidInput(fmt::format("{}: {}", what, error));
}

}  // namespace manygate

#endif  // MANYGATE_DATA_COLUMNAR_H_
