// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "manygate/serve/repository_scan.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Models of different seeds are told apart by what they predict for one row.
float Prediction(const ServedVersion& version) {
  return PredictAlone(version, TestCells(version, 1), "probs_income")[0];
}

class RepositoryTest : public testing::Test {
 protected:
  void Save(const std::string& dir, uint64_t seed) { SaveTestModel(folder_.Path(dir), seed); }
  // As operators do: made aside, then moved into place.
  void Replace(const std::string& dir, uint64_t seed) {
    Save(".new", seed);
    fs::remove_all(folder_.Path(dir));
    fs::rename(folder_.Path(".new"), folder_.Path(dir));
  }
  void Damage(const std::string& dir) {
    std::ofstream(folder_.Path(dir + "/weights.safetensors"), std::ios::app) << "x";
  }

  void Open(const VersionPolicy& policy = {}, const std::string& sub_folder = "") {
    auto repository = Repository::Open(
        folder_.Path(sub_folder), policy, [this](const std::string& line) { log_.push_back(line); }, 8);
    ASSERT_TRUE(repository.ok()) << repository.status().message();
    repository_ = *std::move(repository);
  }
  std::string OpenProblem(const std::string& sub_folder = "", const VersionPolicy& policy = {}) {
    return Repository::Open(
               folder_.Path(sub_folder), policy, [](const std::string&) {}, 8)
        .status()
        .message();
  }
  std::shared_ptr<const ServedVersion> Find(std::string_view name, std::string_view version = "") {
    std::shared_ptr<const ServedVersion> found;
    const Outcome outcome = repository_->Find(name, version, &found);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    return found;
  }
  Outcome FindProblem(std::string_view name, std::string_view version = "") {
    std::shared_ptr<const ServedVersion> found;
    Outcome outcome = repository_->Find(name, version, &found);
    EXPECT_EQ(found, nullptr);
    return outcome;
  }
  std::vector<std::string> Listed() {
    std::vector<std::string> listed;
    for (const VersionInfo& info : repository_->List())
      listed.push_back(info.name + "/" + std::to_string(info.version) +
                       (info.state == VersionState::kReady ? "" : " broken") + (info.reason.empty() ? "" : ": reason"));
    return listed;
  }
  std::vector<std::string> TakeLog() { return std::exchange(log_, {}); }

