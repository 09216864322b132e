// SPDX-License-Identifier: Apache-2.0
// The verbs with --data memory:..., a table of Arrow in this process: what they do of the same rows in a file of text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

#include "manygate/base/file.h"
#include "manygate/cli/command_testing.h"
#include "manygate/data/arrow_testing.h"
#include "manygate/data/infer.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/number_text.h"
#include "manygate/data/reader.h"

namespace manygate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// A file of text as a program such as pandas holds it: texts in a dictionary, whole numbers as int64, others as double;
// two batches of rows.
class ArrowFile {
 public:
  explicit ArrowFile(const std::string& path) {
    ThreadPool pool(1);
    const SourceOptions options = *DetectDialect(path, {});
    const InferredSchema schema = *InferColumns({&path, 1}, options, pool);
    std::vector<ColumnRequest> requests;
    for (const InferredColumn& column : schema.columns) requests.push_back({column.name, ColumnKind::kCategory});
    const Table table = *ReadFiles({&path, 1}, options, requests, pool);
    const int64_t cut = table.rows / 3;
    for (const int64_t begin : {int64_t{0}, cut})
      batches_.push_back(std::make_unique<ArrowMade>("+s", begin == 0 ? cut : table.rows - cut, begin));
    for (size_t i = 0; i < table.columns.size(); ++i) {
      names_.push_back(std::make_unique<std::string>(schema.columns[i].name));
      ArrowMade& column = Make(schema.columns[i].kind, table.columns[i], table.rows).Name(names_.back()->c_str());
      for (const auto& batch : batches_) batch->Child(column);
    }
    stream_ = std::make_unique<ArrowMadeStream>(std::vector<ArrowMade*>{batches_[0].get(), batches_[1].get()});
  }
  ArrowArrayStream* stream() { return &stream_->stream; }

 private:
  ArrowMade& Make(InferredKind kind, const Column& column, int64_t rows) {
    const auto made = [&](const char* format, int64_t length) -> ArrowMade& {
      return *columns_.emplace_back(std::make_unique<ArrowMade>(format, length));
    };
    std::vector<int32_t> codes;
    std::vector<int64_t> whole;
    std::vector<double> numbers;
    std::string valid;
    for (int64_t row = 0; row < rows; ++row) {
      const std::string& text = column.dictionary[column.Code(row)];
      double number = std::numeric_limits<double>::quiet_NaN();
      (void)ParseDouble(text, &number);
      codes.push_back(static_cast<int32_t>(column.Code(row)));
      whole.push_back(text.empty() ? 77 : static_cast<int64_t>(number));
      numbers.push_back(number);
      valid += text.empty() ? '0' : '1';
    }
    if (kind == InferredKind::kInteger) return made("l", rows).Values(whole).Valid(valid);
    if (kind == InferredKind::kNumber) return made("g", rows).Values(numbers);
    ArrowMade& dictionary = made("U", static_cast<int64_t>(column.dictionary.size()));
    dictionary.Texts<int64_t>({column.dictionary.begin(), column.dictionary.end()});
    return made("i", rows).Values(codes).Dictionary(dictionary);
  }

  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<ArrowMade>> columns_, batches_;
  std::unique_ptr<ArrowMadeStream> stream_;
};

// The same rows as a file and in memory, and a model of each.
class MemoryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(testing::TempDir() + "/manygate_memory_" + std::to_string(getpid()));
    ASSERT_TRUE(RemoveTree(*folder_).ok());
    ASSERT_TRUE(MakeDirectories(*folder_).ok());
    const Ran made = Command({"generate", "funnel", "--rows", "3000", "--seed", "5", "--output", File()});
    ASSERT_EQ(made.code, kExitDone) << made.err;
    rows_ = new ArrowFile(File());
    table_ = new std::shared_ptr<MemoryTable>(MemoryTable::Make("funnel"));
    const Status added = (*table_)->Add(rows_->stream());
    ASSERT_TRUE(added.ok()) << added.message();
    for (const bool memory : {false, true}) {
      const Ran trained = Command({"train", "--data", memory ? Memory() : File(), "--label", "click", "--label",
                                   "amount", "--model_dir", Model(memory), "--set", "train_config.num_epochs=2"});
      ASSERT_EQ(trained.code, kExitDone) << trained.err;
    }
  }
  static void TearDownTestSuite() {
    EXPECT_TRUE(RemoveTree(*folder_).ok());
    delete table_;
    delete rows_;
    delete folder_;
  }
  static std::string At(const std::string& name) { return JoinPath(*folder_, name); }
  static std::string File() { return At("f.csv"); }
  static std::string Memory() { return (*table_)->path(); }
  static std::string Model(bool memory) { return At(memory ? "of_memory" : "of_file"); }
  static std::string Read(const std::string& path) {
    const auto text = ReadFile(path);
    EXPECT_TRUE(text.ok()) << text.status().message();
    return text.ok() ? *text : "";
  }
  static std::string Config(bool memory) { return At(memory ? "memory.config" : "file.config"); }
  // The same text about either: the names of data, model and configuration replaced.
  static std::string Neutral(std::string text, bool memory) {
    const std::string names[][2] = {
        {memory ? Memory() : File(), "DATA"}, {Model(memory), "MODEL"}, {Config(memory), "CONFIG"}};
    for (const auto& [from, to] : names)
      for (size_t at = text.find(from); at != std::string::npos; at = text.find(from))
        text.replace(at, from.size(), to);
    return text;
  }
  static std::string Out(const std::vector<std::string>& args, bool memory) {
    const Ran ran = Command(args);
    EXPECT_EQ(ran.code, kExitDone) << ran.err;
    return Neutral(ran.out, memory);
  }

  static std::string* folder_;
  static ArrowFile* rows_;
  static std::shared_ptr<MemoryTable>* table_;
};

