// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/predict_json.h"

#include <fmt/format.h>

#include "manygate/base/text.h"
#include "manygate/serve/json_cells.h"
#include "manygate/serve/json_document.h"
#include "manygate/serve/json_text.h"

namespace manygate::serve {
namespace {

using features::Cell;

constexpr std::string_view kSignature = "serving_default";

class Reader {
 public:
  Reader(int64_t max_rows, JsonWorkspace* workspace, Job* job, PredictReply* reply)
      : document_(workspace),
        max_rows_(max_rows),
        job_(*job),
        reply_(*reply),
        inputs_(job->version().predictor->inputs()),
        seen_(inputs_.size()) {}

  bool Read(std::string_view json);
  Outcome TakeOutcome() { return document_.TakeOutcome(); }

 private:
  bool ReadField(std::string_view key, JsonValue& value);
  bool ReadRows(JsonValue& value);
  bool ReadRow(JsonValue& value);
  bool ReadColumns(JsonValue& value);
  bool ReadColumn(size_t column, JsonValue& value);
  bool TooManyRows() {
    return document_.Refuse(Refused(OutcomeCode::kTooLarge, fmt::format("a request may have {} rows", max_rows_)));
  }
  bool FindColumn(std::string_view name, size_t* column);
  bool CheckComplete(const std::string& where);
  // cells_[row][column] = value.
  bool ReadCell(JsonValue& value, int64_t row, size_t column);
  bool ToCell(const JsonScalar& scalar, int64_t row, size_t column, Cell* cell);

