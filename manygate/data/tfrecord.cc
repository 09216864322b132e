// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/tfrecord.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "manygate/data/column_names.h"
#include "manygate/data/ordered_pipeline.h"
#include "manygate/data/problem_list.h"
#include "manygate/data/row_writer.h"
#include "manygate/data/tf_example.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

constexpr char kDamaged[] = "the checksum of its content is wrong: the file is damaged";

std::string NotAnExample(const char* why) { return fmt::format("is not a tf.Example: {}", why); }

struct Piece : ParsedRows {
  RecordBlock block;
};

// Parses the records of one block; one per thread.
class RecordParser {
 public:
  RecordParser(std::span<const ColumnRequest> requests, const SourceOptions& options)
      : index_(requests), writer_(requests, options.missing_values), seen_(requests.size()) {}

  void Parse(Piece* piece) {
    writer_.Start(piece);
    for (size_t i = 0; i < piece->block.records.size(); ++i) {
      const std::string problem = ParseRecord(piece->block, piece->block.records[i]);
      if (problem.empty()) {
        writer_.EndRow(i);
        seen_.AddRow();
      } else {
        writer_.DropRow();
        writer_.AddRowProblem(i, 0, problem);
      }
    }
    writer_.Finish();
  }

  const ColumnsSeen& seen() const { return seen_; }

 private:
  // The values of the record go to writer_; what is wrong with it, or "".
  std::string ParseRecord(const RecordBlock& block, const RecordBlock::Record& record) {
    if (!block.HasValidContent(record)) return kDamaged;
    if (const char* why = ReadExample(block.Content(record), &entries_)) return NotAnExample(why);
    for (const FeatureEntry& entry : entries_) {
      const int column = index_.Find(entry.name);
      if (column < 0) continue;
      if (const char* why = ReadFeature(entry.feature, &values_)) return NotAnExample(why);
      seen_.AddColumn(static_cast<size_t>(column));
      AddValues(static_cast<size_t>(column));
    }
    return "";
  }

  void AddValues(size_t column) {
    writer_.ClearCell(column);  // of a name that is there twice the last one counts
    for (const std::string_view text : values_.texts) writer_.AddText(column, text);
    for (const float value : values_.floats) writer_.AddFloat(column, value);
    for (const int64_t value : values_.integers) writer_.AddInteger(column, value);
  }

  const NameIndex index_;
  RowWriter writer_;
  ColumnsSeen seen_;
  std::vector<FeatureEntry> entries_;
  FeatureValues values_;
};

class TfRecordReader : public Reader {
 public:
  TfRecordReader(std::span<const std::string> files, const SourceOptions& options, size_t block_bytes)
      : files_(files.begin(), files.end()), options_(options), block_bytes_(block_bytes) {}

  StatusOr<Columns> ReadColumns(bool all) override {
    NameCollector names;
    MG_RETURN_IF_ERROR(ForEachPath(files_, [&](const std::string& path) { return CollectNames(path, all, &names); }));
    return Columns{.names = names.Sorted(), .open = true};
  }

  Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) override {
    std::vector<RecordParser> parsers(static_cast<size_t>(pool.size()), RecordParser(requests, options_));
    MG_RETURN_IF_ERROR(
        ForEachPath(files_, [&](const std::string& path) { return ReadFile(path, requests, parsers, pool, consume); }));
    ColumnsSeen seen(requests.size());
    for (const RecordParser& parser : parsers) seen.Add(parser.seen());
    return seen.Check(requests, files_, "record", *this);
  }

 private:
  Status ReadFile(const std::string& path, std::span<const ColumnRequest> requests, std::span<RecordParser> parsers,
                  ThreadPool& pool, const std::function<void(RowBlock&)>& consume) const {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<TfRecordFile> file, TfRecordFile::Open(path, block_bytes_));
    ProblemList problems(path);
    OrderedPipeline<Piece> pipeline(
        [&](Piece* piece) { return file->Next(&piece->block); },
        [&](Piece* piece, int thread) { parsers[static_cast<size_t>(thread)].Parse(piece); },
        [&](Piece& piece) {
          for (const RowProblem& problem : piece.problems) {
            const std::string feature =
                problem.column < 0
                    ? ""
                    : fmt::format("feature \"{}\": ", requests[static_cast<size_t>(problem.column)].name);
            problems.Add(fmt::format("{}: record {}", path, piece.block.Name(static_cast<size_t>(problem.place))),
                         feature + problem.text);
          }
          if (problems.empty()) consume(piece);
          return !problems.full();
        });
    return problems.Result(pipeline.Run(pool));
  }

  Status CollectNames(const std::string& path, bool all, NameCollector* names) const {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<TfRecordFile> file, TfRecordFile::Open(path, block_bytes_));
    ProblemList problems(path);
    RecordBlock block;
    std::vector<FeatureEntry> entries;
    for (bool first = true; (first || all) && !problems.full(); first = false) {
      const StatusOr<bool> more = file->Next(&block);
      if (!more.ok()) return problems.Result(more.status());
      if (!*more) break;
      for (size_t i = 0; i < block.records.size(); ++i) {
        const std::string problem = CollectNames(block, block.records[i], &entries, names);
        if (!problem.empty()) problems.Add(fmt::format("{}: record {}", path, block.Name(i)), problem);
      }
    }
    return problems.Result(OkStatus());
  }

  static std::string CollectNames(const RecordBlock& block, const RecordBlock::Record& record,
                                  std::vector<FeatureEntry>* entries, NameCollector* names) {
    if (!block.HasValidContent(record)) return kDamaged;
    if (const char* why = ReadExample(block.Content(record), entries)) return NotAnExample(why);
    for (const FeatureEntry& entry : *entries) {
      if (entry.name.empty()) return "has a feature without a name; every column needs one";
      if (names->Add(entry.name) && !IsUtf8(entry.name)) return "has a feature whose name is not UTF-8 text";
    }
    return "";
  }

  const std::vector<std::string> files_;
  const SourceOptions options_;
  const size_t block_bytes_;
};

}  // namespace

std::unique_ptr<Reader> MakeTfRecordReader(std::span<const std::string> files, const SourceOptions& options,
                                           size_t block_bytes) {
  return std::make_unique<TfRecordReader>(files, options, block_bytes);
}

}  // namespace manygate
