// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/data/csv_file.h"
#include "manygate/data/date_text.h"
#include "manygate/data/field_list_guess.h"
#include "manygate/data/field_list_rows.h"
#include "manygate/data/format.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/number_text.h"
#include "manygate/data/reader.h"
#include "manygate/data/value_lists.h"

namespace manygate {
namespace {

constexpr size_t kExamples = 5;
constexpr size_t kDialectBytes = 64 << 10;
constexpr size_t kDialectRows = 200;

// Gathers what the values of one column have in common.
class ColumnSummary {
 public:
  explicit ColumnSummary(std::span<const std::string> missing_values) : missing_(missing_values), known_({}) {}

  void Add(const RowBlock::Column& part, int64_t rows) {
    is_missing_.assign(part.dictionary.size(), 0);
    is_missing_[0] = 1;
    for (uint32_t local = 1; local < part.dictionary.size(); ++local) {
      const std::string_view text = part.dictionary.text(local);
      if (std::find(missing_.begin(), missing_.end(), text) != missing_.end()) {
        is_missing_[local] = 1;
      } else {
        AddText(text, part.dictionary.hash(local));
      }
    }
    for (int64_t row = 0; row < rows; ++row) column_.missing += is_missing_[part.codes[static_cast<size_t>(row)]];
  }

  InferredColumn Finish(const std::string& name, int64_t rows) {
    column_.name = name;
    column_.distinct = static_cast<int64_t>(known_.texts().size()) - 1;
    if (column_.missing == rows) {
      column_.kind = InferredKind::kEmpty;
    } else if (!all_numbers_) {
      column_.kind = InferredKind::kText;
    } else {
      column_.kind = all_whole_ ? InferredKind::kInteger : InferredKind::kNumber;
    }
    if (!all_numbers_ || column_.kind == InferredKind::kEmpty) column_.minimum = column_.maximum = 0;
    if (AreDates()) column_.kind = InferredKind::kDate;
    if (column_.kind == InferredKind::kText) {
      ValueLists lists = FindValueLists({known_.texts().begin() + 1, known_.texts().end()});
      column_.separator = std::move(lists.separator);
      column_.values = lists.values;
    }
    Suggest(rows);
    return std::move(column_);
  }

 private:
  // A text that is new to its block; it may be known from an earlier one.
  void AddText(std::string_view text, uint64_t hash) {
    if (static_cast<int64_t>(known_.texts().size()) <= kDistinctCap) {
      const size_t before = known_.texts().size();
      known_.Find(text, hash);
      if (known_.texts().size() == before) return;
      if (column_.examples.size() < kExamples) column_.examples.emplace_back(text);
    } else {
      // Whether it is new cannot be told any more, only that there are at least as many.
      column_.distinct_capped = true;
    }
    if (!all_numbers_) return;
    double value;
    float narrow;
    // Numbers are read as floats later: a value beyond them makes the column a text.
    if (ParseDouble(text, &value) != NumberParse::kOk || ParseFloat(text, &narrow) != NumberParse::kOk) {
      all_numbers_ = false;
      return;
    }
    all_whole_ = all_whole_ && value == std::floor(value);
    column_.minimum = has_range_ ? std::min(column_.minimum, value) : value;
    column_.maximum = has_range_ ? std::max(column_.maximum, value) : value;
    has_range_ = true;
  }

  bool AreDates() const;
  void Suggest(int64_t rows);

