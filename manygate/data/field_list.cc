// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/field_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "manygate/data/column_names.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/field_list_rows.h"
#include "manygate/data/ordered_pipeline.h"
#include "manygate/data/problem_list.h"
#include "manygate/data/row_writer.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

struct Piece : ParsedRows {
  TextBlock block;
  uint64_t lines = 0;  // physical lines
  // Empty lines are an error only if a row follows, perhaps in a later block.
  bool has_row = false;
  uint64_t trailing_empty_line = 0;  // the first of the empty lines at the end, from 1; 0: there is none
};

// Parses the rows of one block; one per thread.
class LineParser {
 public:
  // names: of the leading values.
  LineParser(std::span<const ColumnRequest> requests, const SourceOptions& options, std::span<const std::string> names)
      : names_(names),
        rows_(options),
        index_(requests),
        writer_(requests, options.missing_values),
        is_leading_(requests.size(), false),
        seen_(requests.size()) {
    for (const std::string& name : names) {
      const std::string padded = name + std::string(kTextPadding, ' ');
      const int column = index_.Find({padded.data(), name.size()});
      leading_.push_back(column);
      if (column < 0) continue;
      is_leading_[static_cast<size_t>(column)] = true;
      seen_.AddColumn(static_cast<size_t>(column));
    }
  }

  void Parse(Piece* piece) {
    writer_.Start(piece);
    piece->has_row = false;
    piece->trailing_empty_line = 0;
    piece->lines = 0;
    if (piece->block.row_too_long) {
      writer_.AddRowProblem(0, 0, "the row is over 64 MiB");
    } else {
      ParseRows(piece);
    }
    writer_.Finish();
    if (rows_.has_nul()) ReportNul(piece);
  }

  const ColumnsSeen& seen() const { return seen_; }

 private:
  void ParseRows(Piece* piece) {
    uint64_t empty_line = 0;
    rows_.Start(piece->block);
    while (rows_.Next()) {
      if (rows_.is_empty_line()) {
        if (empty_line == 0) empty_line = rows_.line() + 1;
        continue;
      }
      if (empty_line != 0) writer_.AddRowProblem(empty_line - 1, 0, kEmptyLineProblem);
      empty_line = 0;
      piece->has_row = true;
      const ItemProblem problem = ParseRow();
      if (problem.text.empty()) {
        writer_.EndRow(rows_.line());
        seen_.AddRow();
      } else {
        writer_.DropRow();
        writer_.AddRowProblem(rows_.line(), problem.position, problem.text);
      }
    }
    piece->trailing_empty_line = empty_line;
    piece->lines = rows_.lines();
  }

  ItemProblem ParseRow() {
    ItemProblem problem = rows_.CheckLeading(names_);
    if (!problem.text.empty()) return problem;
    for (size_t i = 0; i < leading_.size(); ++i) {
      const FieldItem& item = rows_.items()[i];
      if (leading_[i] >= 0) writer_.AddText(static_cast<size_t>(leading_[i]), item.text(), item.position);
    }
    return rows_.ForEachField(leading_.size(), [&](const FieldItem& item) -> ItemProblem {
      const int found = index_.Find(item.field());
      if (found < 0) return {};
      const auto column = static_cast<size_t>(found);
      if (is_leading_[column]) return FieldListRows::NameOfLeading(item);
      seen_.AddColumn(column);
      if (!item.id().empty()) writer_.AddText(column, item.id(), item.position);
      return {};
    });
  }

  void ReportNul(Piece* piece) {
    const TextBuffer& text = piece->block.text;
    const void* nul = memchr(text.data(), '\0', text.size());
    if (nul == nullptr) return;
    const auto line = std::count(text.data(), static_cast<const char*>(nul), '\n');
    // Nothing else that was found in such a file is of use.
    piece->problems = {{static_cast<uint64_t>(line), 0, -1, "found a NUL byte, expected text"}};
  }

  const std::span<const std::string> names_;
  FieldListRows rows_;
  const NameIndex index_;
  RowWriter writer_;
  std::vector<int> leading_;      // [leading values] the request, or -1
  std::vector<bool> is_leading_;  // [requests]
  ColumnsSeen seen_;
};

// Takes the blocks of one file in order, counts its lines and gathers its problems.
class BlockConsumer {
 public:
  BlockConsumer(const CsvFile& file, std::span<const ColumnRequest> requests,
                const std::function<void(RowBlock&)>& consume)
      : file_(file), requests_(requests), consume_(consume), problems_(file.path()) {}

  // False: enough problems.
  bool Take(Piece& piece) {
    std::span<const RowProblem> problems = piece.problems;
    if (empty_line_ != 0 && piece.has_row) {
      problems_.Add(fmt::format("{}:{}", file_.path(), empty_line_), kEmptyLineProblem);
      empty_line_ = 0;
      // The block's own first empty lines go on from there.
      if (!problems.empty() && problems[0].place == 0 && problems[0].text == kEmptyLineProblem)
        problems = problems.subspan(1);
    }
    for (const RowProblem& problem : problems) problems_.Add(Place(problem), problem.text);
    if (piece.trailing_empty_line != 0 && empty_line_ == 0) empty_line_ = lines_before_ + piece.trailing_empty_line - 1;
    lines_before_ += piece.lines;
    if (problems_.empty()) consume_(piece);
    return !problems_.full();
  }

  Status Result(const Status& read_status) const { return problems_.Result(read_status); }

