// SPDX-License-Identifier: Apache-2.0
// Every model against a state dumped from PyTorch in double precision (make_dumps.py): logits, losses, all gradients and
// the parameters after ten Adam steps agree to 1e-5, with the rewriting passes and without.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "manygate/base/thread_pool.h"
#include "manygate/catalog/catalog.h"
#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"
#include "manygate/graph/executor.h"
#include "manygate/graph/parameter_store.h"
#include "manygate/models/cross.h"
#include "manygate/models/models.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

constexpr double kTolerance = 1e-5;

struct Input {
  std::string name;
  bool ids;
  int64_t size;  // vocabulary or width
  bool one_hot;
  int64_t dim;
  std::string pooling;  // of several values
  int num_slots = 1;
};

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

// One dump file; README.md beside it describes the format.
struct Case {
  config::ModelConfig model;
  std::vector<Input> inputs;
  std::map<std::string, std::map<std::string, Tensor>> sections;
};

Case ReadCase(const std::string& path) {
  Case dump;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "config") {
      std::string text;
      while (std::getline(file, line) && line != "END") text += line + "\n";
      EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &dump.model)) << path;
    } else if (kind == "input") {
      Input input{};
      std::string type, encoding;
      words >> input.name >> type >> input.size;
      input.ids = type == "ids";
      if (input.ids) words >> encoding >> input.dim;
      if (words >> input.pooling) words >> input.num_slots;
      input.one_hot = encoding == "one_hot";
      dump.inputs.push_back(input);
    } else if (kind == "tensor") {
      std::string section, name;
      words >> section >> name;
      Tensor& tensor = dump.sections[section][name];
      for (int64_t n; words >> n;) tensor.shape.push_back(n);
      std::getline(file, line);
      std::istringstream values(line);
      for (double v; values >> v;) tensor.values.push_back(v);
    }
  }
  return dump;
}

// kWithDefaults: rewritten, and value 1 of each one-hot input is taken for its default, present in a batch or not.
enum class Form { kAsWired, kRewritten, kWithDefaults };

class Replay {
 public:
  Replay(const Case& dump, Form form) : dump_(dump), pool_(1) {
    pipeline_.mutable_model_config()->CopyFrom(dump.model);
    config::ResolveDefaults(&pipeline_);
    WireModel(graph_, WireInputs(form), pipeline_.model_config());
    if (form != Form::kAsWired) RewriteGraph(graph_, kMostRows);
    for (const auto& tower : config::TaskTowers(pipeline_.model_config()))
      losses_.push_back(MakeLoss(tower.losses(0), tower, {}));
    config::Optimizer adam;
    adam.mutable_adam_optimizer()->set_lr(1e-3f);
    optimizer_ = MakeOptimizer(adam, RowDecay::kEveryStep);
    store_ =
        std::make_unique<ParameterStore>(graph_, StateCounts{optimizer_->StatePerValue(), optimizer_->StatePerValue()});
    for (size_t i = 0; i < graph_.parameters.size(); ++i) {
      const auto& initial = dump.sections.at("initial");
      const auto found = initial.find(graph_.parameters[i].name);
      if (found == initial.end()) {
        ADD_FAILURE() << "the dump lacks " << graph_.parameters[i].name;
        continue;
      }
      EXPECT_EQ(graph_.parameters[i].shape, found->second.shape) << graph_.parameters[i].name;
      store_->Write(static_cast<int>(i), std::vector<float>(found->second.values.begin(), found->second.values.end()));
    }
    EXPECT_EQ(graph_.parameters.size(), dump.sections.at("initial").size());
  }

  // suffix: "" for the first batch, ".3" for step 3 of the Adam run.
  void LoadBatch(const std::string& suffix) {
    std::map<std::string, const Tensor*> columns;
    for (const auto& [name, tensor] : Section("ids", suffix)) columns[name] = &tensor;
    for (const auto& [name, tensor] : Section("numbers", suffix)) columns[name] = &tensor;
    rows_ = columns.begin()->second->shape[0];
    ids_.assign(rows_ * id_slots_, 0);
    numbers_.assign(rows_ * number_width_, 0.f);
    int64_t slot = 0, offset = 0;
    for (const Input& input : dump_.inputs) {
      const Tensor& tensor = *columns.at(input.name);
      for (int64_t r = 0; r < rows_; ++r) {
        for (int k = 0; input.ids && k < input.num_slots; ++k)
          ids_[r * id_slots_ + slot + k] = static_cast<int32_t>(tensor.values[r * input.num_slots + k]);
        for (int64_t j = 0; !input.ids && j < input.size; ++j)
          numbers_[r * number_width_ + offset + j] = static_cast<float>(tensor.values[r * input.size + j]);
      }
      (input.ids ? slot : offset) += input.ids ? input.num_slots : input.size;
    }
    labels_.clear();
    input_labels_.assign(rows_ * losses_.size(), 0.f);
    for (size_t t = 0; t < losses_.size(); ++t) {
      const Tensor& label = Section("label", suffix).at(graph_.outputs[t].name);
      labels_.emplace_back(label.values.begin(), label.values.end());
      for (int64_t r = 0; r < rows_; ++r) input_labels_[r * losses_.size() + LabelColumn(t)] = labels_[t][r];
    }
    batch_ = {.rows = rows_,
              .ids = ids_.data(),
              .id_stride = id_slots_,
              .numbers = numbers_.data(),
              .number_stride = number_width_,
              .labels = input_labels_.data(),
              .label_stride = static_cast<int64_t>(losses_.size())};
  }

