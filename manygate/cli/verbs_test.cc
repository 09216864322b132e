// SPDX-License-Identifier: Apache-2.0
// The verbs as a user runs them: generate, train, evaluate, predict, inspect, in-process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/cli.h"
#include "manygate/cli/command_testing.h"
#include "manygate/cli/printing.h"

namespace manygate::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines = Split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// One generated file and one model for all tests; a folder of its own per process.
class VerbsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(testing::TempDir() + "/manygate_verbs_" + std::to_string(getpid()));
    ASSERT_TRUE(RemoveTree(*folder_).ok());
    ASSERT_TRUE(MakeDirectories(*folder_).ok());
    const Ran made = Command({"generate", "funnel", "--rows", "3000", "--seed", "5", "--output", At("f.csv")});
    ASSERT_EQ(made.code, kExitDone) << made.err;
    trained_ = new Ran(Command({"train", "--data", At("f.csv"), "--label", "click", "--label", "amount", "--model_dir",
                                At("model"), "--set", "train_config.num_epochs=2", "--format", "json"}));
    ASSERT_EQ(trained_->code, kExitDone) << trained_->err;
  }
  static void TearDownTestSuite() {
    EXPECT_TRUE(RemoveTree(*folder_).ok());
    delete folder_;
    delete trained_;
  }
  static std::string At(const std::string& name) { return JoinPath(*folder_, name); }
  static std::string Read(const std::string& name) {
    const auto text = ReadFile(At(name));
    EXPECT_TRUE(text.ok()) << text.status().message();
    return text.ok() ? *text : "";
  }

  static std::string* folder_;
  static Ran* trained_;
};

std::string* VerbsTest::folder_ = nullptr;
Ran* VerbsTest::trained_ = nullptr;

TEST_F(VerbsTest, WithoutArgumentsTheHelpGoesToErr) {
  const Ran ran = Command({});
  EXPECT_EQ(ran.code, kExitWrongInput);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("Usage: manygate VERB"));
}

TEST_F(VerbsTest, HelpGoesToOut) {
  const Ran ran = Command({"--help"});
  EXPECT_EQ(ran.code, kExitDone);
  EXPECT_THAT(ran.out, HasSubstr("Usage: manygate VERB"));
  EXPECT_EQ(ran.err, "");
}

TEST_F(VerbsTest, ErrorsStartWithTheProgramsName) {
  const Ran ran = Command({"trian"});
  EXPECT_EQ(ran.code, kExitWrongInput);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("manygate: unknown verb \"trian\". Did you mean \"train\"?"));
}

TEST_F(VerbsTest, GenerateTellsWhatItWrote) {
  const Ran funnel = Command({"generate", "funnel", "--rows", "500", "--output", At("g.csv"), "--format", "json"});
  ASSERT_EQ(funnel.code, kExitDone) << funnel.err;
  const json summary = json::parse(funnel.out);
  const std::vector<std::string> lines = Lines(Read("g.csv"));
  ASSERT_EQ(lines.size(), 501u);
  EXPECT_EQ(summary["rows"], 500);
  EXPECT_EQ(summary["columns"], Split(lines[0], ',').size());
  const Ran paper = Command({"generate", "paper", "--rows", "50", "--dimension", "4", "--output", At("p.csv")});
  ASSERT_EQ(paper.code, kExitDone) << paper.err;
  EXPECT_THAT(paper.out, HasSubstr("50 rows, 6 columns; weight vectors correlate 0.5"));
  EXPECT_THAT(paper.out, HasSubstr("noise floor: no model reaches a mean squared error below 0.01"));
  EXPECT_THAT(Read("p.csv"), StartsWith("x_0,x_1,x_2,x_3,y_1,y_2\n"));
}

