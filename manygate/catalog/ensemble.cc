// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/ensemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/base/version.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/features/schema.h"

namespace manygate {

int NumMembers(const config::Pipeline& pipeline) {
  return pipeline.has_ensemble() ? static_cast<int>(pipeline.ensemble().members()) : 1;
}

std::string MemberDirectory(const std::string& dir, int member) {
  return JoinPath(JoinPath(dir, kMembersName), std::to_string(member + 1));
}

config::Pipeline MemberPipeline(const config::Pipeline& pipeline, const std::string& dir, int member) {
  config::Pipeline result = pipeline;
  result.clear_ensemble();
  result.set_model_dir(MemberDirectory(dir, member));
  result.mutable_train_config()->set_seed(pipeline.train_config().seed() + static_cast<uint64_t>(member));
  return result;
}

Status SaveEnsemble(const config::Pipeline& pipeline, const features::Schema& schema, const std::string& dir) {
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(dir, kConfigFileName), config::PrintPipeline(pipeline)));
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(dir, features::kSchemaFileName), features::SchemaToText(schema)));
  std::vector<std::string> files = {kConfigFileName, features::kSchemaFileName};
  for (int member = 0; member < NumMembers(pipeline); ++member)
    files.push_back(fmt::format("{}/{}/{}", kMembersName, member + 1, kManifestName));
  return WriteManifest(dir, kModelFormatVersion, kProgramVersion, files);
}

StatusOr<std::vector<std::unique_ptr<Model>>> LoadMembers(const std::string& dir) {
  MG_RETURN_IF_ERROR(VerifyManifest(dir, kModelFormatVersion));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ManifestFiles(dir, kModelFormatVersion));
  const auto count = static_cast<int>(std::count_if(
      files.begin(), files.end(), [](const std::string& file) { return file.starts_with(kMembersName); }));
  std::vector<std::unique_ptr<Model>> members;
  for (int member = 0; member < std::max(1, count); ++member) {
    MG_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, LoadModel(count == 0 ? dir : MemberDirectory(dir, member)));
    members.push_back(std::move(model));
  }
  return members;
}

std::vector<Model*> Pointers(const std::vector<std::unique_ptr<Model>>& members) {
  std::vector<Model*> pointers;
  for (const auto& member : members) pointers.push_back(member.get());
  return pointers;
}

}  // namespace manygate
