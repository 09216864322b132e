// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/report_page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "manygate/report/report_sections.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Two binary tasks of an MMoE, two evaluations, health in both.
ReportData Example() {
  ReportData data{.name = "census", .model = "mmoe", .program_version = "0.1.0", .num_parameters = 79346};
  data.training_rows = 1000;
  data.rows_name = "test rows held out of census.csv";
  data.evaluation = {.rows = 500,
                     .tasks = {{.tower = "income",
                                .rows = 500,
                                .positives = 40,
                                .metrics = {{"auc", 0.9}, {"log_loss", 0.2}},
                                .intervals = {{"auc", {0.85, 0.95}}}},
                               {.tower = "marital", .rows = 500, .positives = 200, .metrics = {{"auc", 0.8}}}}};
  data.history = HistoryFromText(
      R"({"step": 10, "epoch": 1, "seconds": 1.5, "rows_per_second": 700, )"
      R"("train_loss": {"income": 0.5, "marital": 0.7}, "health": {"rows": 64, "gates": [], "banks": [], )"
      R"("cosines": [{"a": "income", "b": "marital", "cosine": 0.2}], "alarms": []}, "rows": 300, )"
      R"("tasks": {"income": {"auc": 0.8, "auc_interval": [0.7, 0.9], "rows": 300}}})"
      "\n"
      R"({"step": 20, "epoch": 2, "seconds": 3, "rows_per_second": 700, )"
      R"("train_loss": {"income": 0.4, "marital": null}, "health": {"rows": 64, "gates": [{"gate": "gates.income", )"
      R"("experts": ["experts.0", "experts.1"], "mean_weight": [0.99, 0.01], "top_share": [1, 0], )"
      R"("entropy": 0.05}, {"gate": "gates.marital", )"
      R"("experts": ["experts.0", "experts.1"], "mean_weight": [0.4, 0.6], "top_share": [0.3, 0.7], "entropy": 0.9}], )"
      R"("banks": [{"bank": "experts", "units": 16, "dead_units": [0.25, 0], "similarity": [[1, 0.3], [0.3, 1]]}], )"
      R"("cosines": [{"a": "income", "b": "marital", "cosine": -0.3}], "alarms": ["gates.income uses one expert"]}, )"
      R"("rows": 300, "tasks": {"income": {"auc": 0.85, "rows": 300}}})");
  const std::vector<CalibrationBin> bins = {{50, 0.1, 0.12, 0.05, 0.2}, {50, 0.6, 0.5, 0.4, 0.6}};
  const std::vector<CurvePoint> roc = {{0, 0, std::numeric_limits<double>::infinity()}, {0.1, 0.7, 0.5}, {1, 1, 0.1}};
  const std::vector<CurvePoint> precision = {{0.5, 0.9, 0.7}, {1, 0.3, 0.1}};
  for (const char* tower : {"income", "marital"}) {
    data.tasks.push_back({.tower = tower,
                          .kind = "binary",
                          .label = tower,
                          .loss = "binary_cross_entropy",
                          .roc = roc,
                          .precision_recall = precision,
                          .base_rate = 0.08,
                          .calibration = bins});
  }
  data.columns = {{.name = "age", .column = "age", .kind = "number", .input = "1 number", .missing_rows = 100},
                  {.name = "sex", .column = "sex", .kind = "vocabulary", .input = "one-hot 3", .values = 3}};
  data.labels = {
      {.name = "income", .column = "income_50k", .kind = "binary", .rows = 1000, .statistics = "62 positive (6.2 %)"}};
  data.diagram = {.label = "the model",
                  .boxes = {{.title = "inputs", .details = {"548 wide"}, .role = "input"},
                            {.title = "towers.income", .role = "tower", .inputs = {0}}}};
  data.configuration = "model_config { mmoe {} }";
  return data;
}

// Pictures, and the sentences that stand where there is none.
int Pictures(const std::string& page) { return Count(page, "<svg"); }
int Sentences(const std::string& page) { return Count(page, "<p class=\"empty\">"); }

