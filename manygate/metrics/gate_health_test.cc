// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/gate_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kTwo = {"experts.0", "experts.1"};

TEST(MeasureGate, MeansSharesAndEntropyByHand) {
  // Three columns of a wider array; the fourth must not be read.
  const std::vector<float> rows = {0.5f, 0.5f,  0.f,   9.f,  //
                                   1.f,  0.f,   0.f,   9.f,  //
                                   0.f,  0.75f, 0.25f, 9.f,  //
                                   0.f,  0.f,   1.f,   9.f};
  const GateHealth gate = MeasureGate("gates.a", {"experts.0", "experts.1", "experts.2"}, rows.data(), 4, 4);
  EXPECT_EQ(gate.name, "gates.a");
  EXPECT_THAT(gate.mean_weight, ElementsAre(0.375, 0.3125, 0.3125));
  EXPECT_THAT(gate.top_share, ElementsAre(0.5, 0.25, 0.25)) << "equal weights: the first expert";
  // Row 1: ln 2; rows 2 and 4: 0; row 3: 0.75 ln(4/3) + 0.25 ln 4.
  const double sum = std::log(2.0) + 0.75 * std::log(4.0 / 3) + 0.25 * std::log(4.0);
  EXPECT_NEAR(gate.entropy, sum / 4 / std::log(3.0), 1e-12);
}

TEST(MeasureGate, EntropyIsOneForEqualWeightsAndZeroForOneExpert) {
  const std::vector<float> equal = {0.5f, 0.5f, 0.5f, 0.5f}, one = {1.f, 0.f, 0.f, 1.f};
  EXPECT_NEAR(MeasureGate("g", kTwo, equal.data(), 2, 2).entropy, 1, 1e-12);
  const GateHealth sharp = MeasureGate("g", kTwo, one.data(), 2, 2);
  EXPECT_EQ(sharp.entropy, 0);
  EXPECT_THAT(sharp.mean_weight, ElementsAre(0.5, 0.5)) << "certain of each row is not polarised";
  EXPECT_THAT(MeasureGate("g", kTwo, nullptr, 0, 2).mean_weight, ElementsAre(0, 0));
}

TEST(MeasureBank, DeadUnitsAreThoseThatNeverChange) {
  // Two experts of two units: 0 in all rows | changes; changes by less than a millionth | always 7.
  const std::vector<float> rows = {0.f, 1.f, 1e6f,        7.f,  //
                                   0.f, 2.f, 1e6f + 0.5f, 7.f,  //
                                   0.f, 1.f, 1e6f,        7.f};
  const BankHealth bank = MeasureBank("experts", 2, 2, rows.data(), 3, 4);
  EXPECT_EQ(bank.units, 2);
  EXPECT_THAT(bank.dead_units, ElementsAre(0.5, 1.0));
  EXPECT_THAT(bank.similarity[0], ElementsAre(1, 0)) << "a dead expert is like no other";
  EXPECT_THAT(bank.similarity[1], ElementsAre(0, 1));
}

TEST(MeasureBank, SimilarityByHand) {
  // One unit: the squared correlation. x = (1, 2, 3), y = (1, 3, 2): centred (-1, 0, 1) and (-1, 1, 0), product 1, squared
  // norms 2 and 2: (1 / 2)² = 0.25.
  const std::vector<float> rows = {1.f, 1.f, 2.f, 3.f, 3.f, 2.f};
  EXPECT_NEAR(MeasureBank("experts", 2, 1, rows.data(), 3, 2).similarity[0][1], 0.25, 1e-6);
  // Two units. X centred: columns u, v with u·u = 2, v·v = 2, u·v = 0 over 4 rows: XᵀX = 2 I, norm 2√2. Y = (u, 0·u):
  // YᵀY = diag(2, 0), norm 2. YᵀX = [[2, 0], [0, 0]], squared norm 4. 4 / (4√2) = 0.7071.
  const std::vector<float> two = {1.f,  0.f,  1.f,  0.f,  //
                                  -1.f, 0.f,  -1.f, 0.f,  //
                                  0.f,  1.f,  0.f,  0.f,  //
                                  0.f,  -1.f, 0.f,  0.f};
  EXPECT_NEAR(MeasureBank("experts", 2, 2, two.data(), 4, 4).similarity[1][0], std::sqrt(0.5), 1e-6);
}

TEST(MeasureBank, SimilarityKnowsNoOrderScaleOrOffset) {
  // The second expert: units swapped, times -3, plus 5.
  std::vector<float> rows;
  for (int r = 0; r < 2000; ++r) {
    const float a = static_cast<float>(r * 37 % 101), b = static_cast<float>(r * r % 53);
    rows.insert(rows.end(), {a, b, -3 * b + 5, -3 * a + 5});
  }
  const BankHealth bank = MeasureBank("experts", 2, 2, rows.data(), 2000, 4);
  EXPECT_NEAR(bank.similarity[0][1], 1, 1e-5);
  EXPECT_THAT(bank.dead_units, ElementsAre(0, 0));
}

