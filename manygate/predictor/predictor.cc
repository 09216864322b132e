// SPDX-License-Identifier: Apache-2.0
#include "manygate/predictor/predictor.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/thread_pool.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/catalog/outputs.h"
#include "manygate/config/accessors.h"
#include "manygate/data/blanks.h"
#include "manygate/data/number_text.h"
#include "manygate/data/source_options.h"
#include "manygate/features/row_encoder.h"
#include "manygate/graph/executor.h"

namespace manygate {
namespace {

using features::Cell;

template <typename Items>
int FindByName(const Items& items, std::string_view name) {
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].name == name) return static_cast<int>(i);
  return -1;
}

// What one call works with; kept for the next.
struct Workspace {
  features::RowWorkspace row;
  std::vector<Cell> cells;
  std::string text;
  std::vector<int32_t> ids;                          // of Predict
  std::vector<float> numbers;                        // of Predict
  std::vector<std::unique_ptr<Executor>> executors;  // by member
  std::vector<std::vector<float>> member_values;     // by output: of one member of an ensemble, for one slice
};

}  // namespace

struct Predictor::State {
  explicit State(features::RowEncoder row_encoder);
  ~State();
  std::unique_ptr<Workspace> MakeWorkspace();
  // Trims texts and makes cells empty that count as missing.
  void Clean(std::span<Cell> cells, std::string* text) const;
  // fill(row, cells): writes the cells of a row.
  template <typename Fill>
  Status Encode(int64_t rows, const Fill& fill, Workspace* workspace, int32_t* ids, float* numbers) const;
  template <typename Fill>
  Status Predict(int64_t rows, const Fill& fill, std::span<float* const> values, Workspace* workspace) const;
  void Score(int64_t rows, const int32_t* ids, const float* numbers, std::span<float* const> values,
             Workspace* workspace) const;

  std::vector<std::unique_ptr<Model>> members;
  features::RowEncoder encoder;
  std::vector<ModelOutput> outputs;
  bool trim_blanks = true;
  std::vector<std::string> missing_values;
  bool has_numeric_missing = false;
  ThreadPool inline_pool{1};  // starts and locks nothing: each call works on its caller's thread

  std::mutex mutex;  // guards idle
  std::vector<std::unique_ptr<Workspace>> idle;
};

namespace {

// All mutexes of predictors, which a fork must find unlocked: the child has none of the threads that would unlock them.
class ForkSafety {
 public:
  static ForkSafety& Get() {
    static ForkSafety& safety = *new ForkSafety;  // never destroyed: forks may come behind the end of main
    return safety;
  }
  void Add(std::mutex* mutex) {
    const std::lock_guard lock(own_);
    mutexes_.insert(mutex);
  }
  void Remove(std::mutex* mutex) {
    const std::lock_guard lock(own_);
    mutexes_.erase(mutex);
  }

 private:
  ForkSafety() { pthread_atfork(LockAll, UnlockAll, UnlockAll); }
  static void LockAll() {
    Get().own_.lock();
    for (std::mutex* mutex : Get().mutexes_) mutex->lock();
  }
  static void UnlockAll() {
    for (std::mutex* mutex : Get().mutexes_) mutex->unlock();
    Get().own_.unlock();
  }

