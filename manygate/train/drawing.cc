// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/train/input_kinds.h"

namespace manygate {
namespace {

constexpr size_t kMaxColumns = 78;
constexpr size_t kMaxBoxText = 26;
constexpr int kMaxTowers = 8;
constexpr int kMaxBoxedTowers = 2;

size_t Columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Cut(const std::string& text, size_t columns) {
  if (Columns(text) <= columns) return text;
  size_t bytes = 0, seen = 0;
  for (; bytes < text.size(); ++bytes) {
    if ((text[bytes] & 0xC0) != 0x80 && seen++ == columns - 1) break;
  }
  return text.substr(0, bytes) + "…";
}

std::string Padded(const std::string& text, size_t columns) {
  return text + std::string(columns - std::min(columns, Columns(text)), ' ');
}

std::string Line(size_t columns) {
  std::string text;
  for (size_t i = 0; i < columns; ++i) text += "─";
  return text;
}

// Three lines of the picture that belong together; the middle one carries the connections.
struct Strip {
  std::string top, middle, bottom;
  Strip& Add(std::string_view above, std::string_view at, std::string_view below) {
    top += above;
    middle += at;
    bottom += below;
    return *this;
  }
  // A box whose sides are connected.
  Strip& AddBox(const std::string& text, size_t columns) {
    return Add("┌" + Line(columns + 2) + "┐", "┤ " + Padded(text, columns) + " ├", "└" + Line(columns + 2) + "┘");
  }
};

class Drawing {
 public:
  explicit Drawing(const Model& model)
      : model_(model), config_(model.pipeline.model_config()), towers_(config::TaskTowers(config_)) {
    num_drawn_ = std::min(towers_.size(), kMaxTowers);
    boxed_ = num_drawn_ <= kMaxBoxedTowers;
    for (int t = 0; t < num_drawn_; ++t) tower_columns_ = std::max(tower_columns_, Columns(TowerText(t)));
  }

  std::string Draw() {
    text_ = fmt::format("{}: {} {}, {} parameters, {} operations\n\n", config::ModelName(config_), towers_.size(),
                        towers_.size() == 1 ? "task" : "tasks", FormatCount(model_.graph.NumParameters()),
                        model_.graph.nodes.size());
    DrawInputs();
    switch (config_.model_case()) {
      case config::ModelConfig::kMmoe: DrawMmoe(); break;
      case config::ModelConfig::kOmoe: DrawOmoe(); break;
      case config::ModelConfig::kSharedBottom: DrawSharedBottom(); break;
      case config::ModelConfig::kSimpleMultiTask: DrawSimple(); break;
      default: DrawOther(); break;
    }
    if (num_drawn_ < towers_.size()) text_ += fmt::format("     ... and {} more towers\n", towers_.size() - num_drawn_);
    text_ += "\n";
    for (int t = 0; t < num_drawn_; ++t) DescribeTask(t);
    DescribeFirstProduct();
    return std::move(text_);
  }

 private:
  // ---- texts of the boxes
  static std::string MlpText(const config::MLP& mlp) {
    if (mlp.hidden_units().empty()) return "";
    std::string text;
    for (const uint32_t units : mlp.hidden_units()) text += fmt::format(" → {}", units);
    std::string_view activation = mlp.activation();
    if (activation.starts_with("nn.")) activation.remove_prefix(3);
    if (activation != "none") text += fmt::format(" {}", activation);
    if (mlp.use_bn()) text += " bn";
    if (mlp.use_ln()) text += " ln";
    return text;
  }
  std::string TowerText(int t) const {
    return Cut(fmt::format("tower{} → {}", MlpText(towers_[t].mlp()), model_.tasks[t].num_logits()), kMaxBoxText);
  }
  static std::string ExpertText(uint32_t num_expert, const config::MLP& mlp) {
    return Cut(fmt::format("{} expert{}{}", num_expert, num_expert == 1 ? "" : "s", MlpText(mlp)), kMaxBoxText);
  }
  static std::string GateText(uint32_t num_expert, const config::MLP& mlp) {
    return Cut(fmt::format("gate{} → {} softmax", MlpText(mlp), num_expert), kMaxBoxText);
  }
  std::string OutputName(int t) const {
    const config::TaskKind kind = config::KindOf(towers_[t]);
    const bool probability = kind == config::TaskKind::kBinary || kind == config::TaskKind::kClasses;
    return (probability ? "probs_" : "y_") + config::TowerName(towers_[t]);
  }