TEST(MeasureBank, SimilarityIsOverTheFirstRows) {
  // Expert 1 equals expert 0 in the first 1,024 rows and is something else behind them.
  std::vector<float> rows;
  for (int r = 0; r < 3000; ++r) {
    const auto a = static_cast<float>(r * 37 % 101);
    rows.insert(rows.end(), {a, r < kSimilarityRows ? a : static_cast<float>(r * r % 53)});
  }
  EXPECT_NEAR(MeasureBank("experts", 2, 1, rows.data(), 3000, 2).similarity[0][1], 1, 1e-5);
}

GateHealth GateOf(const std::string& name, std::vector<double> mean_weight) {
  GateHealth gate{.name = name, .mean_weight = std::move(mean_weight)};
  for (size_t e = 0; e < gate.mean_weight.size(); ++e) gate.experts.push_back("experts." + std::to_string(e));
  gate.top_share = gate.mean_weight;
  return gate;
}

BankHealth BankOf(int64_t units, std::vector<double> dead, double similarity) {
  const size_t experts = dead.size();
  BankHealth bank{.name = "experts", .units = units, .dead_units = std::move(dead)};
  bank.similarity.assign(experts, std::vector<double>(experts, similarity));
  for (size_t e = 0; e < experts; ++e) bank.similarity[e][e] = 1;
  return bank;
}

TEST(Alarms, NoneForAHealthyReport) {
  // An expert that one gate ignores is what mixtures are for; experts may be quite alike, and half of their units dead.
  const HealthReport report{.rows = 4096,
                            .gates = {GateOf("gates.a", {0.7, 0.2999, 0.0001}), GateOf("gates.b", {0.01, 0.39, 0.6})},
                            .banks = {BankOf(16, {0.5, 0.9, 0}, 0.99)},
                            .cosines = {{"a", "b", -0.9}}};
  EXPECT_THAT(Alarms(report), IsEmpty());
  EXPECT_THAT(Alarms(HealthReport()), IsEmpty());
}

TEST(Alarms, ExpertsThatNoGateUses) {
  // Limit 0.01 / 4 = 0.0025: expert 1 is below it for both gates, expert 3 only for one.
  const HealthReport report{
      .rows = 4096,
      .gates = {GateOf("gates.a", {0.498, 0.002, 0.498, 0.002}), GateOf("gates.b", {0.4, 0.0024, 0.3, 0.2976})}};
  EXPECT_THAT(
      Alarms(report),
      ElementsAre("1 of the 4 experts of bank experts is used by no gate (experts.1): the largest mean weight is "
                  "0.00240, below 0.01 / 4 = 0.00250. Set model_config.gating.load_balance_weight (0.1) or "
                  "dropout_ratio (0.1), or raise temperature, or use fewer experts"));
}

TEST(Alarms, AreToldWhenTheyChange) {
  std::vector<std::string> told;
  EXPECT_THAT(AlarmChanges({"one is dead: 5", "two is dead: 6"}, &told),
              ElementsAre("alarm: one is dead: 5", "alarm: two is dead: 6"));
  EXPECT_THAT(AlarmChanges({"two is dead: 7", "three is dead: 1"}, &told),
              ElementsAre("alarm: three is dead: 1", "alarm over: one is dead"));
  EXPECT_THAT(AlarmChanges({"two is dead: 8", "three is dead: 1"}, &told), IsEmpty());
  EXPECT_THAT(AlarmChanges({}, &told), ElementsAre("alarm over: two is dead", "alarm over: three is dead"));
  EXPECT_THAT(told, IsEmpty());
}

TEST(Alarms, ManyUnusedExpertsAreOneAlarm) {
  const HealthReport report{.rows = 10, .gates = {GateOf("gate", {0.9, 0.1, 0, 0})}};
  ASSERT_EQ(Alarms(report).size(), 1u);
  EXPECT_THAT(Alarms(report)[0],
              HasSubstr("2 of the 4 experts of bank experts are used by no gate (experts.2, experts.3)"));
}

TEST(Alarms, AGateWithOneExpert) {
  const HealthReport report{.rows = 4096, .gates = {GateOf("gates.a", {0.96, 0.04}), GateOf("gates.b", {0.5, 0.5})}};
  EXPECT_THAT(
      Alarms(report),
      ElementsAre("gate gates.a is polarised towards expert experts.0: its mean weight is 0.9600, above 0.95, with "
                  "2 experts to choose from. Set model_config.gating.load_balance_weight (0.1) or dropout_ratio "
                  "(0.1), or raise temperature"));
  const HealthReport at_limit{.rows = 4096, .gates = {GateOf("gates.a", {0.95, 0.05})}};
  EXPECT_THAT(Alarms(at_limit), IsEmpty());
}

