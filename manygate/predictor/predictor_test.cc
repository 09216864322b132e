// SPDX-License-Identifier: Apache-2.0
#include "manygate/predictor/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>

#include "manygate/catalog/outputs.h"
#include "manygate/features/encode.h"
#include "manygate/graph/executor.h"
#include "manygate/predictor/model_testing.h"

namespace manygate {
namespace {

using features::Cell;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kMmoe[] = "mmoe { num_expert: 3 expert_mlp { hidden_units: 8 } TOWERS }";

std::unique_ptr<Predictor> LoadedFrom(const TestModel& model) {
  auto predictor = Predictor::Load(model.dir());
  MG_CHECK(predictor.ok(), "{}", predictor.status().message());
  return *std::move(predictor);
}

// The texts of rows first .. first + rows - 1 as the cells of the predictor's inputs. They lie in *texts.
std::vector<Cell> CellsOf(const Predictor& predictor, int64_t first, int64_t rows, std::vector<std::string>* texts) {
  texts->clear();
  for (int64_t r = first; r < first + rows; ++r) {
    const std::vector<std::string> row = TestRow(r);
    for (const PredictorInput& input : predictor.inputs()) {
      const auto place = std::find(kTestColumns.begin(), kTestColumns.end(), input.name);
      texts->push_back(row[static_cast<size_t>(place - kTestColumns.begin())]);
    }
  }
  return {texts->begin(), texts->end()};
}

// All outputs, one vector each.
using Scores = std::vector<std::vector<float>>;

Scores ScoresOf(const Predictor& predictor, int64_t rows, int64_t batch) {
  Scores scores;
  for (const PredictorOutput& output : predictor.outputs())
    scores.emplace_back(static_cast<size_t>(rows * output.width), features::kNan);
  std::vector<std::string> texts;
  for (int64_t first = 0; first < rows; first += batch) {
    const int64_t count = std::min(batch, rows - first);
    std::vector<float*> places;
    for (size_t i = 0; i < scores.size(); ++i)
      places.push_back(scores[i].data() + first * predictor.outputs()[i].width);
    const Status status = predictor.Predict(CellsOf(predictor, first, count, &texts), count, places);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  return scores;
}

// What evaluation of a whole table gives, in slices of 64 rows on two threads.
Scores ScoresOfTable(const TestModel& test, int64_t rows) {
  auto members = LoadMembers(test.dir());
  MG_CHECK(members.ok(), "{}", members.status().message());
  Scores sums;
  for (const auto& model : *members) {
    const features::Schema& schema = model->schema;
    const Table table = test.ReadRows(rows, model->pipeline, features::RequiredColumns(schema, {false, false}),
                                      {schema.generators().begin(), schema.generators().end()});
    ThreadPool pool(2);
    const auto encoded = features::Encode(schema, table, false, pool);
    MG_CHECK(encoded.ok(), "{}", encoded.status().message());
    std::vector<int32_t> ids(static_cast<size_t>(rows * encoded->num_id_slots()));
    std::vector<float> numbers(static_cast<size_t>(rows * encoded->number_width()));
    encoded->CopyRows(features::FirstRows(rows).data(), static_cast<int>(rows), ids.data(), numbers.data(), nullptr,
                      nullptr);
    Executor executor(model->graph, *model->store, {.slice_rows = 64}, pool);
    executor.ParametersChanged();
    Scores scores;
    const std::vector<ModelOutput> outputs = ListOutputs(*model);
    for (const ModelOutput& output : outputs) scores.emplace_back(static_cast<size_t>(rows * output.width));
    const InputBatch batch{rows, ids.data(), encoded->num_id_slots(), numbers.data(), encoded->number_width()};
    executor.Forward(batch, [&](const Slice& slice) {
      for (size_t i = 0; i < outputs.size(); ++i)
        ReadOutput(*model, outputs[i], slice, scores[i].data() + slice.first_row * outputs[i].width);
    });
    if (sums.empty()) sums.resize(scores.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      sums[i].resize(scores[i].size());
      for (size_t k = 0; k < scores[i].size(); ++k) sums[i][k] += scores[i][k];
    }
  }
  for (auto& values : sums)
    for (float& value : values) value /= static_cast<float>(members->size());
  return sums;
}

void ExpectSameBits(const Scores& got, const Scores& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].size(), want[i].size());
    EXPECT_EQ(std::memcmp(got[i].data(), want[i].data(), want[i].size() * sizeof(float)), 0) << "output " << i;
  }
}

