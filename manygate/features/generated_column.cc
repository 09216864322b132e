// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/generated_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "manygate/base/check.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/message_fields.h"
#include "manygate/data/number_text.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

using google::protobuf::Message;

double Normalized(const config::Normalizer& normalizer, double x, GeneratorWorkspace* workspace) {
  switch (normalizer.kind) {
    case config::Normalizer::Kind::kLog10: return x > normalizer.first ? std::log10(x) : normalizer.second;
    case config::Normalizer::Kind::kZScore: return (x - normalizer.first) / normalizer.second;
    case config::Normalizer::Kind::kMinMax: return (x - normalizer.first) / (normalizer.second - normalizer.first);
    case config::Normalizer::Kind::kExpression: break;
  }
  std::vector<double>& result = workspace->normalized;
  const std::span<const double> variables[] = {{&x, 1}};
  normalizer.expression->Evaluate(variables, &workspace->expression, &result);
  return result.size() == 1 ? result[0] : std::numeric_limits<double>::quiet_NaN();
}

// "" where a sequence is shorter than the first.
std::string_view PartAt(const std::vector<std::string_view>& parts, size_t k) {
  return k < parts.size() ? parts[k] : std::string_view();
}

void SplitPositions(std::string_view text, char separator, std::vector<std::string_view>* parts) {
  parts->clear();
  ForEachPosition(text, separator, [&](std::string_view part) {
    parts->push_back(part);
    return true;
  });
}

}  // namespace

CellMaker::CellMaker(const config::Generator& config) : config_(config), generator_(NewGenerator(config.feature())) {
  const Message& feature = *config::ChosenFeature(config_.feature());
  if (const std::string text = config::FieldText(feature, "normalizer"); !text.empty()) {
    StatusOr<config::Normalizer> normalizer = config::ParseNormalizer(text);
    MG_CHECK(normalizer.ok(), "normalizer {} passed validation", text);
    normalizer_ = *std::move(normalizer);
  }
  if (generator_->MakesNumbers()) {
    float number = 0;
    const std::string text = config::FieldText(feature, "default_value");
    if (!text.empty() && ParseFloat(text, &number) == NumberParse::kOk) default_number_ = number;
  }
  if (config_.output() != config::Generator::BINS) return;
  const auto* field = config::FindField(feature, "boundaries");
  for (int i = 0; i < feature.GetReflection()->FieldSize(feature, field); ++i)
    boundaries_.push_back(feature.GetReflection()->GetRepeatedFloat(feature, field, i));
}

void CellMaker::Generate(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const {
  generator_->Generate(cells, workspace);
  if (generator_->MakesNumbers()) FinishNumbers(workspace);
}

// A number that is not finite is as good as none.
void CellMaker::FinishNumbers(GeneratorWorkspace* workspace) const {
  std::vector<double>& numbers = workspace->numbers;
  std::erase_if(numbers, [](double number) { return !std::isfinite(number); });
  if (numbers.empty() && default_number_.has_value()) numbers.push_back(*default_number_);
  if (!normalizer_.has_value()) return;
  for (double& number : numbers) number = Normalized(*normalizer_, number, workspace);
  std::erase_if(numbers, [](double number) { return !std::isfinite(number); });
}

void CellMaker::AppendNumbers(const std::vector<double>& numbers, char separator, std::string* text) const {
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) text->push_back(separator);
    if (config_.output() == config::Generator::BINS) {
      const auto bin = std::upper_bound(boundaries_.begin(), boundaries_.end(), static_cast<float>(numbers[i]));
      fmt::format_to(std::back_inserter(*text), "{}", bin - boundaries_.begin());
    } else {
      fmt::format_to(std::back_inserter(*text), "{}", static_cast<float>(numbers[i]));
    }
  }
}

std::span<const std::string_view> CellMaker::WithLiterals(std::span<const std::string_view> cells,
                                                          GeneratorWorkspace* workspace) const {
  std::vector<std::string_view>& inputs = workspace->cells;
  inputs.assign(cells.begin(), cells.end());
  for (int i = 0; i < config_.inputs_size(); ++i)
    if (config_.inputs(i).has_literal()) inputs[static_cast<size_t>(i)] = config_.inputs(i).literal();
  return inputs;
}