TEST(ReportPage, ShowsEverything) {
  const std::string page = DrawReport(Example());
  EXPECT_THAT(page, HasSubstr("<h1>census</h1>"));
  EXPECT_THAT(page, HasSubstr("mmoe: 2 tasks, 79,346 parameters"));
  EXPECT_THAT(page, HasSubstr("Trained on 1,000 rows: 20 steps, 2 epochs, 3.0 s, 700 rows per second."));
  EXPECT_THAT(page, HasSubstr("Evaluated on test rows held out of census.csv: 500 rows."));
  EXPECT_THAT(page, HasSubstr("AUC, 95 % 0.8500–0.9500"));
  EXPECT_THAT(page, HasSubstr("<li>gates.income uses one expert</li>"));
  EXPECT_THAT(page, HasSubstr("<h2 id=\"task-2-title\">Task marital</h2>"));
  EXPECT_THAT(page, HasSubstr("Mean weight of each expert"));
  EXPECT_THAT(page, HasSubstr("<td class=\"n\">99.0 %</td>"));
  EXPECT_THAT(page, HasSubstr("Similarity of the experts"));
  EXPECT_THAT(page, HasSubstr("<td class=\"n\">0.2000</td><td class=\"n\">-0.3000</td><td class=\"n\">-0.3000</td>"));
  EXPECT_THAT(page, HasSubstr("62 positive (6.2 %)"));
  EXPECT_THAT(page, HasSubstr("model_config { mmoe {} }"));
  EXPECT_THAT(page, HasSubstr("Made by manygate 0.1.0."));
  // Per task 5 figures, of which marital's validation has no values; weight, use, dead units, similarity, cosine;
  // missing values and the drawing; transfer is a sentence.
  EXPECT_EQ(Pictures(page), 9 + 5 + 2);
  EXPECT_EQ(Sentences(page), 1 + 1);
  EXPECT_EQ(Count(page, "<figure>"), 17);
  EXPECT_EQ(DrawReport(Example()), page);
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(ReportPage, HostileNamesStayText) {
  ReportData data = Example();
  const std::string evil = "<script>alert(1)</script>\"'&";
  data.name = data.tasks[0].tower = data.tasks[0].label = data.evaluation.tasks[0].tower = evil;
  data.columns[0].name = data.columns[0].column = data.labels[0].name = data.labels[0].statistics = evil;
  data.diagram.boxes[0].title = data.configuration = data.rows_name = evil;
  data.history[1].health.alarms = {evil};
  data.history[1].health.gates[0].name = evil;
  data.transfer =
      TransferTable{.rows_name = evil,
                    .seeds = {1},
                    .tasks = {{.tower = evil,
                               .metric = evil,
                               .cells = {{.model = evil, .mean = 1, .difference = 1, .low = 0.5, .high = 2}}}}};
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr(evil)));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(ReportPage, WithoutMetricsJsonlThereAreSentences) {
  ReportData data = Example();
  data.history.clear();
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("The model directory has no metrics.jsonl, so nothing is known of the course"));
  // Both curves of both tasks; gates; cosine; transfer.
  EXPECT_EQ(Sentences(page), 4 + 3);
  EXPECT_EQ(Pictures(page), 6 + 2);
}

