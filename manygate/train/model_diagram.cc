// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/model_diagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog.h"
#include "manygate/catalog/inputs.h"
#include "manygate/config/accessors.h"
#include "manygate/train/input_kinds.h"

namespace manygate {
namespace {

constexpr char kInputsTitle[] = "inputs", kWideTitle[] = "wide inputs", kCrossTitle[] = "cross";

const char* RoleOf(std::string_view stem) {
  if (stem.starts_with("experts") || stem.starts_with("bottom")) return "experts";
  if (stem == "gate" || stem.starts_with("gates.") || stem.ends_with(".gate") || stem.starts_with("epnet"))
    return "gate";
  if (stem == "mix" || stem.starts_with("mix.") || stem.ends_with(".mix") || stem.starts_with("transfer."))
    return "mix";
  if (stem.starts_with("towers.") || stem.ends_with(".tower")) return "tower";
  return "part";
}

// "nn.ReLU" -> "ReLU"
std::string WithoutPrefix(const std::string& activation) {
  return activation.starts_with("nn.") ? activation.substr(3) : activation;
}

// The title of the box of each node of the inputs; they are the first nodes of the graph.
std::vector<std::string> InputBoxes(const Graph& whole, const config::ModelConfig& model,
                                    const features::Schema& schema) {
  Graph graph;
  const ModelInputs inputs = BuildInputs(graph, model, schema);
  std::vector<std::string> boxes(graph.nodes.size());
  const auto claim = [&](Value from, const std::string& title) {
    std::vector<Value> open = {from};
    while (!open.empty()) {
      const Value n = open.back();
      const Node& node = graph.node(n);
      open.pop_back();
      MG_CHECK(whole.node(n).name == node.name, "node {} is {}, not {}", n, whole.node(n).name, node.name);
      if (!boxes[n].empty()) continue;
      boxes[n] = node.name.starts_with("cross.layers.") ? kCrossTitle : title;
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    }
  };
  claim(inputs.x, kInputsTitle);
  for (const auto& [name, value] : inputs.groups) claim(value, "group " + name);
  if (inputs.wide >= 0) claim(inputs.wide, kWideTitle);
  return boxes;
}

class Builder {
 public:
  explicit Builder(const Model& model)
      : model_(model),
        config_(model.pipeline.model_config()),
        graph_(BuildGraph(model.pipeline, model.schema, {.purpose = Purpose::kPredict, .rewrite = false})) {}

  Diagram Build() {
    const std::vector<std::string> input_boxes = InputBoxes(graph_, config_, model_.schema);
    const std::vector<bool> needed = Needed();
    box_of_.assign(graph_.nodes.size(), -1);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!needed[n]) continue;
      const bool is_input = n < input_boxes.size();
      Place(static_cast<Value>(n), is_input ? input_boxes[n] : NodeStem(graph_.nodes[n].name), is_input);
    }
    Diagram diagram{.label = fmt::format("Drawing of the model, {}", config::ModelName(config_)), .boxes = {}};
    SortBoxes();
    for (const int box : order_) diagram.boxes.push_back(Describe(box));
    AddOutputs(&diagram);
    return diagram;
  }

 private:
  struct Box {
    std::string stem;
    bool is_input = false;
    std::vector<Value> nodes = {};
    std::vector<int> inputs = {};  // boxes
  };

  // Nodes that a prediction depends on.
  std::vector<bool> Needed() const {
    std::vector<bool> needed(graph_.nodes.size(), false);
    for (const Graph::Output& output : graph_.outputs) needed[output.logits] = true;
    for (size_t n = graph_.nodes.size(); n-- > 0;)
      if (needed[n])
        for (const Value input : graph_.nodes[n].inputs) needed[input] = true;
    return needed;
  }

  bool Reaches(int from, int to) const {  // over the boxes' inputs, from a reader to what it reads
    if (from == to) return true;
    return std::any_of(boxes_[from].inputs.begin(), boxes_[from].inputs.end(),
                       [&](int input) { return Reaches(input, to); });
  }

  // Puts a node into the newest box of its stem, unless the node reads a box that reads that one.
  void Place(Value n, const std::string& stem, bool is_input) {
    std::vector<int> inputs;
    for (const Value input : graph_.nodes[n].inputs) inputs.push_back(box_of_[input]);
    int box = -1;
    for (size_t b = boxes_.size(); b-- > 0 && box < 0;)
      if (boxes_[b].stem == stem && boxes_[b].is_input == is_input) box = static_cast<int>(b);
    const auto makes_circle = [&](int input) { return input != box && Reaches(input, box); };
    if (box < 0 || std::any_of(inputs.begin(), inputs.end(), makes_circle)) {
      box = static_cast<int>(boxes_.size());
      boxes_.push_back({.stem = stem, .is_input = is_input});
    }
    box_of_[n] = box;
    boxes_[box].nodes.push_back(n);
    for (const int input : inputs)
      if (input != box && std::count(boxes_[box].inputs.begin(), boxes_[box].inputs.end(), input) == 0)
        boxes_[box].inputs.push_back(input);
  }