TEST(Predictor, GivesTheBitsOfAWholeTableWhateverTheBatch) {
  constexpr int64_t kRows = 150;
  for (const char* model : {kMmoe, "simple_multi_task { TOWERS }",
                            "ple { extraction_networks { network_name: \"l1\" expert_num_per_task: 1 "
                            "share_num: 1 task_expert_net { hidden_units: 8 } share_expert_net { "
                            "hidden_units: 8 } } TOWERS }",
                            "shared_bottom { bottom_mlp { hidden_units: 9 use_bn: true } TOWERS }"}) {
    for (const bool made : {false, true}) {
      SCOPED_TRACE(fmt::format("{}, {} made features", model, made ? "with" : "without"));
      const TestModel test(model, made ? std::string(kTestFeatures) + kTestMadeFeatures : kTestFeatures);
      const Scores want = ScoresOfTable(test, kRows);
      EXPECT_NE(want[0][0], want[0][1]) << "rows differ";
      const auto predictor = LoadedFrom(test);
      for (const int64_t batch : {int64_t{1}, int64_t{7}, int64_t{64}, kRows})
        ExpectSameBits(ScoresOf(*predictor, kRows, batch), want);
    }
  }
}

TEST(Predictor, AveragesAnEnsemble) {
  const TestModel test(kMmoe, kTestFeatures, /*members=*/3);
  const Scores want = ScoresOfTable(test, 100);
  const auto predictor = LoadedFrom(test);
  for (const int64_t batch : {1, 33, 100}) ExpectSameBits(ScoresOf(*predictor, 100, batch), want);
}

TEST(Predictor, ListsInputsAndOutputs) {
  const TestModel test(kMmoe);
  const auto predictor = LoadedFrom(test);
  EXPECT_EQ(predictor->model_name(), "mmoe");
  std::vector<std::string> inputs, outputs;
  for (const PredictorInput& input : predictor->inputs()) inputs.push_back(input.name + (input.number ? " FP32" : ""));
  for (const PredictorOutput& output : predictor->outputs())
    outputs.push_back(fmt::format("{} {}{}", output.name, output.width, output.logits ? " logits" : ""));
  EXPECT_THAT(inputs, ElementsAre("job", "age FP32", "tags"));
  EXPECT_THAT(outputs, ElementsAre("probs_income 1", "logits_income 1 logits", "probs_kind 3", "logits_kind 3 logits",
                                   "y_hours 1", "logits_hours 1 logits"));
  EXPECT_THAT(predictor->outputs()[2].classes, ElementsAre("0", "1", "2"));
  EXPECT_EQ(predictor->FindInput("tags"), 2);
  EXPECT_EQ(predictor->FindInput("income"), -1);
  EXPECT_EQ(predictor->FindOutput("y_hours"), 4);
  EXPECT_EQ(predictor->FindOutput("hours"), -1);
}

class OneModel : public testing::Test {
 protected:
  // Rows of [job, age, tags, counts] as the predictor wants them.
  std::vector<Cell> InOrder(const std::vector<Cell>& cells) const {
    std::vector<Cell> ordered(cells.size());
    for (size_t i = 0; i < cells.size(); ++i)
      ordered[i / 4 * 4 + static_cast<size_t>(predictor_->FindInput(kTestColumns[i % 4]))] = cells[i];
    return ordered;
  }
  // probs_income of one row.
  float Income(const std::vector<Cell>& cells) const {
    float income = -1;
    std::vector<float*> places(predictor_->outputs().size(), nullptr);
    places[0] = &income;
    const Status status = predictor_->Predict(InOrder(cells), 1, places);
    EXPECT_TRUE(status.ok()) << status.message();
    return income;
  }
  TestModel test_{kMmoe, std::string(kTestFeatures) + kTestMadeFeatures};
  std::unique_ptr<Predictor> predictor_ = LoadedFrom(test_);
};

TEST_F(OneModel, NumbersAndTextsOfTheSameValueScoreAlike) {
  const float want = Income({Cell("a"), Cell("30"), Cell("x|y"), Cell("a:3")});
  EXPECT_EQ(Income({Cell("a"), Cell(30.0f), Cell("x|y"), Cell("a:3")}), want);
  EXPECT_EQ(Income({Cell("a"), Cell(30.0), Cell("x|y"), Cell("a:3")}), want);
  EXPECT_EQ(Income({Cell("a"), Cell(int64_t{30}), Cell("x|y"), Cell("a:3")}), want);
  EXPECT_EQ(Income({Cell(" a\t"), Cell(" 30 "), Cell("x|y "), Cell("a:3")}), want);  // trim_blanks
  EXPECT_NE(Income({Cell("a"), Cell("31"), Cell("x|y"), Cell("a:3")}), want);
  EXPECT_NE(Income({Cell("b"), Cell("30"), Cell("x|y"), Cell("a:3")}), want);
}