  const TestFolder folder_;
  std::vector<std::string> log_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(RepositoryTest, ServesTheHighestVersionOfEachModel) {
  Save("census/2", 2);
  Save("census/10", 10);
  Save("funnel/1", 1);
  Open();
  EXPECT_THAT(Listed(), ElementsAre("census/10", "funnel/1"));
  EXPECT_EQ(Find("census")->version, 10);
  EXPECT_EQ(Find("census")->name, "census");
  EXPECT_EQ(Find("census", "10"), Find("census"));
  EXPECT_EQ(Find("funnel")->version, 1);
  EXPECT_TRUE(repository_->Ready());
  ASSERT_EQ(log_.size(), 2u);
  EXPECT_THAT(log_[0], AllOf(HasSubstr("census version 10: loaded from "), HasSubstr("census/10 (mmoe, 6 inputs, ")));
}

TEST_F(RepositoryTest, VersionsByPolicy) {
  for (int version = 1; version <= 4; ++version) Save("m/" + std::to_string(version), version);
  Open({.latest = 2});
  EXPECT_THAT(Listed(), ElementsAre("m/3", "m/4"));
  Open({.latest = 0});
  EXPECT_THAT(Listed(), ElementsAre("m/1", "m/2", "m/3", "m/4"));
  Open({.specific = {1, 3, 7}});
  EXPECT_THAT(Listed(), ElementsAre("m/1", "m/3"));
  EXPECT_EQ(Find("m")->version, 3);
  EXPECT_NE(Prediction(*Find("m", "1")), Prediction(*Find("m", "3")));
  const Outcome outcome = FindProblem("m", "2");
  EXPECT_EQ(outcome.code, OutcomeCode::kNotFound);
  EXPECT_EQ(outcome.message, "model \"m\" has no version \"2\". Versions: 1, 3");
  EXPECT_EQ(FindProblem("m", "01").code, OutcomeCode::kNotFound);
  EXPECT_EQ(FindProblem("m", "99999999999999999999").code, OutcomeCode::kNotFound);
}

TEST_F(RepositoryTest, OneModelDirectory) {
  Save("census", 1);
  Open({}, "census/");
  EXPECT_THAT(Listed(), ElementsAre("census/1"));
  EXPECT_EQ(Find("census")->version, 1);
  Save("bad name", 1);
  EXPECT_THAT(OpenProblem("bad name"), HasSubstr("which \"bad name\" cannot be: rename it"));
}

TEST_F(RepositoryTest, TellsOfModelsByTheNearestName) {
  Save("census/1", 1);
  Open();
  const Outcome outcome = FindProblem("cencus");
  EXPECT_EQ(outcome.code, OutcomeCode::kNotFound);
  EXPECT_EQ(outcome.message, "there is no model \"cencus\". Did you mean \"census\"? Models: census");
  EXPECT_EQ(FindProblem("../census").code, OutcomeCode::kNotFound);
  EXPECT_LT(FindProblem(std::string(1 << 20, 'x')).message.size(), 200u);
}

TEST_F(RepositoryTest, WhatIsNoModelIsPassedOver) {
  Save("census/1", 1);
  Save("alone", 1);
  Save("bad name/1", 1);
  Save(".hidden/1", 1);
  Save("census/new", 1);
  Save("census/.copying", 1);
  fs::create_directories(folder_.Path("census/3"));  // no manifest yet
  fs::create_directories(folder_.Path("empty"));
  folder_.Write("README", "no folder");
  Open();
  EXPECT_THAT(Listed(), ElementsAre("census/1"));
  EXPECT_THAT(
      TakeLog(),
      ElementsAre(AllOf(HasSubstr("alone: a model directory without a version; expected "), HasSubstr("alone/1")),
                  HasSubstr("bad name: names of models are of letters"),
                  HasSubstr("census/new: versions are whole numbers from 1"), HasSubstr("census version 1: loaded")));
  repository_->Refresh();
  EXPECT_THAT(TakeLog(), IsEmpty()) << "once";
}

TEST_F(RepositoryTest, RefreshLoadsReplacesAndRemoves) {
  Save("census/1", 1);
  Open();
  const auto first = Find("census");
  repository_->Refresh();
  EXPECT_EQ(Find("census"), first) << "nothing has changed";
  TakeLog();

  Save("census/2", 2);
  Save("funnel/1", 7);
  repository_->Refresh();
  EXPECT_THAT(Listed(), ElementsAre("census/2", "funnel/1"));
  EXPECT_THAT(TakeLog(), ElementsAre(HasSubstr("census version 2: loaded from"), "census version 1: serves no longer",
                                     HasSubstr("funnel version 1: loaded from")));
  const float before = Prediction(*Find("census"));
  EXPECT_NE(before, Prediction(*first)) << "who holds a version still has it";

  Replace("census/2", 3);
  repository_->Refresh();
  EXPECT_THAT(TakeLog(), ElementsAre(HasSubstr("census version 2: loaded anew from")));
  EXPECT_NE(Prediction(*Find("census")), before);

  fs::remove_all(folder_.Path("census/2"));
  fs::remove_all(folder_.Path("funnel"));
  repository_->Refresh();
  EXPECT_THAT(Listed(), ElementsAre("census/1"));
  EXPECT_EQ(FindProblem("funnel").code, OutcomeCode::kNotFound);
  EXPECT_THAT(TakeLog(), ElementsAre(HasSubstr("census version 1: loaded from"), "census version 2: serves no longer",
                                     "funnel version 1: serves no longer"));
}

TEST_F(RepositoryTest, ABrokenVersionNeverTakesThePlaceOfOneThatServes) {
  Save("census/1", 1);
  Open();
  const auto first = Find("census");
  TakeLog();
  Save("census/2", 2);
  Damage("census/2");
  repository_->Refresh();
  EXPECT_EQ(Find("census"), first);
  EXPECT_THAT(Listed(), ElementsAre("census/1", "census/2 broken: reason"));
  EXPECT_THAT(repository_->List()[1].reason, HasSubstr("weights.safetensors"));
  EXPECT_TRUE(repository_->Ready());
  EXPECT_THAT(TakeLog(),
              ElementsAre(AllOf(HasSubstr("census version 2: cannot be loaded: "), HasSubstr("weights.safetensors"))));
  repository_->Refresh();
  EXPECT_THAT(TakeLog(), IsEmpty()) << "told once";

  Replace("census/2", 2);
  repository_->Refresh();
  EXPECT_EQ(Find("census")->version, 2);
  EXPECT_THAT(Listed(), ElementsAre("census/2"));
}

TEST_F(RepositoryTest, BrokenFilesOfAVersionThatServes) {
  Save("census/1", 1);
  Open();
  const auto first = Find("census");
  TakeLog();
  Save("census/1", 2);
  Damage("census/1");
  repository_->Refresh();
  EXPECT_EQ(Find("census"), first);
  EXPECT_THAT(Listed(), ElementsAre("census/1: reason"));
  EXPECT_THAT(TakeLog(), ElementsAre(HasSubstr("census version 1: cannot be loaded, and serves as it was: ")));
  Save("census/1", 1);
  repository_->Refresh();
  EXPECT_EQ(Find("census"), first) << "the files of before are back";
  EXPECT_THAT(Listed(), ElementsAre("census/1"));
}

// A copy that brings the manifest before the other files.
TEST_F(RepositoryTest, ABrokenVersionIsTriedAgainWhenItsFilesChange) {
  Save("census/1", 1);
  Save("whole", 2);
  fs::create_directories(folder_.Path("census/2"));
  fs::copy(folder_.Path("whole/MANIFEST.json"), folder_.Path("census/2"));
  Open();
  EXPECT_THAT(Listed(), ElementsAre("census/1", "census/2 broken: reason"));
  fs::copy(folder_.Path("whole"), folder_.Path("census/2"),
           fs::copy_options::recursive | fs::copy_options::skip_existing);
  repository_->Refresh();
  EXPECT_THAT(Listed(), ElementsAre("census/2"));
}

TEST_F(RepositoryTest, ReadyOnlyWithAVersionOfEveryModel) {
  Save("census/1", 1);
  Save("funnel/1", 1);
  Damage("funnel/1");
  Open();
  EXPECT_FALSE(repository_->Ready());
  EXPECT_EQ(FindProblem("funnel").code, OutcomeCode::kUnavailable);
  EXPECT_EQ(FindProblem("funnel").message, "no version of model \"funnel\" could be loaded");
  ASSERT_TRUE(repository_->Unload("funnel").ok());
  EXPECT_TRUE(repository_->Ready());
}

TEST_F(RepositoryTest, LoadAndUnload) {
  Save("census/1", 1);
  Open();
  TakeLog();
  EXPECT_TRUE(repository_->Unload("census").ok());
  EXPECT_THAT(TakeLog(), ElementsAre("census version 1: serves no longer"));
  EXPECT_EQ(FindProblem("census").message, "model \"census\" was unloaded");
  repository_->Refresh();
  EXPECT_EQ(FindProblem("census").code, OutcomeCode::kUnavailable) << "it stays out";
  EXPECT_TRUE(repository_->Unload("census").ok());
  EXPECT_EQ(repository_->Unload("other").code, OutcomeCode::kNotFound);
  EXPECT_TRUE(repository_->Load("census").ok());
  EXPECT_EQ(Find("census")->version, 1);

  EXPECT_EQ(repository_->Load("other").code, OutcomeCode::kNotFound);
  EXPECT_EQ(repository_->Load("../census").code, OutcomeCode::kNotFound);
  Save("other/4", 4);
  EXPECT_TRUE(repository_->Load("other").ok()) << "without a refresh";
  EXPECT_EQ(Find("other")->version, 4);
  Save("other/5", 5);
  Damage("other/5");
  const Outcome outcome = repository_->Load("other");
  EXPECT_EQ(outcome.code, OutcomeCode::kInvalid);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("version 5: "), HasSubstr("weights.safetensors")));
  EXPECT_EQ(Find("other")->version, 4);
}

