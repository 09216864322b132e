// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/ensemble.h"

#include <cmath>

#include "manygate/catalog/ensemble.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kThree = {"ensemble.members=3"};

std::vector<std::unique_ptr<Model>> Members(const FunnelRun& run, const std::string& name) {
  auto members = LoadMembers(run.Dir(name));
  EXPECT_TRUE(members.ok()) << members.status().message();
  return members.ok() ? std::move(*members) : std::vector<std::unique_ptr<Model>>();
}

TEST(EnsembleTest, MembersAreTheNetworksOfTheirSeeds) {
  const FunnelRun run(Recipe::kMmoe);
  run.MustTrain("ensemble", {.overrides = kThree});
  for (int member = 0; member < 3; ++member) {
    const std::string alone = fmt::format("alone{}", member);
    run.MustTrain(alone, {.overrides = {fmt::format("train_config.seed={}", 7 + member)}});
    EXPECT_EQ(run.Weights(fmt::format("ensemble/members/{}", member + 1)), run.Weights(alone)) << member;
  }
  EXPECT_NE(run.Weights("ensemble/members/1"), run.Weights("ensemble/members/2"));
  EXPECT_EQ(Members(run, "ensemble").size(), 3u);
  EXPECT_EQ(Members(run, "alone0").size(), 1u) << "an ordinary model is an ensemble of one";
}

TEST(EnsembleTest, PredictionsAreMeansOfTheMembers) {
  const FunnelRun run(Recipe::kSharedBottom);
  const TrainResult trained = run.MustTrain("ensemble", {.overrides = kThree, .threads = 2});
  const auto members = Members(run, "ensemble");
  ASSERT_EQ(members.size(), 3u);
  ThreadPool pool(2);
  std::vector<std::string> notes;
  const auto data = PrepareHoldOut(members[0]->pipeline, members[0]->schema, pool, "", &notes);
  ASSERT_TRUE(data.ok());
  Evaluator all(Pointers(members), pool);
  const Predictions mean = all.Predict(data->test);
  std::vector<Predictions> each;
  double loss = 0;
  for (const auto& member : members) {
    Evaluator one(*member, pool);
    each.push_back(one.Predict(data->test));
    loss += one.Score(each.back(), data->test).loss / 3;
  }
  ASSERT_EQ(mean.values.size(), 3u);
  ASSERT_EQ(mean.rows, 150);
  for (size_t t = 0; t < 3; ++t)
    for (int64_t r = 0; r < mean.rows; ++r) {
      EXPECT_NEAR(mean.values[t][r], (each[0].values[t][r] + each[1].values[t][r] + each[2].values[t][r]) / 3, 1e-5);
    }
  const EvaluationResult result = all.Score(mean, data->test);
  EXPECT_NEAR(result.loss, loss, 1e-6 * std::abs(loss));
  EXPECT_EQ(ToJson(result), ToJson(trained.test));
  EXPECT_EQ(trained.steps, 3 * 66);
}

TEST(EnsembleTest, AStoppedEnsembleGoesOnToTheSameBytes) {
  const FunnelRun run(Recipe::kMmoe);
  run.MustTrain("whole", {.overrides = kThree});
  const auto stopped = run.Train("parts", {.overrides = kThree, .stop_at_step = 40});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(LoadMembers(run.Dir("parts")).ok());
  run.MustTrain("parts", {.overrides = kThree, .resume = true});
  for (int member = 1; member <= 3; ++member) {
    const std::string part = fmt::format("/members/{}", member);
    EXPECT_EQ(run.Weights("parts" + part), run.Weights("whole" + part)) << member;
  }
  // All members are complete: nothing is trained again.
  EXPECT_EQ(run.MustTrain("parts", {.overrides = kThree, .resume = true}).steps, 0);
}

TEST(EnsembleTest, ANewRunReplacesAnOldOne) {
  const FunnelRun run(Recipe::kMmoe);
  run.MustTrain("model", {.overrides = kThree});
  run.MustTrain("model");
  EXPECT_EQ(Members(run, "model").size(), 1u);
  EXPECT_EQ(FileContent(run.Dir("model/members/1/weights.safetensors")), "");
  run.MustTrain("model", {.overrides = {"ensemble.members=2"}});
  EXPECT_EQ(Members(run, "model").size(), 2u);
}

TEST(EnsembleTest, ADamagedMemberIsNamed) {
  const FunnelRun run(Recipe::kMmoe);
  run.MustTrain("model", {.overrides = {"ensemble.members=2"}});
  const std::string path = run.Dir("model/members/2/weights.safetensors");
  std::string bytes = FileContent(path);
  bytes[bytes.size() - 1] ^= 1;
  ASSERT_TRUE(WriteFileAtomic(path, bytes).ok());
  const auto members = LoadMembers(run.Dir("model"));
  ASSERT_FALSE(members.ok());
  EXPECT_THAT(members.status().message(), HasSubstr("members/2/weights.safetensors"));
}

}  // namespace
}  // namespace manygate