std::string_view CellMaker::MakeText(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const {
  const std::span<const std::string_view> inputs = WithLiterals(cells, workspace);
  if (config_.has_sequence_delim()) {
    MakeSequence(inputs, workspace);
    return workspace->made;
  }
  Generate(inputs, workspace);
  if (!generator_->MakesNumbers()) return workspace->text;
  workspace->made.clear();
  AppendNumbers(workspace->numbers, kValueSeparator, &workspace->made);
  return workspace->made;
}

float CellMaker::MakeNumber(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const {
  const std::span<const std::string_view> inputs = WithLiterals(cells, workspace);
  Generate(inputs, workspace);
  const float number =
      workspace->numbers.empty() ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(workspace->numbers[0]);
  return std::isfinite(number) ? number : std::numeric_limits<float>::quiet_NaN();
}

// One value per position; the first sequence says how many there are.
void CellMaker::MakeSequence(std::span<const std::string_view> cells, GeneratorWorkspace* workspace) const {
  const char delim = config_.sequence_delim()[0];
  std::vector<std::vector<std::string_view>>& parts = workspace->positions;
  parts.resize(cells.size());
  size_t positions = 0;
  for (int i = config_.inputs_size() - 1; i >= 0; --i) {
    if (!config_.inputs(i).sequence()) continue;
    SplitPositions(cells[static_cast<size_t>(i)], delim, &parts[static_cast<size_t>(i)]);
    positions = parts[static_cast<size_t>(i)].size();
  }
  if (config_.sequence_length() > 0) positions = std::min<size_t>(positions, config_.sequence_length());
  std::string& made = workspace->made;
  made.clear();
  std::vector<std::string_view>& inputs = workspace->position_cells;
  for (size_t k = 0; k < positions; ++k) {
    inputs.assign(cells.begin(), cells.end());
    for (int i = 0; i < config_.inputs_size(); ++i)
      if (config_.inputs(i).sequence()) inputs[static_cast<size_t>(i)] = PartAt(parts[static_cast<size_t>(i)], k);
    Generate(inputs, workspace);
    if (k > 0) made.push_back(kValueSeparator);
    if (generator_->MakesNumbers()) {
      AppendNumbers(workspace->numbers, ',', &made);
    } else {
      const std::string_view text = workspace->text;
      made.append(text.substr(0, text.find(kValueSeparator)));  // a position is one value
    }
  }
  // One empty position would read as none.
  if (positions == 1 && made.empty()) made.push_back(' ');
}

namespace {

// One cell of a column as text, whatever its kind.
class CellReader {
 public:
  explicit CellReader(const Column* column) : column_(column) {}
  std::string_view Read(int64_t row) {
    if (column_ == nullptr) return "";
    if (column_->kind == ColumnKind::kCategory) return column_->dictionary[column_->Code(row)];
    const float number = column_->numbers[row];
    number_ = std::isnan(number) ? "" : fmt::format("{}", number);
    return number_;
  }

 private:
  const Column* column_;
  std::string number_;
};

// Texts as codes, in order of first appearance.
class Dictionary {
 public:
  explicit Dictionary(std::vector<std::string>* texts) : texts_(texts) { texts_->push_back(""); }
  uint32_t CodeOf(std::string_view text) {
    if (text.empty()) return 0;
    const auto found = codes_.find(std::string(text));
    if (found != codes_.end()) return found->second;
    const auto code = static_cast<uint32_t>(texts_->size());
    texts_->emplace_back(text);
    codes_.emplace(text, code);
    return code;
  }

 private:
  std::vector<std::string>* texts_;
  std::unordered_map<std::string, uint32_t> codes_;
};

// Calls store(row, value) for each row, where value is what make(cells) gives: once per text where a single column is read.
template <typename Value, typename Make, typename Store>
void ForEachRow(const std::vector<const Column*>& inputs, int64_t rows, Make make, Store store) {
  std::vector<std::string_view> cells(inputs.size());
  if (inputs.size() == 1 && inputs[0] != nullptr && inputs[0]->kind == ColumnKind::kCategory) {
    std::vector<Value> values;
    for (const std::string& text : inputs[0]->dictionary) {
      cells[0] = text;
      values.push_back(make(cells));
    }
    for (int64_t row = 0; row < rows; ++row) store(row, values[inputs[0]->Code(row)]);
    return;
  }
  std::vector<CellReader> readers(inputs.begin(), inputs.end());
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < inputs.size(); ++i) cells[i] = readers[i].Read(row);
    store(row, make(cells));
  }
}

void AddColumn(const CellMaker& maker, const std::vector<const Column*>& inputs, Table* table) {
  Column column;
  column.name = maker.config().column();
  GeneratorWorkspace workspace;
  const auto rows = static_cast<size_t>(table->rows);
  if (maker.makes_number()) {
    auto numbers = std::make_shared<std::vector<float>>(rows);
    ForEachRow<float>(
        inputs, table->rows, [&](const auto& cells) { return maker.MakeNumber(cells, &workspace); },
        [&](int64_t row, float number) { (*numbers)[static_cast<size_t>(row)] = number; });
    column.kind = ColumnKind::kNumber;
    column.numbers = numbers->data();
    table->storage.push_back(std::move(numbers));
  } else {
    Dictionary dictionary(&column.dictionary);
    auto codes = std::make_shared<std::vector<uint32_t>>(rows);
    ForEachRow<uint32_t>(
        inputs, table->rows, [&](const auto& cells) { return dictionary.CodeOf(maker.MakeText(cells, &workspace)); },
        [&](int64_t row, uint32_t code) { (*codes)[static_cast<size_t>(row)] = code; });
    column.kind = ColumnKind::kCategory;
    column.code_bytes = sizeof(uint32_t);
    column.codes = codes->data();
    table->storage.push_back(std::move(codes));
  }
  table->columns.push_back(std::move(column));
}

}  // namespace

Status AddGeneratedColumns(const std::vector<config::Generator>& generators, Table* table) {
  for (const config::Generator& generator : generators) {
    if (table->Find(generator.column()) >= 0) {
      return InvalidInput(fmt::format("{}: the column \"{}\" has the name of one that is made for a feature: rename it",
                                      table->source, generator.column()));
    }
    std::vector<const Column*> inputs;
    for (const config::GeneratorInput& input : generator.inputs()) {
      const int index = input.has_literal() ? -1 : table->Find(input.column());
      MG_CHECK(input.has_literal() || index >= 0, "column \"{}\" is read for \"{}\"", input.column(),
               generator.column());
      inputs.push_back(index < 0 ? nullptr : &table->columns[static_cast<size_t>(index)]);
    }
    AddColumn(CellMaker(generator), inputs, table);
    table->Release(0, table->rows);
  }
  return OkStatus();
}

}  // namespace manygate::features
