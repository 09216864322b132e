// SPDX-License-Identifier: Apache-2.0
// An ensemble's model directory: several networks of one configuration that differ in their seed.
//
//   pipeline.config      the configuration with ensemble { members: N }
//   schema.pbtxt         the fitted columns, the same for all
//   members/1 .. N/      a model directory each (catalog/model.h), of seed train_config.seed, + 1, ...
//   MANIFEST.json        of the two files above and of the members' manifests; written last
//
//   MG_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<Model>> members, LoadMembers(dir));   // one for an ordinary model
#ifndef MANYGATE_CATALOG_ENSEMBLE_H_
#define MANYGATE_CATALOG_ENSEMBLE_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/catalog/model.h"

namespace manygate {

inline constexpr char kMembersName[] = "members";

// Networks that the configuration asks for, >= 1.
int NumMembers(const config::Pipeline& pipeline);
// member: from 0. "<dir>/members/<member + 1>"
std::string MemberDirectory(const std::string& dir, int member);
// The configuration of one member: its own seed and directory, no ensemble.
config::Pipeline MemberPipeline(const config::Pipeline& pipeline, const std::string& dir, int member);

// The files of the ensemble itself; the members' directories are there already.
Status SaveEnsemble(const config::Pipeline& pipeline, const features::Schema& schema, const std::string& dir);

// The members of an ensemble's directory, or the model of an ordinary one. Errors as LoadModel.
StatusOr<std::vector<std::unique_ptr<Model>>> LoadMembers(const std::string& dir);

std::vector<Model*> Pointers(const std::vector<std::unique_ptr<Model>>& members);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_ENSEMBLE_H_
