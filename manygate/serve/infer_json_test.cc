// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "manygate/serve/json_testing.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using features::Cell;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// The model's inputs: numbers age, wealth, height; texts job, state, kind.
class InferJsonTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { version_ = new std::shared_ptr<const ServedVersion>(MakeTestVersion()); }
  static void TearDownTestSuite() { delete version_; }

  // A request for one row; `age` and `job` are the objects of these inputs.
  static std::string Request(const std::string& age, const std::string& job, const std::string& more = "") {
    std::string text = R"({"inputs":[)" + age + "," + job;
    for (const char* name : {"state", "kind"})
      text += fmt::format(R"(,{{"name":"{}","shape":[1],"datatype":"BYTES","data":["x"]}})", name);
    for (const char* name : {"wealth", "height"})
      text += fmt::format(R"(,{{"name":"{}","shape":[1],"datatype":"FP32","data":[1.5]}})", name);
    return text + "]" + more + "}";
  }
  static std::string Input(const std::string& name, const std::string& datatype, const std::string& data,
                           const std::string& shape = "[1]") {
    return fmt::format(R"({{"name":"{}","shape":{},"datatype":"{}","data":{}}})", name, shape, datatype, data);
  }
  static std::string Age(const std::string& data) { return Input("age", "FP32", data); }
  static std::string JobInput(const std::string& data) { return Input("job", "BYTES", data); }

  // What the model says of one row.
  static float Income(Cell age, Cell job) {
    std::vector<Cell> cells;
    for (const PredictorInput& input : (*version_)->predictor->inputs()) {
      if (input.name == "age")
        cells.push_back(age);
      else if (input.name == "job")
        cells.push_back(job);
      else
        cells.push_back(input.number ? Cell(1.5f) : Cell("x"));
    }
    return PredictAlone(**version_, cells, "probs_income")[0];
  }

  static std::shared_ptr<const ServedVersion>* version_;
  JsonRequest request_{*version_};
};

std::shared_ptr<const ServedVersion>* InferJsonTest::version_ = nullptr;

TEST_F(InferJsonTest, AnswersInJson) {
  ASSERT_EQ(request_.Infer(Request(Age("[40]"), JobInput(R"(["b"])"), R"(,"id":"a\"7\"")")), "");
  const float income = Income(Cell(40.0f), Cell("b"));
  EXPECT_EQ(request_.Output("probs_income"), std::vector<float>{income});
  const std::string answer = request_.InferAnswer();
  EXPECT_THAT(answer, StartsWith(R"({"model_name":"census","model_version":"1","id":"a\"7\"","outputs":[)"
                                 R"({"name":"probs_income","datatype":"FP32","shape":[1],"data":[)"));
  const json parsed = json::parse(answer);
  ASSERT_EQ(parsed["outputs"].size(), 2u);  // without logits
  EXPECT_EQ(parsed["outputs"][0]["data"][0].get<float>(), income);
  EXPECT_EQ(parsed["outputs"][1]["name"], "y_hours");
}

TEST_F(InferJsonTest, ValuesOfAllKinds) {
  const struct {
    std::string age, job;
    Cell want_age, want_job;
  } kCases[] = {
      {Age("[0.1]"), JobInput(R"(["c"])"), Cell(0.1f), Cell("c")},
      {Age("[null]"), JobInput("[null]"), Cell(), Cell()},
      {Age(R"(["NaN"])"), JobInput(R"([""])"), Cell(), Cell()},
      {Input("age", "BYTES", R"(["40"])"), JobInput(R"(["\u0062"])"), Cell(40.0f), Cell("b")},
      {Input("age", "INT8", "[-5]"), JobInput(R"(["other \\ \" \ud83d\ude00"])"), Cell(-5.0f), Cell("other \\ \" 😀")},
      {Input("age", "UINT64", "[18446744073709551615]"), JobInput("[7]"), Cell("18446744073709551615"), Cell("7")},
      {Input("age", "BOOL", "[true]"), JobInput("[true]"), Cell(1.0f), Cell("1")},
      {Input("age", "FP64", "[1.25e1]"), Input("job", "INT64", "[12345678901234567]"), Cell(12.5f),
       Cell("12345678901234567")},
      {Input("age", "FP32", "[[40]]", "[1,1]"), JobInput(R"(["b"])"), Cell(40.0f), Cell("b")},
  };
  for (const auto& test : kCases) {
    ASSERT_EQ(request_.Infer(Request(test.age, test.job)), "") << test.age << test.job;
    EXPECT_EQ(request_.Output("probs_income")[0], Income(test.want_age, test.want_job)) << test.age << test.job;
  }
}

