// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/model_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/catalog/model.h"
#include "manygate/features/schema.h"
#include "manygate/metrics/transfer.h"
#include "manygate/train/checkpoint.h"

namespace manygate {
namespace {

bool IsOurs(const std::string& name) {
  return name == kManifestName || name == kConfigFileName || name == kWeightsFileName || name == kMetricsFileName ||
         name == features::kSchemaFileName || name == "checkpoints" || name == kMembersName || name == "report.html" ||
         name == kTransferFileName || name.starts_with("events.out.tfevents.") || name.ends_with(".tmp");
}

// What shows that the folder is not one of ours, which may be emptied; "" if it is one. A training that never got to a
// checkpoint leaves logs and an empty folder of checkpoints at most.
std::string ForeignEntry(const std::string& dir, const std::vector<std::string>& names) {
  const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if ((has(kManifestName) && has(kConfigFileName)) || !ListCheckpoints(dir).empty()) return "";
  for (const std::string& name : names) {
    if (name == kMembersName) {
      const auto inside = ListDirectory(JoinPath(dir, name));
      if (!inside.ok()) return name;
      for (const std::string& member : *inside)
        if (member.empty() || member.find_first_not_of("0123456789") != std::string::npos)
          return JoinPath(name, member);
    } else if (name == "checkpoints") {
      const auto inside = ListDirectory(JoinPath(dir, name));
      if (!inside.ok()) return name;
      for (const std::string& checkpoint : *inside)
        if (!checkpoint.starts_with("step-")) return JoinPath(name, checkpoint);
    } else if (name != kMetricsFileName && !name.starts_with("events.out.tfevents.") && !name.ends_with(".tmp")) {
      return name;
    }
  }
  return "";
}

}  // namespace

Status ClearModelDirectory(const std::string& dir) {
  MG_RETURN_IF_ERROR(MakeDirectories(dir));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(dir));
  const std::string foreign = ForeignEntry(dir, names);
  if (!foreign.empty()) {
    return InvalidInput(
        fmt::format("{}: the folder holds \"{}\" and no model; choose an empty or new --model_dir", dir, foreign));
  }
  for (const std::string& name : names)
    if (IsOurs(name)) MG_RETURN_IF_ERROR(RemoveTree(JoinPath(dir, name)));
  return OkStatus();
}

}  // namespace manygate