  std::mutex own_;  // guards mutexes_
  std::set<std::mutex*> mutexes_;
};

// A workspace that no other call has, put back at the end.
template <typename State>
class Lease {
 public:
  explicit Lease(State* state) : state_(state) {
    {
      const std::lock_guard lock(state->mutex);
      if (!state->idle.empty()) {
        workspace_ = std::move(state->idle.back());
        state->idle.pop_back();
      }
    }
    if (workspace_ == nullptr) workspace_ = state->MakeWorkspace();
  }
  ~Lease() {
    const std::lock_guard lock(state_->mutex);
    state_->idle.push_back(std::move(workspace_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Workspace* get() { return workspace_.get(); }

 private:
  State* state_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace

Predictor::Predictor() = default;
Predictor::~Predictor() = default;

StatusOr<std::unique_ptr<Predictor>> Predictor::Load(const std::string& dir) {
  MG_ASSIGN_OR_RETURN(auto members, LoadMembers(dir));
  const Model& model = *members[0];
  MG_ASSIGN_OR_RETURN(features::RowEncoder encoder, features::RowEncoder::Create(model.schema));
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(model.pipeline.data_config()));
  std::unique_ptr<Predictor> predictor(new Predictor());
  predictor->state_ = std::make_unique<State>(std::move(encoder));
  State& state = *predictor->state_;
  predictor->model_name_ = config::ModelName(model.pipeline.model_config());
  predictor->num_id_slots_ = state.encoder.num_id_slots();
  predictor->number_width_ = state.encoder.number_width();
  for (const ColumnRequest& column : state.encoder.columns())
    predictor->inputs_.push_back({column.name, column.kind == ColumnKind::kNumber});
  state.outputs = ListOutputs(model);
  for (const ModelOutput& output : state.outputs)
    predictor->outputs_.push_back(
        {output.name, output.width, output.kind == ModelOutput::Kind::kLogits, output.classes, output.columns});
  const bool text_file = options.dataset_type == config::CsvDataset || options.dataset_type == config::FieldListDataset;
  state.trim_blanks = text_file && options.trim_blanks;
  state.missing_values = options.missing_values;
  for (const std::string& text : options.missing_values) {
    float number = 0;
    state.has_numeric_missing |= ParseFloat(text, &number) == NumberParse::kOk;
  }
  state.members = std::move(members);
  // What follows from the parameters alone is computed once, in the models' stores, which all workspaces read.
  std::unique_ptr<Workspace> workspace = state.MakeWorkspace();
  for (const auto& executor : workspace->executors) executor->ParametersChanged();
  state.idle.push_back(std::move(workspace));
  return predictor;
}

int Predictor::FindInput(std::string_view name) const { return FindByName(inputs_, name); }
int Predictor::FindOutput(std::string_view name) const { return FindByName(outputs_, name); }

Predictor::State::State(features::RowEncoder row_encoder) : encoder(std::move(row_encoder)) {
  ForkSafety::Get().Add(&mutex);
}
Predictor::State::~State() { ForkSafety::Get().Remove(&mutex); }

std::unique_ptr<Workspace> Predictor::State::MakeWorkspace() {
  auto workspace = std::make_unique<Workspace>();
  int64_t slice_rows = 0;
  for (const auto& member : members) {
    slice_rows = static_cast<int64_t>(member->pipeline.train_config().slice_rows());
    workspace->executors.push_back(std::make_unique<Executor>(member->graph, *member->store,
                                                              ExecutorOptions{.slice_rows = slice_rows}, inline_pool));
  }
  for (const ModelOutput& output : outputs)
    workspace->member_values.emplace_back(members.size() > 1 ? static_cast<size_t>(slice_rows * output.width) : 0);
  return workspace;
}

// The rules of data/row_writer.h, and of text files' trim_blanks.
void Predictor::State::Clean(std::span<Cell> cells, std::string* buffer) const {
  for (Cell& cell : cells) {
    if (!cell.is_text() && !has_numeric_missing) continue;
    std::string_view text = cell.is_text() ? cell.text() : cell.AsText(buffer);
    if (text.empty()) continue;
    if (cell.is_text() && trim_blanks) cell = text = TrimBlanks(text);
    for (const std::string& missing : missing_values)  // few texts begin like one of them: most are not compared
      if (text.size() == missing.size() && !text.empty() && text.front() == missing.front() && text == missing)
        cell = Cell();
  }
}

template <typename Fill>
Status Predictor::State::Encode(int64_t rows, const Fill& fill, Workspace* workspace, int32_t* ids,
                                float* numbers) const {
  std::vector<Cell>& cells = workspace->cells;
  cells.resize(encoder.columns().size());
  std::string problems;
  for (int64_t row = 0, count = 0; row < rows && count < kMostProblems; ++row) {
    fill(row, std::span(cells));
    Clean(cells, &workspace->text);
    const Status status = encoder.Encode(cells, &workspace->row, ids + row * encoder.num_id_slots(),
                                         numbers + row * encoder.number_width());
    if (status.ok()) continue;
    ++count;
    problems += fmt::format("{}row {}: {}", problems.empty() ? "" : "\n", row, status.message());
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

template <typename Fill>
Status Predictor::State::Predict(int64_t rows, const Fill& fill, std::span<float* const> values,
                                 Workspace* workspace) const {
  workspace->ids.resize(static_cast<size_t>(rows * encoder.num_id_slots()));
  workspace->numbers.resize(static_cast<size_t>(rows * encoder.number_width()));
  MG_RETURN_IF_ERROR(Encode(rows, fill, workspace, workspace->ids.data(), workspace->numbers.data()));
  if (rows > 0) Score(rows, workspace->ids.data(), workspace->numbers.data(), values, workspace);
  return OkStatus();
}

void Predictor::State::Score(int64_t rows, const int32_t* ids, const float* numbers, std::span<float* const> values,
                             Workspace* workspace) const {
  MG_CHECK(values.size() == outputs.size(), "{} outputs for {}", values.size(), outputs.size());
  const ScopedFlushDenormals flush_denormals;  // as training and evaluation
  const InputBatch batch{rows, ids, encoder.num_id_slots(), numbers, encoder.number_width()};
  for (size_t m = 0; m < members.size(); ++m) {
    const auto read = [&](const Slice& slice) {
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (values[i] == nullptr) continue;
        const int64_t width = outputs[i].width;
        float* const to = values[i] + slice.first_row * width;
        if (m == 0) {
          ReadOutput(*members[m], outputs[i], slice, to);
          continue;
        }
        float* const member = workspace->member_values[i].data();
        ReadOutput(*members[m], outputs[i], slice, member);
        for (int64_t k = 0; k < slice.rows * width; ++k) to[k] += member[k];
      }
    };
    workspace->executors[m]->Forward(batch, std::ref(read));  // by reference: a copy would be allocated
  }
  if (members.size() == 1) return;
  const auto count = static_cast<float>(members.size());
  for (size_t i = 0; i < outputs.size(); ++i)
    for (int64_t k = 0; values[i] != nullptr && k < rows * outputs[i].width; ++k) values[i][k] /= count;
}

namespace {

// Copies rows that lie behind each other.
class RowCopier {
 public:
  RowCopier(std::span<const Cell> cells, int64_t rows, size_t width) : cells_(cells), width_(width) {
    MG_CHECK(cells.size() == static_cast<size_t>(rows) * width, "{} cells for {} rows of {}", cells.size(), rows,
             width);
  }
  void operator()(int64_t row, std::span<Cell> to) const {
    std::copy_n(cells_.begin() + row * static_cast<int64_t>(width_), width_, to.begin());
  }

 private:
  std::span<const Cell> cells_;
  size_t width_;
};

}  // namespace

Status Predictor::Encode(std::span<const Cell> cells, int64_t rows, int32_t* ids, float* numbers) const {
  Lease lease(state_.get());
  return state_->Encode(rows, RowCopier(cells, rows, inputs_.size()), lease.get(), ids, numbers);
}

void Predictor::Score(int64_t rows, const int32_t* ids, const float* numbers, std::span<float* const> outputs) const {
  if (rows == 0) return;
  Lease lease(state_.get());
  state_->Score(rows, ids, numbers, outputs, lease.get());
}

Status Predictor::Predict(std::span<const Cell> cells, int64_t rows, std::span<float* const> outputs) const {
  Lease lease(state_.get());
  return state_->Predict(rows, RowCopier(cells, rows, inputs_.size()), outputs, lease.get());
}

Status Predictor::Predict(int64_t rows, const FillRow& fill, std::span<float* const> outputs) const {
  Lease lease(state_.get());
  return state_->Predict(rows, fill, outputs, lease.get());
}

}  // namespace manygate