  JsonDocument document_;
  const int64_t max_rows_;
  Job& job_;
  PredictReply& reply_;
  const std::span<const PredictorInput> inputs_;
  std::vector<uint8_t> seen_;  // by input: of this row (by row) or of the request (by column)
  size_t next_ = 0;            // the input behind the last one: clients keep to one order
  std::vector<Cell> cells_;    // [rows_, inputs]
  int64_t rows_ = 0;
  bool has_rows_ = false, has_columns_ = false;
};

bool Reader::Read(std::string_view json) {
  JsonObject root;
  if (!document_.Open(json, &root)) return false;
  if (!document_.Fields(root, [this](auto key, auto& value) { return ReadField(key, value); })) return false;
  if (!document_.Close()) return false;
  if (!has_rows_ && !has_columns_)
    return document_.Invalid(
        "\"instances\" (rows: objects by input) or \"inputs\" (columns: arrays by input) is missing");
  if (rows_ == 0) return document_.Invalid("the request has no rows");
  if (has_columns_ && !CheckComplete("\"inputs\"")) return false;
  reply_.by_row = has_rows_;
  const std::span<Cell> cells = job_.cells(rows_);
  std::copy(cells_.begin(), cells_.end(), cells.begin());
  job_.WantDefaultOutputs();
  return true;
}

bool Reader::ReadField(std::string_view key, JsonValue& value) {
  if (key == "instances" || key == "inputs") {
    if (has_rows_ || has_columns_) return document_.Invalid("one of \"instances\" and \"inputs\" may be there, once");
    (key == "instances" ? has_rows_ : has_columns_) = true;
    return has_rows_ ? ReadRows(value) : ReadColumns(value);
  }
  if (key != "signature_name") return document_.Skip(value);
  std::string_view name;
  if (!document_.Text(value, key, &name)) return false;
  if (name.empty() || name == kSignature) return true;
  return document_.Invalid(fmt::format("there is no signature {}; the only one is \"{}\"", Shown(name), kSignature));
}

bool Reader::ReadRows(JsonValue& value) {
  JsonArray rows;
  if (!document_.Array(value, "instances", &rows)) return false;
  return document_.Elements(rows, [this](JsonValue& row) {
    if (rows_ == max_rows_) return TooManyRows();
    cells_.resize(cells_.size() + inputs_.size());
    if (!ReadRow(row)) return false;
    ++rows_;
    return true;
  });
}

bool Reader::ReadRow(JsonValue& value) {
  JsonType type;
  if (!document_.Type(value, &type)) return false;
  if (type != JsonType::object && inputs_.size() == 1) return ReadCell(value, rows_, 0);
  JsonObject row;
  if (!document_.Object(value, "instances", &row)) return false;
  std::fill(seen_.begin(), seen_.end(), 0);
  next_ = 0;
  if (!document_.Fields(row, [this](std::string_view key, JsonValue& field) {
        size_t column = 0;
        if (!FindColumn(key, &column)) return false;
        return ReadCell(field, rows_, column);
      }))
    return false;
  return CheckComplete("row");
}

bool Reader::ReadColumns(JsonValue& value) {
  JsonType type;
  if (!document_.Type(value, &type)) return false;
  if (type != JsonType::object && inputs_.size() == 1) {
    seen_[0] = 1;
    return ReadColumn(0, value);
  }
  JsonObject columns;
  if (!document_.Object(value, "inputs", &columns)) return false;
  return document_.Fields(columns, [this](std::string_view key, JsonValue& field) {
    size_t column = 0;
    if (!FindColumn(key, &column)) return false;
    return ReadColumn(column, field);
  });
}

bool Reader::ReadColumn(size_t column, JsonValue& value) {
  const std::string& name = inputs_[column].name;
  JsonArray values;
  if (!document_.Array(value, name, &values)) return false;
  const bool first = rows_ == 0;
  int64_t row = 0;
  if (!document_.Elements(values, [&](JsonValue& element) {
        if (row == max_rows_) return TooManyRows();
        if (first) cells_.resize(cells_.size() + inputs_.size());
        if (!first && row == rows_)
          return document_.Invalid(fmt::format("input \"{}\" has more than {} rows", name, rows_));
        return ReadCell(element, row++, column);
      }))
    return false;
  if (first) rows_ = row;
  if (row == 0) return document_.Invalid("the request has no rows");
  if (row == rows_) return true;
  return document_.Invalid(fmt::format("input \"{}\" has {} rows, and the inputs before it have {}", name, row, rows_));
}

bool Reader::FindColumn(std::string_view name, size_t* column) {
  if (next_ >= inputs_.size() || inputs_[next_].name != name) {
    const int found = job_.version().predictor->FindInput(name);
    if (found < 0) {
      std::vector<std::string> names;
      for (const PredictorInput& input : inputs_) names.push_back(input.name);
      return document_.Invalid(fmt::format("model \"{}\" has no input {}. {}", job_.version().name, Shown(name),
                                           Suggestion(name.substr(0, 80), names, "Inputs")));
    }
    next_ = static_cast<size_t>(found);
  }
  *column = next_++;
  if (seen_[*column] != 0) return document_.Invalid(fmt::format("input \"{}\" is there twice", name));
  seen_[*column] = 1;
  return true;
}

bool Reader::CheckComplete(const std::string& where) {
  std::vector<std::string> missing;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (seen_[i] == 0) missing.push_back(inputs_[i].name);
  if (missing.empty()) return true;
  return document_.Invalid(fmt::format("{} lacks {} of the {} inputs (null is a missing value): {}",
                                       where == "row" ? fmt::format("row {}", rows_) : where, missing.size(),
                                       inputs_.size(), JoinNames(missing)));
}

bool Reader::ReadCell(JsonValue& value, int64_t row, size_t column) {
  Cell& cell = cells_[static_cast<size_t>(row) * inputs_.size() + column];
  JsonType type;
  if (!document_.Type(value, &type)) return false;
  JsonScalar scalar;
  if (type != JsonType::array) {
    if (!document_.Scalar(value, inputs_[column].name, &scalar)) return false;
    return ToCell(scalar, row, column, &cell);
  }
  JsonArray array;
  if (!document_.Array(value, inputs_[column].name, &array)) return false;
  std::vector<Cell> values;
  if (!document_.Elements(array, [&](JsonValue& element) {
        if (!document_.Scalar(element, inputs_[column].name, &scalar)) return false;
        return ToCell(scalar, row, column, &values.emplace_back());
      }))
    return false;
  if (!values.empty()) cell = JoinValues(values, &job_);
  return true;
}

bool Reader::ToCell(const JsonScalar& scalar, int64_t row, size_t column, Cell* cell) {
  std::string problem;
  if (UntypedCell(scalar, inputs_[column].number, cell, &problem)) return true;
  return document_.Invalid(fmt::format("input \"{}\", row {}: {}", inputs_[column].name, row, problem));
}

// The values of a row: one number, or an array of them.
void AppendRow(const std::vector<float>& values, int64_t row, int64_t width, std::string* body) {
  if (width != 1) *body += '[';
  for (int64_t k = 0; k < width; ++k) {
    if (k > 0) *body += ',';
    AppendJsonNumber(values[static_cast<size_t>(row * width + k)], body);
  }
  if (width != 1) *body += ']';
}

void AppendColumn(const std::vector<float>& values, int64_t rows, int64_t width, std::string* body) {
  *body += '[';
  for (int64_t row = 0; row < rows; ++row) {
    if (row > 0) *body += ',';
    AppendRow(values, row, width, body);
  }
  *body += ']';
}

}  // namespace

Outcome ParsePredictRequest(std::string_view body, int64_t max_rows, JsonWorkspace* workspace, Job* job,
                            PredictReply* reply) {
  Reader reader(max_rows, workspace, job, reply);
  reader.Read(body);
  return reader.TakeOutcome();
}

void WritePredictAnswer(const Job& job, const PredictReply& reply, std::string* body) {
  const auto outputs = job.version().predictor->outputs();
  std::vector<size_t> wanted;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (job.wants(i)) wanted.push_back(i);
  const bool bare = wanted.size() == 1;
  // append(i): the values of output i.
  const auto append_object = [&](auto&& append) {
    if (bare) return append(wanted[0]);
    for (size_t k = 0; k < wanted.size(); ++k) {
      *body += k == 0 ? '{' : ',';
      AppendJsonText(outputs[wanted[k]].name, body);
      *body += ':';
      append(wanted[k]);
    }
    *body += '}';
  };
  if (!reply.by_row) {
    *body += "{\"outputs\":";
    append_object([&](size_t i) { AppendColumn(job.output(i), job.rows(), outputs[i].width, body); });
    *body += '}';
    return;
  }
  *body += "{\"predictions\":[";
  for (int64_t row = 0; row < job.rows(); ++row) {
    if (row > 0) *body += ',';
    append_object([&](size_t i) { AppendRow(job.output(i), row, outputs[i].width, body); });
  }
  *body += "]}";
}

}  // namespace manygate::serve
