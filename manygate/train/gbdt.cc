// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/gbdt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "manygate/base/check.h"

namespace manygate {
namespace {

constexpr int kMostRounds = 3000;
constexpr int kPatience = 40;
constexpr int kMostListColumns = 64;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

struct Setting {
  int depth;
  double rate;
};
constexpr Setting kSettings[] = {{6, 0.1}, {4, 0.1}, {8, 0.1}, {6, 0.05}};

struct Objective {
  const char* name;
  const char* metric;
  bool higher_is_better;
};

Objective ObjectiveOf(config::TaskKind kind) {
  switch (kind) {
    case config::TaskKind::kBinary: return {"binary:logistic", "auc", true};
    case config::TaskKind::kClasses: return {"multi:softprob", "mlogloss", false};
    case config::TaskKind::kRegression:
    case config::TaskKind::kAmount: return {"reg:squarederror", "rmse", false};
    case config::TaskKind::kCount: return {"count:poisson", "poisson-nloglik", false};
  }
  MG_CHECK(false, "task kind {}", static_cast<int>(kind));
}

// A handle of the library's, freed at the end.
class Handle {
 public:
  explicit Handle(int (*free)(void*)) : free_(free) {}
  ~Handle() {
    if (handle_ != nullptr) free_(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  void** address() { return &handle_; }
  void* get() const { return handle_; }

 private:
  int (*free_)(void*);
  void* handle_ = nullptr;
};

// One fit: predictions of the hold-out rows, and how good it is on the validation rows.
struct Fit {
  std::vector<float> predictions;
  double validation = 0;
  int rounds = 0;
};

class Booster {
 public:
  Booster(const XgboostLibrary& library, const GbdtTask& task, const GbdtOptions& options)
      : library_(library),
        task_(task),
        options_(options),
        objective_(ObjectiveOf(task.kind)),
        train_(library->DMatrixFree),
        validation_(library->DMatrixFree),
        holdout_(library->DMatrixFree) {}

  Status Prepare() {
    MG_CHECK(!task_.train.labels.empty() && !task_.validation.labels.empty(), "{} training and {} validation rows",
             task_.train.labels.size(), task_.validation.labels.size());
    width_ = task_.train.features.size() / task_.train.labels.size();
    MG_RETURN_IF_ERROR(MakeRows(task_.train, &train_));
    MG_RETURN_IF_ERROR(MakeRows(task_.validation, &validation_));
    return MakeMatrix(task_.holdout, &holdout_);
  }

  StatusOr<Fit> Run(const Setting& setting, uint64_t seed) {
    Handle booster(library_->BoosterFree);
    void* const matrices[] = {train_.get(), validation_.get()};
    MG_RETURN_IF_ERROR(Check(library_->BoosterCreate(matrices, 2, booster.address())));
    MG_RETURN_IF_ERROR(SetParameters(booster.get(), setting, seed));
    Fit fit;
    for (int round = 0; round < kMostRounds && round < fit.rounds + kPatience; ++round) {
      if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) return Cancelled("stopped");
      MG_RETURN_IF_ERROR(Check(library_->BoosterUpdateOneIter(booster.get(), round, train_.get())));
      MG_ASSIGN_OR_RETURN(const double value, Evaluate(booster.get(), round));
      const bool better =
          fit.rounds == 0 || (objective_.higher_is_better ? value > fit.validation : value < fit.validation);
      if (!better) continue;
      fit.validation = value;
      fit.rounds = round + 1;
    }
    MG_RETURN_IF_ERROR(Predict(booster.get(), &fit));
    return fit;
  }

  bool IsBetter(const Fit& a, const Fit& b) const {
    return objective_.higher_is_better ? a.validation > b.validation : a.validation < b.validation;
  }

 private:
  Status Check(int code) const {
    return code == 0 ? OkStatus() : Failed(fmt::format("xgboost: {}", library_->GetLastError()));
  }

  Status MakeMatrix(const std::vector<float>& features, Handle* matrix) const {
    return Check(
        library_->DMatrixCreateFromMat(features.data(), features.size() / width_, width_, kMissing, matrix->address()));
  }

  Status MakeRows(const GbdtRows& rows, Handle* matrix) const {
    MG_RETURN_IF_ERROR(MakeMatrix(rows.features, matrix));
    const uint64_t count = rows.labels.size();
    MG_RETURN_IF_ERROR(Check(library_->DMatrixSetFloatInfo(matrix->get(), "label", rows.labels.data(), count)));
    return Check(library_->DMatrixSetFloatInfo(matrix->get(), "weight", rows.weights.data(), count));
  }

  Status SetParameters(void* booster, const Setting& setting, uint64_t seed) const {
    std::vector<std::pair<const char*, std::string>> parameters = {
        {"objective", objective_.name},
        {"eval_metric", objective_.metric},
        {"tree_method", "hist"},
        {"max_depth", fmt::format("{}", setting.depth)},
        {"learning_rate", fmt::format("{}", setting.rate)},
        {"subsample", "0.85"},
        {"colsample_bytree", "0.5"},
        {"nthread", fmt::format("{}", options_.num_threads)},
        {"seed", fmt::format("{}", seed % (uint64_t{1} << 31))},
        {"verbosity", "0"}};
    if (task_.kind == config::TaskKind::kClasses)
      parameters.push_back({"num_class", fmt::format("{}", task_.num_class)});
    for (const auto& [name, value] : parameters)
      MG_RETURN_IF_ERROR(Check(library_->BoosterSetParam(booster, name, value.c_str())));
    return OkStatus();
  }

  StatusOr<double> Evaluate(void* booster, int round) {
    void* matrices[] = {validation_.get()};
    const char* names[] = {"validation"};
    const char* text = nullptr;
    MG_RETURN_IF_ERROR(Check(library_->BoosterEvalOneIter(booster, round, matrices, names, 1, &text)));
    const char* colon = std::strrchr(text, ':');
    if (colon == nullptr) return Failed(fmt::format("xgboost: no value in its evaluation \"{}\"", text));
    return std::strtod(colon + 1, nullptr);
  }

  Status Predict(void* booster, Fit* fit) const {
    const std::string settings = fmt::format(
        R"({{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": {}, "strict_shape": true}})",
        fit->rounds);
    const uint64_t* shape = nullptr;
    uint64_t dimensions = 0;
    const float* values = nullptr;
    MG_RETURN_IF_ERROR(Check(
        library_->BoosterPredictFromDMatrix(booster, holdout_.get(), settings.c_str(), &shape, &dimensions, &values)));
    uint64_t count = 1;
    for (uint64_t i = 0; i < dimensions; ++i) count *= shape[i];
    const uint64_t expected = task_.holdout.size() / width_ * static_cast<uint64_t>(task_.num_class);
    if (count != expected) return Failed(fmt::format("xgboost: {} predictions, expected {}", count, expected));
    fit->predictions.assign(values, values + count);
    return OkStatus();
  }

