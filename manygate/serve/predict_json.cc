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

Outcome Invalid(std::string message) { return Refused(OutcomeCode::kInvalid, std::move(message)); }

class Reader {
 public:
  Reader(int64_t max_rows, JsonWorkspace* workspace, Job* job, PredictReply* reply)
      : document_(workspace), max_rows_(max_rows), job_(*job), reply_(*reply),
        inputs_(job->version().predictor->inputs()), seen_(inputs_.size()) {}

  Outcome Read(std::string_view json);

 private:
  Outcome ReadField(std::string_view key, JsonValue value);
  Outcome ReadRows(JsonValue value);
  Outcome ReadRow(JsonValue value);
  Outcome ReadColumns(JsonValue value);
  Outcome ReadColumn(size_t column, JsonValue value);
  Outcome FindColumn(std::string_view name, size_t* column);
  Outcome CheckComplete(const std::string& where) const;
  // cells_[row][column] = value.
  Outcome ReadCell(JsonValue value, int64_t row, size_t column);
  Outcome ToCell(const JsonScalar& scalar, int64_t row, size_t column, Cell* cell) const;

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

Outcome Reader::Read(std::string_view json) {
  JsonObject root;
  MG_RETURN_IF_REFUSED(document_.Open(json, &root));
  MG_RETURN_IF_REFUSED(document_.Fields(root, [this](auto key, auto value) { return ReadField(key, value); }));
  MG_RETURN_IF_REFUSED(document_.Close());
  if (!has_rows_ && !has_columns_)
    return Invalid("\"instances\" (rows: objects by input) or \"inputs\" (columns: arrays by input) is missing");
  if (rows_ == 0) return Invalid("the request has no rows");
  if (has_columns_) MG_RETURN_IF_REFUSED(CheckComplete("\"inputs\""));
  reply_.by_row = has_rows_;
  const std::span<Cell> cells = job_.cells(rows_);
  std::copy(cells_.begin(), cells_.end(), cells.begin());
  job_.WantDefaultOutputs();
  return Done();
}

Outcome Reader::ReadField(std::string_view key, JsonValue value) {
  if (key == "instances" || key == "inputs") {
    if (has_rows_ || has_columns_) return Invalid("one of \"instances\" and \"inputs\" may be there, once");
    (key == "instances" ? has_rows_ : has_columns_) = true;
    return has_rows_ ? ReadRows(value) : ReadColumns(value);
  }
  if (key != "signature_name") return document_.Skip(value);
  std::string_view name;
  MG_RETURN_IF_REFUSED(document_.Text(value, key, &name));
  if (name.empty() || name == kSignature) return Done();
  return Invalid(fmt::format("there is no signature {}; the only one is \"{}\"", Shown(name), kSignature));
}

Outcome Reader::ReadRows(JsonValue value) {
  JsonArray rows;
  MG_RETURN_IF_REFUSED(document_.Array(value, "instances", &rows));
  return document_.Elements(rows, [this](JsonValue row) {
    if (rows_ == max_rows_)
      return Refused(OutcomeCode::kTooLarge, fmt::format("a request may have {} rows", max_rows_));
    cells_.resize(cells_.size() + inputs_.size());
    MG_RETURN_IF_REFUSED(ReadRow(row));
    ++rows_;
    return Done();
  });
}

Outcome Reader::ReadRow(JsonValue value) {
  JsonType type;
  MG_RETURN_IF_REFUSED(document_.Type(value, &type));
  if (type != JsonType::object && inputs_.size() == 1) return ReadCell(value, rows_, 0);
  JsonObject row;
  MG_RETURN_IF_REFUSED(document_.Object(value, "instances", &row));
  std::fill(seen_.begin(), seen_.end(), 0);
  next_ = 0;
  MG_RETURN_IF_REFUSED(document_.Fields(row, [this](std::string_view key, JsonValue field) {
    size_t column = 0;
    MG_RETURN_IF_REFUSED(FindColumn(key, &column));
    return ReadCell(field, rows_, column);
  }));
  return CheckComplete("row");
}

Outcome Reader::ReadColumns(JsonValue value) {
  JsonType type;
  MG_RETURN_IF_REFUSED(document_.Type(value, &type));
  if (type != JsonType::object && inputs_.size() == 1) {
    seen_[0] = 1;
    return ReadColumn(0, value);
  }
  JsonObject columns;
  MG_RETURN_IF_REFUSED(document_.Object(value, "inputs", &columns));
  return document_.Fields(columns, [this](std::string_view key, JsonValue field) {
    size_t column = 0;
    MG_RETURN_IF_REFUSED(FindColumn(key, &column));
    return ReadColumn(column, field);
  });
}

Outcome Reader::ReadColumn(size_t column, JsonValue value) {
  const std::string& name = inputs_[column].name;
  JsonArray values;
  MG_RETURN_IF_REFUSED(document_.Array(value, name, &values));
  const bool first = rows_ == 0;
  int64_t row = 0;
  MG_RETURN_IF_REFUSED(document_.Elements(values, [&](JsonValue element) {
    if (row == max_rows_) return Refused(OutcomeCode::kTooLarge, fmt::format("a request may have {} rows", max_rows_));
    if (first) cells_.resize(cells_.size() + inputs_.size());
    if (!first && row == rows_) return Invalid(fmt::format("input \"{}\" has more than {} rows", name, rows_));
    return ReadCell(element, row++, column);
  }));
  if (first) rows_ = row;
  if (row == 0) return Invalid("the request has no rows");
  if (row == rows_) return Done();
  return Invalid(fmt::format("input \"{}\" has {} rows, and the inputs before it have {}", name, row, rows_));
}

Outcome Reader::FindColumn(std::string_view name, size_t* column) {
  if (next_ >= inputs_.size() || inputs_[next_].name != name) {
    const int found = job_.version().predictor->FindInput(name);
    if (found < 0) {
      std::vector<std::string> names;
      for (const PredictorInput& input : inputs_) names.push_back(input.name);
      return Invalid(fmt::format("model \"{}\" has no input {}. {}", job_.version().name, Shown(name),
                                 Suggestion(name.substr(0, 80), names, "Inputs")));
    }
    next_ = static_cast<size_t>(found);
  }
  *column = next_++;
  if (seen_[*column] != 0) return Invalid(fmt::format("input \"{}\" is there twice", name));
  seen_[*column] = 1;
  return Done();
}

Outcome Reader::CheckComplete(const std::string& where) const {
  std::vector<std::string> missing;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (seen_[i] == 0) missing.push_back(inputs_[i].name);
  if (missing.empty()) return Done();
  return Invalid(fmt::format("{} lacks {} of the {} inputs (null is a missing value): {}",
                             where == "row" ? fmt::format("row {}", rows_) : where, missing.size(), inputs_.size(),
                             JoinNames(missing)));
}

Outcome Reader::ReadCell(JsonValue value, int64_t row, size_t column) {
  Cell& cell = cells_[static_cast<size_t>(row) * inputs_.size() + column];
  JsonType type;
  MG_RETURN_IF_REFUSED(document_.Type(value, &type));
  JsonScalar scalar;
  if (type != JsonType::array) {
    MG_RETURN_IF_REFUSED(document_.Scalar(value, inputs_[column].name, &scalar));
    return ToCell(scalar, row, column, &cell);
  }
  JsonArray array;
  MG_RETURN_IF_REFUSED(document_.Array(value, inputs_[column].name, &array));
  std::vector<Cell> values;
  MG_RETURN_IF_REFUSED(document_.Elements(array, [&](JsonValue element) {
    MG_RETURN_IF_REFUSED(document_.Scalar(element, inputs_[column].name, &scalar));
    return ToCell(scalar, row, column, &values.emplace_back());
  }));
  if (!values.empty()) cell = JoinValues(values, &job_);
  return Done();
}

Outcome Reader::ToCell(const JsonScalar& scalar, int64_t row, size_t column, Cell* cell) const {
  std::string problem;
  if (UntypedCell(scalar, inputs_[column].number, cell, &problem)) return Done();
  return Invalid(fmt::format("input \"{}\", row {}: {}", inputs_[column].name, row, problem));
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
  return Reader(max_rows, workspace, job, reply).Read(body);
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
