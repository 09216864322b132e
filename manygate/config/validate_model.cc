// SPDX-License-Identifier: Apache-2.0
// Rules of model_config that hold for every model: that there is one, that it has the networks it needs, what networks
// are made of. Its towers: validate_towers.cc; what only one model asks: validate_special_models.cc.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void CheckMlp(const MLP& mlp, Problems* problems) {
  if (mlp.hidden_units_size() == 0) {
    problems->AddTo(mlp, "has no hidden_units. Write one width per layer: hidden_units: [64, 32]");
  }
  CheckPerLayer(mlp, "dropout_ratio", mlp.dropout_ratio_size(), mlp.hidden_units_size(), problems);
  CheckPerLayer(mlp, "init_scale", mlp.init_scale_size(), mlp.hidden_units_size(), problems);
  CheckActivation(mlp, "activation", mlp.activation(), problems);
  if (mlp.use_bn() && mlp.use_ln()) problems->Add(mlp, "use_ln", "excludes use_bn: keep one of them");
}

// What to write for a field that is missing.
std::string Example(const FieldDescriptor& field) {
  std::string inside;
  const auto& type = *field.message_type();
  if (&type == MLP::descriptor()) inside = " hidden_units: [64, 32]";
  for (int i = 0; i < type.field_count() && inside.size() < 200; ++i) {
    if (type.field(i)->options().GetExtension(needed)) inside += " " + Example(*type.field(i));
  }
  return fmt::format("{} {{{} }}", field.name(), inside);
}

// Networks of which there are none need no description.
bool IsUnused(const Message& message, const FieldDescriptor& field) {
  const char* count = field.name() == "task_expert_net"    ? "expert_num_per_task"
                      : field.name() == "share_expert_net" ? "share_num"
                                                           : "";
  const FieldDescriptor* count_field = message.GetDescriptor()->FindFieldByName(count);
  return count_field != nullptr && message.GetReflection()->GetUInt32(message, count_field) == 0;
}

// Every network of the model, wherever it stands in it.
void CheckNetworks(const Message& message, Problems* problems) {
  if (message.GetDescriptor() == MLP::descriptor()) return CheckMlp(static_cast<const MLP&>(message), problems);
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.message_type() == nullptr) continue;
    const int count =
        field.is_repeated() ? reflection.FieldSize(message, &field) : int{reflection.HasField(message, &field)};
    if (count == 0 && field.options().GetExtension(needed) && !IsUnused(message, field)) {
      problems->AddTo(message, fmt::format("has no {}. Write {}{}", field.name(), Example(field),
                                           field.is_repeated() ? " for each level" : ""));
    }
    for (int j = 0; j < count; ++j) {
      CheckNetworks(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, j)
                                        : reflection.GetMessage(message, &field),
                    problems);
    }
  }
}

// Softmax gates over experts: the models that are wired with Gate(), models/blocks.h.
bool HasGates(const ModelConfig& model) {
  return model.has_mmoe() || model.has_omoe() || model.has_cgc() || model.has_ple() || model.has_escm2() ||
         model.has_adatt() || model.dbmtl().has_expert_mlp() || model.dc2vr().has_expert_mlp();
}

void CheckGating(const ModelConfig& model, Problems* problems) {
  if (!model.has_gating() || HasGates(model)) return;
  problems->Add(
      model, "gating",
      model.has_dbmtl() || model.has_dc2vr()
          ? fmt::format("has no effect without {0}.expert_mlp: {0} has gates where it has experts", ModelName(model))
          : fmt::format("has no effect: {} has no softmax gates over experts. Models that have: mmoe, omoe, "
                        "cgc, ple, escm2, adatt, and dbmtl and dc2vr with expert_mlp",
                        ModelName(model)));
}

}  // namespace

void CheckActivation(const Message& parent, std::string_view field, const std::string& name, Problems* problems) {
  static const std::vector<std::string> kNames = {"nn.ReLU", "nn.SiLU",      "nn.Tanh", "nn.Sigmoid",
                                                  "nn.GELU", "nn.LeakyReLU", "none"};
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return;
  problems->Add(parent, field, fmt::format("\"{}\" is unknown. {}", name, Suggestion(name, kNames, "Known")));
}

void CheckPerLayer(const Message& parent, std::string_view field, int values, int layers, Problems* problems) {
  if (values <= 1 || values == layers) return;
  problems->Add(parent, field,
                fmt::format("has {} values for {} layers, expected one for all or one per layer", values, layers));
}

void CheckModel(const Pipeline& pipeline, Problems* problems) {
  const ModelConfig& model = pipeline.model_config();
  if (const Message* message = ModelMessage(model); message != nullptr) {
    CheckNetworks(*message, problems);
    for (const FeatureGroupConfig& group : model.feature_groups())
      for (const SeqEncoderConfig& encoder : group.sequence_encoders()) CheckNetworks(encoder, problems);
    CheckGating(model, problems);
    CheckSpecialModel(model, problems);
    CheckTowers(pipeline, problems);
    return;
  }
  const std::string text = fmt::format("no model: write one of {} {{ ... }}", JoinNames(ModelNames(), 100));
  pipeline.has_model_config() ? problems->AddTo(model, "has " + text)
                              : problems->AddGlobal("model_config is missing; it has " + text);
}

}  // namespace manygate::config