  // ---- inputs
  void DrawInputs() {
    const std::vector<InputKind> kinds = CountInputKinds(config_.feature_groups(0), model_.schema);
    size_t count_columns = 0, text_columns = 0, width_columns = 0;
    uint64_t width = 0;
    for (const InputKind& kind : kinds) {
      count_columns = std::max(count_columns, std::to_string(kind.columns).size());
      text_columns = std::max(text_columns, kind.what.size());
      width_columns = std::max(width_columns, std::to_string(kind.width).size());
      width += kind.width;
    }
    std::vector<std::string> lines;
    for (const InputKind& kind : kinds) {
      lines.push_back(fmt::format("{:>{}} {:<{}}  {:>{}}", kind.columns, count_columns, kind.what, text_columns,
                                  kind.width, width_columns));
    }
    const size_t inner = lines.empty() ? 4 : lines[0].size() + 2;
    text_ += " ┌" + Line(inner) + "┐\n";
    for (const std::string& line : lines) text_ += " │ " + line + " │\n";
    text_ += " └─┬" + Line(inner - 2) + "┘\n";
    text_ += fmt::format("   │ {}\n", width);
  }

  // ---- models
  // What connects a box to the inputs; the last one ends the line.
  static Strip FromInputs(bool last) {
    Strip strip;
    strip.Add("   │  ", last ? "   └──" : "   ├──", last ? "      " : "   │  ");
    return strip;
  }

  void Write(const Strip& strip, bool with_top = true, bool with_bottom = true) {
    for (const std::string* line : {&strip.top, &strip.middle, &strip.bottom}) {
      if (!boxed_ && ((line == &strip.top && !with_top) || (line == &strip.bottom && !with_bottom))) continue;
      std::string trimmed = *line;
      while (trimmed.ends_with(' ')) trimmed.pop_back();
      text_ += trimmed + "\n";
    }
  }

  Strip& AddTower(Strip& strip, int t) const {
    strip.AddBox(TowerText(t), tower_columns_);
    const size_t used = Columns(strip.middle) + 3;
    return strip.Add("", "─▶ " + Cut(OutputName(t), kMaxColumns - std::min(used, kMaxColumns - 1)), "");
  }

  // `left` ends where its line splits to all towers.
  void FanOut(const Strip& left) {
    const std::string blank(Columns(left.middle), ' ');
    for (int t = 0; t < num_drawn_; ++t) {
      const bool last = t == num_drawn_ - 1;
      const std::string fork = t == 0 ? (last ? "─" : "┬") : (last ? "└" : "├");
      Strip strip = t == 0 ? left : Strip{blank, blank, blank};
      strip.Add(t == 0 ? " " : "│", fork, last ? " " : "│").Add(" ", "─", " ");
      Write(AddTower(strip, t), false, false);
    }
  }

  void DrawExperts(const std::string& text, size_t columns) {
    Strip strip = FromInputs(false);
    strip.AddBox(text, columns).Add("", "──┐", "  │");
    Write(strip, true, true);
  }