TEST_F(InferJsonTest, SeveralValuesStandInOneText) {
  for (const char* data : {R"([["a","b"]])", R"(["a","b"])"}) {
    ASSERT_EQ(request_.Infer(Request(Age("[40]"), Input("job", "BYTES", data, "[1,2]"))), "");
    EXPECT_EQ(request_.Output("probs_income")[0], Income(Cell(40.0f), Cell("a\x1d"
                                                                           "b")));
  }
}

TEST_F(InferJsonTest, FieldsInAnyOrder) {
  const std::string age =
      R"({"data":[40],"parameters":{"x":[1,{"y":null}]},"datatype":"FP32","more":1,"shape":[1],"name":"age"})";
  ASSERT_EQ(request_.Infer(Request(age, JobInput(R"(["b"])"))), "");
  EXPECT_EQ(request_.Output("probs_income")[0], Income(Cell(40.0f), Cell("b")));
}

// As tritonclient writes it: the sizes of binary tensors in their parameters, their bytes behind the JSON.
TEST_F(InferJsonTest, BinaryTensors) {
  const auto binary = [](const char* name, const char* datatype, size_t bytes) {
    return fmt::format(R"({{"name":"{}","shape":[2],"datatype":"{}","parameters":{{"binary_data_size":{}}}}})", name,
                       datatype, bytes);
  };
  std::string text = R"({"inputs":[)" + binary("job", "BYTES", 10) + "," + binary("age", "FP32", 8);
  for (const char* name : {"state", "kind"})
    text += fmt::format(R"(,{{"name":"{}","shape":[2],"datatype":"BYTES","data":["x","x"]}})", name);
  for (const char* name : {"wealth", "height"})
    text += fmt::format(R"(,{{"name":"{}","shape":[2],"datatype":"FP32","data":[1.5,1.5]}})", name);
  text += R"(],"outputs":[{"name":"logits_income","parameters":{"binary_data":false}},{"name":"probs_income"}],)"
          R"("parameters":{"binary_data_output":true,"timeout":2500}})";
  std::string tail("\1\0\0\0a\1\0\0\0b", 10);
  const float ages[] = {40.0f, 7.0f};
  tail.append(reinterpret_cast<const char*>(ages), sizeof(ages));
  ASSERT_EQ(request_.Infer(text, tail), "");
  EXPECT_EQ(request_.reply.timeout, std::chrono::microseconds(2500));
  size_t json_size = 0;
  const std::string answer = request_.InferAnswer(&json_size);
  ASSERT_EQ(answer.size(), json_size + 8);
  const json parsed = json::parse(answer.substr(0, json_size));
  EXPECT_EQ(parsed["outputs"][0]["name"], "logits_income");
  EXPECT_EQ(parsed["outputs"][0]["data"].size(), 2u);
  EXPECT_EQ(
      parsed["outputs"][1],
      json::parse(R"({"name":"probs_income","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}})"));
  float probabilities[2];
  std::memcpy(probabilities, answer.data() + json_size, sizeof(probabilities));
  EXPECT_THAT(probabilities, ElementsAre(Income(Cell(40.0f), Cell("a")), Income(Cell(7.0f), Cell("b"))));

  EXPECT_THAT(request_.Infer(text, tail.substr(0, 17)),
              HasSubstr("\"age\" has 8 bytes of binary data, and 7 are left"));
  EXPECT_THAT(request_.Infer(text, tail + "x"), HasSubstr("1 bytes follow the tensors"));
}