  // order_: every box after those it reads.
  void SortBoxes() {
    std::vector<int> open;
    place_.assign(boxes_.size(), -1);
    while (order_.size() < boxes_.size()) {
      for (size_t b = 0; b < boxes_.size(); ++b) {
        const std::vector<int>& inputs = boxes_[b].inputs;
        if (place_[b] >= 0 || std::any_of(inputs.begin(), inputs.end(), [&](int i) { return place_[i] < 0; })) continue;
        place_[b] = static_cast<int>(order_.size());
        order_.push_back(static_cast<int>(b));
      }
    }
  }

  const config::FeatureGroupConfig* GroupOf(const std::string& title) const {
    for (const config::FeatureGroupConfig& group : config_.feature_groups()) {
      const bool wide = group.group_type() == config::WIDE;
      if (wide ? title == kWideTitle : title == kInputsTitle || title == "group " + group.group_name()) return &group;
    }
    return nullptr;
  }

  std::vector<std::string> InputLines(const std::string& title) const {
    std::vector<std::string> lines;
    const config::FeatureGroupConfig* group = GroupOf(title);
    if (group == nullptr) return lines;
    uint64_t width = 0;
    for (const InputKind& kind : CountInputKinds(*group, model_.schema)) {
      lines.push_back(fmt::format("{} {}: {}", kind.columns, kind.what, kind.width));
      width += kind.width;
    }
    lines.push_back(fmt::format("{} in all", width));
    return lines;
  }

  // "8 experts", "→ 39 → 16 ReLU": widths and activations of the layers. Without layers: what the operation does.
  std::vector<std::string> LayerLines(const Box& box) const {
    std::vector<std::pair<int64_t, std::string>> layers;  // (width, activation)
    int64_t groups = 1;
    bool wide = false;
    for (const Value n : box.nodes) {
      const Node& node = graph_.nodes[n];
      if (node.name.starts_with("wide.")) {
        wide = true;
        continue;
      }
      if (!node.blocks.empty() && !node.name.ends_with(".norm")) layers.emplace_back(node.shape.width, "");
      groups = std::max(groups, node.shape.groups);
      if (layers.empty()) continue;
      if (node.name.ends_with(".activation")) layers.back().second = WithoutPrefix(node.op->Describe());
      if (node.name.ends_with(".softmax")) layers.back().second = "softmax";
      if (node.name.ends_with(".sigmoid")) layers.back().second = "sigmoid";
    }
    if (layers.empty()) {
      if (std::string_view(RoleOf(box.stem)) == "mix") return {"Σ gate · expert"};
      return {graph_.nodes[box.nodes.back()].op->Describe()};
    }
    std::vector<std::string> lines;
    if (box.stem.starts_with("experts"))
      lines.push_back(fmt::format("{} {}", groups, groups == 1 ? "expert" : "experts"));
    std::string text;
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto& [width, activation] = layers[i];
      // Of layers with the same activation, the last one says it.
      const bool said = activation.empty() || (i + 1 < layers.size() && layers[i + 1].second == activation);
      text += fmt::format("{}→ {}{}", text.empty() ? "" : " ", width, said ? "" : " " + activation);
    }
    lines.push_back(text);
    if (wide) lines.emplace_back("+ wide inputs");
    return lines;
  }

  DiagramBox Describe(int box) const {
    const Box& from = boxes_[box];
    DiagramBox described{
        .title = from.stem,
        .details = from.is_input && from.stem != kCrossTitle ? InputLines(from.stem) : LayerLines(from),
        .role = from.is_input ? "input" : RoleOf(from.stem)};
    for (const int input : from.inputs) described.inputs.push_back(place_[input]);
    return described;
  }

  void AddOutputs(Diagram* diagram) const {
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const Graph::Output& output = graph_.outputs[i];
      bool probability = true;
      if (output.kind == Graph::Output::Kind::kTower) {
        const config::TaskKind kind = model_.tasks[i].kind;
        probability = kind == config::TaskKind::kBinary || kind == config::TaskKind::kClasses;
      }
      diagram->boxes.push_back({.title = (probability ? "probs_" : "y_") + output.name,
                                .role = "output",
                                .inputs = {place_[box_of_[output.logits]]}});
    }
  }

  const Model& model_;
  const config::ModelConfig& config_;
  const Graph graph_;
  std::vector<int> box_of_;  // by node; -1: not needed
  std::vector<Box> boxes_;
  std::vector<int> order_, place_;  // place_[order_[i]] = i
};

}  // namespace

std::string NodeStem(std::string_view name) {
  for (const char* middle : {".layers.", ".gates.", ".information"})
    if (const size_t at = name.find(middle); at != std::string_view::npos) name = name.substr(0, at);
  constexpr std::array kEndings = {".output", ".softmax", ".norm",    ".activation", ".dropout",
                                   ".sum",    ".product", ".sigmoid", ".gamma",      ".condition",
                                   ".stop",   ".codes",   ".bias",    ".selectors",  ".select"};
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (const std::string_view ending : kEndings)
      if (name.ends_with(ending) && name.size() > ending.size()) name.remove_suffix(ending.size()), shorter = true;
  }
  if (name.starts_with("gates.") && name.ends_with(".mix")) name.remove_suffix(4);  // of DSelect-k's selectors
  if (name.starts_with("wide.")) return "towers." + std::string(name.substr(5));
  return std::string(name);
}

Diagram ModelDiagram(const Model& model) { return Builder(model).Build(); }

}  // namespace manygate