TEST_F(OneModel, WhatCountsAsMissing) {
  const float want = Income({Cell(), Cell(), Cell("x"), Cell()});
  EXPECT_EQ(Income({Cell("?"), Cell(""), Cell("x"), Cell(" ")}), want);
  EXPECT_EQ(Income({Cell("-1"), Cell("-1"), Cell("x"), Cell("?")}), want);  // missing_values
  EXPECT_EQ(Income({Cell(int64_t{-1}), Cell(-1.0f), Cell("x"), Cell(-1.0)}), want);
  EXPECT_EQ(Income({Cell(features::kNan), Cell(features::kNan), Cell("x"), Cell(double{features::kNan})}), want);
  EXPECT_NE(Income({Cell("a"), Cell(), Cell("x"), Cell()}), want);
}

TEST_F(OneModel, WrongValuesAreNamedWithRowAndInput) {
  const std::vector<Cell> cells = {Cell("a"), Cell("30"),
                                   Cell("x"), Cell(),  //
                                   Cell("a"), Cell("old"),
                                   Cell("x"), Cell(),  //
                                   Cell("a"), Cell(std::numeric_limits<float>::infinity()),
                                   Cell("x"), Cell()};
  const std::vector<float*> places(predictor_->outputs().size(), nullptr);
  const Status status = predictor_->Predict(InOrder(cells), 3, places);
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_EQ(status.message(),
            "row 1: column \"age\": \"old\" is no number, which feature \"age\" needs\n"
            "row 2: column \"age\": inf is not a finite number that a float can hold, which feature \"age\" needs");
}

TEST_F(OneModel, NamesNoMoreThanTenProblems) {
  std::vector<Cell> cells;
  for (int r = 0; r < 30; ++r) cells.insert(cells.end(), {Cell("a"), Cell("old"), Cell("x"), Cell()});
  const std::vector<float*> places(predictor_->outputs().size(), nullptr);
  const std::string message = predictor_->Predict(InOrder(cells), 30, places).message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 9);
  EXPECT_THAT(message, HasSubstr("\nrow 9: "));
}

TEST_F(OneModel, EncodedRowsOfSeveralCallersAreScoredTogether) {
  const Scores want = ScoresOf(*predictor_, 5, 1);
  std::vector<int32_t> ids(static_cast<size_t>(5 * predictor_->num_id_slots()));
  std::vector<float> numbers(static_cast<size_t>(5 * predictor_->number_width()));
  std::vector<std::string> texts;
  for (const auto& [first, rows] : {std::pair{0, 2}, std::pair{2, 3}}) {
    const std::vector<Cell> cells = CellsOf(*predictor_, first, rows, &texts);
    const Status status = predictor_->Encode(cells, rows, ids.data() + first * predictor_->num_id_slots(),
                                             numbers.data() + first * predictor_->number_width());
    ASSERT_TRUE(status.ok()) << status.message();
  }
  Scores scores = want;
  std::vector<float*> places;
  for (auto& values : scores) {
    std::fill(values.begin(), values.end(), -1.f);
    places.push_back(values.data());
  }
  predictor_->Score(5, ids.data(), numbers.data(), places);
  ExpectSameBits(scores, want);
}

TEST_F(OneModel, ThreadsDoNotDisturbEachOther) {
  const Scores want = ScoresOf(*predictor_, 200, 200);
  std::vector<Scores> got(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < got.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) got[t] = ScoresOf(*predictor_, 200, static_cast<int64_t>(3 + t));
    });
  for (std::thread& thread : threads) thread.join();
  for (const Scores& scores : got) ExpectSameBits(scores, want);
}

TEST_F(OneModel, ForkedChildrenPredictWhateverThreadsHoldAtTheFork) {
  const Scores expected = ScoresOf(*predictor_, 8, 8);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!stop) ScoresOf(*predictor_, 1, 1);
    });
  int right = 0;
  constexpr int kForks = 200;
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a lock that nobody opens
      _exit(ScoresOf(*predictor_, 8, 8) == expected ? 7 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    right += WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 1 : 0;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kForks);
}

TEST(Predictor, RefusesWhatIsNoModelDirectory) {
  const TestFolder folder;
  const auto predictor = Predictor::Load(folder.path());
  ASSERT_FALSE(predictor.ok());
  EXPECT_EQ(predictor.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(predictor.status().message(), StartsWith(folder.path()));
}

}  // namespace
}  // namespace manygate
