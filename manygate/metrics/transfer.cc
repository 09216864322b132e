// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/transfer.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "manygate/base/check.h"
#include "manygate/metrics/evaluation.h"

namespace manygate {
namespace {

using nlohmann::json;

constexpr Verdict kVerdicts[] = {Verdict::kGains, Verdict::kNoDifference, Verdict::kLoses};

std::string NumberList(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + JsonNumber(value);
  return "[" + text + "]";
}

std::string ToJson(const TransferCell& cell) {
  return fmt::format(
      "{{\"model\": {}, \"values\": {}, \"mean\": {}, \"difference\": {}, \"low\": {}, \"high\": {}, \"verdict\": {}}}",
      JsonString(cell.model), NumberList(cell.values), JsonNumber(cell.mean), JsonNumber(cell.difference),
      JsonNumber(cell.low), JsonNumber(cell.high), JsonString(VerdictName(cell.verdict)));
}

std::string ToJson(const TransferTask& task) {
  std::string cells;
  for (const TransferCell& cell : task.cells) cells += (cells.empty() ? "" : ", ") + ToJson(cell);
  return fmt::format("{{\"tower\": {}, \"metric\": {}, \"higher_is_better\": {}, \"rows\": {}, \"cells\": [{}]}}",
                     JsonString(task.tower), JsonString(task.metric), task.higher_is_better, task.rows, cells);
}

// A field of the right type, or a problem. The readers below go on after one, so that none needs to ask.
class Reader {
 public:
  std::string problem;

  const json& Field(const json& object, const char* key, const std::string& place) {
    static const json kNone;
    if (object.is_object() && object.contains(key)) return object[key];
    Note(place, fmt::format("\"{}\" is missing", key));
    return kNone;
  }
  std::string Text(const json& object, const char* key, const std::string& place) {
    const json& field = Field(object, key, place);
    if (field.is_string()) return field.get<std::string>();
    Note(place, fmt::format("\"{}\" is not a text", key));
    return "";
  }
  double Number(const json& field, const char* key, const std::string& place) {
    if (field.is_number()) return field.get<double>();
    if (!field.is_null()) Note(place, fmt::format("\"{}\" is not a number", key));
    return std::numeric_limits<double>::quiet_NaN();
  }
  double Number(const json* object, const char* key, const std::string& place) {
    return Number(Field(*object, key, place), key, place);
  }
  const json& List(const json& object, const char* key, const std::string& place) {
    static const json kEmpty = json::array();
    const json& field = Field(object, key, place);
    if (field.is_array()) return field;
    Note(place, fmt::format("\"{}\" is not a list", key));
    return kEmpty;
  }
  void Note(const std::string& place, const std::string& text) {
    if (problem.empty()) problem = place.empty() ? text : fmt::format("{}: {}", place, text);
  }
};

TransferCell ReadCell(const json& object, const std::string& place, Reader* reader) {
  TransferCell cell;
  cell.model = reader->Text(object, "model", place);
  for (const json& value : reader->List(object, "values", place))
    cell.values.push_back(reader->Number(value, "values", place));
  cell.mean = reader->Number(&object, "mean", place);
  cell.difference = reader->Number(&object, "difference", place);
  cell.low = reader->Number(&object, "low", place);
  cell.high = reader->Number(&object, "high", place);
  const std::string name = reader->Text(object, "verdict", place);
  bool known = false;
  for (const Verdict verdict : kVerdicts) {
    if (name != VerdictName(verdict)) continue;
    cell.verdict = verdict;
    known = true;
  }
  if (!known) reader->Note(place, fmt::format("\"verdict\" is \"{}\", expected gains, no difference or loses", name));
  return cell;
}

TransferTask ReadTask(const json& object, const std::string& place, Reader* reader) {
  TransferTask task;
  task.tower = reader->Text(object, "tower", place);
  task.metric = reader->Text(object, "metric", place);
  const json& higher = reader->Field(object, "higher_is_better", place);
  if (!higher.is_boolean()) reader->Note(place, "\"higher_is_better\" is neither true nor false");
  task.higher_is_better = higher.is_boolean() && higher.get<bool>();
  const json& rows = reader->Field(object, "rows", place);
  if (!rows.is_number_integer()) reader->Note(place, "\"rows\" is not a whole number");
  task.rows = rows.is_number_integer() ? rows.get<int64_t>() : 0;
  const json& cells = reader->List(object, "cells", place);
  for (size_t i = 0; i < cells.size(); ++i)
    task.cells.push_back(ReadCell(cells[i], fmt::format("{}.cells[{}]", place, i), reader));
  return task;
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGains: return "gains";
    case Verdict::kNoDifference: return "no difference";
    case Verdict::kLoses: return "loses";
  }
  MG_CHECK(false, "verdict {}", static_cast<int>(verdict));
}

Verdict VerdictOf(double low, double high) {
  if (low > 0) return Verdict::kGains;
  return high < 0 ? Verdict::kLoses : Verdict::kNoDifference;
}

std::string ToJson(const TransferTable& table) {
  std::string seeds, tasks;
  for (const uint64_t seed : table.seeds) seeds += fmt::format("{}{}", seeds.empty() ? "" : ", ", seed);
  for (const TransferTask& task : table.tasks) tasks += (tasks.empty() ? "" : ", ") + ToJson(task);
  return fmt::format("{{\"rows_name\": {}, \"seeds\": [{}], \"tasks\": [{}]}}", JsonString(table.rows_name), seeds,
                     tasks);
}

StatusOr<TransferTable> TransferFromJson(std::string_view text, const std::string& name) {
  const json object = json::parse(text, nullptr, false);
  if (object.is_discarded()) return InvalidInput(fmt::format("{}: it is no JSON", name));
  Reader reader;
  TransferTable table;
  table.rows_name = reader.Text(object, "rows_name", "");
  for (const json& seed : reader.List(object, "seeds", "")) {
    if (!seed.is_number_unsigned()) reader.Note("", "\"seeds\" holds something else than whole numbers");
    table.seeds.push_back(seed.is_number_unsigned() ? seed.get<uint64_t>() : 0);
  }
  const json& tasks = reader.List(object, "tasks", "");
  for (size_t i = 0; i < tasks.size(); ++i)
    table.tasks.push_back(ReadTask(tasks[i], fmt::format("tasks[{}]", i), &reader));
  if (!reader.problem.empty())
    return InvalidInput(fmt::format("{}: {}. `manygate compare` writes it anew", name, reader.problem));
  return table;
}

}  // namespace manygate