 private:
  std::string Place(const RowProblem& problem) const {
    std::string place = fmt::format("{}:{}", file_.path(), lines_before_ + problem.place);
    if (problem.position > 0) place += fmt::format(":{}", problem.position);
    if (problem.column >= 0) place += fmt::format(" ({})", requests_[static_cast<size_t>(problem.column)].name);
    return place;
  }

  const CsvFile& file_;
  const std::span<const ColumnRequest> requests_;
  const std::function<void(RowBlock&)>& consume_;
  ProblemList problems_;
  uint64_t lines_before_ = file_.first_line();
  uint64_t empty_line_ = 0;  // physical line; 0: none is pending
};

class FieldListReader : public Reader {
 public:
  FieldListReader(std::span<const std::string> files, const SourceOptions& options, size_t block_bytes)
      : files_(files.begin(), files.end()),
        options_(options),
        file_options_(FieldListRows::FileOptions(options)),
        block_bytes_(block_bytes) {}

  StatusOr<Columns> ReadColumns(bool all) override {
    Columns columns{.names = {}, .open = true};
    MG_ASSIGN_OR_RETURN(columns.names, LeadingNames());
    NameCollector fields;
    MG_RETURN_IF_ERROR(
        ForEachPath(files_, [&](const std::string& path) { return CollectFields(path, columns.names, all, &fields); }));
    for (std::string& name : fields.Sorted()) columns.names.push_back(std::move(name));
    return columns;
  }

  Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) override {
    MG_ASSIGN_OR_RETURN(const std::vector<std::string> names, LeadingNames());
    std::vector<LineParser> parsers(static_cast<size_t>(pool.size()), LineParser(requests, options_, names));
    MG_RETURN_IF_ERROR(ForEachPath(files_, [&](const std::string& path) -> Status {
      MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(path, file_options_, block_bytes_));
      BlockConsumer consumer(*file, requests, consume);
      OrderedPipeline<Piece> pipeline(
          [&](Piece* piece) { return file->Next(&piece->block); },
          [&](Piece* piece, int thread) { parsers[static_cast<size_t>(thread)].Parse(piece); },
          [&](Piece& piece) { return consumer.Take(piece); });
      return consumer.Result(pipeline.Run(pool));
    }));
    ColumnsSeen seen(requests.size());
    for (const LineParser& parser : parsers) seen.Add(parser.seen());
    return seen.Check(requests, files_, "row", *this);
  }

 private:
  // Of the leading values.
  StatusOr<std::vector<std::string>> LeadingNames() const {
    if (options_.with_header) {
      return InvalidInput(
          "data_config.with_header: lists of fields have no line of names; name the values before the fields in "
          "data_config.input_fields");
    }
    if (!options_.names.empty()) return options_.names;
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(files_[0], file_options_, block_bytes_));
    TextBlock block;
    FieldListRows rows(options_);
    std::vector<std::string> names;
    for (bool found = false; !found;) {
      MG_ASSIGN_OR_RETURN(const bool more, file->Next(&block));
      if (!more) break;
      rows.Start(block);
      while (!found && rows.Next()) found = !rows.is_empty_line();
    }
    for (size_t i = 0; i < rows.NumLeading(); ++i) names.push_back(fmt::format("column_{}", i));
    return names;
  }

  Status CollectFields(const std::string& path, std::span<const std::string> names, bool all,
                       NameCollector* fields) const {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(path, file_options_, block_bytes_));
    ProblemList problems(path);
    FieldListRows rows(options_);
    TextBlock block;
    uint64_t lines_before = file->first_line();
    for (bool first = true; (first || all) && !problems.full(); first = false) {
      const StatusOr<bool> more = file->Next(&block);
      if (!more.ok()) return problems.Result(more.status());
      if (!*more || block.row_too_long) break;  // reading the rows says what is wrong with a long one
      rows.Start(block);
      while (rows.Next()) {
        const ItemProblem problem = rows.is_empty_line() ? ItemProblem() : CollectFields(rows, names, fields);
        if (problem.text.empty()) continue;
        const std::string item = problem.position > 0 ? fmt::format(":{}", problem.position) : "";
        problems.Add(fmt::format("{}:{}{}", path, lines_before + rows.line(), item), problem.text);
      }
      lines_before += rows.lines();
    }
    return problems.Result(OkStatus());
  }

  static ItemProblem CollectFields(const FieldListRows& rows, std::span<const std::string> names,
                                   NameCollector* fields) {
    const ItemProblem problem = rows.CheckLeading(names);
    if (!problem.text.empty()) return problem;
    return rows.ForEachField(names.size(), [&](const FieldItem& item) -> ItemProblem {
      if (!fields->Add(item.field())) return {};
      if (!IsUtf8(item.field())) return {item.position, "the field's name is not UTF-8 text"};
      const bool is_leading = std::find(names.begin(), names.end(), item.field()) != names.end();
      return is_leading ? FieldListRows::NameOfLeading(item) : ItemProblem();
    });
  }

  const std::vector<std::string> files_;
  const SourceOptions options_;
  const SourceOptions file_options_;
  const size_t block_bytes_;
};

}  // namespace

std::unique_ptr<Reader> MakeFieldListReader(std::span<const std::string> files, const SourceOptions& options,
                                            size_t block_bytes) {
  return std::make_unique<FieldListReader>(files, options, block_bytes);
}

}  // namespace manygate
