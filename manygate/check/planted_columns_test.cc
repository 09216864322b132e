// SPDX-License-Identifier: Apache-2.0
// Planted faults: Columns by themselves: values, and what the configuration makes of them.
#include "manygate/check/planted_shop_testing.h"

namespace manygate::check {
namespace {

const std::vector<Fault> kColumnFaults = {
    {"a misspelt column",
     [](Tables& t) { t.train.features += Raw("prise"); },
     {"error", "feature \"prise\" needs column \"prise\"", "Did you mean \"price\"?"}},
    {"weights of rows by their name",
     [](Tables& t) {
       t.Add(
           "sample_weight", [](const Row& row) { return fmt::format("{}.5", Draw(row, 20) % 40); },
           Raw("sample_weight"));
     },
     {"warning", "feature \"sample_weight\" looks by its name like the weight of a row"}},
    {"fnlwgt",
     [](Tables& t) {
       t.Add(
           "fnlwgt", [](const Row& row) { return std::to_string(20'000 + Draw(row, 20) % 40'000); },
           Raw("fnlwgt", kSpread));
     },
     {"warning", "feature \"fnlwgt\" looks by its name like the weight of a row"}},
    {"a row weight that is a feature",
     [](Tables& t) {
       t.train.data_config = R"(sample_weight_fields: "visits")";
       t.Set("visits", [](const Row& row) { return std::to_string(1 + Draw(row, 10) % 30); });
     },
     {"warning", "feature \"visits\" is a feature and a row weight"}},
    {"negative row weights",
     [](Tables& t) {
       t.Add(
           "importance", [](const Row& row) { return row.number % 100 == 7 ? "-1" : "2"; }, "");
       t.train.data_config = R"(sample_weight_fields: "importance")";
     },
     {"error", "row weight \"importance\" is missing in 0 and negative in 30 of 3,000 rows"}},
    {"missing row weights",
     [](Tables& t) {
       t.Add(
           "importance", [](const Row& row) { return row.number % 100 == 7 ? "" : "2"; }, "");
       t.train.data_config = R"(sample_weight_fields: "importance")";
     },
     {"error", "row weight \"importance\" is missing in 30"}},
    {"row weights that are all 0",
     [](Tables& t) {
       t.Add(
           "importance", [](const Row&) { return "0"; }, "");
       t.train.data_config = R"(sample_weight_fields: "importance")";
     },
     {"error", "row weight \"importance\" is 0 in every training row"}},
    {"a constant text",
     [](Tables& t) {
       t.Add(
           "country", [](const Row&) { return "CH"; }, Id("country"));
     },
     {"warning", "feature \"country\" is \"CH\" in all 3,000 training rows"}},
    {"a constant number",
     [](Tables& t) {
       t.Add(
           "version", [](const Row&) { return "3.5"; }, Raw("version"));
     },
     {"warning", "feature \"version\" is 3.5 in all 3,000 training rows"}},
    {"an empty column",
     [](Tables& t) {
       t.Add(
           "fax", [](const Row&) { return ""; }, Id("fax"));
     },
     {"warning", "feature \"fax\" is missing in 3,000 of 3,000 training rows"}},
    {"a column that is mostly missing",
     [](Tables& t) {
       t.Add(
           "fax", [](const Row& row) { return row.number % 300 ? "" : "4" + std::to_string(row.number % 7); },
           Raw("fax"));
     },
     {"warning", "feature \"fax\" is missing in 2,990 of 3,000 training rows"}},
    {"an id of its own in every row",
     [](Tables& t) {
       t.Add(
           "session", [](const Row& row) { return fmt::format("s{}", Draw(row, 20)); }, Id("session"));
     },
     {"warning", "feature \"session\" has 3,000 values in 3,000 training rows", "min_count"}},
    {"measurements read as ids",
     [](Tables& t) { t.SetFeature(Raw("price"), Id("price")); },
     {"warning", "feature \"price\" has ", "Its values are numbers: read it as a raw_feature"}},
    {"row numbers",
     [](Tables& t) {
       t.Add(
           "line", [](const Row& row) { return std::to_string(row.number); }, Raw("line"));
     },
     {"warning", "feature \"line\" counts the rows of the file"}},
    {"a number that grows with every row",
     [](Tables& t) {
       t.Add(
           "ticket", [](const Row& row) { return std::to_string(5000 + 3 * row.number + Draw(row, 20) % 3); },
           Raw("ticket"));
     },
     {"warning", "feature \"ticket\" changes in one direction from row to row"}},
    {"zip codes as numbers",
     [](Tables& t) {
       t.Add(
           "zip_code", [](const Row& row) { return std::to_string(1000 + Draw(row, 20) % 300 * 13); }, Raw("zip_code"));
     },
     {"warning", "feature \"zip_code\" is read as a number, but looks like an id by its name"}},
    {"a few integer codes as numbers",
     [](Tables& t) {
       t.Add(
           "jobCode", [](const Row& row) { return std::to_string(Draw(row, 20) % 17 * 7); }, Raw("jobCode"));
     },
     {"warning", "feature \"jobCode\" is read as a number, but looks like an id by its name and its 17 whole numbers"}},
    {"an outlier beyond all others",
     [](Tables& t) {
       t.Set("price",
             [](const Row& row) { return row.number % 500 == 3 ? "9e12" : fmt::format("{:.2f}", Price(row)); });
     },
     {"warning", "feature \"price\" reaches 9e+12", "only shifted and stretched"}},
    {"huge numbers as they are",
     [](Tables& t) {
       t.Add(
           "bytes", [](const Row& row) { return std::to_string(1'000'000'000'000ll + Draw(row, 20) * 1000ll); },
           Raw("bytes", ""));
     },
     {"warning", "feature \"bytes\" reaches ", "as it is"}},
    {"texts in a number column",
     [](Tables& t) {
       t.Set("age",
             [](const Row& row) { return Draw(row, 20) % 100 ? std::to_string(18 + Draw(row, 6) % 60) : "retired"; });
     },
     {"error", "feature \"age\" reads numbers, but these are none: \"retired\""}},
    {"decimal commas",
     [](Tables& t) {
       t.Set("price",
             [](const Row& row) { return fmt::format("\"{},{:02}\"", Draw(row, 5) % 300, Draw(row, 20) % 100); });
     },
     {"error", "feature \"price\" reads numbers, but the column holds many texts that are none"}},
    {"infinite numbers",
     [](Tables& t) {
       t.Set("visits",
             [](const Row& row) { return row.number % 200 == 3 ? "inf" : std::to_string(Draw(row, 10) % 30); });
     },
     {"error", "feature \"visits\" reads numbers, but these are none: \"inf\""}},
    {"two texts for missing",
     [](Tables& t) {
       t.Set("city", [](const Row& row) {
         return Draw(row, 20) % 9 == 0   ? "?"
                : Draw(row, 20) % 9 == 1 ? "N/A"
                                         : fmt::format("Town {}", Draw(row, 3) % 20);
       });
     },
     {"warning", "feature \"city\" has several ways to say that a value is missing: \"?\", \"N/A\""}},
    {"a text for missing beside missing values",
     [](Tables& t) {
       t.Set("device", [](const Row& row) {
         return Draw(row, 20) % 9 == 0 ? "unknown" : Draw(row, 20) % 9 == 1 ? "" : "phone";
       });
     },
     {"warning",
      "feature \"device\" has several ways to say that a value is missing: \"unknown\", and missing values"}},
    {"-999 for missing",
     [](Tables& t) {
       t.Set("visits",
             [](const Row& row) { return Draw(row, 9) % 10 == 0 ? "-999" : std::to_string(Draw(row, 10) % 30); });
     },
     {"warning", "feature \"visits\" is -999 in ", "does it say that the value is missing?"}},
    {"99999 for missing",
     [](Tables& t) {
       t.Set("price",
             [](const Row& row) { return Draw(row, 9) % 10 == 0 ? "99999" : fmt::format("{:.2f}", Price(row)); });
     },
     {"warning", "feature \"price\" is 99999 in ", "does it say that the value is missing?"}},
    {"-1 for missing",
     [](Tables& t) {
       t.Set("visits",
             [](const Row& row) { return Draw(row, 9) % 10 == 0 ? "-1" : std::to_string(Draw(row, 10) % 30); });
     },
     {"warning", "feature \"visits\" is -1 in ", "does it say that the value is missing?"}},
    {"a vocabulary that leaves values out",
     [](Tables& t) { t.SetFeature(Id("device"), Id("device", R"(vocab_list: ["phone", "desk"])")); },
     {"warning", "feature \"device\" has values beyond its vocab_list in ", "\"pad\""}},
    {"a vocabulary of other texts",
     [](Tables& t) { t.SetFeature(Id("device"), Id("device", R"(vocab_list: ["Phone", "Desk", "Pad"])")); },
     {"error", "feature \"device\" has values beyond its vocab_list in 100.0 %"}},
    {"ids beyond num_buckets",
     [](Tables& t) {
       t.Add(
           "shelf", [](const Row& row) { return std::to_string(Draw(row, 20) % 50); }, Id("shelf", "num_buckets: 10"));
     },
     {"warning", "feature \"shelf\" has values beyond its num_buckets (10) in "}},
    {"far fewer hash buckets than values",
     [](Tables& t) { t.SetFeature(Id("item"), Id("item", "hash_bucket_size: 8")); },
     {"warning", "feature \"item\" shares 8 hash buckets among 150 values"}},
    {"boundaries beyond the values",
     [](Tables& t) { t.SetFeature(Raw("age"), Raw("age", "boundaries: [0, 0.5, 1] embedding_dim: 4")); },
     {"warning", "feature \"age\" is one and the same in 100.0 % of the training rows, after its boundaries"}},
    {"a clip below the values",
     [](Tables& t) { t.SetFeature(Raw("age"), Raw("age", "transform { clip_min: 0 clip_max: 1 }")); },
     {"warning",
      "feature \"age\" is one and the same in 100.0 % of the training rows, after its clip_min and clip_max"}},
    {"dates as ids",
     [](Tables& t) { t.train.features += Id("day"); },
     {"warning", "feature \"day\" is a date (\"2024-03-", "read as an id"}},
    {"two columns of one content",
     [](Tables& t) { t.Add("town", Old(t.train, "city"), Id("town")); },
     {"warning", "feature \"town\" has the value of column \"city\" in every training row"}},
    {"blanks around texts",
     [](Tables& t) {
       t.train.data_config = "trim_blanks: false";
       t.Set("device", [](const Row& row) { return Draw(row, 4) % 3 ? " phone" : " desk"; });
     },
     {"warning", "trim_blanks is false, and 1 of the columns have blanks around values: device"}},
    {"blanks around numbers",
     [](Tables& t) {
       t.train.data_config = "trim_blanks: false";
       t.Set("age", [](const Row& row) { return " " + std::to_string(18 + Draw(row, 6) % 60); });
     },
     {"error", "trim_blanks is false, and 1 of the columns have blanks around values: age"}},
    {"blanks within quotes of the training file alone",
     [](Tables& t) {
       t.train.Set("device", [](const Row& row) { return Draw(row, 4) % 9 ? "phone" : "\"desk \""; });
       t.evaluation.Set("device", [](const Row& row) { return Draw(row, 4) % 99 ? "phone" : "desk"; });
     },
     {"warning", "trim_blanks is true, but leaves blanks within quotes, and 1 of the columns", "\"desk \""}},
    {"blanks within quotes of the evaluation file alone",
     [](Tables& t) {
       t.evaluation.Set("city", [](const Row& row) { return fmt::format("\" Town {}\"", Draw(row, 3) % 20); });
     },
     {"warning", "trim_blanks is true, but leaves blanks within quotes", "\" Town 0\""},
     {"feature \"city\" has a value that no training row has in 1,000 of 1,000"}},
    {"one value in two spellings",
     [](Tables& t) {
       t.Set("device", [](const Row& row) { return std::vector{"phone", "Phone", "desk"}[Draw(row, 4) % 3]; });
     },
     {"warning", "feature \"device\" has values that differ only by case, blanks or \".0\": \"Phone\" and \"phone\""}},
    {"whole numbers written as fractions",
     [](Tables& t) {
       t.Add(
           "floor",
           [](const Row& row) { return fmt::format("{}{}", Draw(row, 20) % 5, Draw(row, 21) % 2 ? ".0" : ""); },
           Id("floor"));
     },
     {"warning", "feature \"floor\" has values that differ only by case, blanks or \".0\": \"0\" and \"0.0\""}},
};

class ColumnFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(ColumnFaultTest, IsNamedAndNothingElse) { ExpectNamedAlone(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Planted, ColumnFaultTest, testing::ValuesIn(kColumnFaults), TestName);

}  // namespace
}  // namespace manygate::check
