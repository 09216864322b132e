// SPDX-License-Identifier: Apache-2.0
// Planted faults: The training file beside the evaluation file.
#include "manygate/check/planted_shop_testing.h"

namespace manygate::check {
namespace {

const std::vector<Fault> kFileFaults = {
    {"columns of the evaluation file shifted by one",
     [](Tables& t) {
       for (size_t i = 0; i < 6; ++i) std::swap(t.evaluation.columns[i].second, t.evaluation.columns[i + 1].second);
     },
     {"error", "the evaluation file has columns that are shifted or exchanged",
      "\"user\" holds the values of \"item\""}},
    {"two neighbours exchanged",
     [](Tables& t) { std::swap(t.evaluation.columns[0].second, t.evaluation.columns[1].second); },
     {"error", "\"user\" holds the values of \"item\", \"item\" holds the values of \"user\""}},
    {"two columns exchanged across the file",
     [](Tables& t) { std::swap(t.evaluation.columns[0].second, t.evaluation.columns[3].second); },
     {"error", "\"user\" holds the values of \"device\", \"device\" holds the values of \"user\""}},
    {"two measurements exchanged",
     [](Tables& t) {
       t.Add(
           "weight_kg", [](const Row& row) { return fmt::format("{:.3f}", 2000 + Draw(row, 20) % 90'000 / 1000.0); },
           Raw("weight_kg"));
       std::swap(t.evaluation.columns[5].second, t.evaluation.columns.back().second);
     },
     {"error", "\"price\" holds the values of \"weight_kg\", \"weight_kg\" holds the values of \"price\""}},
    {"rows shifted from some row of the training file on",
     [](Tables& t) {
       const auto columns = t.train.columns;
       for (size_t i = 0; i < 7; ++i) {
         const Value own = columns[i].second, next = columns[(i + 1) % 7].second;
         t.train.columns[i].second = [own, next](const Row& row) { return row.number < 1800 ? own(row) : next(row); };
       }
     },
     {"error", "the training file has columns that are shifted or exchanged in its last rows",
      "\"item\" holds the values of \"city\""}},
    {"evaluation rows of one class",
     [](Tables& t) { t.evaluation.Set("buy", [](const Row&) { return "0"; }); },
     {"warning", "label \"buy\" is 0 in all 1,000 evaluation rows"}},
    {"evaluation labels written in another way",
     [](Tables& t) {
       t.train.Set("click", [](const Row& row) { return row.click ? ">50K" : "<=50K"; });
       t.evaluation.Set("click", [](const Row& row) { return row.click ? ">50K." : "<=50K."; });
       t.train.data_config = R"(label_configs { label_name: "click" positive_values: ">50K" })";
     },
     {"error", "label \"click\" is 0 in all 1,000 evaluation rows", "they hold values that no training row has",
      "\">50K.\""}},
    {"evaluation labels that cannot be read",
     [](Tables& t) { t.evaluation.Set("click", [](const Row& row) { return row.click ? "yes" : "no"; }); },
     {"error", "label \"click\" in the evaluation rows holds \"no\""}},
    {"evaluation rows without labels",
     [](Tables& t) { t.evaluation.Set("buy", [](const Row&) { return ""; }); },
     {"warning", "label \"buy\" has no value in any evaluation row"}},
    {"far more positive rows in the evaluation file",
     [](Tables& t) {
       t.evaluation.Set("click", [](const Row& row) { return row.click || Draw(row, 20) % 2 ? "1" : "0"; });
     },
     {"warning", "label \"click\" is 1 in ", " of the training rows, but in ", " of the evaluation rows"}},
    {"a column missing in the evaluation file",
     [](Tables& t) { t.evaluation.columns.erase(t.evaluation.columns.begin() + 4); },
     {"error", "feature \"age\" needs column \"age\""}},
    {"an empty column in the evaluation file",
     [](Tables& t) { t.evaluation.Set("visits", [](const Row&) { return ""; }); },
     {"warning", "feature \"visits\" is missing in 100.0 % of the evaluation rows, but in "}},
    {"a constant in the evaluation file",
     [](Tables& t) { t.evaluation.Set("device", [](const Row&) { return "pad"; }); },
     {"warning", "feature \"device\" is \"pad\" in all 1,000 evaluation rows, but in "}},
    {"another unit in the evaluation file",
     [](Tables& t) {
       t.evaluation.Set("price", [](const Row& row) { return fmt::format("{:.0f}", 1000 * Price(row)); });
     },
     {"warning", "feature \"price\" is above all training values in ", "times that of training"}},
    {"a time that goes on",
     [](Tables& t) {
       t.Add(
           "hours", [](const Row& row) { return std::to_string(Draw(row, 20) % 4000); }, Raw("hours"));
       t.evaluation.Set("hours", [](const Row& row) { return std::to_string(4000 + Draw(row, 20) % 1000); });
     },
     {"warning", "feature \"hours\" is above all training values in 100.0 % of the evaluation rows"}},
    {"evaluation rows before the training rows",
     [](Tables& t) {
       t.Add(
           "hours", [](const Row& row) { return std::to_string(4000 + Draw(row, 20) % 4000); }, Raw("hours"));
       t.evaluation.Set("hours", [](const Row& row) { return std::to_string(3000 + Draw(row, 20) % 1000); });
     },
     {"warning", "feature \"hours\" is below all training values in 100.0 % of the evaluation rows"}},
    {"ids that training never saw",
     [](Tables& t) { t.evaluation.Set("item", [](const Row& row) { return fmt::format("i{}", Draw(row, 2) % 200); }); },
     {"warning", "feature \"item\" has a value that no training row has in "}},
    {"the training file as evaluation file",
     [](Tables& t) { t.evaluation = t.train; },
     {"error", "the evaluation file repeats training rows: 3,000 of its 3,000 rows (100.0 %) equal one"}},
    {"some training rows in the evaluation file",
     [](Tables& t) {
       t.evaluation = t.train;
       for (auto& [name, value] : t.evaluation.columns) {
         value = [value = value](const Row& row) {
           return value({row.number, row.number % 8 ? row.random ^ 0xabcdefu : row.random, row.click, row.buy});
         };
       }
     },
     {"warning", "the evaluation file repeats training rows: 375 of its 3,000 rows (12.5 %)"}},
    {"training rows with one changed column as evaluation rows",
     [](Tables& t) {
       t.evaluation = t.train;
       t.evaluation.Set(
           "age", [](const Row& row) { return std::to_string(18 + (Draw(row, 6) + 1 + Draw(row, 20) % 58) % 60); });
     },
     {"warning",
      "the evaluation file almost repeats training rows: 100.0 % of its rows equal one in all features and labels but "
      "one"}},
    {"training rows with other last digits as evaluation rows",
     [](Tables& t) {
       t.evaluation = t.train;
       t.evaluation.Set("price", [](const Row& row) { return fmt::format("{:.4f}", Price(row) * 1.00001); });
       t.evaluation.Set("age", [](const Row& row) { return fmt::format("{:.4f}", 18.001 + Draw(row, 6) % 60); });
     },
     {"warning", "the evaluation file almost repeats training rows: "}},
    {"every row twice",
     [](Tables& t) {
       t.one_file = true;
       t.train.repeats = 2;
     },
     {"error", "the training file holds every row twice"}},
    {"a tenth of the rows twice",
     [](Tables& t) {
       t.one_file = true;
       t.train.repeated_rows = 300;
     },
     {"warning", "the training file repeats rows: ", "rows are there twice"},
     {"what is held out repeats training rows"}},
    {"a file sorted by its label",
     [](Tables& t) { t.train.sort_by_click = true; },
     {"warning", "label \"click\" sorts the rows of the training file"}},
    {"rows in order of time",
     [](Tables& t) {
       t.one_file = true;
       t.train.Set("click", [](const Row& row) {
         return row.buy || Draw(row, 20) % 3000 < static_cast<uint32_t>(row.number) ? "1" : "0";
       });
     },
     {"warning", "label \"click\" is 1 in ", " of the first tenth of the training file, but in "}},
};

class FileFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(FileFaultTest, IsNamedAndNothingElse) { ExpectNamedAlone(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Planted, FileFaultTest, testing::ValuesIn(kFileFaults), TestName);

TEST(PlantedFaultsTest, TheTableWithoutAFault) {
  Tables tables;
  EXPECT_THAT(Lines(tables.train, tables.evaluation), testing::IsEmpty());
  EXPECT_THAT(Lines(tables.train), testing::IsEmpty());
  EXPECT_THAT(Lines(Shop(3, 20'000)), testing::IsEmpty());
}

}  // namespace
}  // namespace manygate::check