TEST(Alarms, SparseGatesLeaveExpertsOutByDesign) {
  HealthReport report{.rows = 4096, .gates = {GateOf("gates.a", {1, 0, 0, 0}), GateOf("gates.b", {1, 0, 0, 0})}};
  EXPECT_EQ(Alarms(report).size(), 3u) << "unused experts, two polarised gates";
  for (GateHealth& gate : report.gates) gate.sparse = true;
  EXPECT_THAT(Alarms(report), IsEmpty());
}

TEST(Alarms, DeadExperts) {
  const HealthReport report{.rows = 64, .banks = {BankOf(16, {0.9375, 0.875, 0}, 0.2)}};
  EXPECT_THAT(Alarms(report),
              ElementsAre("expert experts.0 is dead: 15 of its 16 units have the same output for all rows. Set use_ln: "
                          "true (or use_bn: true) and activation: \"nn.SiLU\" in its MLP, or lower the learning rate"));
  HealthReport few = report;
  few.rows = 63;
  EXPECT_THAT(Alarms(few), IsEmpty()) << "few rows may well be alike";
}

TEST(Alarms, ExpertsThatAreAllAlike) {
  HealthReport report{.rows = 4096, .banks = {BankOf(16, {0, 0, 0}, 0.99995)}};
  EXPECT_THAT(Alarms(report),
              ElementsAre("the 3 experts of bank experts are all alike: the least similarity of two is 0.99995, above "
                          "0.9999. Set model_config.gating.dropout_ratio (0.1), so that they learn apart, or use fewer "
                          "experts"));
  report.banks[0].similarity[2][0] = report.banks[0].similarity[0][2] = 0.5;
  EXPECT_THAT(Alarms(report), IsEmpty()) << "one pair that differs is enough";
  report.banks = {BankOf(1, {0, 0, 0}, 1), BankOf(16, {0}, 1)};
  EXPECT_THAT(Alarms(report), IsEmpty()) << "experts of one unit, or one expert";
}

TEST(HealthJson, WritesAndReads) {
  HealthReport report{.rows = 4096,
                      .gates = {GateOf("gates.\"a\"", {0.25, 0.75})},
                      .banks = {BankOf(16, {0.5, 0.25}, 0.125)},
                      .cosines = {{"income", "marital", 0.12}, {"a", "b", std::nan("")}},
                      .alarms = {"first: one", "second: two"}};
  report.gates[0].entropy = 0.8;
  const std::string json = ToJson(report);
  EXPECT_EQ(
      json,
      R"({"rows": 4096, "gates": [{"gate": "gates.\"a\"", "experts": ["experts.0", "experts.1"], )"
      R"("mean_weight": [0.25, 0.75], "top_share": [0.25, 0.75], "entropy": 0.8}], "banks": [{"bank": "experts", )"
      R"("units": 16, "dead_units": [0.5, 0.25], "similarity": [[1, 0.125], [0.125, 1]]}], "cosines": )"
      R"([{"a": "income", "b": "marital", "cosine": 0.12}, {"a": "a", "b": "b", "cosine": null}], )"
      R"("alarms": ["first: one", "second: two"]})");
  EXPECT_EQ(ToJson(HealthFromJson(json)), json);
  report.gates[0].sparse = true;
  EXPECT_TRUE(HealthFromJson(ToJson(report)).gates[0].sparse);
}

TEST(HealthJson, PassesOverWhatItDoesNotKnow) {
  EXPECT_TRUE(HealthFromJson("no json").empty());
  EXPECT_TRUE(HealthFromJson("[1]").empty());
  EXPECT_TRUE(
      HealthFromJson(R"({"gates": 3, "banks": [3, {"bank": 1}], "cosines": [{"a": "x"}], "alarms": 7})").empty());
  const HealthReport report = HealthFromJson(
      R"({"rows": "many", "gates": [{"gate": "g", "experts": ["e.0", "e.1"], "mean_weight": [0.5, "x"], "new": 1}]})");
  EXPECT_EQ(report.rows, 0);
  ASSERT_EQ(report.gates.size(), 1u);
  EXPECT_EQ(report.gates[0].mean_weight[0], 0.5);
  EXPECT_TRUE(std::isnan(report.gates[0].mean_weight[1]));
  EXPECT_EQ(report.gates[0].top_share.size(), 2u) << "as many numbers as experts";
}

}  // namespace
}  // namespace manygate