TEST(ReportPage, OneClassHasReasons) {
  ReportData data = Example();
  data.tasks[0].roc.clear();
  data.tasks[0].precision_recall.clear();
  data.tasks[0].calibration.clear();
  data.tasks[0].base_rate = kNaN;
  data.tasks[0].why_empty = "one class";
  data.evaluation.tasks[0].metrics[0].second = kNaN;
  data.evaluation.tasks[0].intervals.clear();
  data.evaluation.tasks[0].reasons = {{"auc", "one class"}};
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("There is no ROC curve: one class."));
  EXPECT_THAT(page, HasSubstr("There is no precision-recall curve: one class."));
  EXPECT_THAT(page, HasSubstr("There is no calibration: one class."));
  EXPECT_THAT(page, HasSubstr("<span class=\"value\">n/a</span><span class=\"small\">AUC: one class</span>"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(ReportPage, OneEpochAndNaNs) {
  ReportData data = Example();
  data.history.resize(1);
  data.history[0].train_losses = {{"income", kNaN}, {"marital", 0.7}};
  data.history[0].epoch = kNaN;
  data.history[0].health.cosines[0].cosine = kNaN;
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("metrics.jsonl has no finite training loss of this task."));
  EXPECT_THAT(page, HasSubstr(">step</text>"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(ReportPage, ARegressionHasNoRoc) {
  ReportData data = Example();
  data.tasks[0].kind = "regression";
  data.tasks[0].calibration = {{10, -2.5, -2, -3, -1}, {10, 4, 5, kNaN, kNaN}};
  const std::string page = DrawReport(data);
  EXPECT_EQ(Count(page, "<strong>ROC</strong>"), 1);  // the other task's
  EXPECT_THAT(page, HasSubstr("Predicted against observed"));
  EXPECT_THAT(page, HasSubstr("mean label"));
}

TEST(ReportPage, ManyExpertsAndTasks) {
  ReportData data = Example();
  HealthReport& health = data.history.back().health;
  health = {.rows = 64, .banks = {{.name = "experts", .units = 8}}};
  for (int e = 0; e < 30; ++e) {
    health.banks[0].dead_units.push_back(0);
    health.banks[0].similarity.emplace_back(30, 0.5);
  }
  data.tasks.clear();
  data.evaluation.tasks.clear();
  for (int t = 0; t < 12; ++t) {
    const std::string tower = fmt::format("a_task_with_a_name_that_goes_on_for_a_while_{}", t);
    GateHealth gate{.name = "gates." + tower, .entropy = 1};
    for (int e = 0; e < 30; ++e) {
      gate.experts.push_back(fmt::format("experts.{}", e));
      gate.mean_weight.push_back(1.0 / 30);
      gate.top_share.push_back(1.0 / 30);
    }
    health.gates.push_back(gate);
    for (int other = 0; other < t; ++other)
      health.cosines.push_back({data.tasks[other].tower, tower, 0.01 * other - 0.001 * t});
    data.tasks.push_back({.tower = tower, .kind = "binary", .label = tower, .loss = "binary_cross_entropy"});
    data.evaluation.tasks.push_back({.tower = tower, .rows = 5, .metrics = {{"auc", 0.5}}});
  }
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("The picture has the 6 of 66 pairs that were most opposed at last."));
  EXPECT_EQ(Count(page, "class=\"cell h0\""), 2 * 360);
  EXPECT_EQ(Count(page, "class=\"cell h3\""), 900);
  EXPECT_EQ(Count(page, "<h2 id=\"task-"), 12);
}

// Gates of levels and of tasks with experts of their own: one heat map per set of experts that hangs together.
TEST(ReportPage, GatesOfSeveralLevels) {
  ReportData data = Example();
  HealthReport& health = data.history.back().health;
  health.gates.clear();
  for (const char* level : {"0", "1"}) {
    for (const char* task : {"a", "b"}) {
      health.gates.push_back(
          {.name = fmt::format("gates.{}.{}", level, task),
           .experts = {fmt::format("experts.{}.{}.0", level, task), fmt::format("experts.{}.shared.0", level)},
           .mean_weight = {0.25, 0.75},
           .top_share = {0, 1},
           .entropy = 0.5});
    }
  }
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("Mean weight of each expert, gates 1 of 2"));
  EXPECT_THAT(page, HasSubstr("Use of the experts, gates 2 of 2"));
  EXPECT_THAT(page, HasSubstr(">expert a.0</th><th scope=\"col\" class=\"n\">expert shared.0</th>"));
  EXPECT_EQ(Count(page, "class=\"cell none\""), 2 * 2 * 2);  // each gate has no weight for the other task's expert
}

TEST(ReportPage, TransferByMetric) {
  ReportData data = Example();
  const TransferCell alone{.model = "alone", .values = {0.9, 0.9}, .mean = 0.9};
  const TransferCell gains{.model = "mmoe",
                           .values = {0.91, 0.91},
                           .mean = 0.91,
                           .difference = 0.01,
                           .low = 0.005,
                           .high = 0.015,
                           .verdict = Verdict::kGains};
  const TransferCell loses{.model = "mmoe",
                           .values = {2},
                           .mean = 2,
                           .difference = -0.5,
                           .low = -0.75,
                           .high = -0.25,
                           .verdict = Verdict::kLoses};
  data.transfer = TransferTable{.rows_name = "test rows",
                                .seeds = {1, 2},
                                .tasks = {{.tower = "income", .metric = "auc", .rows = 500, .cells = {alone, gains}},
                                          {.tower = "amount",
                                           .metric = "root_mean_squared_error",
                                           .higher_is_better = false,
                                           .rows = 500,
                                           .cells = {alone, loses}}}};
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("On test rows, 2 seeds."));
  EXPECT_THAT(page, HasSubstr("<strong>AUC against each task alone</strong>"));
  EXPECT_THAT(page, HasSubstr("<strong>root mean squared error against each task alone</strong>"));
  EXPECT_THAT(page, HasSubstr("<td>▲ gains</td><td class=\"n\">+0.0100</td><td>+0.00500 to +0.0150</td>"));
  EXPECT_THAT(page, HasSubstr("<td>▼ loses</td>"));
}

TEST(ReportPage, AnEnsembleSaysWhoseCurvesTheyAre) {
  ReportData data = Example();
  data.members = 3;
  const std::string page = DrawReport(data);
  EXPECT_THAT(page, HasSubstr("ensemble of mmoe: 2 tasks, 79,346 parameters per member"));
  EXPECT_THAT(page,
              HasSubstr("An ensemble of 3 networks, predictions averaged: the curves of the training and the gates "
                        "are those of the first one."));
}

TEST(ReportPage, HistoryPassesOverWhatItDoesNotKnow) {
  const auto history = HistoryFromText(
      "{\"step\": 5, \"epoch\": 1, \"train_loss\": {\"a\": 0.5, \"b\": \"x\"}, \"tasks\": {\"a\": {\"auc\": 0.7, "
      "\"rows\": "
      "3}}, \"new\": [1]}\n"
      "no json\n[1, 2]\n{\"step\": \"5\"}\n{\"step\": 6, \"epoch\": \"two\", \"health\": 3, \"train_loss\": "
      "4}\n{\"step\": 7");
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].step, 5);
  EXPECT_EQ(history[0].epoch, 1);
  EXPECT_TRUE(std::isnan(history[0].seconds));
  ASSERT_EQ(history[0].train_losses.size(), 2u);
  EXPECT_EQ(history[0].train_losses[0], (std::pair<std::string, double>("a", 0.5)));
  EXPECT_TRUE(std::isnan(history[0].train_losses[1].second));
  EXPECT_EQ(history[0].result.Find("auc_a"), 0.7);
  EXPECT_EQ(history[1].step, 6);
  EXPECT_TRUE(std::isnan(history[1].epoch));
  EXPECT_TRUE(history[1].health.empty());
}

TEST(ReportPage, IntervalsHaveEqualDecimals) {
  EXPECT_EQ(FormatInterval(0.945, 0.9512), "0.9450–0.9512");
  EXPECT_EQ(FormatInterval(0.99452, 0.9952), "0.99452–0.99520");
  EXPECT_EQ(FormatInterval(0, 0.00077), "0.000000–0.000770");
  EXPECT_EQ(FormatInterval(-12.5, 30), "-12.50–30.00");
  EXPECT_EQ(FormatInterval(kNaN, 1), "");
  EXPECT_EQ(FormatInterval(0, 0), "0–0");
}

}  // namespace
}  // namespace manygate
