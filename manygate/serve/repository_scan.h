// SPDX-License-Identifier: Apache-2.0
// What lies in a repository's folder, before anything of it is loaded (repository.h).
//
//   MG_ASSIGN_OR_RETURN(const FoundModels models, ScanRepository("models", &passed_over));
//   models.at("census").at(3)      // "models/census/3"
//   std::string before = FolderStamp(dir);   // differs when a file of the folder has changed
#ifndef MANYGATE_SERVE_REPOSITORY_SCAN_H_
#define MANYGATE_SERVE_REPOSITORY_SCAN_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate::serve {

// Directories of versions that have a manifest, by name and version; models without any are left out.
using FoundModels = std::map<std::string, std::map<int64_t, std::string>, std::less<>>;

// passed_over: sentences about folders that can be no model or version. Of those whose names begin with "." nothing is said:
// copies that are under way, and the like. InvalidInput: the path is no folder that can be
// read, or a model directory whose name no model can have.
StatusOr<FoundModels> ScanRepository(const std::string& path, std::vector<std::string>* passed_over);

bool IsModelName(std::string_view name);
// Whole numbers from 1, without signs and zeros before them. 0: anything else.
int64_t ParseVersion(std::string_view text);

// The bytes of the folder's manifest; "" where there is none.
std::string ManifestOf(const std::string& dir);
// Names, sizes and times of all files below the folder, as a text to compare.
std::string FolderStamp(const std::string& dir);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_REPOSITORY_SCAN_H_
