// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/memory_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/data/arrow_layout.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

constexpr std::string_view kPrefix = "memory:";

// The tables of this process. Never destroyed: tables may outlive the end of main.
struct Registry {
  std::mutex mutex;  // guards all
  std::map<std::string, std::weak_ptr<const MemoryTable>> tables;
  uint64_t number = 0;
};

Registry& TheRegistry() {
  static Registry& registry = *new Registry;
  return registry;
}

// A name that no list of paths, glob, or ${VARIABLE} is made of.
std::string CleanName(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const bool plain = static_cast<unsigned char>(c) >= ' ' && c != '\x7f' &&
                       std::string_view(",*?[]{}$~/\\\"'").find(c) == std::string_view::npos;
    clean += plain ? c : '_';
  }
  if (!IsUtf8(clean))
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return (c & 0x80) != 0; }, '_');
  clean = Trim(clean);
  return clean.empty() ? "table" : clean;
}

// What get_schema or get_next say with an error.
Status StreamError(ArrowArrayStream* stream, int error) {
  return InvalidInput(fmt::format("the rows cannot be handed over: {}", StreamErrorReason(stream, error)));
}

}  // namespace

bool IsMemoryPath(std::string_view path) { return path.starts_with(kPrefix); }

// What one Add took.
struct MemoryTable::Stream {
  ArrowOwner<ArrowSchema> schema;
  std::vector<std::unique_ptr<ArrowOwner<ArrowArray>>> batches;  // none is empty
  std::vector<int64_t> ends;                                     // [batches] rows up to the end of each

  int64_t rows() const { return ends.empty() ? 0 : ends.back(); }
  Status Take(ArrowArrayStream* stream);
  Status CheckColumns(const ArrowArray& batch, const std::vector<ArrowType>& types) const;
};

Status MemoryTable::Stream::Take(ArrowArrayStream* stream) {
  if (const int error = stream->get_schema(stream, schema.get()); error != 0) return StreamError(stream, error);
  const std::string_view format = schema->format == nullptr ? "" : schema->format;
  if (format != "+s") {
    return InvalidInput(
        fmt::format("found a stream of {}, expected one of rows (Arrow type struct), a column in each child",
                    ParseArrowType(*schema).name));
  }
  std::vector<ArrowType> types;
  for (int64_t i = 0; i < schema->n_children; ++i) types.push_back(ParseArrowType(*schema->children[i]));
  for (;;) {
    auto batch = std::make_unique<ArrowOwner<ArrowArray>>();
    if (const int error = stream->get_next(stream, batch->get()); error != 0) return StreamError(stream, error);
    if (batch->released()) return OkStatus();
    const ArrowArray& array = **batch;
    MG_RETURN_IF_ERROR(CheckBatch(schema->n_children, array));
    MG_RETURN_IF_ERROR(CheckColumns(array, types));
    if (array.length == 0) continue;
    ends.push_back(rows() + array.length);
    batches.push_back(std::move(batch));
  }
}

Status MemoryTable::Stream::CheckColumns(const ArrowArray& batch, const std::vector<ArrowType>& types) const {
  for (size_t i = 0; i < types.size(); ++i) {
    // What cannot be read does no harm as long as nobody asks for it.
    if (types[i].kind == ArrowKind::kOther) continue;
    if (!IsSound(types[i], *batch.children[i], batch.offset + batch.length))
      return InvalidInput(fmt::format("column \"{}\": a batch of rows is damaged", ArrowColumnNames(*schema)[i]));
  }
  return OkStatus();
}

MemoryTable::MemoryTable(std::string path) : path_(std::move(path)) { schema_.format = "+s"; }

MemoryTable::~MemoryTable() {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.tables.erase(path_);
}

std::shared_ptr<MemoryTable> MemoryTable::Make(std::string_view name) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const std::string path = fmt::format("{}{}/{}", kPrefix, ++registry.number, CleanName(name));
  const std::shared_ptr<MemoryTable> table(new MemoryTable(path));
  registry.tables[path] = table;
  return table;
}

StatusOr<std::shared_ptr<const MemoryTable>> MemoryTable::Find(const std::string& path) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.tables.find(path);
  if (found != registry.tables.end())
    if (std::shared_ptr<const MemoryTable> table = found->second.lock(); table != nullptr) return table;
  return InvalidInput(fmt::format(
      "{}: the rows are not there any more: they were in the memory of another program, such as Python, which "
      "has ended or let go of them; give the rows again: --data FILE",
      path));
}

int64_t MemoryTable::rows() const { return streams_.empty() ? 0 : streams_[0]->rows(); }

Status MemoryTable::Add(ArrowArrayStream* stream) {
  auto taken = std::make_unique<Stream>();
  MG_RETURN_IF_ERROR(taken->Take(stream));
  const std::vector<std::string> added = ArrowColumnNames(*taken->schema);
  if (added.empty()) return InvalidInput("found rows without columns, expected at least one column");
  if (!streams_.empty() && taken->rows() != rows()) {
    return InvalidInput(
        fmt::format("column \"{}\" has {} rows, but the columns before it have {}; all columns of a table "
                    "have as many",
                    added[0], taken->rows(), rows()));
  }
  const std::vector<std::string> known = ArrowColumnNames(schema_);
  std::set<std::string> names(known.begin(), known.end());
  for (const std::string& name : added)
    if (!names.insert(name).second)
      return InvalidInput(fmt::format("column \"{}\" is there twice; give each column a name of its own", name));
  columns_.insert(columns_.end(), taken->schema->children, taken->schema->children + taken->schema->n_children);
  schema_.children = columns_.data();
  schema_.n_children = static_cast<int64_t>(columns_.size());
  streams_.push_back(std::move(taken));
  return OkStatus();
}

const ArrowSchema& MemoryTable::schema() const { return schema_; }

std::vector<MemoryTable::Piece> MemoryTable::Pieces(int64_t most_rows) const {
  std::vector<Piece> pieces;
  std::vector<size_t> at(streams_.size(), 0);  // batch of each stream
  for (int64_t first = 0; first < rows();) {
    int64_t end = std::min(first + std::max<int64_t>(most_rows, 1), rows());
    for (size_t s = 0; s < streams_.size(); ++s) {
      while (streams_[s]->ends[at[s]] <= first) ++at[s];
      end = std::min(end, streams_[s]->ends[at[s]]);
    }
    Piece& piece = pieces.emplace_back();
    piece.first_row = first;
    for (size_t s = 0; s < streams_.size(); ++s) {
      const ArrowArray& batch = **streams_[s]->batches[at[s]];
      const int64_t in_batch = first - (streams_[s]->ends[at[s]] - batch.length);
      for (int64_t i = 0; i < batch.n_children; ++i) {
        ArrowArray& column = piece.columns.emplace_back(*batch.children[i]);
        column.offset += batch.offset + in_batch;
        column.length = end - first;
        column.null_count = -1;
        column.release = nullptr;
      }
    }
    for (ArrowArray& column : piece.columns) piece.column_pointers.push_back(&column);
    piece.array.length = end - first;
    piece.array.n_children = static_cast<int64_t>(piece.columns.size());
    piece.array.children = piece.column_pointers.data();
    first = end;
  }
  return pieces;
}

}  // namespace manygate
