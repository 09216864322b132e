// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/health_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::Not;

HealthReport TwoGates() {
  return {.rows = 4096,
          .gates = {{.name = "gates.income",
                     .experts = {"experts.0", "experts.1"},
                     .mean_weight = {0.1134, 0.8866},
                     .top_share = {0.1, 0.9},
                     .entropy = 0.5124},
                    {.name = "gates.shared",
                     .experts = {"experts.1", "shared.0"},
                     .mean_weight = {0.25, 0.75},
                     .top_share = {0, 1},
                     .entropy = 0.75}},
          .banks = {{.name = "experts", .units = 16, .dead_units = {0.125, 0}, .similarity = {{1, 0.5}, {0.5, 1}}},
                    {.name = "shared", .units = 16, .dead_units = {1}, .similarity = {{1}}}}};
}

TEST(HealthTable, EverythingThereIs) {
  HealthReport report = TwoGates();
  report.cosines = {{"income", "marital", 0.12}};
  report.alarms = {"expert shared.0 is dead: 16 of its 16 units"};
  EXPECT_EQ(HealthTable(report),
            "Mean gate weight per expert, 4,096 rows\n"
            "\n"
            "expert     gates.income  gates.shared  dead units\n"
            "---------  ------------  ------------  ----------\n"
            "experts.0         0.113                      12 %\n"
            "experts.1         0.887         0.250         0 %\n"
            "shared.0                        0.750       100 %\n"
            "(entropy)         0.512         0.750\n"
            "\n"
            "Cosine of the tasks' gradients\n"
            "\n"
            "task    other    cosine\n"
            "------  -------  ------\n"
            "income  marital  +0.120\n"
            "\n"
            "alarm: expert shared.0 is dead: 16 of its 16 units\n");
}

TEST(HealthTable, LeavesOutWhatThereIsNot) {
  EXPECT_EQ(HealthTable({}), "");
  EXPECT_THAT(HealthTable({.cosines = {{"a", "b", -0.5}}}), testing::StartsWith("Cosine of the tasks' gradients\n"));
  EXPECT_THAT(HealthTable(TwoGates()), Not(HasSubstr("Cosine")));
}

TEST(HealthTable, ManyGatesAreSeveralTables) {
  HealthReport report = TwoGates();
  report.gates.resize(7, report.gates[0]);
  report.gates[6].name = "gates.last";
  const std::string text = HealthTable(report);
  EXPECT_THAT(text, HasSubstr("\n\nexpert     gates.last  dead units\n"));
}

TEST(HealthTable, ManyPairsOfTasksShowTheEnds) {
  HealthReport report;
  for (int i = 0; i < 12; ++i) report.cosines.push_back({fmt::format("a{}", i), "b", (i * 5 % 12) * 0.01});
  const std::string text = HealthTable(report);
  EXPECT_THAT(text, HasSubstr("the lowest and the highest of 12 pairs"));
  EXPECT_THAT(text, HasSubstr("+0.000"));
  EXPECT_THAT(text, HasSubstr("+0.040"));
  EXPECT_THAT(text, Not(HasSubstr("+0.050")));
  EXPECT_THAT(text, Not(HasSubstr("+0.060")));
  EXPECT_THAT(text, HasSubstr("+0.110"));
}

}  // namespace
}  // namespace manygate