  // Forward and backward of the loaded batch; fills logits and losses, those of the towers and the row losses' means.
  void ForwardBackward(int64_t step) {
    Executor executor(graph_, *store_, {.training = true}, pool_);
    executor.Touch(batch_);
    for (auto& table : store_->tables())
      for (const auto& touched : table->touched()) optimizer_->SettleRows(*table, touched);
    logits.assign(graph_.outputs.size(), {});
    losses.assign(graph_.outputs.size(), 0);
    const std::vector<float> ones(rows_, 1.f);
    executor.ForwardBackward(batch_, step, [&](const Slice& slice) {
      for (size_t t = 0; t < graph_.outputs.size(); ++t) {
        const View view = slice.logits[t];
        for (int64_t r = 0; r < slice.rows; ++r) logits[t].push_back(view.data[r * view.stride]);
        if (graph_.outputs[t].kind != Graph::Output::Kind::kTower) {
          ComputeWithoutLabels(graph_.outputs[t], slice, t);
          continue;
        }
        const double weight = config::TowerWeight(pipeline_.model_config(), static_cast<int>(t));
        losses[t] = losses_[t]->Compute({.logits = view.data,
                                         .logit_stride = view.stride,
                                         .labels = labels_[t].data(),
                                         .weights = ones.data(),
                                         .rows = slice.rows,
                                         .scale = static_cast<float>(weight / static_cast<double>(rows_))},
                                        slice.d_logits[t].data) /
                    static_cast<double>(rows_);
      }
    });
  }

  void AdamStep() {
    optimizer_->BeginStep(1e-3);
    float* states[] = {store_->state(0), store_->state(1)};
    optimizer_->UpdateDense(store_->trainable_size(), store_->weights(), store_->gradient(), states, true);
  }
  void Settle() {
    for (auto& table : store_->tables()) optimizer_->SettleAll(*table);
  }
  std::vector<std::vector<float>> Predict() {
    Executor executor(graph_, *store_, {}, pool_);
    std::vector<std::vector<float>> all(graph_.outputs.size());
    executor.ParametersChanged();
    executor.Forward(batch_, [&](const Slice& slice) {
      for (size_t t = 0; t < all.size(); ++t)
        for (int64_t r = 0; r < slice.rows; ++r) all[t].push_back(slice.logits[t].data[r * slice.logits[t].stride]);
    });
    return all;
  }

  const Graph& graph() const { return graph_; }
  ParameterStore& store() { return *store_; }
  std::vector<std::vector<float>> logits;
  std::vector<double> losses;

 private:
  static constexpr int64_t kMostRows = 16;

  // Labels stand in the opposite order of the towers, so that a mistaken column shows.
  size_t LabelColumn(size_t tower) const { return losses_.size() - 1 - tower; }

  // x is all inputs, in order; the feature groups after the first are groups of some of them.
  ModelInputs WireInputs(Form form) {
    std::map<std::string, Value> values;
    std::vector<Value> all;
    for (const Input& input : dump_.inputs) {
      Value& value = values[input.name];
      if (!input.ids) {
        value = Numbers(graph_, input.name, number_width_, input.size);
        number_width_ += input.size;
      } else {
        const IdSlots slots(static_cast<int>(id_slots_), input.num_slots);
        const bool with_default = form == Form::kWithDefaults && input.num_slots == 1;
        id_slots_ += input.num_slots;
        value = input.one_hot
                    ? OneHot(graph_, input.name, slots, input.size, with_default ? 1 : -1)
                    : Lookup(graph_, input.name, slots, AddEmbedding(graph_, input.name, input.size, input.dim, {}), -1,
                             input.pooling == "mean" ? Pooling::kMean : Pooling::kSum);
      }
      all.push_back(value);
    }
    ModelInputs inputs{.x = Concat(graph_, "input", all)};
    inputs.gating = dump_.model.gating();
    const auto& groups = dump_.model.feature_groups();
    for (int g = 1; g < groups.size(); ++g) {
      std::vector<Value> parts;
      for (const std::string& name : groups[g].feature_names()) parts.push_back(values.at(name));
      const Value group = Concat(graph_, groups[g].group_name(), std::move(parts));
      if (groups[g].group_type() == config::WIDE) {
        inputs.wide = group;
      } else {
        inputs.groups.emplace_back(groups[g].group_name(), group);
      }
    }
    if (dump_.model.has_cross()) inputs.x = Cross(graph_, inputs.x, dump_.model.cross());
    const int towers = config::TaskTowers(pipeline_.model_config()).size();
    for (int t = 0; t < towers; ++t) inputs.labels.push_back(towers - 1 - t);
    return inputs;
  }