TEST_F(VerbsTest, TrainPrintsOneObject) {
  const json result = json::parse(trained_->out);
  EXPECT_EQ(Lines(trained_->out).size(), 1u);
  EXPECT_EQ(result["rows"], 300);  // the test rows: a tenth
  EXPECT_EQ(result["tasks"]["click"]["rows"], 300);
  EXPECT_EQ(result["tasks"], result["test"]["tasks"]);
  EXPECT_EQ(result["validation"]["rows"], 300);
  EXPECT_EQ(result["steps"], 150);  // 2,400 rows in batches of 32, twice
  EXPECT_EQ(result["epochs"], 2);
  EXPECT_EQ(result["model_dir"], At("model"));
  EXPECT_GT(result["seconds"], 0);
  EXPECT_GT(result["rows_per_second"], 0);
  EXPECT_EQ(result["health"]["rows"], 300);
  EXPECT_EQ(result["health"]["gates"][0]["gate"], "gates.click");
  EXPECT_EQ(result["health"]["cosines"][0]["b"], "amount");
  EXPECT_THAT(trained_->err, HasSubstr("note: label click: binary\n"));
  EXPECT_THAT(trained_->err, HasSubstr("─▶ probs_click"));
  EXPECT_THAT(trained_->err, HasSubstr("─▶ y_amount"));
}