TEST_F(InferJsonTest, Refusals) {
  const std::string job = JobInput(R"(["b"])"), age = Age("[40]");
  const struct {
    std::string body, why;
  } kCases[] = {
      {"", "the request is not JSON: it is empty at byte 0"},
      {"[]", "the request must be a JSON object"},
      {"{}", "\"inputs\" is missing"},
      {R"({"inputs":[}})", "at byte 11"},
      {R"({"inputs":[]}})", "something follows"},
      {R"({"inputs":[]} {)", "something follows"},
      {R"({"id":nul,"inputs":[]})", "byte 6"},
      {R"({"x":01,"inputs":[]})", "a number is wrong at byte 5"},
      {R"({"x":1.,"inputs":[]})", "a number is wrong at byte 5"},
      {R"({"x":"\q","inputs":[]})", "not JSON"},
      {"{\"x\":\"a\nb\",\"inputs\":[]}", "a control character stands in a text at byte 7"},
      {"{\"x\":\"\xff\",\"inputs\":[]}", "it is not UTF-8 at byte 6"},
      {R"({"id":"a)", "a text is not closed"},
      {R"({"id":7,"inputs":[]})", "\"id\" at byte 6 must be a text"},
      {R"({"inputs":{}})", "\"inputs\" at byte 10 must be an array"},
      {R"({"inputs":[],"inputs":[]})", "\"inputs\" is there twice"},
      {R"({"inputs":[{"shape":[1]}]})", "an input has no \"name\""},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32"}]})", "input \"age\" has no \"data\""},
      {R"({"inputs":[{"name":"age","shape":[-1],"datatype":"FP32","data":[]}]})",
       "\"shape\" at byte 34 must be a whole number"},
      {R"({"inputs":[{"name":"age","shape":[1.5],"datatype":"FP32","data":[]}]})", "\"shape\" at byte 34"},
      {R"({"parameters":{"binary_data_output":1},"inputs":[]})",
       "\"binary_data_output\" at byte 36 must be true or false"},
      {Request(Input("agge", "FP32", "[1]"), job), "has no input \"agge\". Did you mean \"age\"?"},
      {Request(age, age), "input \"age\" is there twice"},
      {R"({"inputs":[)" + age + "]}", "5 of the 6 inputs of model \"census\" are not there"},
      {Request(Age("[40,41]"), job), "input \"age\" has 2 values, and its shape says 1 x 1"},
      {Request(Age("[[40]]"), job), "input \"age\" has 1 values in arrays of 1"},
      {Request(Age("[[[40]]]"), job), "\"data\" at byte"},
      {Request(Age(R"(["old"])"), job), "input \"age\", row 0: \"old\" is a text, and the datatype is FP32"},
      {Request(Input("age", "BYTES", R"(["old"])"), job), "\"old\" is no number"},
      {Request(Age("[1e999]"), job), "\"1e999\" is no value of FP32"},
      {Request(Input("age", "INT8", "[128]"), job), "\"128\" is no value of INT8"},
      {Request(Input("age", "INT32", "[1.5]"), job), "\"1.5\" is no value of INT32"},
      {Request(Input("age", "BOOL", "[2]"), job), "\"2\" is no value of BOOL"},
      {Request(Input("age", "FP99", "[2]"), job), "has the datatype \"FP99\""},
      {Request(age, job, R"(,"outputs":[{"name":"prob_income"}])"),
       "has no output \"prob_income\". Did you mean \"probs_income\"?"},
      {Request(age, job, R"(,"outputs":[{"name":"y_hours"},{"name":"y_hours"}])"), "output \"y_hours\" is there twice"},
      {Request(age, job, R"(,"outputs":[{}])"), "an output has no \"name\""},
      {Request(age, job, R"(,"outputs":[{"name":"y_hours","parameters":{"classification":3}}])"), "not offered"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(request_.Infer(test.body), HasSubstr(test.why)) << test.body;
    EXPECT_EQ(request_.code(), OutcomeCode::kInvalid);
  }
  const std::string deep = std::string(R"({"x":)") + std::string(100, '[') + std::string(100, ']') + ",\"inputs\":[]}";
  EXPECT_THAT(request_.Infer(deep), HasSubstr("nested too deep"));
  EXPECT_THAT(request_.Infer(R"({"inputs":[{"name":"age","shape":[9],"datatype":"FP32","data":[1]}]})", "", 8),
              HasSubstr("has 9 rows, and a request may have 8"));
  EXPECT_EQ(request_.code(), OutcomeCode::kTooLarge);
}

// No prefix of a right request is one, and none is read beyond its end.
TEST_F(InferJsonTest, PrefixesAreRefused) {
  const std::string body = Request(Age("[40]"), JobInput(R"(["b"])"), R"(,"id":"a")");
  for (size_t size = 0; size < body.size(); ++size) EXPECT_NE(request_.Infer(body.substr(0, size)), "") << size;
}

}  // namespace
}  // namespace manygate::serve
