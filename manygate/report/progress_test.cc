// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace manygate {
namespace {

class ProgressTest : public testing::Test {
 protected:
  ProgressOptions Options(bool is_terminal) {
    return {.is_terminal = is_terminal,
            .terminal_columns = 120,
            .log_every_steps = 100,
            .redraw_seconds = 0.1,
            .seconds = [this] { return now_; }};
  }
  static ProgressState State(int64_t step) {
    return {.epoch = 2,
            .num_epochs = 10,
            .step = step,
            .num_steps = 1000,
            .rows = step * 32,
            .losses = {{"income", 0.15324}, {"marital", 0.08}}};
  }
  // What was written since the last call.
  std::string Written() {
    std::string text = out_.str();
    out_.str("");
    return text;
  }

  double now_ = 50.0;
  std::ostringstream out_;
};

TEST_F(ProgressTest, PlainLines) {
  Progress progress(&out_, Options(false));
  progress.Start(0, 0);
  EXPECT_FALSE(progress.Due(99));
  EXPECT_TRUE(progress.Due(100));
  now_ += 0.5;
  progress.Update(State(100));
  // 3200 rows in 0.5 s; 900 steps left of 5 ms each.
  EXPECT_EQ(Written(),
            "epoch 2/10 step 100/1000 (10 %): 6,400 rows/s, loss income 0.1532, marital 0.0800, 4.5 s left\n");
  now_ += 0.25;
  progress.Update(State(200));
  // 12,800 rows/s in this window; 200 steps took 0.75 s, so 800 steps take 3 s.
  EXPECT_EQ(Written(),
            "epoch 2/10 step 200/1000 (20 %): 12,800 rows/s, loss income 0.1532, marital 0.0800, 3.0 s left\n");
  progress.PrintLine("evaluation");
  progress.Finish();
  EXPECT_EQ(Written(), "evaluation\n");
}

TEST_F(ProgressTest, BarOnATerminal) {
  Progress progress(&out_, Options(true));
  progress.Start(0, 0);
  now_ += 2.0;
  progress.Update(State(430));
  EXPECT_EQ(Written(),
            "\r\x1b[K"
            "epoch 2/10 [########............]  43 %  6,880 rows/s  2.7 s left  income 0.1532  marital 0.0800");
  progress.PrintLine("evaluation");
  EXPECT_EQ(Written(), "\r\x1b[Kevaluation\n");
  progress.PrintLine("no bar to remove");
  EXPECT_EQ(Written(), "no bar to remove\n");
}

TEST_F(ProgressTest, FinishRemovesTheBarOnce) {
  {
    Progress progress(&out_, Options(true));
    progress.Start(0, 0);
    now_ += 1.0;
    progress.Update(State(1000));
    Written();
    progress.Finish();
    EXPECT_EQ(Written(), "\r\x1b[K");
  }
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressTest, DestructorRemovesTheBar) {
  {
    Progress progress(&out_, Options(true));
    progress.Update(State(10));
    Written();
  }
  EXPECT_EQ(Written(), "\r\x1b[K");
}

TEST_F(ProgressTest, RedrawsAtMostTenTimesASecond) {
  Progress progress(&out_, Options(true));
  progress.Start(0, 0);
  int drawn = 0;
  for (int step = 1; step <= 1000; ++step) {
    now_ += 0.001;
    if (!progress.Due(step)) continue;
    progress.Update(State(step));
    ++drawn;
  }
  EXPECT_GE(drawn, 9);
  EXPECT_LE(drawn, 10);
}

TEST_F(ProgressTest, PausesDoNotCount) {
  Progress progress(&out_, Options(false));
  progress.Start(0, 0);
  now_ += 1.0;
  progress.Update(State(100));
  now_ += 60.0;  // an evaluation
  progress.Start(100, 3200);
  now_ += 1.0;
  Written();
  progress.Update(State(200));
  EXPECT_EQ(Written(),
            "epoch 2/10 step 200/1000 (20 %): 3,200 rows/s, loss income 0.1532, marital 0.0800, 8.0 s left\n");
}

TEST_F(ProgressTest, ResumedRunMeasuresItsOwnStepsOnly) {
  Progress progress(&out_, Options(false));
  progress.Start(900, 28800);
  now_ += 1.0;
  progress.Update(State(950));
  EXPECT_EQ(Written(),
            "epoch 2/10 step 950/1000 (95 %): 1,600 rows/s, loss income 0.1532, marital 0.0800, 1.0 s left\n");
}

TEST_F(ProgressTest, UnknownLengthShowsNeitherShareNorTime) {
  Progress progress(&out_, Options(false));
  progress.Start(0, 0);
  now_ += 1.0;
  ProgressState state = State(100);
  state.num_steps = 0;
  state.losses.clear();
  progress.Update(state);
  EXPECT_EQ(Written(), "epoch 2/10 step 100: 3,200 rows/s\n");
}

TEST_F(ProgressTest, BarIsCutToTheTerminal) {
  ProgressOptions options = Options(true);
  options.terminal_columns = 21;
  Progress progress(&out_, options);
  progress.Start(0, 0);
  now_ += 1.0;
  progress.Update(State(1000));
  EXPECT_EQ(Written(),
            "\r\x1b[K"
            "epoch 2/10 [########");
}

TEST_F(ProgressTest, NoPlainLinesWhenTurnedOff) {
  ProgressOptions options = Options(false);
  options.log_every_steps = 0;
  EXPECT_FALSE(Progress(&out_, options).Due(1000));
}

}  // namespace
}  // namespace manygate
