// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/serve/repository_scan.h"
#include "manygate/serve/version_reaper.h"

namespace manygate::serve {
namespace {

using Log = std::function<void(const std::string&)>;

// Predicts a row without values, alone and in a batch of the largest size: what the first requests would wait for, and a
// model that predicts no numbers never serves.
Status WarmUp(const Predictor& predictor, int64_t warm_rows) {
  for (const int64_t rows : {int64_t{1}, warm_rows}) {
    const std::vector<features::Cell> cells(static_cast<size_t>(rows) * predictor.inputs().size());
    std::vector<std::vector<float>> values;
    std::vector<float*> outputs;
    for (const PredictorOutput& output : predictor.outputs())
      outputs.push_back(values.emplace_back(static_cast<size_t>(rows * output.width)).data());
    if (!predictor.Predict(cells, rows, outputs).ok()) continue;  // a column may not be missing
    for (size_t i = 0; i < values.size(); ++i)
      for (const float value : values[i])
        if (!std::isfinite(value))
          return InvalidInput(
              fmt::format("it predicts {} as {} for a row of missing values", value, predictor.outputs()[i].name));
  }
  return OkStatus();
}

StatusOr<std::unique_ptr<const Predictor>> LoadWarm(const std::string& dir, int64_t warm_rows) {
  try {
    MG_ASSIGN_OR_RETURN(std::unique_ptr<const Predictor> predictor, Predictor::Load(dir));
    MG_RETURN_IF_ERROR(WarmUp(*predictor, warm_rows));
    return predictor;
  } catch (const std::exception& problem) {  // no memory: what serves goes on
    return Failed(fmt::format("{}: {}", dir, problem.what()));
  }
}

struct Version {
  std::shared_ptr<const ServedVersion> served;  // null: never loaded
  std::string manifest;                         // of `served`
  std::string broken_stamp;                     // of the files that could not be loaded; "": they could
  std::string reason;
};
using Versions = std::map<int64_t, Version>;

// What requests see.
struct Snapshot {
  struct Entry {
    std::vector<std::shared_ptr<const ServedVersion>> served;  // by version
    bool unloaded = false;
  };
  std::map<std::string, Entry, std::less<>> models;
  std::vector<VersionInfo> list;
  bool ready = true;
};

class FolderRepository : public Repository {
 public:
  FolderRepository(std::string path, VersionPolicy policy, Log log, int64_t warm_rows)
      : path_(std::move(path)), policy_(std::move(policy)), log_(std::move(log)), warm_rows_(warm_rows) {}

  Status Start();
  Outcome Find(std::string_view name, std::string_view version,
               std::shared_ptr<const ServedVersion>* found) const override;
  void Refresh() override;
  Outcome Load(const std::string& name) override;
  Outcome Unload(const std::string& name) override;
  std::vector<VersionInfo> List() const override { return CurrentSnapshot()->list; }
  bool Ready() const override { return CurrentSnapshot()->ready; }

 private:
  StatusOr<FoundModels> Scan();
  void RefreshAll(const FoundModels& found);
  void RefreshModel(const std::string& name, const std::map<int64_t, std::string>& found);
  bool RefreshVersion(const std::string& name, int64_t number, const std::string& dir, Version* version);
  void RemoveModel(const std::string& name);
  void Publish();
  std::shared_ptr<const Snapshot> CurrentSnapshot() const;

  const std::string path_;
  const VersionPolicy policy_;
  const Log log_;
  const int64_t warm_rows_;
  const std::shared_ptr<VersionReaper> reaper_ = std::make_shared<VersionReaper>();

  std::mutex change_mutex_;  // guards what decides on the next snapshot
  std::map<std::string, Versions, std::less<>> models_;
  std::set<std::string> unloaded_;
  std::set<std::string> told_;  // about folders that are passed over: once