  std::span<const std::string> missing_;
  MergedDictionary known_;
  std::vector<uint8_t> is_missing_;  // by code of the present block
  bool all_numbers_ = true;
  bool all_whole_ = true;
  bool has_range_ = false;
  InferredColumn column_;
};

// Words of a name: "det_ind_code" -> det, ind, code; "userID" -> user, id.
std::vector<std::string> NameWords(std::string_view name) {
  std::vector<std::string> words(1);
  char before = '\0';
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool after_lower = before >= 'a' && before <= 'z';
    const bool letter = upper || (c >= 'a' && c <= 'z');
    if ((!letter || (upper && after_lower)) && !words.back().empty()) words.emplace_back();
    if (letter) words.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
    before = c;
  }
  return words;
}

// Whether the name says that its values are dates or times.
bool NamesADate(std::string_view name) {
  static constexpr std::array kDateWords = {"date", "day", "dt", "time", "timestamp", "ts", "datetime", "unixtime"};
  for (const std::string& word : NameWords(name))
    if (std::find(kDateWords.begin(), kDateWords.end(), word) != kDateWords.end()) return true;
  return false;
}

// The word of the name that says that its numbers are names of things, or "".
std::string IdWord(std::string_view name) {
  static constexpr std::array kIdWords = {"id",       "ids",         "code",  "zip",   "segid", "pid",
                                          "uid",      "sku",         "iid",   "cat",   "cate",  "type",
                                          "category", "categorical", "class", "brand", "hash",  "key"};
  for (const std::string& word : NameWords(name)) {
    if (std::find(kIdWords.begin(), kIdWords.end(), word) != kIdWords.end()) return word;
  }
  return "";
}

bool ColumnSummary::AreDates() const {
  if (column_.kind == InferredKind::kEmpty) return false;
  const std::span<const std::string> texts(known_.texts().begin() + 1, known_.texts().end());
  if (column_.kind == InferredKind::kText) {
    if (std::all_of(texts.begin(), texts.end(), IsDateText)) return true;
    return NamesADate(column_.name) && std::all_of(texts.begin(), texts.end(), IsLocalDateText);
  }
  if (!NamesADate(column_.name)) return false;
  const auto every_number = [&](bool (*is_date)(double)) {
    return is_date(column_.minimum) && is_date(column_.maximum);
  };
  if (every_number(IsUnixSeconds) || every_number(IsUnixMilliseconds)) return true;
  return column_.kind == InferredKind::kInteger && std::all_of(texts.begin(), texts.end(), [](const std::string& text) {
           double day = 0;
           return ParseDouble(text, &day) == NumberParse::kOk && IsDayNumber(day);
         });
}

void ColumnSummary::Suggest(int64_t rows) {
  const auto set = [this](FeatureSuggestion suggestion, std::string reason) {
    column_.suggestion = suggestion;
    column_.reason = std::move(reason);
  };
  if (column_.kind == InferredKind::kEmpty) return set(FeatureSuggestion::kSkip, "no values");
  if (column_.distinct == 1 && column_.missing == 0)
    return set(FeatureSuggestion::kSkip, "the same value in every row");
  const bool all_different = rows >= 20 && column_.missing == 0 && column_.distinct == rows;
  const std::string word = IdWord(column_.name);
  switch (column_.kind) {
    case InferredKind::kDate:
      return set(FeatureSuggestion::kSkip,
                 fmt::format("dates, like \"{}\": days to come are unknown to a model. Derive columns that come again "
                             "(weekday, hour, days since), and evaluate on later rows than those trained on",
                             column_.examples[0]));
    case InferredKind::kText:
      if (!column_.separator.empty()) {
        const std::string separator =
            column_.separator == "\x1d" ? "" : fmt::format(" between \"{}\"", column_.separator);
        return set(FeatureSuggestion::kId,
                   fmt::format("texts of several values{}, {} different ones", separator, FormatCount(column_.values)));
      }
      if (all_different) return set(FeatureSuggestion::kSkip, "a different text in every row");
      return set(FeatureSuggestion::kId, "text");
    case InferredKind::kInteger:
      if (!word.empty() && all_different) {
        return set(FeatureSuggestion::kSkip, fmt::format("a different number in every row; the name says {}", word));
      }
      if (!word.empty()) return set(FeatureSuggestion::kId, fmt::format("whole numbers; the name says {}", word));
      return set(FeatureSuggestion::kNumber, "whole numbers");
    default: return set(FeatureSuggestion::kNumber, "numbers");
  }
}

// The first rows of a text, cut with one delimiter.
struct Cut {
  char delimiter = ',';
  std::vector<std::vector<std::string>> rows;
  size_t width = 0;     // the most frequent number of values in a row
  size_t agreeing = 0;  // rows of that width
};

Cut CutRows(const TextBuffer& text, bool at_end, const SourceOptions& options, char delimiter) {
  SourceOptions with = options;
  with.delimiter = delimiter;
  RowSplitter splitter(with);
  splitter.Start(text.data(), text.size(), at_end);
  Cut cut{.delimiter = delimiter, .rows = {}, .width = 0, .agreeing = 0};
  std::map<size_t, size_t> widths;
  RowResult result;
  while (cut.rows.size() < kDialectRows &&
         ((result = splitter.Next()) == RowResult::kRow || result == RowResult::kTextAfterQuote)) {
    std::vector<std::string> row;
    for (int i = 0; i < splitter.num_fields(); ++i) row.emplace_back(splitter.field(i).view());
    if (row.size() == 1 && row[0].empty()) continue;
    ++widths[row.size()];
    cut.rows.push_back(std::move(row));
  }
  for (const auto& [width, count] : widths) {
    if (count > cut.agreeing) cut.width = width, cut.agreeing = count;
  }
  return cut;
}

// The beginning of a file, opened as if it had one nameless column: nothing is assumed about its rows.
StatusOr<TextBlock> ReadFirstBlock(const std::string& file, const SourceOptions& options) {
  SourceOptions open = options;
  open.with_header = false;
  open.names = {"column"};
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> opened, CsvFile::Open(file, open, kDialectBytes));
  TextBlock block;
  MG_ASSIGN_OR_RETURN(const bool has_text, opened->Next(&block));
  if (!has_text) return InvalidInput(fmt::format("{}: has no rows", file));
  return block;
}

