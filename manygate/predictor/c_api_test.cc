// SPDX-License-Identifier: Apache-2.0
// The C ABI, inside the process: what the installed library does besides is tested by tests/embed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "manygate/base/version.h"
#include "manygate/predictor/manygate.h"
#include "manygate/predictor/model_testing.h"

namespace {

std::atomic<int64_t> num_allocations{0};  // of all threads
thread_local bool no_memory = false;      // `new` throws in this thread

void* Allocate(size_t size, size_t alignment) {
  ++num_allocations;
  if (no_memory) throw std::bad_alloc();
  void* const memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// In place of those of the standard library, for the whole test program. gcc sees these `delete` inlined, but not `new`.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new[](size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void* operator new[](size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kMmoe[] = "mmoe { num_expert: 3 expert_mlp { hidden_units: 8 } TOWERS }";

class CApi : public testing::Test {
 protected:
  void Load(const std::string& features = kTestFeatures, const std::string& network = kMmoe) {
    test_ = std::make_unique<TestModel>(network, features);
    ASSERT_EQ(manygate_load(test_->dir().c_str(), &model_), MANYGATE_OK) << manygate_last_error();
  }
  ~CApi() override { manygate_free(model_); }

  // probs_income of typed columns.
  std::vector<float> Income(int64_t rows, const std::vector<manygate_column>& columns) const {
    std::vector<float> income(static_cast<size_t>(rows), -1.f);
    std::vector<float*> outputs(manygate_num_outputs(model_), nullptr);
    outputs[0] = income.data();
    EXPECT_EQ(manygate_predict(model_, rows, columns.data(), outputs.data()), MANYGATE_OK) << manygate_last_error();
    return income;
  }
  // The error of a call that must fail with it.
  static std::string Failure(manygate_status status, manygate_status want) {
    EXPECT_EQ(status, want);
    return manygate_last_error();
  }

  std::unique_ptr<TestModel> test_;
  manygate_predictor* model_ = nullptr;
};

TEST_F(CApi, DescribesTheModel) {
  Load();
  EXPECT_STREQ(manygate_version(), kProgramVersion);
  EXPECT_STREQ(manygate_model_name(model_), "mmoe");
  ASSERT_EQ(manygate_num_inputs(model_), 3u);
  EXPECT_STREQ(manygate_get_input(model_, 0).name, "job");
  EXPECT_EQ(manygate_get_input(model_, 0).type, MANYGATE_STRING);
  EXPECT_STREQ(manygate_get_input(model_, 1).name, "age");
  EXPECT_EQ(manygate_get_input(model_, 1).type, MANYGATE_FLOAT32);
  EXPECT_EQ(manygate_get_input(model_, 3).name, nullptr);
  ASSERT_EQ(manygate_num_outputs(model_), 6u);
  EXPECT_STREQ(manygate_get_output(model_, 2).name, "probs_kind");
  EXPECT_EQ(manygate_get_output(model_, 2).width, 3);
  EXPECT_EQ(manygate_get_output(model_, 6).name, nullptr);
  EXPECT_STREQ(manygate_class_name(model_, 2, 1), "1");
  EXPECT_EQ(manygate_class_name(model_, 2, 3), nullptr);
  EXPECT_EQ(manygate_class_name(model_, 0, 0), nullptr);
  EXPECT_EQ(manygate_class_name(model_, 6, 0), nullptr);
  EXPECT_EQ(manygate_find_input(model_, "tags"), 2);
  EXPECT_EQ(manygate_find_input(model_, "Tags"), -1);
  EXPECT_EQ(manygate_find_output(model_, "logits_kind"), 3);
  EXPECT_EQ(manygate_find_output(model_, ""), -1);
}

TEST_F(CApi, TypesOfAColumnScoreAlike) {
  Load();
  const char* const jobs[] = {"a", "b", nullptr, ""};
  const manygate_text tags[] = {{"x|y", 3}, {"xy", 1}, {nullptr, 3}, {"z", 0}};  // "x|y", "x", missing, missing
  const char* const ages[] = {"30", " 41", nullptr, ""};
  const float floats[] = {30, 41, NAN, NAN};
  const double doubles[] = {30, 41, NAN, NAN};
  const int32_t narrow[] = {30, 41, 7, 8};
  const int64_t wide[] = {30, 41, 7, 8};
  const uint8_t is_missing[] = {0, 0, 1, 1};
  const manygate_column job = {MANYGATE_STRING, jobs, nullptr}, tag = {MANYGATE_TEXT, tags, nullptr};
  const std::vector<float> want = Income(4, {job, {MANYGATE_STRING, ages, nullptr}, tag});
  EXPECT_EQ(Income(4, {job, {MANYGATE_FLOAT32, floats, nullptr}, tag}), want);
  EXPECT_EQ(Income(4, {job, {MANYGATE_FLOAT64, doubles, nullptr}, tag}), want);
  EXPECT_EQ(Income(4, {job, {MANYGATE_INT32, narrow, is_missing}, tag}), want);
  EXPECT_EQ(Income(4, {job, {MANYGATE_INT64, wide, is_missing}, tag}), want);
  EXPECT_NE(want[0], want[1]);
  EXPECT_EQ(want[2], want[3]);
  EXPECT_EQ(Income(1, {{}, {}, {}})[0], want[2]) << "columns of NULL are missing";

  const char* const rows[] = {"a", "30", "x|y", "b", "41", "x", nullptr, nullptr, nullptr, "", "", ""};
  std::vector<float> income(4);
  float* const outputs[] = {income.data(), nullptr, nullptr, nullptr, nullptr, nullptr};
  ASSERT_EQ(manygate_predict_strings(model_, 4, rows, outputs), MANYGATE_OK) << manygate_last_error();
  EXPECT_EQ(income, want);
}

TEST_F(CApi, ProbabilitiesOfClassesSumToOne) {
  Load();
  const char* const row[] = {"a", "30", "x"};
  float kinds[3] = {}, logits[3] = {};
  float* const outputs[] = {nullptr, nullptr, kinds, logits, nullptr, nullptr};
  ASSERT_EQ(manygate_predict_strings(model_, 1, row, outputs), MANYGATE_OK) << manygate_last_error();
  EXPECT_NEAR(kinds[0] + kinds[1] + kinds[2], 1, 1e-6);
  EXPECT_NEAR(kinds[0] / kinds[1], std::exp(logits[0] - logits[1]), 1e-5);
}

TEST_F(CApi, WrongCallsAreRefused) {
  Load();
  float income = 7;
  float* const outputs[] = {&income, nullptr, nullptr, nullptr, nullptr, nullptr};
  const char* const row[] = {"a", "30", "x"};
  std::vector<manygate_column> columns(3);
  const auto predict = [&](const manygate_predictor* model, int64_t rows, const manygate_column* values,
                           float* const* places) {
    return Failure(manygate_predict(model, rows, values, places), MANYGATE_INVALID_INPUT);
  };
  EXPECT_EQ(predict(nullptr, 1, columns.data(), outputs), "the model is NULL");
  EXPECT_EQ(predict(model_, -1, columns.data(), outputs), "rows is -1; expected 0 .. 2147483647");
  EXPECT_EQ(predict(model_, int64_t{1} << 31, columns.data(), outputs), "rows is 2147483648; expected 0 .. 2147483647");
  EXPECT_EQ(predict(model_, 1, nullptr, outputs), "the inputs are NULL");
  EXPECT_EQ(predict(model_, 1, columns.data(), nullptr), "the outputs are NULL");
  columns[1].type = static_cast<manygate_type>(6);
  EXPECT_EQ(predict(model_, 1, columns.data(), outputs),
            "input \"age\": there is no type 6; expected one of manygate_type");
  EXPECT_EQ(Failure(manygate_predict_strings(nullptr, 1, row, outputs), MANYGATE_INVALID_INPUT), "the model is NULL");
  EXPECT_EQ(Failure(manygate_predict_strings(model_, 1, nullptr, outputs), MANYGATE_INVALID_INPUT),
            "the inputs are NULL");
  const char* const wrong[] = {"a", "old", "x"};
  EXPECT_EQ(Failure(manygate_predict_strings(model_, 1, wrong, outputs), MANYGATE_INVALID_INPUT),
            "row 0: column \"age\": \"old\" is no number, which feature \"age\" needs");
  EXPECT_EQ(income, 7);
  EXPECT_EQ(manygate_predict(model_, 0, nullptr, nullptr), MANYGATE_OK);
  EXPECT_EQ(manygate_predict_strings(model_, 0, nullptr, nullptr), MANYGATE_OK);
  // Still fit for use.
  EXPECT_EQ(manygate_predict_strings(model_, 1, row, outputs), MANYGATE_OK);
  EXPECT_NE(income, 7);
}

TEST_F(CApi, NullModelsAreEmpty) {
  EXPECT_EQ(manygate_model_name(nullptr), nullptr);
  EXPECT_EQ(manygate_num_inputs(nullptr), 0u);
  EXPECT_EQ(manygate_num_outputs(nullptr), 0u);
  EXPECT_EQ(manygate_get_input(nullptr, 0).name, nullptr);
  EXPECT_EQ(manygate_get_output(nullptr, 0).name, nullptr);
  EXPECT_EQ(manygate_find_input(nullptr, "job"), -1);
  EXPECT_EQ(manygate_find_output(nullptr, "job"), -1);
  EXPECT_EQ(manygate_class_name(nullptr, 0, 0), nullptr);
  manygate_free(nullptr);
}

TEST_F(CApi, DirectoriesThatCannotBeLoaded) {
  const TestFolder folder;
  manygate_predictor* model = reinterpret_cast<manygate_predictor*>(&model_);
  EXPECT_THAT(Failure(manygate_load(folder.path().c_str(), &model), MANYGATE_INVALID_INPUT), StartsWith(folder.path()));
  EXPECT_EQ(model, nullptr);
  EXPECT_EQ(Failure(manygate_load(nullptr, &model), MANYGATE_INVALID_INPUT), "the model's directory is NULL");
  EXPECT_EQ(Failure(manygate_load("", nullptr), MANYGATE_INVALID_INPUT), "the place for the model is NULL");
}

TEST_F(CApi, ErrorsBelongToTheirThread) {
  EXPECT_EQ(manygate_load(nullptr, &model_), MANYGATE_INVALID_INPUT);
  std::string other = "none";
  std::thread([&] { other = manygate_last_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_STREQ(manygate_last_error(), "the model's directory is NULL");
}

TEST_F(CApi, WithoutMemoryCallsFailAndLaterOnesWork) {
  Load();
  const char* const row[] = {"a", "30", "x"};
  float income = 7;
  float* const outputs[] = {&income, nullptr, nullptr, nullptr, nullptr, nullptr};
  const std::string dir = test_->dir();
  manygate_predictor* second = nullptr;
  no_memory = true;
  const manygate_status loaded = manygate_load(dir.c_str(), &second);
  const std::string load_error = [] {
    no_memory = false;
    return std::string(manygate_last_error());
  }();
  no_memory = true;
  const manygate_status predicted = manygate_predict_strings(model_, 1, row, outputs);
  no_memory = false;
  EXPECT_EQ(loaded, MANYGATE_FAILED);
  EXPECT_EQ(load_error, "out of memory");
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(predicted, MANYGATE_FAILED);
  EXPECT_STREQ(manygate_last_error(), "out of memory");
  ASSERT_EQ(manygate_predict_strings(model_, 1, row, outputs), MANYGATE_OK) << manygate_last_error();
  EXPECT_NE(income, 7);
}

// Rows of texts and their columns, for calls in every form.
struct Request {
  explicit Request(const manygate_predictor* model, int64_t num_rows) : rows(num_rows) {
    const size_t width = manygate_num_inputs(model);
    for (int64_t r = 0; r < rows; ++r) {
      const std::vector<std::string> row = TestRow(r);
      for (size_t i = 0; i < width; ++i) {
        const auto place = std::find(kTestColumns.begin(), kTestColumns.end(), manygate_get_input(model, i).name);
        texts.push_back(row[static_cast<size_t>(place - kTestColumns.begin())]);
      }
      ages.push_back(static_cast<float>(r));
    }
    for (const std::string& text : texts) strings.push_back(text.c_str());
    const int64_t age = manygate_find_input(model, "age");
    by_column.resize(texts.size());
    for (size_t i = 0; i < width; ++i) {
      for (int64_t r = 0; r < rows; ++r) {
        const std::string& text = texts[static_cast<size_t>(r) * width + i];
        by_column[i * static_cast<size_t>(rows) + static_cast<size_t>(r)] = {text.data(), text.size()};
      }
      const bool number = static_cast<int64_t>(i) == age;
      const manygate_text* const column = by_column.data() + i * static_cast<size_t>(rows);
      columns.push_back({number ? MANYGATE_FLOAT32 : MANYGATE_TEXT,
                         number ? static_cast<const void*>(ages.data()) : column, nullptr});
    }
    for (size_t i = 0; i < manygate_num_outputs(model); ++i) {
      values.emplace_back(static_cast<size_t>(rows * manygate_get_output(model, i).width));
      outputs.push_back(values.back().data());
    }
  }
  void Call(const manygate_predictor* model, manygate_status* worst) {
    *worst = std::max(*worst, manygate_predict_strings(model, rows, strings.data(), outputs.data()));
    *worst = std::max(*worst, manygate_predict(model, rows, columns.data(), outputs.data()));
  }

  int64_t rows;
  std::vector<std::string> texts;
  std::vector<const char*> strings;
  std::vector<manygate_text> by_column;
  std::vector<float> ages;
  std::vector<manygate_column> columns;
  std::vector<std::vector<float>> values;
  std::vector<float*> outputs;
};

// Allocations while four threads make 1,000 calls in all, with few and many rows (slices have 16).
int64_t AllocationsOfCalls(const manygate_predictor* model) {
  constexpr int kThreads = 4, kCalls = 1000 / kThreads / 4;
  std::barrier together(kThreads + 1);
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Request few(model, 1), many(model, 50);
      manygate_status worst = MANYGATE_OK;
      together.arrive_and_wait();  // ready
      together.arrive_and_wait();  // counted from here ..
      for (int i = 0; i < kCalls; ++i) {
        few.Call(model, &worst);
        many.Call(model, &worst);
      }
      together.arrive_and_wait();  // .. to here
      together.arrive_and_wait();
      failures += worst != MANYGATE_OK;
    });
  }
  together.arrive_and_wait();
  const int64_t before = num_allocations;
  together.arrive_and_wait();
  together.arrive_and_wait();
  const int64_t after = num_allocations;
  together.arrive_and_wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  return after - before;
}

// Memory grows as long as more calls than ever run at once, or larger ones: how soon depends on the scheduler, but for
// four threads it ends after a few rounds.
void ExpectNoAllocation(const manygate_predictor* model) {
  EXPECT_GT(AllocationsOfCalls(model), 0) << "nothing was warm";
  int64_t allocations = 1;
  for (int round = 0; round < 20 && allocations > 0; ++round) allocations = AllocationsOfCalls(model);
  EXPECT_EQ(allocations, 0);
}

TEST_F(CApi, CallsAllocateNothingOnceWarm) {
  Load();
  ExpectNoAllocation(model_);
}

TEST_F(CApi, CallsOfMadeFeaturesAllocateNothingOnceWarm) {
  Load(std::string(kTestFeatures) + kTestMadeFeatures);
  ExpectNoAllocation(model_);
}

TEST_F(CApi, CallsOfSequencesAndDeepNetworksAllocateNothingOnceWarm) {
  Load(std::string(kTestFeatures) + kTestMadeFeatures,
       "ple { extraction_networks { network_name: \"l1\" expert_num_per_task: 1 share_num: 1 task_expert_net { "
       "hidden_units: [64, 32] use_bn: true } share_expert_net { hidden_units: [64, 32] } } TOWERS }");
  ExpectNoAllocation(model_);
}

}  // namespace
}  // namespace manygate