std::string* MemoryTest::folder_ = nullptr;
ArrowFile* MemoryTest::rows_ = nullptr;
std::shared_ptr<MemoryTable>* MemoryTest::table_ = nullptr;

TEST_F(MemoryTest, TrainingGivesTheBitsOfTheFile) {
  EXPECT_EQ(Read(Model(true) + "/schema.pbtxt"), Read(Model(false) + "/schema.pbtxt"));
  EXPECT_EQ(Read(Model(true) + "/weights.safetensors"), Read(Model(false) + "/weights.safetensors"));
  EXPECT_THAT(Read(Model(true) + "/pipeline.config"), HasSubstr("train_input_path: \"" + Memory() + "\""));
}

TEST_F(MemoryTest, EvaluationAndPredictionAsOfTheFile) {
  const auto evaluated = [](bool memory, bool data) {
    std::vector<std::string> args = {"evaluate", Model(memory), "--format", "json", "--by", "device"};
    if (data) args.insert(args.end(), {"--data", memory ? Memory() : File()});
    return Out(args, memory);
  };
  EXPECT_EQ(evaluated(true, false), evaluated(false, false));  // the rows held back in training
  EXPECT_EQ(evaluated(true, true), evaluated(false, true));
  EXPECT_THAT(evaluated(true, true), HasSubstr("\"click\""));
  for (const bool memory : {false, true}) {
    const Ran ran = Command({"predict", Model(memory), "--data", memory ? Memory() : File(), "--output",
                             At(memory ? "memory.csv" : "file.csv")});
    ASSERT_EQ(ran.code, kExitDone) << ran.err;
  }
  EXPECT_EQ(Read(At("memory.csv")), Read(At("file.csv")));
}

TEST_F(MemoryTest, OtherVerbsLookAtItAsAtTheFile) {
  const auto made = [](bool memory) {
    const std::string data = memory ? Memory() : File();
    return Out({"init", data, "--label", "click", "--output", Config(memory), "--format", "json"}, memory);
  };
  EXPECT_EQ(made(true), made(false));
  const auto checked = [](bool memory) { return Out({"check", Config(memory), "--format", "json"}, memory); };
  EXPECT_EQ(checked(true), checked(false));
  const Ran compared = Command({"compare", "--data", Memory(), "--label", "click", "--label", "amount", "--model_dir",
                                At("c"), "--seeds", "2", "--set", "train_config.num_epochs=1"});
  EXPECT_EQ(compared.code, kExitDone) << compared.err;
  const Ran reported = Command({"report", Model(true), "--output", At("report.html")});
  EXPECT_EQ(reported.code, kExitDone) << reported.err;
  const Ran inspected = Command({"inspect", Memory()});
  EXPECT_EQ(inspected.code, kExitDone) << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr("days_since_visit"));
}

TEST_F(MemoryTest, WhatIsNotThereAnyMoreIsSaid) {
  const Ran wrong = Command({"train", "--data", "memory:x", "--label", "click", "--model_dir", At("none")});
  EXPECT_EQ(wrong.code, kExitWrongInput);
  EXPECT_THAT(wrong.err, AllOf(StartsWith("manygate: memory:x: the rows are not there any more"),
                               HasSubstr("give the rows again: --data FILE")));
  auto other = MemoryTable::Make("other");
  ArrowFile rows(File());
  ASSERT_TRUE(other->Add(rows.stream()).ok());
  const Ran trained = Command({"train", "--data", other->path(), "--label", "click", "--model_dir", At("gone"), "--set",
                               "train_config.num_epochs=1"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  const std::string path = other->path();
  other.reset();
  const Ran evaluated = Command({"evaluate", At("gone")});
  EXPECT_EQ(evaluated.code, kExitWrongInput);
  EXPECT_THAT(evaluated.err, HasSubstr(path + ": the rows are not there any more"));
  EXPECT_EQ(Command({"evaluate", At("gone"), "--data", File()}).code, kExitDone);
}

}  // namespace
}  // namespace manygate::cli