  const XgboostLibrary& library_;
  const GbdtTask& task_;
  const GbdtOptions options_;
  const Objective objective_;
  uint64_t width_ = 0;
  Handle train_, validation_, holdout_;
};

// How much of a column a feature keeps.
int Detail(const features::FeatureSchema& feature) {
  if (features::IsId(feature)) return 0;
  return feature.encoding() == features::FeatureSchema::NUMBERS ? 2 : 1;
}

}  // namespace

GbdtFeatures::GbdtFeatures(const features::Schema& schema) {
  std::map<std::string, size_t> best;  // of each column of the raw rows
  std::vector<const features::FeatureSchema*> chosen;
  for (const features::FeatureSchema& feature : schema.features()) {
    const auto [place, is_new] = best.emplace(feature.column(), chosen.size());
    if (is_new) {
      chosen.push_back(&feature);
    } else if (Detail(feature) > Detail(*chosen[place->second])) {
      chosen[place->second] = &feature;
    }
  }
  for (const features::FeatureSchema* feature : chosen) {
    if (features::HasIdSlot(*feature) && (feature->num_values() > 1 || feature->sequence())) {
      AddLists(*feature);
      continue;
    }
    if (feature->kind() == features::FeatureSchema::NUMBER_LIST) {  // NaN past the end is a missing value
      for (uint32_t i = 0; i < std::min<uint32_t>(feature->width(), kMostListColumns); ++i)
        columns_.emplace_back().number = static_cast<int>(feature->number_offset() + i);
      continue;
    }
    Column& column = columns_.emplace_back();
    if (features::HasIdSlot(*feature)) column.id_slot = static_cast<int>(feature->id_slot());
    const bool has_missing_id = !feature->has_default_value() && !feature->has_default_number();
    if (features::IsId(*feature)) {
      if (has_missing_id) column.missing = static_cast<int64_t>(feature->vocabulary_size()) - 1;
      continue;
    }
    column.number = static_cast<int>(feature->number_offset());
    if (feature->width() == 2) column.missing_number = column.number + 1;
  }
}