  mutable std::mutex snapshot_mutex_;  // held for the copy of a pointer
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

std::shared_ptr<const Snapshot> FolderRepository::CurrentSnapshot() const {
  const std::lock_guard lock(snapshot_mutex_);
  return snapshot_;
}

void FolderRepository::Publish() {
  auto next = std::make_shared<Snapshot>();
  for (const auto& [name, versions] : models_) {
    Snapshot::Entry& entry = next->models[name];
    for (const auto& [number, version] : versions) {
      next->list.push_back(
          {name, number, version.served != nullptr ? VersionState::kReady : VersionState::kBroken, version.reason});
      if (version.served != nullptr) entry.served.push_back(version.served);
    }
    next->ready &= !entry.served.empty();
  }
  for (const std::string& name : unloaded_) next->models[name].unloaded = true;
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(next);
}

Outcome FolderRepository::Find(std::string_view name, std::string_view version,
                               std::shared_ptr<const ServedVersion>* found) const {
  const std::shared_ptr<const Snapshot> snapshot = CurrentSnapshot();
  const auto model = snapshot->models.find(name);
  if (model == snapshot->models.end()) {
    std::vector<std::string> names;
    for (const auto& [known, entry] : snapshot->models) names.push_back(known);
    constexpr size_t kMostBytes = 80;  // of a long name the nearest would take long to find
    return Refused(OutcomeCode::kNotFound, fmt::format("there is no model \"{}\". {}", name.substr(0, kMostBytes),
                                                       Suggestion(name.substr(0, kMostBytes), names, "Models")));
  }
  const auto& served = model->second.served;
  if (served.empty())
    return Refused(OutcomeCode::kUnavailable, model->second.unloaded
                                                  ? fmt::format("model \"{}\" was unloaded", name)
                                                  : fmt::format("no version of model \"{}\" could be loaded", name));
  if (version.empty()) {
    *found = served.back();
    return Done();
  }
  const int64_t number = ParseVersion(version);
  for (const auto& candidate : served) {
    if (candidate->version != number) continue;
    *found = candidate;
    return Done();
  }
  std::vector<std::string> numbers;
  for (const auto& candidate : served) numbers.push_back(std::to_string(candidate->version));
  return Refused(OutcomeCode::kNotFound, fmt::format("model \"{}\" has no version \"{}\". Versions: {}", name,
                                                     version.substr(0, 20), JoinNames(numbers)));
}

StatusOr<FoundModels> FolderRepository::Scan() {
  std::vector<std::string> passed_over;
  auto found = ScanRepository(path_, &passed_over);
  for (const std::string& sentence : passed_over)
    if (told_.insert(sentence).second) log_(sentence);
  return found;
}

Status FolderRepository::Start() {
  const std::lock_guard lock(change_mutex_);
  MG_ASSIGN_OR_RETURN(const FoundModels found, Scan());
  RefreshAll(found);
  if (models_.empty())
    return InvalidInput(
        fmt::format("{} holds no model: expected <name>/<version>/ with the files of a model directory, or "
                    "one model directory ({})",
                    path_, found.empty() ? "none is there" : "there are some, but not of the versions asked for"));
  std::string reasons;
  for (const auto& [name, versions] : models_)
    for (const auto& [number, version] : versions) {
      if (version.served != nullptr) return OkStatus();
      reasons += fmt::format("\n{} version {}: {}", name, number, version.reason);
    }
  return InvalidInput(fmt::format("{}: not one version can be loaded{}", path_, reasons));
}

void FolderRepository::Refresh() {
  const std::lock_guard lock(change_mutex_);
  const auto found = Scan();
  if (found.ok()) {
    RefreshAll(*found);
  } else if (told_.insert(found.status().message()).second) {
    log_(fmt::format("the repository cannot be read, and stays as it is: {}", found.status().message()));
  }
}

void FolderRepository::RefreshAll(const FoundModels& found) {
  for (const auto& [name, versions] : found)
    if (unloaded_.count(name) == 0) RefreshModel(name, versions);
  std::vector<std::string> gone;
  for (const auto& [name, versions] : models_)
    if (found.count(name) == 0) gone.push_back(name);
  for (const std::string& name : gone) RemoveModel(name);
  std::erase_if(unloaded_, [&found](const std::string& name) { return found.count(name) == 0; });
  Publish();
}

void FolderRepository::RefreshModel(const std::string& name, const std::map<int64_t, std::string>& found) {
  Versions& versions = models_[name];
  std::set<int64_t> wanted;
  int serving = 0;
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    const auto& [number, dir] = *at;
    if (!policy_.specific.empty()) {
      if (std::ranges::find(policy_.specific, number) == policy_.specific.end()) continue;
    } else if (policy_.latest > 0 && serving == policy_.latest) {
      break;
    }
    wanted.insert(number);
    serving += RefreshVersion(name, number, dir, &versions[number]) ? 1 : 0;
  }
  for (const auto& [number, version] : versions)
    if (wanted.count(number) == 0 && version.served != nullptr)
      log_(fmt::format("{} version {}: serves no longer", name, number));
  std::erase_if(versions, [&wanted](const auto& item) { return wanted.count(item.first) == 0; });
  if (versions.empty()) models_.erase(name);
  Publish();  // before the next model is looked at
}

// Whether it serves.
bool FolderRepository::RefreshVersion(const std::string& name, int64_t number, const std::string& dir,
                                      Version* version) {
  const std::string manifest = ManifestOf(dir);
  if (version->served != nullptr && manifest == version->manifest) {
    version->broken_stamp.clear();
    version->reason.clear();
    return true;
  }
  const std::string stamp = FolderStamp(dir);
  if (stamp == version->broken_stamp) return version->served != nullptr;
  const Clock::time_point start = Clock::now();
  auto predictor = LoadWarm(dir, warm_rows_);
  if (!predictor.ok()) {
    version->broken_stamp = stamp;
    version->reason = predictor.status().message();
    log_(fmt::format("{} version {}: cannot be loaded{}: {}", name, number,
                     version->served != nullptr ? ", and serves as it was" : "", version->reason));
    return version->served != nullptr;
  }
  const bool replaced = version->served != nullptr;
  auto served = std::make_unique<ServedVersion>(ServedVersion{name, number, std::move(*predictor)});
  log_(fmt::format("{} version {}: {} from {} ({}, {} inputs, {})", name, number, replaced ? "loaded anew" : "loaded",
                   dir, served->predictor->model_name(), served->predictor->inputs().size(),
                   FormatSeconds(std::chrono::duration<double>(Clock::now() - start).count())));
  *version = {.served = MakeReaped(std::move(served), reaper_), .manifest = manifest, .broken_stamp = "", .reason = ""};
  return true;
}

void FolderRepository::RemoveModel(const std::string& name) {
  for (const auto& [number, version] : models_[name])
    if (version.served != nullptr) log_(fmt::format("{} version {}: serves no longer", name, number));
  models_.erase(name);
}

Outcome FolderRepository::Load(const std::string& name) {
  const std::lock_guard lock(change_mutex_);
  const auto found = Scan();
  if (!found.ok()) return Refused(OutcomeCode::kInvalid, found.status().message());
  const auto versions = found->find(name);
  if (versions == found->end())
    return Refused(OutcomeCode::kNotFound, fmt::format("the repository has no model \"{}\"", name.substr(0, 80)));
  unloaded_.erase(name);
  if (const auto model = models_.find(name); model != models_.end())
    for (auto& [number, version] : model->second) version.broken_stamp.clear();  // asked for: tried again
  RefreshModel(name, versions->second);
  const auto model = models_.find(name);
  if (model == models_.end())
    return Refused(OutcomeCode::kNotFound, fmt::format("model \"{}\" has none of the versions that are served", name));
  for (const auto& [number, version] : model->second)
    if (!version.reason.empty())
      return Refused(OutcomeCode::kInvalid, fmt::format("version {}: {}", number, version.reason));
  return Done();
}

Outcome FolderRepository::Unload(const std::string& name) {
  const std::lock_guard lock(change_mutex_);
  if (models_.count(name) == 0 && unloaded_.count(name) == 0)
    return Refused(OutcomeCode::kNotFound, fmt::format("there is no model \"{}\"", name.substr(0, 80)));
  RemoveModel(name);
  unloaded_.insert(name);
  Publish();
  return Done();
}

}  // namespace

StatusOr<VersionPolicy> ParseVersionPolicy(std::string_view text) {
  const auto bad = [&text](std::string_view piece) {
    return InvalidInput(
        fmt::format("versions \"{}\": \"{}\" is no version; expected latest, latest:N, all, or numbers like "
                    "1,4",
                    text, piece));
  };
  if (text == "latest") return VersionPolicy{};
  if (text == "all") return VersionPolicy{.latest = 0, .specific = {}};
  constexpr std::string_view kLatest = "latest:";
  if (text.substr(0, kLatest.size()) == kLatest) {
    const int64_t latest = ParseVersion(text.substr(kLatest.size()));
    constexpr int64_t kMost = 1000;
    if (latest == 0 || latest > kMost) return bad(text.substr(kLatest.size()));
    return VersionPolicy{.latest = static_cast<int>(latest), .specific = {}};
  }
  VersionPolicy policy;
  for (const std::string& piece : Split(text, ',')) {
    const int64_t version = ParseVersion(Trim(piece));
    if (version == 0) return bad(piece);
    policy.specific.push_back(version);
  }
  return policy;
}

StatusOr<std::unique_ptr<Repository>> Repository::Open(const std::string& path, const VersionPolicy& policy,
                                                       std::function<void(const std::string&)> log, int64_t warm_rows) {
  auto repository = std::make_unique<FolderRepository>(path, policy, std::move(log), warm_rows);
  MG_RETURN_IF_ERROR(repository->Start());
  return std::unique_ptr<Repository>(std::move(repository));
}

}  // namespace manygate::serve
