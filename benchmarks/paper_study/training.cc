// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "manygate/base/check.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/data/paper_rows.h"
#include "manygate/features/encode.h"
#include "manygate/features/fit.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/stepper.h"

namespace manygate::paper_study {
namespace {

constexpr uint64_t kRemovalStream = 0x50617010;
// Rows generated and encoded at once; 1.7 MB, so that they are still in the cache when the networks read them.
constexpr int64_t kChunkRows = 4000;
constexpr char kGateWeight[] = ".output.weight";

std::string ModelText(const std::string& model) {
  const std::string towers =
      R"(task_towers { label_name: "y_1" mlp { hidden_units: 8 } losses { l2_loss {} } }
         task_towers { label_name: "y_2" mlp { hidden_units: 8 } losses { l2_loss {} } })";
  if (model == "shared_bottom") return "shared_bottom { bottom_mlp { hidden_units: 113 } " + towers + " }";
  return fmt::format("{} {{ num_expert: {} expert_mlp {{ hidden_units: 16 }} {} }}", model, kExperts, towers);
}

// Rows first .. first + count - 1 of the generator as a table of numbers.
Table MakeTable(const PaperRows& generator, const Rows& rows, uint64_t first, int64_t count) {
  auto numbers = std::make_shared<std::vector<float>>((kDimension + 2) * count);
  const auto at = [&](int column, int64_t row) -> float& { return (*numbers)[column * count + row]; };
  std::vector<float> x(kDimension);
  const Philox removal(rows.seed, kRemovalStream);
  for (int64_t r = 0; r < count; ++r) {
    const uint64_t row = first + static_cast<uint64_t>(r);
    const std::array<double, 2> y = generator.Row(row, x.data());
    for (int i = 0; i < kDimension; ++i) at(i, r) = x[i];
    const bool removed = rows.removed_share > 0 && UnitFloat(removal.Block(row)[0]) < rows.removed_share;
    at(kDimension, r) = static_cast<float>(y[0]);
    at(kDimension + 1, r) = removed ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(y[1]);
  }
  Table table;
  table.rows = count;
  table.source = "generated rows";
  table.storage = {numbers};
  for (int i = 0; i < kDimension + 2; ++i) {
    Column& column = table.columns.emplace_back();
    column.name = i < kDimension ? fmt::format("x_{}", i) : fmt::format("y_{}", i - kDimension + 1);
    column.kind = ColumnKind::kNumber;
    column.numbers = &at(i, 0);
  }
  return table;
}

// One network with its steps.
class Network {
 public:
  static StatusOr<std::unique_ptr<Network>> Make(const Trial& trial, const Length& length, uint64_t seed,
                                                 const Table& first_rows, ThreadPool& pool) {
    MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded,
                        config::LoadPipelineFromText(trial.model, PipelineText(trial, length.batch_rows, seed)));
    MG_RETURN_IF_ERROR(config::ValidatePipeline(loaded));
    config::ResolveDefaults(&loaded.pipeline);
    std::vector<uint32_t> all(first_rows.rows);
    std::iota(all.begin(), all.end(), 0u);
    MG_ASSIGN_OR_RETURN(const features::Schema schema, features::FitFeatures(loaded, first_rows, all));
    return std::unique_ptr<Network>(new Network(MakeTrainingModel(loaded.pipeline, schema), length, pool));
  }

  const features::Schema& schema() const { return model_->schema; }

  Status Step(const features::EncodedTable& table, const uint32_t* rows) {
    MG_RETURN_IF_ERROR(stepper_.Step(table, rows, length_.batch_rows));
    const int64_t points = length_.curve_points, done = stepper_.step();
    if (done * points / length_.steps() > (done - 1) * points / length_.steps())
      outcome_.curve.push_back(stepper_.TakeLosses()[0].second / length_.variance);
    return OkStatus();
  }

  // On rows whose labels are all there.
  Outcome Finish(const RowSelection& test, const Table& raw) {
    stepper_.Settle();
    const Predictions predictions = Evaluator(*model_, pool_).Predict(test);
    for (size_t task = 0; task < 2; ++task) {
      const float* labels = raw.columns[kDimension + task].numbers;
      double sum = 0;
      for (int64_t r = 0; r < raw.rows; ++r) sum += std::pow(predictions.values[task][r] - labels[r], 2.0);
      outcome_.loss[task] = sum / static_cast<double>(raw.rows) / length_.variance;
    }
    for (size_t i = 0; i < model_->graph.parameters.size(); ++i) {
      const std::string& name = model_->graph.parameters[i].name;
      if (name.starts_with("gate") && name.ends_with(kGateWeight))
        outcome_.gates.push_back(UseOf(name.substr(0, name.size() - std::strlen(kGateWeight)), raw));
    }
    return std::move(outcome_);
  }

 private:
  Network(std::unique_ptr<Model> model, const Length& length, ThreadPool& pool)
      : length_(length),
        pool_(pool),
        model_(std::move(model)),
        stepper_(*model_, {.steps_per_epoch = length.steps(), .total_steps = length.steps()}, pool) {}