void GbdtFeatures::AddLists(const features::FeatureSchema& feature) {
  const Column all{.id_slot = static_cast<int>(feature.id_slot()),
                   .num_slots = features::NumIdSlots(feature),
                   .no_value = static_cast<int64_t>(feature.vocabulary_size())};
  columns_.push_back(all);
  std::vector<int> ids(static_cast<size_t>(feature.training_count_size()));  // empty but for vocabularies
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](int a, int b) { return feature.training_count(a) > feature.training_count(b); });
  for (size_t i = 0; i < ids.size() && i < kMostListColumns; ++i) {
    columns_.push_back(all);
    columns_.back().has_id = feature.value_id().empty() ? ids[i] : static_cast<int>(feature.value_id(ids[i]));
  }
}

float GbdtFeatures::ListValue(const Column& column, const int32_t* row_ids) {
  const int32_t* begin = row_ids + column.id_slot;
  const int32_t* end = std::find(begin, begin + column.num_slots, static_cast<int32_t>(column.no_value));
  if (column.has_id < 0) return static_cast<float>(end - begin);
  return std::find(begin, end, static_cast<int32_t>(column.has_id)) != end ? 1.f : 0.f;
}

std::vector<float> GbdtFeatures::Matrix(const features::EncodedTable& table, std::span<const uint32_t> rows) const {
  constexpr size_t kBlock = 1024;
  std::vector<int32_t> ids(kBlock * table.num_id_slots());
  std::vector<float> numbers(kBlock * table.number_width());
  std::vector<float> matrix;
  matrix.reserve(rows.size() * columns_.size());
  for (size_t first = 0; first < rows.size(); first += kBlock) {
    const size_t count = std::min(kBlock, rows.size() - first);
    table.CopyRows(rows.data() + first, static_cast<int>(count), ids.data(), numbers.data(), nullptr, nullptr);
    for (size_t row = 0; row < count; ++row) {
      const int32_t* row_ids = ids.data() + row * table.num_id_slots();
      const float* row_numbers = numbers.data() + row * table.number_width();
      for (const Column& column : columns_) {
        if (column.num_slots > 1) {
          matrix.push_back(ListValue(column, row_ids));
          continue;
        }
        float value = column.id_slot < 0 ? 0.f : static_cast<float>(row_ids[column.id_slot]);
        if (column.number >= 0) value += row_numbers[column.number];
        const bool missing = (column.missing >= 0 && row_ids[column.id_slot] == column.missing) ||
                             (column.missing_number >= 0 && row_numbers[column.missing_number] != 0);
        matrix.push_back(missing ? kMissing : value);
      }
    }
  }
  return matrix;
}

StatusOr<GbdtResult> TrainGbdt(const XgboostLibrary& library, const GbdtTask& task, std::span<const uint64_t> seeds,
                               const GbdtOptions& options) {
  Booster booster(library, task, options);
  MG_RETURN_IF_ERROR(booster.Prepare());
  Setting best_setting = kSettings[0];
  Fit best;
  for (const Setting& setting : kSettings) {
    MG_ASSIGN_OR_RETURN(Fit fit, booster.Run(setting, seeds[0]));
    if (best.rounds > 0 && !booster.IsBetter(fit, best)) continue;
    best = std::move(fit);
    best_setting = setting;
  }
  GbdtResult result;
  result.setting = fmt::format("depth {}, rate {}, {} rounds", best_setting.depth, best_setting.rate, best.rounds);
  result.predictions.push_back(std::move(best.predictions));
  for (const uint64_t seed : seeds.subspan(1)) {
    MG_ASSIGN_OR_RETURN(Fit fit, booster.Run(best_setting, seed));
    result.predictions.push_back(std::move(fit.predictions));
  }
  return result;
}

}  // namespace manygate