  void DrawMmoe() {
    const config::MMoE& mmoe = config_.mmoe();
    const std::string expert = ExpertText(mmoe.num_expert(), mmoe.expert_mlp());
    const std::string gate = GateText(mmoe.num_expert(), mmoe.gate_mlp());
    const size_t columns = std::max(Columns(expert), Columns(gate));
    DrawExperts(expert, columns);
    for (int t = 0; t < num_drawn_; ++t) {
      const bool last = t == num_drawn_ - 1;
      Strip strip = FromInputs(last);
      strip.AddBox(gate, columns).Add("  │  ", "──Σ──", last ? "     " : "  │  ");
      Write(AddTower(strip, t), false, false);
    }
  }

  void DrawOmoe() {
    const config::OMoE& omoe = config_.omoe();
    const std::string expert = ExpertText(omoe.num_expert(), omoe.expert_mlp());
    const std::string gate = GateText(omoe.num_expert(), omoe.gate_mlp());
    const size_t columns = std::max(Columns(expert), Columns(gate));
    DrawExperts(expert, columns);
    Strip left = FromInputs(true);
    left.AddBox(gate, columns).Add("  │ ", "──Σ─", "    ");
    FanOut(left);
  }

  void DrawSharedBottom() {
    const std::string bottom = Cut("bottom" + MlpText(config_.shared_bottom().bottom_mlp()), kMaxBoxText);
    Strip left = FromInputs(true);
    left.AddBox(bottom, Columns(bottom)).Add(" ", "─", " ");
    FanOut(left);
  }

  void DrawSimple() {
    for (int t = 0; t < num_drawn_; ++t) {
      Strip strip = FromInputs(t == num_drawn_ - 1);
      Write(AddTower(strip, t), false, false);
    }
  }

  // Models whose inside is no matter of a few boxes: docs/models has their drawings.
  void DrawOther() {
    std::string text = config::ModelName(config_);
    const google::protobuf::Message* message = config::ModelMessage(config_);
    const auto* descriptor = message->GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const auto* field = descriptor->field(i);
      if (field->is_repeated() || field->message_type() != config::MLP::descriptor()) continue;
      const auto& mlp = static_cast<const config::MLP&>(message->GetReflection()->GetMessage(*message, field));
      if (mlp.hidden_units().empty()) continue;
      text += MlpText(mlp);
      break;
    }
    text = Cut(text, kMaxBoxText);
    Strip left = FromInputs(true);
    left.AddBox(text, Columns(text)).Add(" ", "─", " ");
    FanOut(left);
  }

  // ---- lines below
  void DescribeTask(int t) {
    const features::LabelSchema& label = model_.schema.labels(model_.tasks[t].label);
    const auto rows = static_cast<int64_t>(label.rows());
    const std::string statistics =
        label.kind() == features::LabelSchema::BINARY
            ? fmt::format("{:.3g} % of {} rows positive", 100 * label.mean(), FormatCount(rows))
            : fmt::format("{} rows, mean {:.4g}, deviation {:.4g}", FormatCount(rows), label.mean(), label.deviation());
    const std::string line =
        fmt::format(" {}: {}, {}", config::TowerName(towers_[t]), config::LossName(towers_[t]), statistics);
    text_ += Cut(line, kMaxColumns) + "\n";
  }

  // How the widest product, that at the inputs, is computed.
  void DescribeFirstProduct() {
    const Node* widest = nullptr;
    for (const Node& node : model_.graph.nodes)
      if (!node.blocks.empty() && (widest == nullptr || node.shape.size() > widest->shape.size())) widest = &node;
    if (widest == nullptr) return;
    text_ += fmt::format(" first product, {} wide:\n   {}\n", widest->shape.size(), widest->op->Describe());
  }

  const Model& model_;
  const config::ModelConfig& config_;
  const google::protobuf::RepeatedPtrField<config::TaskTower>& towers_;
  int num_drawn_ = 0;
  bool boxed_ = true;  // else towers and gates are single lines
  size_t tower_columns_ = 0;
  std::string text_;
};

}  // namespace

std::string DrawModel(const Model& model) { return Drawing(model).Draw(); }

}  // namespace manygate