// The values before the fields of the first row.
std::vector<std::string> LeadingValues(const TextBlock& block, const SourceOptions& options) {
  FieldListRows rows(options);
  rows.Start(block);
  while (rows.Next() && rows.is_empty_line()) continue;
  std::vector<std::string> values;
  for (const FieldItem& item : rows.items().first(rows.NumLeading())) values.emplace_back(item.text());
  return values;
}

// Also true for the usual ways to write a missing value: the options may not name them yet.
bool IsNumberOrMissing(const std::string& text, const SourceOptions& options) {
  static constexpr std::array<std::string_view, 7> kUsual = {"?", "-", "na", "n/a", "nan", "null", "none"};
  double value;
  return text.empty() || ParseDouble(text, &value) == NumberParse::kOk ||
         std::find(kUsual.begin(), kUsual.end(), ToLower(text)) != kUsual.end() ||
         std::find(options.missing_values.begin(), options.missing_values.end(), text) != options.missing_values.end();
}

// A first row names the columns when its values are different and not empty, and either a text stands above a column of
// numbers (beside it, names may be numbers too: "click,101,121"), or all are texts that the rows below never repeat.
bool HasHeader(const std::vector<std::vector<std::string>>& rows, const SourceOptions& options) {
  const std::vector<std::string>& first = rows[0];
  const std::set<std::string> different(first.begin(), first.end());
  if (different.size() != first.size() || different.count("") > 0 || rows.size() < 2) return false;
  bool only_new_texts = true;
  for (size_t column = 0; column < first.size(); ++column) {
    bool numbers = true, any = false;
    for (size_t row = 1; row < rows.size(); ++row) {
      if (column >= rows[row].size()) continue;
      const std::string& value = rows[row][column];
      numbers = numbers && IsNumberOrMissing(value, options);
      any |= !value.empty();
      only_new_texts = only_new_texts && value != first[column];
    }
    const bool text_above = !IsNumberOrMissing(first[column], options);
    if (text_above && numbers && any) return true;
    only_new_texts = only_new_texts && text_above;
  }
  return only_new_texts;
}

}  // namespace

const char* InferredKindName(InferredKind kind) {
  switch (kind) {
    case InferredKind::kEmpty: return "empty";
    case InferredKind::kInteger: return "integer";
    case InferredKind::kNumber: return "number";
    case InferredKind::kDate: return "date";
    case InferredKind::kText: return "text";
  }
  return "";
}

