// SPDX-License-Identifier: Apache-2.0
// Scores the rows of a text file, all at once:  scores MODEL_DIR < rows.tsv
//
// The first line names the model's inputs, in any order; values are separated by tabs, an empty one is missing, and so are
// inputs that the line does not name. Columns that the model reads as numbers are handed over as numbers. Prints a line of
// names, then the model's predictions for each row.
#include <charconv>
#include <cmath>
#include <iostream>
#include <limits>
#include <manygate/manygate.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == '\t') {
      parts.emplace_back();
    } else if (c != '\r') {
      parts.back().push_back(c);
    }
  }
  return parts;
}

// All of them, or false: a text that is no float is the model's to judge.
bool ParseNumbers(const std::vector<std::string>& texts, std::vector<float>* numbers) {
  numbers->clear();
  for (const std::string& text : texts) {
    float number = std::numeric_limits<float>::quiet_NaN();  // missing
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (!text.empty() && (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(number))) return false;
    numbers->push_back(number);
  }
  return true;
}

struct Column {
  std::string name;
  std::vector<std::string> texts;
  std::vector<float> numbers;
};

std::vector<Column> ReadColumns(std::istream& in) {
  std::string line;
  if (!std::getline(in, line)) throw std::runtime_error("no line of names");
  std::vector<Column> columns;
  for (std::string& name : Split(line)) columns.push_back({std::move(name), {}, {}});
  for (int64_t row = 0; std::getline(in, line); ++row) {
    const std::vector<std::string> values = Split(line);
    if (values.size() != columns.size())
      throw std::runtime_error("row " + std::to_string(row) + " has " + std::to_string(values.size()) + " values");
    for (size_t c = 0; c < columns.size(); ++c) columns[c].texts.push_back(values[c]);
  }
  return columns;
}

void PrintScores(const manygate::LoadedModel& model, int64_t rows, const std::vector<std::vector<float>>& scores) {
  const auto outputs = model.outputs();
  std::string text;
  for (size_t i = 0; i < outputs.size(); ++i) {
    for (int64_t k = 0; !scores[i].empty() && k < outputs[i].width; ++k) {
      text += (text.empty() ? "" : "\t") + outputs[i].name;
      if (!outputs[i].classes.empty()) text += "_" + outputs[i].classes[static_cast<size_t>(k)];
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    const char* separator = "\n";
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (int64_t k = 0; !scores[i].empty() && k < outputs[i].width; ++k) {
        char number[32];
        const auto end =
            std::to_chars(number, number + sizeof(number), scores[i][static_cast<size_t>(r * outputs[i].width + k)]);
        text.append(separator).append(number, end.ptr);
        separator = "\t";
      }
    }
  }
  std::cout << text << "\n";
}

void ScoreRows(const std::string& model_dir) {
  const manygate::LoadedModel model(model_dir);
  std::vector<Column> columns = ReadColumns(std::cin);
  const auto rows = static_cast<int64_t>(columns[0].texts.size());
  manygate::InputRows input(model, rows);
  std::map<std::string, bool> is_number;
  for (const auto& wanted : model.inputs()) is_number[wanted.name] = wanted.number;
  for (Column& column : columns) {
    if (is_number.count(column.name) == 0) continue;
    if (is_number[column.name] && ParseNumbers(column.texts, &column.numbers)) {
      input.Set(column.name, column.numbers);
    } else {
      input.Set(column.name, column.texts);
    }
  }
  std::vector<std::vector<float>> scores;
  std::vector<float*> places;
  for (const auto& output : model.outputs()) {
    const bool wanted = output.name.rfind("logits_", 0) != 0;
    scores.emplace_back(wanted ? static_cast<size_t>(rows * output.width) : 0);
    places.push_back(wanted ? scores.back().data() : nullptr);
  }
  model.Predict(input, places.data());
  PrintScores(model, rows, scores);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: scores MODEL_DIR < rows.tsv");
    ScoreRows(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "scores: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
