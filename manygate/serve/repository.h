// SPDX-License-Identifier: Apache-2.0
// The models that are served: a folder of
//
//   <name>/<version>/        model directories (or those of ensembles); the version is a whole number >= 1
//
// or one model directory by itself, which is served as version 1 of a model of the folder's name. A version that has no
// MANIFEST.json yet is still being written and is passed over. Versions are loaded and warmed up before requests find them;
// one that cannot be loaded never takes the place of one that serves, and is tried again when its files change. Names of
// models are of letters, digits, "_", "-" and "."; others are passed over, with a line in the log, and those that
// begin with "." without one.
//
//   MG_ASSIGN_OR_RETURN(auto repository, Repository::Open("models", {.latest = 1}, log));
//   std::shared_ptr<const ServedVersion> version;
//   Outcome outcome = repository->Find("census", "", &version);    // "": the highest loaded version
//   repository->Refresh();                                         // look again: new, changed and removed versions
#ifndef MANYGATE_SERVE_REPOSITORY_H_
#define MANYGATE_SERVE_REPOSITORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/serve/job.h"

namespace manygate::serve {

// Which versions of each model are served.
struct VersionPolicy {
  int latest = 1;                      // the highest n that can be loaded; 0: all
  std::vector<int64_t> specific = {};  // if any: these
};
// "latest", "latest:3", "all", "1,4". InvalidInput: anything else.
StatusOr<VersionPolicy> ParseVersionPolicy(std::string_view text);

enum class VersionState { kReady, kBroken };
struct VersionInfo {
  std::string name;
  int64_t version;
  VersionState state;
  std::string reason;  // kBroken: why. kReady: "", or why its new files cannot be loaded, while those of before serve
};

class Repository {
 public:
  // log: one line per version that was loaded, replaced, removed or is broken; called by the threads of Open, Refresh, Load
  // and Unload, one at a time. warm_rows: rows of the largest batch, which a new version predicts before it serves.
  // InvalidInput: the folder is missing, holds neither a model directory nor models, or not one version of it can be loaded.
  static StatusOr<std::unique_ptr<Repository>> Open(const std::string& path, const VersionPolicy& policy,
                                                    std::function<void(const std::string&)> log,
                                                    int64_t warm_rows = 1024);
  virtual ~Repository() = default;

  // kNotFound: no such model or version, with the names that there are; kUnavailable: a model of which nothing is loaded.
  // Never blocks on loading.
  virtual Outcome Find(std::string_view name, std::string_view version,
                       std::shared_ptr<const ServedVersion>* found) const = 0;
  // Looks at the folder once and loads what has changed, on the calling thread; one call at a time runs, others wait.
  virtual void Refresh() = 0;
  // Admin calls: kNotFound; kInvalid: it could not be loaded, and why. Unload keeps the model out until Load.
  virtual Outcome Load(const std::string& name) = 0;
  virtual Outcome Unload(const std::string& name) = 0;
  // All versions that the policy asks for, by name and version; broken ones too.
  virtual std::vector<VersionInfo> List() const = 0;
  // Whether every model has a version that serves.
  virtual bool Ready() const = 0;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_REPOSITORY_H_
