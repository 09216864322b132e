// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using features::Cell;
using testing::HasSubstr;

TEST(Job, CarriesOneRequestAfterAnother) {
  const auto version = MakeTestVersion();
  const Predictor& predictor = *version->predictor;
  Job job;
  for (const int64_t rows : {3, 1, 5}) {
    job.Start(version, {}, {});
    const std::vector<Cell> cells = TestCells(*version, rows);
    std::ranges::copy(cells, job.cells(rows).begin());
    job.WantDefaultOutputs();
    ASSERT_TRUE(job.Encode().ok());
    EXPECT_EQ(job.rows(), rows);
    std::vector<int32_t> ids(static_cast<size_t>(rows * predictor.num_id_slots()));
    std::vector<float> numbers(static_cast<size_t>(rows * predictor.number_width()));
    ASSERT_TRUE(predictor.Encode(cells, rows, ids.data(), numbers.data()).ok());
    EXPECT_EQ(job.ids(), ids);
    EXPECT_EQ(job.numbers(), numbers);
    for (size_t i = 0; i < predictor.outputs().size(); ++i) {
      EXPECT_EQ(job.wants(i), !predictor.outputs()[i].logits);
      EXPECT_EQ(job.output(i).size(), job.wants(i) ? static_cast<size_t>(rows * predictor.outputs()[i].width) : 0);
    }
    job.Finish();
  }
  EXPECT_EQ(version.use_count(), 1) << "a finished job holds no version";
}

TEST(Job, CellsAreMissingAtFirst) {
  const auto version = MakeTestVersion();
  Job job;
  job.Start(version, {}, {});
  job.cells(2)[0] = Cell("text");
  for (const Cell& cell : job.cells(2)) EXPECT_TRUE(cell.is_text() && cell.text().empty());
  EXPECT_TRUE(job.Encode().ok());
}

TEST(Job, OnlyWantedOutputsAndTextsOfItsOwn) {
  const auto version = MakeTestVersion();
  Job job;
  job.Start(version, {}, {});
  const std::string_view first = job.Keep("first");
  for (int i = 0; i < 100; ++i) job.Keep(std::to_string(i));
  EXPECT_EQ(first, "first");
  job.WantOutput(1);
  EXPECT_FALSE(job.wants(0));
  EXPECT_TRUE(job.wants(1));
  job.Abandon();
  EXPECT_TRUE(job.abandoned());
  job.Start(version, {}, {});
  EXPECT_FALSE(job.wants(1)) << "a new request wants nothing yet";
  EXPECT_FALSE(job.abandoned());
}

TEST(Job, TellsOfAValueThatIsNoNumber) {
  const auto version = MakeTestVersion();
  Job job;
  job.Start(version, {}, {});
  const size_t inputs = version->predictor->inputs().size();
  job.cells(3)[2 * inputs + static_cast<size_t>(version->predictor->FindInput("age"))] = Cell("old");
  const Outcome outcome = job.Encode();
  EXPECT_EQ(outcome.code, OutcomeCode::kInvalid);
  EXPECT_THAT(outcome.message, HasSubstr("row 2"));
  EXPECT_THAT(outcome.message, HasSubstr("\"old\" is no number"));
}

TEST(Job, LargeBuffersAreNotKept) {
  const auto version = MakeTestVersion();
  Job job;
  job.Start(version, {}, {});
  const int64_t rows = 100000;
  EXPECT_GT(job.cells(rows).size() * sizeof(Cell), Job::kKeptBytes);
  ASSERT_TRUE(job.Encode().ok());
  ASSERT_GT(job.ids().capacity() * sizeof(int32_t), Job::kKeptBytes);
  job.Finish();
  EXPECT_EQ(job.ids().capacity(), 0u);
  EXPECT_EQ(job.numbers().capacity(), 0u);
}

}  // namespace
}  // namespace manygate::serve