TEST_F(VerbsTest, EvaluateSplitsTheRowsByAColumn) {
  const Ran ran = Command({"evaluate", At("model"), "--by", "age", "--format", "json"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  const json result = json::parse(ran.out);
  int64_t rows = 0, positives = 0;
  for (const auto& [value, slice] : result["by"]["age"].items()) {
    rows += slice["rows"].get<int64_t>();
    positives += slice["tasks"]["click"]["positives"].get<int64_t>();
  }
  EXPECT_EQ(rows, 300);
  EXPECT_EQ(positives, result["tasks"]["click"]["positives"].get<int64_t>());
  EXPECT_GT(result["by"]["age"].size(), 1u);
  const Ran wrong = Command({"evaluate", At("model"), "--by", "agee"});
  EXPECT_EQ(wrong.code, kExitWrongInput);
  EXPECT_THAT(wrong.err, HasSubstr("Did you mean \"age\"?"));
}

TEST_F(VerbsTest, EvaluateRepeatsTheHoldOut) {
  const Ran ran = Command({"evaluate", At("model"), "--format", "json"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_EQ(json::parse(ran.out), json::parse(trained_->out)["test"]);
  EXPECT_THAT(ran.err, HasSubstr("evaluated on test rows held out of " + At("f.csv")));
  const Ran text = Command({"evaluate", At("model") + "/"});
  EXPECT_THAT(text.out, StartsWith(At("model") + " on test rows held out of " + At("f.csv") + " (300 rows)\n\ntask "));
}

TEST_F(VerbsTest, EvaluateSeveralModelsOnGivenRows) {
  const Ran ran = Command({"evaluate", At("model"), At("model"), "--data", At("f.csv"), "--format", "json"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  const json models = json::parse(ran.out)["models"];
  ASSERT_TRUE(models.contains(At("model"))) << ran.out;  // equal last parts: the whole path
  EXPECT_EQ(models[At("model")]["rows"], 3000);
  const Ran text = Command({"evaluate", At("model"), At("model"), "--data", At("f.csv")});
  EXPECT_THAT(text.out, HasSubstr("difference"));
  EXPECT_THAT(text.out, HasSubstr("+0.00000"));
}

TEST_F(VerbsTest, PredictionsGiveTheMetricsOfEvaluate) {
  const Ran ran = Command({"predict", At("model"), "--data", At("f.csv"), "--output", At("o.csv"), "--keep", "click",
                           "--keep", "age", "--logits"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("o.csv: 3,000 rows"));
  const std::vector<std::string> lines = Lines(Read("o.csv")), input = Lines(Read("f.csv"));
  ASSERT_EQ(lines.size(), 3001u);
  EXPECT_EQ(lines[0], "click,age,probs_click,logits_click,y_amount,logits_amount");
  double log_loss = 0;
  std::vector<std::pair<double, double>> amounts;  // (logit, prediction): mean + deviation · logit
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> values = Split(lines[i], ',');
    ASSERT_EQ(values.size(), 6u);
    const double p = std::stod(values[2]), z = std::stod(values[3]);
    EXPECT_NEAR(p, 1 / (1 + std::exp(-z)), 1e-6);
    amounts.emplace_back(std::stod(values[5]), std::stod(values[4]));
    log_loss -= values[0] == "1" ? std::log(p) : std::log1p(-p);
    EXPECT_EQ(values[1], Split(input[i], ',')[8]) << input[i];  // the order of the rows
  }
  const double deviation = (amounts[1].second - amounts[0].second) / (amounts[1].first - amounts[0].first);
  EXPECT_GT(deviation, 1);
  for (const auto& [logit, amount] : amounts)
    EXPECT_NEAR(amount, amounts[0].second + deviation * (logit - amounts[0].first), 1e-2);
  const Ran evaluated = Command({"evaluate", At("model"), "--data", At("f.csv"), "--format", "json"});
  EXPECT_NEAR(log_loss / 3000, json::parse(evaluated.out)["tasks"]["click"]["log_loss"].get<double>(), 1e-6);
}

TEST_F(VerbsTest, PredictWithoutLabelsAndCompressed) {
  std::string unlabelled;
  for (const std::string& line : Lines(Read("f.csv"))) {
    std::vector<std::string> values = Split(line, ',');
    values.resize(12);  // without click, purchase, amount
    for (size_t i = 0; i < values.size(); ++i) unlabelled += (i == 0 ? "" : ",") + values[i];
    unlabelled += "\n";
  }
  ASSERT_TRUE(WriteFileAtomic(At("new.csv"), unlabelled).ok());
  const std::pair<const char*, const char*> outputs[] = {{"new_out.csv.gz", "\x1f\x8b"},
                                                         {"new_out.csv.zst", "\x28\xb5\x2f\xfd"}};
  for (const auto& [name, magic] : outputs) {
    const Ran ran =
        Command({"predict", At("model"), "--data", At("new.csv"), "--output", At(name), "--format", "json"});
    ASSERT_EQ(ran.code, kExitDone) << ran.err;
    EXPECT_EQ(json::parse(ran.out), (json{{"output", At(name)}, {"rows", 3000}}));
    EXPECT_THAT(Read(name), StartsWith(magic));
  }
  const Ran evaluated = Command({"evaluate", At("model"), "--data", At("new.csv")});
  EXPECT_EQ(evaluated.code, kExitWrongInput);
  EXPECT_THAT(evaluated.err, HasSubstr("\"click\""));
}

TEST_F(VerbsTest, PredictRefusesBeforeItReads) {
  const auto error = [&](const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"predict", At("model"), "--data", At("f.csv"), "--output", output};
    args.insert(args.end(), more.begin(), more.end());
    const Ran ran = Command(args);
    EXPECT_EQ(ran.code, kExitWrongInput);
    return ran.err;
  };
  EXPECT_THAT(error(At("f.csv")), HasSubstr("this is the data to predict"));
  EXPECT_THAT(error(At("model")), HasSubstr("is a folder"));
  EXPECT_THAT(error(At("absent/o.csv")), HasSubstr("absent does not exist. Make it first: mkdir -p"));
  EXPECT_THAT(error(At("x.csv"), {"--keep", "agee"}), HasSubstr("\"agee\" is not in the file. Did you mean \"age\"?"));
  EXPECT_THAT(error(At("x.csv"), {"--keep", "age", "--keep", "age"}), HasSubstr("--keep age: given twice"));
  EXPECT_FALSE(FileExists(At("x.csv")));
}

TEST_F(VerbsTest, TheSavedConfigurationTrainsTheSameModel) {
  const Ran ran = Command({"train", At("model/pipeline.config"), "--model_dir", At("again"), "--threads", "1"});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_EQ(Read("again/weights.safetensors"), Read("model/weights.safetensors"));
  EXPECT_THAT(ran.out, StartsWith("Validation, 300 rows\n\ntask "));
  EXPECT_THAT(ran.out, HasSubstr("\nTest, 300 rows\n\ntask "));
  EXPECT_THAT(ran.out, HasSubstr("\nMean gate weight per expert, 300 rows\n\nexpert     gates.click  gates.amount"));
  EXPECT_THAT(ran.out, HasSubstr("\nCosine of the tasks' gradients\n\ntask   other   cosine\n"));
  EXPECT_THAT(ran.out, HasSubstr("150 steps (2 epochs) in "));
  EXPECT_THAT(ran.out, testing::EndsWith("model: " + At("again") + "\n"));
  const Ran other = Command({"train", At("model/pipeline.config"), "--model_dir", At("other"), "--seed", "2"});
  ASSERT_EQ(other.code, kExitDone) << other.err;
  EXPECT_NE(Read("other/weights.safetensors"), Read("model/weights.safetensors"));
  EXPECT_THAT(Read("other/pipeline.config"), HasSubstr("seed: 2"));
}

TEST_F(VerbsTest, StoppedRunsGoOn) {
  const std::vector<std::string> args = {"train", At("model/pipeline.config"), "--model_dir", At("stopped")};
  std::atomic<bool> stop{true};
  std::ostringstream out, err;
  EXPECT_EQ(RunCli(args, Console{.out = out, .err = err, .stop = &stop}), kExitFailed);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(), HasSubstr("manygate: stopped at step 1"));
  EXPECT_THAT(err.str(), HasSubstr("--resume"));
  std::vector<std::string> resume = args;
  resume.push_back("--resume");
  const Ran ran = Command(resume);
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_EQ(Read("stopped/weights.safetensors"), Read("model/weights.safetensors"));
}

TEST_F(VerbsTest, InspectModel) {
  const Ran ran = Command({"inspect", At("model")});
  ASSERT_EQ(ran.code, kExitDone) << ran.err;
  for (const char* part :
       {"mmoe: 2 tasks, ", "─▶ probs_click", "training: 150 steps, 2 epochs", "fitted on 2,400 training rows",
        "experts.layers.0.weight", "plan of execution", "checkpoints: step-75, step-150"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  const json model = json::parse(Command({"inspect", At("model"), "--format", "json"}).out);
  EXPECT_EQ(model["kind"], "model");
  EXPECT_EQ(model["towers"][1]["loss"], "l2_loss");
  EXPECT_EQ(model["last_evaluation"]["step"], 150);
}

TEST_F(VerbsTest, InspectDataAndConfiguration) {
  const Ran data = Command({"inspect", At("f.csv")});
  ASSERT_EQ(data.code, kExitDone) << data.err;
  EXPECT_THAT(data.out,
              StartsWith(At("f.csv") + ": 3,000 rows, 15 columns separated by \",\", named by the first line\n"));
  const json table = json::parse(Command({"inspect", At("f.csv"), "--format", "json"}).out);
  EXPECT_EQ(table["rows"], 3000);
  EXPECT_EQ(table["columns"][5]["name"], "device");
  EXPECT_EQ(table["columns"][5]["distinct"], 4);
  const Ran config = Command({"inspect", At("model/pipeline.config")});
  ASSERT_EQ(config.code, kExitDone) << config.err;
  EXPECT_EQ(config.out, Read("model/pipeline.config"));  // resolved already
  // Found to be a configuration by its content, too.
  ASSERT_TRUE(WriteFileAtomic(At("settings"), "# mine\ntrain_confg { num_epochs: 3 }\n").ok());
  const Ran wrong = Command({"inspect", At("settings")});
  EXPECT_EQ(wrong.code, kExitWrongInput);
  EXPECT_THAT(wrong.err, HasSubstr("settings:2:"));
  EXPECT_THAT(wrong.err, HasSubstr("Did you mean \"train_config\"?"));
}

TEST_F(VerbsTest, WrongModelDirectories) {
  ASSERT_TRUE(MakeDirectories(At("empty")).ok());
  for (const char* verb : {"evaluate", "inspect"}) {
    const Ran ran = Command({verb, At("empty")});
    EXPECT_EQ(ran.code, kExitWrongInput) << verb;
    EXPECT_THAT(ran.err, HasSubstr("MANIFEST.json"));
  }
  const Ran file = Command({"train", "--data", At("f.csv"), "--label", "click", "--model_dir", At("f.csv") + "/model"});
  EXPECT_EQ(file.code, kExitWrongInput);
  EXPECT_THAT(file.err, HasSubstr("f.csv is a file, not a folder"));
  ASSERT_TRUE(WriteFileAtomic(At("no_dir.config"), "train_input_path: \"a.csv\"\n").ok());
  const Ran none = Command({"train", At("no_dir.config")});
  EXPECT_EQ(none.code, kExitWrongInput);
  EXPECT_THAT(none.err, HasSubstr("model_dir is missing. Set it there, or give --model_dir DIR"));
}

TEST_F(VerbsTest, OutputThatCannotBeWrittenIsAFailure) {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  const std::vector<std::string> args = {"--version"};
  EXPECT_EQ(RunCli(args, out, err), kExitFailed);
  EXPECT_EQ(err.str(), "manygate: standard output cannot be written to\n");
}

}  // namespace
}  // namespace manygate::cli
