// SPDX-License-Identifier: Apache-2.0
// The range of every number, as pipeline.proto states it. A new number: one line in kRanges.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
// Ids have 31 bits, with room for the missing and the unknown bucket.
constexpr double kMostIds = 2147483645;
constexpr double kWidest = 65536;      // units of a layer, width of an embedding
constexpr double kMostValues = 65536;  // ids of one feature in a row
constexpr double kLargestBatch = 16777216;
constexpr double kMostMebibytes = 1 << 30;
constexpr double kMostExperts = 4096;
constexpr double kMostClasses = 65536;

enum class Ends { kClosed, kOpenBelow, kOpenAbove, kOpen };

struct Range {
  std::string_view message;
  std::string_view field;
  double low;
  double high;
  Ends ends = Ends::kClosed;
};

constexpr Range kRanges[] = {
    {"IdFeature", "embedding_dim", 1, kWidest},
    {"IdFeature", "num_buckets", 1, kMostIds},
    {"IdFeature", "hash_bucket_size", 1, kMostIds},
    {"IdFeature", "min_count", 1, kNoLimit},
    {"IdFeature", "max_values", 0, kMostValues},
    {"RawFeature", "embedding_dim", 1, kWidest},
    {"ComboFeature", "embedding_dim", 1, kWidest},
    {"LookupFeature", "embedding_dim", 1, kWidest},
    {"MatchFeature", "embedding_dim", 1, kWidest},
    {"BoolMaskFeature", "embedding_dim", 1, kWidest},
    {"ExprFeature", "embedding_dim", 1, kWidest},
    {"OverlapFeature", "embedding_dim", 1, kWidest},
    {"CombineFeature", "embedding_dim", 1, kWidest},
    {"KvDotProduct", "embedding_dim", 1, kWidest},
    {"LookupFeature", "num_buckets", 1, kMostIds},
    {"MatchFeature", "num_buckets", 1, kMostIds},
    {"BoolMaskFeature", "num_buckets", 1, kMostIds},
    {"CombineFeature", "num_buckets", 1, kMostIds},
    {"ComboFeature", "hash_bucket_size", 1, kMostIds},
    {"LookupFeature", "hash_bucket_size", 1, kMostIds},
    {"MatchFeature", "hash_bucket_size", 1, kMostIds},
    {"BoolMaskFeature", "hash_bucket_size", 1, kMostIds},
    {"IdFeature", "sequence_length", 1, kMostValues},
    {"RawFeature", "sequence_length", 1, kMostValues},
    {"ComboFeature", "sequence_length", 1, kMostValues},
    {"LookupFeature", "sequence_length", 1, kMostValues},
    {"MatchFeature", "sequence_length", 1, kMostValues},
    {"BoolMaskFeature", "sequence_length", 1, kMostValues},
    {"ExprFeature", "sequence_length", 1, kMostValues},
    {"OverlapFeature", "sequence_length", 1, kMostValues},
    {"CombineFeature", "sequence_length", 1, kMostValues},
    {"KvDotProduct", "sequence_length", 1, kMostValues},
    {"SequenceFeature", "sequence_length", 1, kMostValues},
    {"RawFeature", "value_dim", 1, kNoLimit},
    {"ZeroCollisionHash", "zch_size", 1, kNoLimit},
    {"DynamicEmbedding", "max_capacity", 1, kNoLimit},
    {"AutoDisEmbedding", "num_channels", 1, kNoLimit},
    {"AutoDisEmbedding", "temperature", 0, kNoLimit, Ends::kOpenBelow},
    {"NumericTransform", "quantile_bins", 0, 65535},
    {"NumericTransform", "piecewise_linear", 0, 65535},
    {"SplitConfig", "validation_fraction", 0, 1, Ends::kOpenAbove},
    {"SplitConfig", "test_fraction", 0, 1, Ends::kOpenAbove},
    {"DataConfig", "batch_size", 1, kLargestBatch},
    {"DataConfig", "eval_batch_size", 1, kLargestBatch},
    {"DataConfig", "memory_limit_mb", 1, kMostMebibytes},
    {"ExponentialDecayLR", "decay_size", 1, kNoLimit},
    {"ExponentialDecayLR", "decay_factor", 0, 1, Ends::kOpenBelow},
    {"ExponentialDecayLR", "warmup_learning_rate", 0, kNoLimit},
    {"ExponentialDecayLR", "min_learning_rate", 0, kNoLimit},
    {"ManualStepLR", "learning_rates", 0, kNoLimit},
    {"CosineAnnealingLR", "min_learning_rate", 0, kNoLimit},
    {"CosineAnnealingLR", "warmup_learning_rate", 0, kNoLimit},
    {"CosineAnnealingLR", "epochs", 0, kNoLimit},
    {"CosineAnnealingLR", "warmup_share", 0, 1, Ends::kOpenAbove},
    {"CosineAnnealingWarmRestartsLR", "T_0", 1, kNoLimit},
    {"CosineAnnealingWarmRestartsLR", "T_mult", 1, kNoLimit},
    {"CosineAnnealingWarmRestartsLR", "min_learning_rate", 0, kNoLimit},
    {"CosineAnnealingWarmRestartsLR", "warmup_learning_rate", 0, kNoLimit},
    {"NoamLR", "warmup_size", 1, kNoLimit},
    {"SgdOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"SgdOptimizer", "momentum", 0, 1, Ends::kOpenAbove},
    {"SgdOptimizer", "dampening", 0, 1},
    {"SgdOptimizer", "weight_decay", 0, kNoLimit},
    {"SgdOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"AdagradOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"AdagradOptimizer", "initial_accumulator_value", 0, kNoLimit},
    {"AdagradOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"AdagradOptimizer", "weight_decay", 0, kNoLimit},
    {"AdagradOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamOptimizer", "beta1", 0, 1, Ends::kOpenAbove},
    {"AdamOptimizer", "beta2", 0, 1, Ends::kOpenAbove},
    {"AdamOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamOptimizer", "weight_decay", 0, kNoLimit},
    {"AdamOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamWOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamWOptimizer", "beta1", 0, 1, Ends::kOpenAbove},
    {"AdamWOptimizer", "beta2", 0, 1, Ends::kOpenAbove},
    {"AdamWOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"AdamWOptimizer", "weight_decay", 0, kNoLimit},
    {"FtrlOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"FtrlOptimizer", "beta", 0, kNoLimit},
    {"FtrlOptimizer", "l1", 0, kNoLimit},
    {"FtrlOptimizer", "l2", 0, kNoLimit},
    {"RmspropOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"RmspropOptimizer", "alpha", 0, 1, Ends::kOpenAbove},
    {"RmspropOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"RmspropOptimizer", "weight_decay", 0, kNoLimit},
    {"RmspropOptimizer", "momentum", 0, 1, Ends::kOpenAbove},
    {"RmspropOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"AdadeltaOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"AdadeltaOptimizer", "rho", 0, 1, Ends::kOpenAbove},
    {"AdadeltaOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"AdadeltaOptimizer", "weight_decay", 0, kNoLimit},
    {"AdadeltaOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"RowwiseAdagradOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"RowwiseAdagradOptimizer", "initial_accumulator_value", 0, kNoLimit},
    {"RowwiseAdagradOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"RowwiseAdagradOptimizer", "weight_decay", 0, kNoLimit},
    {"RowwiseAdagradOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"PartialRowwiseAdamOptimizer", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"PartialRowwiseAdamOptimizer", "beta1", 0, 1, Ends::kOpenAbove},
    {"PartialRowwiseAdamOptimizer", "beta2", 0, 1, Ends::kOpenAbove},
    {"PartialRowwiseAdamOptimizer", "eps", 0, kNoLimit, Ends::kOpenBelow},
    {"PartialRowwiseAdamOptimizer", "weight_decay", 0, kNoLimit},
    {"PartialRowwiseAdamOptimizer", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"GradClipping", "max_gradient", 0, kNoLimit, Ends::kOpenBelow},
    {"Ema", "decay", 0, 1, Ends::kOpen},
    {"EarlyStopping", "patience", 1, kNoLimit},
    {"EarlyStopping", "min_delta", 0, kNoLimit},
    {"TrainConfig", "log_step_count_steps", 1, kNoLimit},
    {"TrainConfig", "slice_rows", 1, kLargestBatch},
    {"TrainConfig", "health_rows", 0, kLargestBatch},
    {"UncertaintyWeights", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"DynamicWeightAverage", "temperature", 0, kNoLimit, Ends::kOpenBelow},
    {"GradNorm", "alpha", 0, kNoLimit},
    {"GradNorm", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"MetaBalance", "relax_factor", 0, 1},
    {"MetaBalance", "beta", 0, 1, Ends::kOpenAbove},
    {"CAGrad", "c", 0, kNoLimit},
    {"Famo", "lr", 0, kNoLimit, Ends::kOpenBelow},
    {"Famo", "gamma", 0, kNoLimit},
    {"DbMtl", "beta", 0, 1, Ends::kOpenAbove},
    {"DbMtl", "beta_sigma", 0, kNoLimit},
    {"Gating", "dropout_ratio", 0, 1, Ends::kOpenAbove},
    {"Gating", "temperature", 0, kNoLimit, Ends::kOpenBelow},
    {"Gating", "load_balance_weight", 0, kNoLimit},
    {"TaskTower", "pareto_min_loss_weight", 0, 1},
    {"MLP", "hidden_units", 1, kWidest},
    {"MLP", "dropout_ratio", 0, 1, Ends::kOpenAbove},
    {"MLP", "init_scale", 0, kNoLimit, Ends::kOpenBelow},
    {"BinaryCrossEntropy", "label_smoothing", 0, 1, Ends::kOpenAbove},
    {"BinaryFocalLoss", "gamma", 0, kNoLimit},
    {"BinaryFocalLoss", "alpha", 0, 1, Ends::kOpen},
    {"SoftmaxCrossEntropy", "label_smoothing", 0, 1, Ends::kOpenAbove},
    {"JRCLoss", "alpha", 0, 1},
    {"HuberLoss", "delta", 0, kNoLimit, Ends::kOpenBelow},
    {"LossConfig", "weight", 0, kNoLimit},
    {"AUC", "thresholds", 0, 10000000},
    {"Accuracy", "threshold", 0, 1},
    {"Accuracy", "top_k", 1, kMostClasses},
    {"RecallAtK", "top_k", 1, kMostClasses},
    {"MulticlassAUC", "thresholds", 0, 10000000},
    {"NormalizedEntropy", "eta", 0, 0.5, Ends::kOpen},
    {"ExpectedCalibrationError", "bins", 1, 1000000},
    {"TaskTower", "num_class", 1, kMostClasses},
    {"TaskTower", "weight", 0, kNoLimit},
    {"TaskTower", "in_task_space_weight", 0, kNoLimit},
    {"TaskTower", "out_task_space_weight", 0, kNoLimit},
    {"TaskTower", "class_weights", 0, kNoLimit},
    {"TaskTower", "low_rank_dim", 1, kWidest},
    {"TaskTower", "dropout_ratio", 0, 1, Ends::kOpenAbove},
    {"MMoE", "num_expert", 1, kMostExperts},
    {"OMoE", "num_expert", 1, kMostExperts},
    {"CGC", "expert_num_per_task", 0, kMostExperts},
    {"CGC", "share_num", 0, kMostExperts},
    {"ExtractionNetwork", "expert_num_per_task", 0, kMostExperts},
    {"ExtractionNetwork", "share_num", 0, kMostExperts},
    {"ESCM2", "num_expert", 1, kMostExperts},
    {"ESCM2", "counterfactual_w", 0, kNoLimit},
    {"ESCM2", "global_w", 0, kNoLimit},
    {"ESCM2", "max_inverse_propensity", 1, kNoLimit},
    {"AITM", "calibrator_weight", 0, kNoLimit},
    {"DBMTL", "num_expert", 1, kMostExperts},
    {"MaskNetModule", "n_mask_blocks", 1, kMostExperts},
    {"MaskBlock", "reduction_ratio", 0, kNoLimit, Ends::kOpenBelow},
    {"MaskBlock", "aggregation_dim", 1, kWidest},
    {"MaskBlock", "hidden_dim", 1, kWidest},
    {"DC2VR", "num_expert", 1, kMostExperts},
    {"AdaTT", "expert_num_per_task", 1, kMostExperts},
    {"DSelectK", "num_expert", 1, kMostExperts},
    {"DSelectK", "num_selected", 1, kMostExperts},
    {"DSelectK", "gamma", 0, kNoLimit, Ends::kOpenBelow},
    {"DSelectK", "entropy_weight", 0, kNoLimit},
    {"PEPNet", "epnet_hidden_unit", 0, kWidest},
    {"PEPNet", "epnet_gamma", 0, kNoLimit, Ends::kOpenBelow},
    {"PEPNet", "ppnet_hidden_units", 1, kWidest},
    {"PEPNet", "ppnet_dropout_ratio", 0, 1, Ends::kOpenAbove},
    {"PEPNet", "ppnet_gamma", 0, kNoLimit, Ends::kOpenBelow},
    {"CrossV2", "cross_num", 1, 64},
    {"CrossV2", "low_rank", 0, kWidest},
    {"Ensemble", "members", 1, 64},
};

// May be infinite; validate_training.cc knows its values.
bool IsNormType(const FieldDescriptor& field) {
  return field.name() == "norm_type" && field.containing_type()->name() == "GradClipping";
}

const Range* FindRange(const FieldDescriptor& field) {
  for (const Range& range : kRanges) {
    if (range.field == field.name() && range.message == field.containing_type()->name()) return &range;
  }
  return nullptr;
}

bool Inside(const Range& range, double value) {
  const bool open_below = range.ends == Ends::kOpenBelow || range.ends == Ends::kOpen;
  const bool open_above = range.ends == Ends::kOpenAbove || range.ends == Ends::kOpen;
  return (open_below ? value > range.low : value >= range.low) &&
         (open_above ? value < range.high : value <= range.high);
}

std::string Describe(const Range& range) {
  const bool open_below = range.ends == Ends::kOpenBelow || range.ends == Ends::kOpen;
  const bool open_above = range.ends == Ends::kOpenAbove || range.ends == Ends::kOpen;
  if (range.high == kNoLimit) return fmt::format("{} {}", open_below ? "a number above" : "at least", range.low);
  if (!open_below && !open_above) return fmt::format("{:.0f} to {:.0f}", range.low, range.high);
  return fmt::format("a number in {}{}, {}{}", open_below ? '(' : '[', range.low, range.high, open_above ? ')' : ']');
}

struct Number {
  double value;
  std::string text;
};

// The value of a numeric field, one element if index >= 0; none for other types.
std::optional<Number> NumberOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const auto make = [](auto value) { return Number{static_cast<double>(value), fmt::format("{}", value)}; };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return make(index < 0 ? reflection.GetUInt32(message, &field)
                            : reflection.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return make(index < 0 ? reflection.GetUInt64(message, &field)
                            : reflection.GetRepeatedUInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return make(index < 0 ? reflection.GetFloat(message, &field)
                            : reflection.GetRepeatedFloat(message, &field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return make(index < 0 ? reflection.GetDouble(message, &field)
                            : reflection.GetRepeatedDouble(message, &field, index));
    default: return std::nullopt;
  }
}

void CheckNumber(const Message& message, const FieldDescriptor& field, int index, Problems* problems) {
  const std::optional<Number> number = NumberOf(message, field, index);
  if (!number.has_value() || IsNormType(field)) return;
  const Range* range = FindRange(field);
  if (range == nullptr && std::isfinite(number->value)) return;
  if (range != nullptr && std::isfinite(number->value) && Inside(*range, number->value)) return;
  problems->Add(message, field.name(), index,
                fmt::format("is {}, expected {}", number->text,
                            range == nullptr ? std::string("a finite number") : Describe(*range)));
}

void CheckMessage(const Message& message, Problems* problems) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      is_message ? CheckMessage(reflection.GetMessage(message, field), problems)
                 : CheckNumber(message, *field, -1, problems);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      is_message ? CheckMessage(reflection.GetRepeatedMessage(message, field, i), problems)
                 : CheckNumber(message, *field, i, problems);
    }
  }
}

}  // namespace

void CheckRanges(const Pipeline& pipeline, Problems* problems) { CheckMessage(pipeline, problems); }

}  // namespace manygate::config