  // A row loss: its mean, and weight / rows as each row's gradient. An extra output has no part in the loss.
  void ComputeWithoutLabels(const Graph::Output& output, const Slice& slice, size_t t) {
    const bool loss = output.kind == Graph::Output::Kind::kRowLoss;
    const View view = slice.logits[t], d_view = slice.d_logits[t];
    for (int64_t r = 0; r < slice.rows; ++r) {
      d_view.data[r * d_view.stride] = loss ? output.weight / static_cast<float>(rows_) : 0.f;
      if (loss) losses[t] += view.data[r * view.stride] / static_cast<double>(rows_);
    }
  }

  const std::map<std::string, Tensor>& Section(const std::string& name, const std::string& suffix) {
    static const std::map<std::string, Tensor> none;
    const auto found = dump_.sections.find(name + suffix);
    return found == dump_.sections.end() ? none : found->second;
  }

  const Case& dump_;
  ThreadPool pool_;
  config::Pipeline pipeline_;
  Graph graph_;
  std::unique_ptr<ParameterStore> store_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::unique_ptr<Loss>> losses_;
  int64_t id_slots_ = 0, number_width_ = 0, rows_ = 0;
  std::vector<int32_t> ids_;
  std::vector<float> numbers_;
  std::vector<std::vector<float>> labels_;
  std::vector<float> input_labels_;
  InputBatch batch_;
};

void ExpectClose(const std::vector<float>& got, const Tensor& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.values.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want.values[i], kTolerance) << what << " [" << i << "]";
}

struct Choice {
  std::string name;
  Form form;
};

std::vector<Choice> AllCases() {
  std::vector<Choice> cases;
  const std::string folder = std::string(MANYGATE_SOURCE_DIR) + "/tests/parity";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt" || entry.path().stem() == "CMakeLists") continue;
    for (const Form form : {Form::kAsWired, Form::kRewritten, Form::kWithDefaults})
      cases.push_back({entry.path().stem().string(), form});
  }
  std::sort(cases.begin(), cases.end(),
            [](const Choice& a, const Choice& b) { return std::tie(a.name, a.form) < std::tie(b.name, b.form); });
  return cases;
}

class Parity : public testing::TestWithParam<Choice> {
 protected:
  Parity() : dump_(ReadCase(std::string(MANYGATE_SOURCE_DIR) + "/tests/parity/" + GetParam().name + ".txt")) {}
  Case dump_;
};

TEST_P(Parity, LogitsLossesAndGradients) {
  Replay replay(dump_, GetParam().form);
  replay.LoadBatch("");
  replay.ForwardBackward(1);
  EXPECT_EQ(replay.logits.size(), dump_.sections.at("logits").size());
  for (size_t t = 0; t < replay.logits.size(); ++t) {
    const std::string& output = replay.graph().outputs[t].name;
    ExpectClose(replay.logits[t], dump_.sections.at("logits").at(output), "logits of " + output);
    if (replay.graph().outputs[t].kind == Graph::Output::Kind::kExtra) continue;
    EXPECT_NEAR(replay.losses[t], dump_.sections.at("loss").at(output).values[0], kTolerance) << output;
  }
  const auto& gradients = dump_.sections.at("gradient");
  size_t compared = 0;
  for (size_t i = 0; i < replay.graph().parameters.size(); ++i) {
    const Parameter& parameter = replay.graph().parameters[i];
    if (!parameter.trainable) continue;
    ASSERT_TRUE(gradients.contains(parameter.name)) << parameter.name;
    ExpectClose(replay.store().ReadGradient(static_cast<int>(i)), gradients.at(parameter.name),
                "gradient of " + parameter.name);
    ++compared;
  }
  EXPECT_EQ(compared, gradients.size());
}

TEST_P(Parity, TenAdamSteps) {
  Replay replay(dump_, GetParam().form);
  for (int step = 0; step < 10; ++step) {
    replay.LoadBatch("." + std::to_string(step));
    replay.ForwardBackward(step + 1);
    replay.AdamStep();
  }
  replay.Settle();
  for (size_t i = 0; i < replay.graph().parameters.size(); ++i) {
    const std::string& name = replay.graph().parameters[i].name;
    ExpectClose(replay.store().Read(static_cast<int>(i)), dump_.sections.at("adam10").at(name), name);
  }
  replay.LoadBatch("");
  const auto logits = replay.Predict();
  for (size_t t = 0; t < logits.size(); ++t) {
    const std::string& tower = replay.graph().outputs[t].name;
    ExpectClose(logits[t], dump_.sections.at("adam10_logits").at(tower), "logits after ten steps of " + tower);
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, Parity, testing::ValuesIn(AllCases()), [](const auto& info) {
  return info.param.name + (info.param.form == Form::kAsWired     ? "_as_wired"
                            : info.param.form == Form::kRewritten ? "_rewritten"
                                                                  : "_with_defaults");
});

}  // namespace
}  // namespace manygate
