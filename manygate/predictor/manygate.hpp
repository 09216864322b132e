// SPDX-License-Identifier: Apache-2.0
// libmanygate for C++17 and newer: classes over the C functions of manygate.h, in this header alone. Link with the library.
//
//   try {
//     const manygate::LoadedModel model("out/census");
//     const std::vector<std::string> education = {"Bachelors", "Doctorate"};
//     const std::vector<float> age = {39, 50};
//     manygate::InputRows rows(model, 2);
//     rows.Set("education", education);     // columns that are not set are missing; values are not copied, so keep them
//     rows.Set("age", age);
//     const std::vector<float> income = model.Predict(rows, "probs_income");   // one number per row
//   } catch (const manygate::Error& error) {
//     std::cerr << error.what() << "\n";    // one problem a line
//   }
//
// A LoadedModel may be used by several threads at once; InputRows belong to one. Calls that reuse InputRows and write into
// memory of the caller (the Predict functions with `outputs`) allocate nothing once warm.
#ifndef MANYGATE_HPP_
#define MANYGATE_HPP_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate.h"  // beside this file, wherever both are installed

namespace manygate {

// What a call of the library reports: code() MANYGATE_INVALID_INPUT is the caller's or the model directory's fault.
class Error : public std::runtime_error {
 public:
  Error(manygate_status code, const std::string& text) : std::runtime_error(text), code_(code) {}
  manygate_status code() const { return code_; }

 private:
  manygate_status code_;
};

class InputRows;

// A model directory that `manygate train` wrote, loaded. Movable, not copyable.
class LoadedModel {
 public:
  struct Input {
    std::string name;
    bool number;  // what the model reads; any input takes numbers and texts
  };
  struct Output {
    std::string name;
    int64_t width;                     // numbers per row
    std::vector<std::string> classes;  // [width], of classes: what each number belongs to; else empty
  };

  // Throws Error: not a model directory, a damaged one, of a newer format.
  explicit LoadedModel(const std::string& dir) { Check(manygate_load(dir.c_str(), &model_)); }
  LoadedModel(LoadedModel&& other) noexcept : model_(std::exchange(other.model_, nullptr)) {}
  LoadedModel& operator=(LoadedModel&& other) noexcept {
    std::swap(model_, other.model_);
    return *this;
  }
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  ~LoadedModel() { manygate_free(model_); }

  std::string name() const { return manygate_model_name(model_); }  // "mmoe", "ple", ...
  size_t num_inputs() const { return manygate_num_inputs(model_); }
  size_t num_outputs() const { return manygate_num_outputs(model_); }
  std::vector<Input> inputs() const;
  std::vector<Output> outputs() const;

  // Their place among inputs(), outputs(). Throws Error with the names that there are.
  size_t FindInput(std::string_view name) const;
  size_t FindOutput(std::string_view name) const;

  // One output for all rows: [rows, width of the output]. Throws Error: a value that is no number where one is needed.
  std::vector<float> Predict(const InputRows& rows, std::string_view output) const;
  // Several, in that order.
  std::vector<std::vector<float>> Predict(const InputRows& rows, std::initializer_list<std::string_view> outputs) const;
  // outputs: [num_outputs()], each [rows, width], or null where it is not wanted.
  void Predict(const InputRows& rows, float* const* outputs) const;
  // Texts row by row: values: [rows, num_inputs()], null or "" = missing.
  void PredictStrings(int64_t rows, const char* const* values, float* const* outputs) const {
    Check(manygate_predict_strings(model_, rows, values, outputs));
  }

  const manygate_predictor* get() const { return model_; }  // for the functions of manygate.h

 private:
  static void Check(manygate_status status) {
    if (status != MANYGATE_OK) throw Error(status, manygate_last_error());
  }
  template <typename Name>
  static std::string Names(size_t count, const Name& name_at) {
    std::string names;
    for (size_t i = 0; i < count; ++i) names.append(i == 0 ? "" : ", ").append(name_at(i));
    return names;
  }

  manygate_predictor* model_ = nullptr;
};

// Values for the inputs of some rows, by the inputs' names. They are only referred to: keep them until after Predict.
class InputRows {
 public:
  // model must live as long.
  InputRows(const LoadedModel& model, int64_t rows)
      : model_(&model), rows_(rows), columns_(model.num_inputs()), texts_(model.num_inputs()) {}

  int64_t rows() const { return rows_; }
  const manygate_column* columns() const { return columns_.data(); }

