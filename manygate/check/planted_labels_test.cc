// SPDX-License-Identifier: Apache-2.0
// Planted faults: Labels that cannot be learnt, and features that give them away.
#include "manygate/check/planted_shop_testing.h"

namespace manygate::check {
namespace {

const std::vector<Fault> kLabelFaults = {
    {"a label among the features", [](Tables& t) { t.train.features += Id("click"); }, {"click", "label"}},
    {"a label that no tower predicts among the features",
     [](Tables& t) {
       t.Add(
           "return", [](const Row& row) { return Draw(row, 20) % 9 ? "0" : "1"; }, Id("return"));
       t.train.data_config = R"(label_fields: ["click", "buy", "spend", "return"])";
     },
     {"warning", "feature \"return\" reads the column of label \"return\", which no tower predicts"}},
    {"a copy of a label",
     [](Tables& t) {
       t.Add(
           "clicked", [](const Row& row) { return row.click ? "yes" : "no"; }, Id("clicked"));
     },
     {"error", "feature \"clicked\" gives label \"click\" away"}},
    {"the opposite of a label",
     [](Tables& t) {
       t.Add(
           "ignored", [](const Row& row) { return row.click ? "0" : "1"; }, Raw("ignored"));
     },
     {"error", "feature \"ignored\" gives label \"click\" away", "AUC of 1.00000"}},
    {"a score made of the label",
     [](Tables& t) {
       t.Add(
           "score",
           [](const Row& row) { return fmt::format("{:.3f}", (row.click ? 0.6 : 0.2) + Draw(row, 20) % 300 / 1000.0); },
           Raw("score"));
     },
     {"error", "feature \"score\" gives label \"click\" away: ranked by this number alone"}},
    {"a text that tells the label",
     [](Tables& t) {
       t.Add(
           "state",
           [](const Row& row) {
             return row.buy ? (Draw(row, 20) % 2 ? "shipped" : "packed") : (Draw(row, 20) % 3 ? "seen" : "left");
           },
           Id("state"));
     },
     {"error", "feature \"state\" gives label \"buy\" away: the mean label of its values alone"}},
    {"a number that is missing unless the label is 1",
     [](Tables& t) {
       t.Add(
           "seconds", [](const Row& row) { return row.click ? std::to_string(3 + Draw(row, 20) % 60) : ""; },
           Raw("seconds"));
     },
     {"error", "feature \"seconds\" gives label \"click\" away"}},
    {"an amount that some purchases have",
     [](Tables& t) {
       t.Add(
           "discount",
           [](const Row& row) { return row.buy && Draw(row, 20) % 2 ? std::to_string(1 + Draw(row, 21) % 9) : "0"; },
           Raw("discount"));
     },
     {"error", "feature \"discount\" gives label \"buy\" away: wherever it has a value other than 0, the label is 1"},
     {"gives label \"click\" away"}},  // no purchase without a click
    {"a label times a constant",
     [](Tables& t) {
       t.Add(
           "cents", [](const Row& row) { return fmt::format("{:g}", 100 * Spend(row)); }, Raw("cents", kSpread));
     },
     {"error", "feature \"cents\" gives label \"spend\" away: it is 100 times the label"}},
    {"the logarithm of a label",
     [](Tables& t) {
       t.Add(
           "log_spend", [](const Row& row) { return fmt::format("{:.6f}", std::log1p(Spend(row))); }, Raw("log_spend"));
     },
     {"error", "feature \"log_spend\" gives label \"spend\" away: it orders the rows as the label does"}},
    {"whether a label is above 0",
     [](Tables& t) {
       t.Add(
           "spender", [](const Row& row) { return Spend(row) > 0 ? "0" : "1"; }, Raw("spender"));
     },
     {"error", "feature \"spender\" gives label \"spend\" away: it tells where the label is 0"}},
    {"a class by another name",
     [](Tables& t) {
       t.Add(
           "kind", [](const Row& row) { return std::to_string(Draw(row, 20) % 3); }, "");
       t.Add(
           "shelf", [](const Row& row) { return std::string(1, static_cast<char>('p' + Draw(row, 20) % 3)); },
           Id("shelf"));
       t.train.towers += R"(task_towers { label_name: "kind" num_class: 3 losses { softmax_cross_entropy {} } })";
     },
     {"error", "feature \"shelf\" gives label \"kind\" away: its value alone tells the class"}},
    {"a label of one class",
     [](Tables& t) { t.Set("buy", [](const Row&) { return "0"; }); },
     {"error", "label \"buy\" is 0 in all 3,000 training rows"}},
    {"a constant amount",
     [](Tables& t) { t.Set("spend", [](const Row&) { return "7"; }); },
     {"error", "label \"spend\" is 7 in all 3,000 training rows"}},
    {"three values in a binary label",
     [](Tables& t) { t.Set("buy", [](const Row& row) { return row.buy ? (Draw(row, 20) % 2 ? "1" : "2") : "0"; }); },
     {"error", "label \"buy\" holds", "\"2\"", "a binary task needs 0 and 1"}},
    {"a label of texts",
     [](Tables& t) { t.Set("click", [](const Row& row) { return row.click ? "yes" : "no"; }); },
     {"error", "label \"click\" holds \"no\"", "positive_values: \"yes\""}},
    {"a label of 1 and 2",
     [](Tables& t) { t.Set("click", [](const Row& row) { return row.click ? "2" : "1"; }); },
     {"error", "label \"click\" holds \"1\"", "a binary task needs 0 and 1"}},
    {"a label of -1 and 1",
     [](Tables& t) { t.Set("click", [](const Row& row) { return row.click ? "1" : "-1"; }); },
     {"error", "label \"click\" holds \"-1\"", "a binary task needs 0 and 1"}},
    {"a label of another column",
     [](Tables& t) { t.train.towers += R"(task_towers { label_name: "clik" })"; },
     {"error", "needs column \"clik\"", "Did you mean \"click\"?"}},
    {"a positive value that no row has",
     [](Tables& t) {
       t.Set("click", [](const Row& row) { return row.click ? "yes" : "no"; });
       t.train.data_config = R"(label_configs { label_name: "click" positive_values: "ja" })";
     },
     {"error", "label \"click\"", "\"ja\""}},
    {"an amount label with texts",
     [](Tables& t) {
       t.Set("spend",
             [](const Row& row) { return Draw(row, 20) % 50 == 0 ? "none" : fmt::format("{:g}", Spend(row)); });
     },
     {"error", "spend", "\"none\""}},
    {"a label that is mostly missing",
     [](Tables& t) {
       t.train.Set("buy", [](const Row& row) { return row.number % 200 ? "" : row.number % 400 ? "1" : "0"; });
     },
     {"warning", "label \"buy\" is missing in 2,985 of 3,000 training rows"},
     {"although label \"click\"", " of the evaluation rows"}},
    {"a handful of positive rows",
     [](Tables& t) {
       t.train.Set("buy",
                   [](const Row& row) { return row.click && row.number % 600 < 6 && row.number > 1500 ? "1" : "0"; });
     },
     {"warning", "label \"buy\" is 1 in only ", " of 3,000 training rows"},
     {"is 1 in "}},  // and the evaluation file has far more
    {"a class that no row has",
     [](Tables& t) {
       t.Add(
           "kind", [](const Row& row) { return std::to_string(Draw(row, 20) % 3); }, "");
       t.train.towers += R"(task_towers { label_name: "kind" num_class: 4 losses { softmax_cross_entropy {} } })";
     },
     {"warning", "label \"kind\" has 1 of its 4 classes in no training row"}},
    {"a purchase without a click in a funnel",
     [](Tables& t) {
       t.train.model = "esmm";
       t.train.towers = R"(task_towers { label_name: "click" } task_towers { label_name: "buy" })";
       t.Set("buy", [](const Row& row) { return row.buy || Draw(row, 20) % 30 == 0 ? "1" : "0"; });
     },
     {"error", "label \"buy\" is 1 in ", "although label \"click\", an earlier step of the funnel, is 0"}},
    {"the towers of a funnel in the wrong order",
     [](Tables& t) {
       t.train.model = "esmm";
       t.train.towers = R"(task_towers { label_name: "buy" } task_towers { label_name: "click" })";
     },
     {"error", "label \"click\" is 1 in ", "although label \"buy\""}},
    {"a purchase without a click by their names",
     [](Tables& t) { t.Set("buy", [](const Row& row) { return row.buy || row.number % 500 == 7 ? "1" : "0"; }); },
     {"warning", "label \"buy\" is 1 in ", "although label \"click\"", "By their names"}},
};

class LabelFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(LabelFaultTest, IsNamedAndNothingElse) { ExpectNamedAlone(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Planted, LabelFaultTest, testing::ValuesIn(kLabelFaults), TestName);

}  // namespace
}  // namespace manygate::check
