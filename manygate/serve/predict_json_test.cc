// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/predict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manygate/serve/json_testing.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using features::Cell;
using nlohmann::json;
using testing::HasSubstr;

class PredictJsonTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { version_ = new std::shared_ptr<const ServedVersion>(MakeTestVersion()); }
  static void TearDownTestSuite() { delete version_; }

  static json Row(const json& age, const json& job) {
    return {{"job", job}, {"age", age}, {"state", "x"}, {"kind", "x"}, {"wealth", 1.5}, {"height", 1.5}};
  }
  static float Income(Cell age, Cell job) {
    std::vector<Cell> cells;
    for (const PredictorInput& input : (*version_)->predictor->inputs())
      cells.push_back(input.name == "age" ? age : input.name == "job" ? job : input.number ? Cell(1.5f) : Cell("x"));
    return PredictAlone(**version_, cells, "probs_income")[0];
  }

  static std::shared_ptr<const ServedVersion>* version_;
  JsonRequest request_{*version_};
};

std::shared_ptr<const ServedVersion>* PredictJsonTest::version_ = nullptr;

TEST_F(PredictJsonTest, Rows) {
  const json body = {{"signature_name", "serving_default"},
                     {"instances", {Row(40, "a"), Row(nullptr, "b"), Row(0.1, 7)}}};
  ASSERT_EQ(request_.Predict(body.dump()), "");
  const json predictions = json::parse(request_.PredictAnswer())["predictions"];
  ASSERT_EQ(predictions.size(), 3u);
  EXPECT_EQ(predictions[0]["probs_income"].get<float>(), Income(Cell(40.0f), Cell("a")));
  EXPECT_EQ(predictions[1]["probs_income"].get<float>(), Income(Cell(), Cell("b")));
  EXPECT_EQ(predictions[2]["probs_income"].get<float>(), Income(Cell(0.1f), Cell("7")));
  EXPECT_EQ(predictions[0].size(), 2u);
  EXPECT_TRUE(predictions[0].contains("y_hours"));
}

TEST_F(PredictJsonTest, Columns) {
  const json body = {{"inputs",
                      {{"age", {40, "7"}},
                       {"job", json::array({json::array({"a"}), json::array({"a", "b"})})},
                       {"state", {"x", "x"}},
                       {"kind", {"x", "x"}},
                       {"wealth", {1.5, 1.5}},
                       {"height", {1.5, 1.5}}}}};
  ASSERT_EQ(request_.Predict(body.dump()), "");
  const json outputs = json::parse(request_.PredictAnswer())["outputs"];
  ASSERT_EQ(outputs["probs_income"].size(), 2u);
  EXPECT_EQ(outputs["probs_income"][0].get<float>(), Income(Cell(40.0f), Cell("a")));
  EXPECT_EQ(outputs["probs_income"][1].get<float>(), Income(Cell(7.0f), Cell("a\x1d"
                                                                             "b")));
}

TEST_F(PredictJsonTest, Refusals) {
  json lacking = Row(40, "a"), unknown = Row(40, "a");
  lacking.erase("age");
  unknown["agge"] = 1;
  const struct {
    std::string body, why;
  } kCases[] = {
      {"{}", "\"instances\" (rows: objects by input) or \"inputs\""},
      {R"({"instances":[]})", "the request has no rows"},
      {R"({"instances":7})", "\"instances\" at byte 13 must be an array"},
      {R"({"instances":[7]})", "\"instances\" at byte 14 must be an object"},
      {R"({"instances":[],"inputs":{}})", "one of \"instances\" and \"inputs\""},
      {R"({"signature_name":"other","instances":[]})", "no signature \"other\"; the only one is \"serving_default\""},
      {json{{"instances", {Row(40, "a"), lacking}}}.dump(),
       "row 1 lacks 1 of the 6 inputs (null is a missing value): age"},
      {json{{"instances", {unknown}}}.dump(), "has no input \"agge\". Did you mean \"age\"?"},
      {R"({"instances":[{"age":1,"age":2}]})", "input \"age\" is there twice"},
      {json{{"instances", {Row("old", "a")}}}.dump(), "\"old\" is no number"},
      {json{{"instances", {Row(json::object(), "a")}}}.dump(), "must be a text, a number, true, false or null"},
      {R"({"inputs":{"age":[1]}})", "\"inputs\" lacks 5 of the 6 inputs"},
      {R"({"inputs":{"age":[1,2],"job":["a"]}})", "input \"job\" has 1 rows, and the inputs before it have 2"},
      {R"({"inputs":{"age":[1],"job":["a","b"]}})", "input \"job\" has more than 1 rows"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(request_.Predict(test.body), HasSubstr(test.why)) << test.body;
    EXPECT_EQ(request_.code(), OutcomeCode::kInvalid) << test.body;
  }
  EXPECT_THAT(request_.Predict(json{{"instances", {Row(1, "a"), Row(2, "b")}}}.dump(), 1),
              HasSubstr("a request may have 1 rows"));
  EXPECT_EQ(request_.code(), OutcomeCode::kTooLarge);
}

}  // namespace
}  // namespace manygate::serve