  // values: [rows]; a NaN is missing. Throws Error: no such input, another number of values.
  void Set(std::string_view input, const std::vector<float>& values) { Put(input, MANYGATE_FLOAT32, values); }
  void Set(std::string_view input, const std::vector<double>& values) { Put(input, MANYGATE_FLOAT64, values); }
  void Set(std::string_view input, const std::vector<int32_t>& values) { Put(input, MANYGATE_INT32, values); }
  void Set(std::string_view input, const std::vector<int64_t>& values) { Put(input, MANYGATE_INT64, values); }
  // Null or "" = missing.
  void Set(std::string_view input, const std::vector<const char*>& values) { Put(input, MANYGATE_STRING, values); }
  // "" = missing.
  void Set(std::string_view input, const std::vector<std::string>& values) { PutTexts(input, values); }
  void Set(std::string_view input, const std::vector<std::string_view>& values) { PutTexts(input, values); }
  template <typename Value>
  void Set(std::string_view input, std::vector<Value>&& values) = delete;  // it would be gone before Predict

  // is_missing: [rows], 1 = missing, whatever the values say.
  void SetMissing(std::string_view input, const std::vector<uint8_t>& is_missing) {
    CheckSize(input, is_missing.size());
    columns_[model_->FindInput(input)].is_missing = is_missing.data();
  }

 private:
  void CheckSize(std::string_view input, size_t size) const {
    if (static_cast<int64_t>(size) == rows_) return;
    throw Error(MANYGATE_INVALID_INPUT, "input \"" + std::string(input) + "\": " + std::to_string(size) +
                                            " values for " + std::to_string(rows_) + " rows");
  }
  template <typename Values>
  void Put(std::string_view input, manygate_type type, const Values& values) {
    CheckSize(input, values.size());
    manygate_column& column = columns_[model_->FindInput(input)];
    column.type = type;
    column.values = values.data();
  }
  template <typename Texts>
  void PutTexts(std::string_view input, const Texts& values) {
    std::vector<manygate_text>& texts = texts_[model_->FindInput(input)];
    texts.clear();
    for (const auto& value : values) texts.push_back({value.data(), value.size()});
    Put(input, MANYGATE_TEXT, texts);
  }

  const LoadedModel* model_;
  int64_t rows_;
  std::vector<manygate_column> columns_;           // by input
  std::vector<std::vector<manygate_text>> texts_;  // by input: where its values lie
};

inline std::vector<LoadedModel::Input> LoadedModel::inputs() const {
  std::vector<Input> result;
  for (size_t i = 0; i < num_inputs(); ++i) {
    const manygate_input input = manygate_get_input(model_, i);
    result.push_back({input.name, input.type == MANYGATE_FLOAT32});
  }
  return result;
}

inline std::vector<LoadedModel::Output> LoadedModel::outputs() const {
  std::vector<Output> result;
  for (size_t i = 0; i < num_outputs(); ++i) {
    const manygate_output output = manygate_get_output(model_, i);
    result.push_back({output.name, output.width, {}});
    for (size_t k = 0; manygate_class_name(model_, i, k) != nullptr; ++k)
      result.back().classes.emplace_back(manygate_class_name(model_, i, k));
  }
  return result;
}

inline size_t LoadedModel::FindInput(std::string_view name) const {
  const int64_t found = manygate_find_input(model_, std::string(name).c_str());
  if (found >= 0) return static_cast<size_t>(found);
  throw Error(MANYGATE_INVALID_INPUT,
              "no input \"" + std::string(name) + "\"; inputs: " + Names(num_inputs(), [this](size_t i) {
                return manygate_get_input(model_, i).name;
              }));
}

inline size_t LoadedModel::FindOutput(std::string_view name) const {
  const int64_t found = manygate_find_output(model_, std::string(name).c_str());
  if (found >= 0) return static_cast<size_t>(found);
  throw Error(MANYGATE_INVALID_INPUT,
              "no output \"" + std::string(name) + "\"; outputs: " + Names(num_outputs(), [this](size_t i) {
                return manygate_get_output(model_, i).name;
              }));
}

inline std::vector<float> LoadedModel::Predict(const InputRows& rows, std::string_view output) const {
  return std::move(Predict(rows, {output})[0]);
}

inline std::vector<std::vector<float>> LoadedModel::Predict(const InputRows& rows,
                                                            std::initializer_list<std::string_view> outputs) const {
  std::vector<std::vector<float>> values;
  std::vector<float*> places(num_outputs(), nullptr);
  values.reserve(outputs.size());
  for (const std::string_view name : outputs) {
    const size_t i = FindOutput(name);
    if (places[i] != nullptr)
      throw Error(MANYGATE_INVALID_INPUT, "output \"" + std::string(name) + "\" is asked for twice");
    values.emplace_back(static_cast<size_t>(rows.rows() * manygate_get_output(model_, i).width));
    places[i] = values.back().data();
  }
  Predict(rows, places.data());
  return values;
}

inline void LoadedModel::Predict(const InputRows& rows, float* const* outputs) const {
  Check(manygate_predict(model_, rows.rows(), rows.columns(), outputs));
}

}  // namespace manygate

#endif  // MANYGATE_HPP_