const char* FeatureSuggestionName(FeatureSuggestion suggestion) {
  switch (suggestion) {
    case FeatureSuggestion::kNumber: return "number";
    case FeatureSuggestion::kId: return "id";
    case FeatureSuggestion::kSkip: return "skip";
  }
  return "";
}

StatusOr<InferredSchema> InferColumns(std::span<const std::string> files, const SourceOptions& options,
                                      ThreadPool& pool) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<Reader> reader, MakeReader(files, options));
  MG_ASSIGN_OR_RETURN(const Columns columns, reader->ReadColumns(true));
  std::vector<ColumnRequest> requests;
  std::vector<ColumnSummary> summaries;
  for (const std::string& name : columns.names) {
    requests.push_back({name, ColumnKind::kCategory});
    summaries.emplace_back(options.missing_values);
  }
  InferredSchema schema;
  MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, [&](RowBlock& block) {
    for (size_t i = 0; i < summaries.size(); ++i) summaries[i].Add(block.columns[i], block.rows);
    schema.rows += block.rows;
  }));
  if (schema.rows == 0) return InvalidInput(fmt::format("{}: has no rows", files[0]));
  for (size_t i = 0; i < summaries.size(); ++i)
    schema.columns.push_back(summaries[i].Finish(columns.names[i], schema.rows));
  return schema;
}

StatusOr<SourceOptions> DetectDialect(const std::string& file, const SourceOptions& options) {
  MG_ASSIGN_OR_RETURN(const config::DatasetType format, DetectFormat(file));
  if (format != config::CsvDataset) {
    SourceOptions typed = options;
    typed.dataset_type = format;
    if (format == config::FieldListDataset) typed.delimiter = GuessFieldList(UnpackedHead(file))->delimiter;
    return typed;
  }
  if (IsMemoryPath(file)) {
    SourceOptions named = options;
    named.dataset_type = format;
    named.delimiter = ',';
    named.with_header = true;
    named.names.clear();
    return named;
  }
  MG_ASSIGN_OR_RETURN(const TextBlock block, ReadFirstBlock(file, options));
  Cut best;
  double best_score = -1;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    Cut cut = CutRows(block.text, block.at_end, options, delimiter);
    if (cut.rows.empty()) continue;
    // Rows that agree count most; among equals the delimiter that gives more values.
    const double share = static_cast<double>(cut.agreeing) / static_cast<double>(cut.rows.size());
    const double score = cut.width < 2 ? 0 : share + 1e-3 * std::log2(static_cast<double>(cut.width));
    if (score > best_score) best_score = score, best = std::move(cut);
  }
  if (best.rows.empty()) return InvalidInput(fmt::format("{}: has no rows", file));
  SourceOptions detected = options;
  detected.delimiter = best.delimiter;
  // A title above the table: one value where all other rows have more.
  const bool title =
      best.width > 1 && best.rows.size() > 2 && best.rows[0].size() == 1 && best.rows[1].size() == best.width;
  if (title) {
    best.rows.erase(best.rows.begin());
    detected.skip_lines = options.skip_lines + 1;
  }
  detected.with_header = HasHeader(best.rows, options);
  if (detected.with_header) detected.names.clear();
  return detected;
}

StatusOr<std::vector<std::string>> FirstLine(const std::string& file, const SourceOptions& options) {
  if (IsMemoryPath(file)) {
    MG_ASSIGN_OR_RETURN(Columns columns, ReadColumns({&file, 1}, options, false));
    return std::move(columns.names);
  }
  MG_ASSIGN_OR_RETURN(const TextBlock block, ReadFirstBlock(file, options));
  if (options.dataset_type == config::FieldListDataset) return LeadingValues(block, options);
  Cut cut = CutRows(block.text, block.at_end, options, options.delimiter);
  if (cut.rows.empty()) return InvalidInput(fmt::format("{}: has no rows", file));
  return std::move(cut.rows[0]);
}

}  // namespace manygate
