// SPDX-License-Identifier: Apache-2.0
// MANIFEST.json makes a folder complete: it is written last, and lists size and checksum of every file that belongs.
//
//   {"format_version": 1, "program_version": "0.1.0",
//    "files": {"weights.safetensors": {"bytes": 1234, "xxh3": "0123456789abcdef"}, ...}}
//
// Names are relative to the folder, "/" separates sub-folders. A reader refuses a format_version above its own; a field
// it does not know is ignored.
//
//   MG_RETURN_IF_ERROR(WriteManifest(dir, kFormatVersion, kProgramVersion, {{"weights.safetensors",
//   "pipeline.config"}})); MG_RETURN_IF_ERROR(VerifyManifest(dir, kFormatVersion));
#ifndef MANYGATE_BASE_MANIFEST_H_
#define MANYGATE_BASE_MANIFEST_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

inline constexpr char kManifestName[] = "MANIFEST.json";
inline constexpr int kManifestFormatVersion = 1;

// Reads every file for its checksum. InvalidInput: a name that leaves the folder; errors of the files themselves.
Status WriteManifest(const std::string& dir, int format_version, std::string_view program_version,
                     std::span<const std::string> files);

// InvalidInput naming the file: manifest absent, malformed, larger than 1 MiB, of a newer format or with a name that
// leaves the folder; a listed file absent, of another size, or with another checksum.
Status VerifyManifest(const std::string& dir, int newest_format_version = kManifestFormatVersion);

// The names that the manifest lists, sorted; same errors about the manifest itself, files are not looked at.
StatusOr<std::vector<std::string>> ManifestFiles(const std::string& dir,
                                                 int newest_format_version = kManifestFormatVersion);

}  // namespace manygate

#endif  // MANYGATE_BASE_MANIFEST_H_