  // The gates are linear: softmax(x W + b).
  GateUse UseOf(const std::string& gate, const Table& raw) const {
    const std::vector<float> weight = Values(gate + kGateWeight), bias = Values(gate + ".output.bias");
    MG_CHECK(weight.size() == kDimension * kExperts && bias.size() == kExperts, "gate {} is not linear", gate);
    GateUse use;
    std::array<double, kExperts> mean{};
    for (int64_t r = 0; r < raw.rows; ++r) {
      std::array<double, kExperts> gates;
      for (size_t e = 0; e < kExperts; ++e) {
        gates[e] = bias[e];
        for (size_t i = 0; i < kDimension; ++i) gates[e] += raw.columns[i].numbers[r] * weight[i * kExperts + e];
      }
      const double largest = *std::max_element(gates.begin(), gates.end());
      double total = 0;
      for (double& gate_e : gates) total += gate_e = std::exp(gate_e - largest);
      for (size_t e = 0; e < kExperts; ++e) {
        const double share = gates[e] / total;
        mean[e] += share / static_cast<double>(raw.rows);
        if (share > 0) use.entropy -= share * std::log(share) / std::log(kExperts) / static_cast<double>(raw.rows);
      }
    }
    use.top_expert_mean = *std::max_element(mean.begin(), mean.end());
    return use;
  }

  std::vector<float> Values(const std::string& name) const {
    for (size_t i = 0; i < model_->graph.parameters.size(); ++i)
      if (model_->graph.parameters[i].name == name) return model_->store->Read(static_cast<int>(i));
    return {};
  }

  const Length length_;
  ThreadPool& pool_;
  std::unique_ptr<Model> model_;
  Stepper stepper_;
  Outcome outcome_;
};

}  // namespace

StatusOr<std::vector<Outcome>> TrainBeside(const Rows& rows, const Length& length, const std::vector<Trial>& trials) {
  const ScopedFlushDenormals flush;
  ThreadPool pool(1);
  MG_ASSIGN_OR_RETURN(const PaperRows generator, PaperRows::Create({.rows = length.train_rows + length.test_rows,
                                                                    .seed = rows.seed,
                                                                    .correlation = rows.correlation,
                                                                    .dimension = kDimension,
                                                                    .noise_deviation = rows.sines.noise_deviation,
                                                                    .alpha = rows.sines.sines.alpha,
                                                                    .beta = rows.sines.sines.beta}));
  std::vector<std::unique_ptr<Network>> networks;
  const int64_t chunk_rows = std::max<int64_t>(1, kChunkRows / length.batch_rows) * length.batch_rows;
  for (int64_t first = 0; first < length.train_rows; first += chunk_rows) {
    const Table raw = MakeTable(generator, rows, first, std::min(chunk_rows, length.train_rows - first));
    for (size_t t = networks.size(); t < trials.size(); ++t) {
      MG_ASSIGN_OR_RETURN(auto network, Network::Make(trials[t], length, rows.seed, raw, pool));
      networks.push_back(std::move(network));
    }
    MG_ASSIGN_OR_RETURN(const auto table, features::Encode(networks[0]->schema(), raw, /*with_labels=*/true, pool));
    std::vector<uint32_t> order(raw.rows);
    std::iota(order.begin(), order.end(), 0u);
    for (const auto& network : networks)
      for (int64_t row = 0; row < raw.rows; row += length.batch_rows)
        MG_RETURN_IF_ERROR(network->Step(table, order.data() + row));
  }
  Rows test_rows = rows;
  test_rows.removed_share = 0;
  const Table raw = MakeTable(generator, test_rows, length.train_rows, length.test_rows);
  RowSelection test;
  MG_ASSIGN_OR_RETURN(auto table, features::Encode(networks[0]->schema(), raw, /*with_labels=*/true, pool));
  test.table = std::make_shared<const features::EncodedTable>(std::move(table));
  test.rows.resize(raw.rows);
  std::iota(test.rows.begin(), test.rows.end(), 0u);
  std::vector<Outcome> outcomes;
  for (const auto& network : networks) outcomes.push_back(network->Finish(test, raw));
  return outcomes;
}

std::string PipelineText(const Trial& trial, int batch_rows, uint64_t seed) {
  std::string features;
  for (int i = 0; i < kDimension; ++i)
    features += fmt::format("feature_configs {{ raw_feature {{ feature_name: \"x_{}\" }} }}\n", i);
  return fmt::format(
      "train_input_path: \"generated\"\n"
      "train_config {{ seed: {} dense_optimizer {{ adam_optimizer {{ lr: {} }} }} }}\n"
      "data_config {{ batch_size: {} with_header: true }}\n{}model_config {{ {} }}\n",
      seed, trial.learning_rate, batch_rows, features, ModelText(trial.model));
}

}  // namespace manygate::paper_study
