// SPDX-License-Identifier: Apache-2.0
// The bodies of answers that describe the server and its models.
#ifndef MANYGATE_SERVE_HTTP_PAGES_H_
#define MANYGATE_SERVE_HTTP_PAGES_H_

#include <string>
#include <vector>

#include "manygate/serve/job.h"
#include "manygate/serve/repository.h"

namespace manygate::serve {

// GET /v2.
std::string ServerMetadata();
// GET /v2/models/{model}. versions: of the repository, of all models.
std::string ModelMetadata(const ServedVersion& served, const std::vector<VersionInfo>& versions);
// GET /v2/models/{model}/ready.
std::string ModelReady(const ServedVersion& served);
// POST /v2/repository/index.
std::string RepositoryIndex(const std::vector<VersionInfo>& versions);
// GET /v1/models/{model}[/versions/{version}], as TensorFlow Serving has it; "": there is none such.
std::string ModelStatus(const std::string& model, const std::string& version, const std::vector<VersionInfo>& versions);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_HTTP_PAGES_H_