TEST_F(RepositoryTest, FoldersThatAreNoRepository) {
  EXPECT_THAT(OpenProblem("none"), HasSubstr("none"));
  EXPECT_THAT(OpenProblem(), HasSubstr("holds no model: expected <name>/<version>/"));
  Save("census/1", 1);
  EXPECT_THAT(OpenProblem("", {.specific = {2}}), HasSubstr("but not of the versions asked for"));
  Damage("census/1");
  EXPECT_THAT(OpenProblem(),
              AllOf(HasSubstr("not one version can be loaded\ncensus version 1: "), HasSubstr("weights")));
}

TEST_F(RepositoryTest, AFolderThatCannotBeReadChangesNothing) {
  Save("models/census/1", 1);
  Open({}, "models");
  TakeLog();
  fs::rename(folder_.Path("models"), folder_.Path("away"));
  for (int i = 0; i < 2; ++i) repository_->Refresh();
  EXPECT_EQ(Find("census")->version, 1);
  EXPECT_THAT(TakeLog(), ElementsAre(HasSubstr("the repository cannot be read, and stays as it is: ")));
}

// Readers always find a version, and what they find predicts what one of the two contents predicts.
TEST_F(RepositoryTest, ReadersDuringReloads) {
  Save("census/1", 1);
  Open();
  const float one = Prediction(*Find("census"));
  Replace("census/1", 2);
  repository_->Refresh();
  const float two = Prediction(*Find("census"));
  std::atomic<bool> ending = false;
  std::atomic<int> wrong = 0, right = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!ending) {
        std::shared_ptr<const ServedVersion> found;
        const bool ok = repository_->Find("census", "", &found).ok() && repository_->List().size() == 1;
        const float value = ok ? Prediction(*found) : 0;
        ++(ok && (value == one || value == two) ? right : wrong);
      }
    });
  for (int i = 0; i < 10; ++i) {
    Save("census/1", i % 2 + 1);
    if (i % 3 == 0) Damage("census/1");
    repository_->Refresh();
  }
  ending = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(right, 0);
}

