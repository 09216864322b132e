// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace manygate {
namespace {

// The formulas are those of losses/poisson_loss.cc and losses/ziln_loss.cc.
constexpr double kHighestExponent = 80;

Tensor Sigmoid(TensorProgram& program, Tensor x) { return program.Unary(UnaryKind::kSigmoid, x); }

Tensor Bounded(TensorProgram& program, Tensor x, double low, double high) {
  x = program.Binary(BinaryKind::kLarger, x, program.Double(low));
  return program.Binary(BinaryKind::kSmaller, x, program.Double(high));
}

// mean + deviation · z where the loss learns standardised labels.
Tensor Standardised(TensorProgram& program, Tensor logits, const LabelStatistics& labels) {
  const double mean = std::isfinite(labels.mean) ? labels.mean : 0;
  const double deviation = std::isfinite(labels.deviation) && labels.deviation > 0 ? labels.deviation : 1;
  const Tensor z = program.Cast(logits, TensorType::kDouble);
  const Tensor y = program.Add(program.Double(mean), program.Multiply(program.Double(deviation), z));
  return program.Cast(y, TensorType::kNumber);
}

// p · exp(m + d² / 2) of the logits a, m, t.
Tensor ExpectedAmount(TensorProgram& program, Tensor logits, const LabelStatistics& labels) {
  const auto column = [&](int64_t i) { return program.Cast(program.Slice(logits, i, 1), TensorType::kDouble); };
  const Tensor t = column(2), zero = program.Double(0), one = program.Double(1);
  const Tensor fading =
      program.Unary(UnaryKind::kExp, program.Unary(UnaryKind::kNegative, program.Unary(UnaryKind::kAbsolute, t)));
  const Tensor softplus = program.Add(program.Binary(BinaryKind::kLarger, t, zero),
                                      program.Unary(UnaryKind::kLog, program.Add(one, fading)));
  const double lowest = std::sqrt(1e-7);
  Tensor mean = column(1), deviation = program.Binary(BinaryKind::kLarger, softplus, program.Double(lowest));
  if (labels.positive_share > 0 && std::isfinite(labels.log_mean) && std::isfinite(labels.log_deviation)) {
    const double of_labels = std::max(labels.log_deviation, 0.01);
    mean = Bounded(program, mean, labels.log_mean - 3 * of_labels, labels.log_mean + 3 * of_labels);
    deviation = Bounded(program, softplus, lowest, 1.5 * of_labels);
  }
  const Tensor half = program.Divide(program.Multiply(deviation, deviation), program.Double(2));
  const Tensor exponent =
      program.Binary(BinaryKind::kSmaller, program.Add(mean, half), program.Double(kHighestExponent));
  const Tensor amount = program.Multiply(Sigmoid(program, column(0)), program.Unary(UnaryKind::kExp, exponent));
  return program.Cast(amount, TensorType::kNumber);
}

StatusOr<Tensor> Link(const Model& model, size_t index, Tensor logits, TensorProgram& program) {
  const Task& task = model.tasks[index];
  const config::LossConfig& loss =
      config::TaskTowers(model.pipeline.model_config()).Get(static_cast<int>(index)).losses(0);
  const LabelStatistics labels = StatisticsOf(model.schema.labels(task.label));
  switch (loss.loss_case()) {
    case config::LossConfig::kBinaryCrossEntropy:
    case config::LossConfig::kBinaryFocalLoss:
    case config::LossConfig::kPairwiseLoss: return Sigmoid(program, logits);
    case config::LossConfig::kJrcLoss:
      return Sigmoid(program, program.Subtract(program.Slice(logits, 1, 1), program.Slice(logits, 0, 1)));
    case config::LossConfig::kSoftmaxCrossEntropy: return program.Softmax(logits);
    case config::LossConfig::kL2Loss:
      return loss.l2_loss().standardise() ? Standardised(program, logits, labels) : logits;
    case config::LossConfig::kHuberLoss:
      return loss.huber_loss().standardise() ? Standardised(program, logits, labels) : logits;
    case config::LossConfig::kPoissonLoss: {
      const Tensor z = program.Cast(logits, TensorType::kDouble);
      const Tensor exponent = program.Binary(BinaryKind::kSmaller, z, program.Double(kHighestExponent));
      return program.Cast(program.Unary(UnaryKind::kExp, exponent), TensorType::kNumber);
    }
    case config::LossConfig::kZilnLoss: return ExpectedAmount(program, logits, labels);
    default:
      return InvalidInput(
          fmt::format("tower \"{}\": predictions of {} cannot be exported", task.tower, task.losses[0].loss->name()));
  }
}

}  // namespace

StatusOr<Tensor> ExportOutput(const Model& model, const ModelOutput& output, Tensor logits, TensorProgram* program) {
  switch (output.kind) {
    case ModelOutput::Kind::kLogits: return logits;
    case ModelOutput::Kind::kExtra: return Sigmoid(*program, logits);
    case ModelOutput::Kind::kPrediction: break;
  }
  return Link(model, output.index, logits, *program);
}

}  // namespace manygate