TEST(Repository, PoliciesFromText) {
  const auto parsed = [](std::string_view text) {
    const auto policy = ParseVersionPolicy(text);
    EXPECT_TRUE(policy.ok()) << policy.status().message();
    return std::pair(policy->latest, policy->specific);
  };
  EXPECT_EQ(parsed("latest"), std::pair(1, std::vector<int64_t>{}));
  EXPECT_EQ(parsed("latest:3"), std::pair(3, std::vector<int64_t>{}));
  EXPECT_EQ(parsed("all"), std::pair(0, std::vector<int64_t>{}));
  EXPECT_EQ(parsed("1, 4").second, (std::vector<int64_t>{1, 4}));
  for (const char* text : {"", "latest:0", "latest:x", "1,,2", "0", "-1", "newest", "1.5", "99999999999999999999"})
    EXPECT_FALSE(ParseVersionPolicy(text).ok()) << text;
  EXPECT_EQ(ParseVersionPolicy("1,x").status().message(),
            "versions \"1,x\": \"x\" is no version; expected latest, latest:N, all, or numbers like 1,4");
}

TEST(RepositoryScan, NamesVersionsAndStamps) {
  EXPECT_TRUE(IsModelName("census-2.v_3"));
  for (const char* name : {"", ".", "..", ".x", "a/b", "a b", "ä"}) EXPECT_FALSE(IsModelName(name)) << name;
  EXPECT_EQ(ParseVersion("12"), 12);
  for (const char* text : {"", "0", "01", "+1", "-1", "1a", "1 "}) EXPECT_EQ(ParseVersion(text), 0) << text;
  const TestFolder folder;
  folder.Write("a", "1");
  const std::string before = FolderStamp(folder.path());
  EXPECT_EQ(FolderStamp(folder.path()), before);
  folder.Write("a", "12");
  EXPECT_NE(FolderStamp(folder.path()), before);
  EXPECT_EQ(FolderStamp(folder.Path("none")), "");
  EXPECT_EQ(ManifestOf(folder.path()), "");
}

}  // namespace
}  // namespace manygate::serve
