// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/foreign_fields.h"

#include <string>

namespace manygate::config {
namespace {

constexpr auto kIgnored = ForeignField::Kind::kIgnored;
constexpr auto kRefused = ForeignField::Kind::kRefused;
constexpr auto kRenamed = ForeignField::Kind::kRenamed;

constexpr std::string_view kGpu = "GPUs and number formats (all is computed in 32 bits here)";
constexpr std::string_view kWorkers = "worker processes (threads are set by --threads)";
constexpr std::string_view kCloud = "Alibaba Cloud's storage and server";
constexpr std::string_view kLogs = "what is written beside the model";
constexpr std::string_view kSharding = "how tables are spread over machines";
constexpr std::string_view kMasking =
    "hides values at random while training, which is not supported: take it out, or use dropout_ratio in an MLP";
constexpr std::string_view kSingleTask =
    "is a model of a single task or of candidate generation. For one task: simple_multi_task { task_towers { ... } }";
constexpr std::string_view kSampler =
    "samples negatives for candidate generation, which is not what this program trains";
constexpr std::string_view kPerTower = "belongs to models of one task: write it inside task_towers { }";
constexpr std::string_view kOneOptimizer =
    "is not supported: the optimizer of all dense parameters is dense_optimizer, of all embedding tables "
    "sparse_optimizer";

constexpr ForeignField kFields[] = {
    // TorchEasyRec's, without an effect on the result here
    {"Pipeline", "export_config", kIgnored, kLogs},
    {"DataConfig", "num_workers", kIgnored, kWorkers},
    {"DataConfig", "pin_memory", kIgnored, kGpu},
    {"DataConfig", "fg_threads", kIgnored, kWorkers},
    {"DataConfig", "is_orderby_partition", kIgnored, kCloud},
    {"DataConfig", "odps_data_quota_name", kIgnored, kCloud},
    {"DataConfig", "odps_data_compression", kIgnored, kCloud},
    {"DataConfig", "force_base_data_group", kIgnored, kWorkers},
    {"DataConfig", "shuffle_buffer_size", kIgnored,
     "how far rows are shuffled (here over all that memory_limit_mb holds)"},
    {"DataConfig", "in_order", kIgnored, kWorkers},
    {"TrainConfig", "is_profiling", kIgnored, kLogs},
    {"TrainConfig", "tensorboard_summaries", kIgnored, kLogs},
    {"TrainConfig", "cudnn_allow_tf32", kIgnored, kGpu},
    {"TrainConfig", "cuda_matmul_allow_tf32", kIgnored, kGpu},
    {"TrainConfig", "global_embedding_constraints", kIgnored, kSharding},
    {"TrainConfig", "mixed_precision", kIgnored, kGpu},
    {"TrainConfig", "grad_scaler", kIgnored, kGpu},
    {"TrainConfig", "delta_embedding_dump_config", kIgnored, kCloud},
    {"TrainConfig", "save_checkpoints_timestamp_interval", kIgnored, "checkpoints by the time of streamed messages"},
    {"TrainConfig", "save_checkpoints_timestamps", kIgnored, "checkpoints by the time of streamed messages"},
    {"TrainConfig", "save_checkpoints_timestamp_quorum", kIgnored, "checkpoints by the time of streamed messages"},
    {"GradClipping", "enable_global_grad_clip", kIgnored, kWorkers},
    {"EvalConfig", "log_step_count_steps", kIgnored, kLogs},
    {"EvalConfig", "evaluator_type", kIgnored, kLogs},
    {"ModelConfig", "kernel", kIgnored, kGpu},
    {"TaskTower", "train_metrics", kIgnored, kLogs},
    {"XAUC", "sample_ratio", kIgnored, "estimating the metric (it is exact here)"},
    {"XAUC", "max_pairs", kIgnored, "estimating the metric (it is exact here)"},
    {"XAUC", "in_batch", kIgnored, "estimating the metric (it is exact here)"},
    {"GroupedXAUC", "max_pairs_per_group", kIgnored, "estimating the metric (it is exact here)"},
    {"*Feature", "data_type", kIgnored, kGpu},
    {"*Feature", "embedding_constraints", kIgnored, kSharding},
    {"*Feature", "fg_value_type", kIgnored, "the type of generated values"},
    {"ZeroCollisionHash", "eviction_interval", kIgnored, "when values are evicted (the most frequent are kept here)"},
    {"ZeroCollisionHash", "lfu", kIgnored, "which values are evicted (the most frequent are kept here)"},
    {"ZeroCollisionHash", "lru", kIgnored, "which values are evicted (the most frequent are kept here)"},
    {"ZeroCollisionHash", "distance_lfu", kIgnored, "which values are evicted (the most frequent are kept here)"},
    {"DynamicEmbedding", "initializer_args", kIgnored, "how tables grow"},
    {"DynamicEmbedding", "eval_initializer_args", kIgnored, "how tables grow"},
    {"DynamicEmbedding", "score_strategy", kIgnored, "which values are evicted (the most frequent are kept here)"},
    {"DynamicEmbedding", "cache_load_factor", kIgnored, kGpu},
    {"DynamicEmbedding", "init_capacity_per_rank", kIgnored, kWorkers},
    {"DynamicEmbedding", "bucket_capacity", kIgnored, kGpu},
    // TorchEasyRec's, refused
    {"DataConfig", "sample_mask_prob", kRefused, kMasking},
    {"DataConfig", "negative_sample_mask_prob", kRefused, kMasking},
    {"*Feature", "use_mask", kRefused, kMasking},
    {"DataConfig", "sample_cost_field", kRefused,
     "makes batches of unequal size, which is not supported: write batch_size"},
    {"DataConfig", "batch_cost_size", kRefused,
     "makes batches of unequal size, which is not supported: write batch_size"},
    {"DataConfig", "min_batch_size", kRefused, "is not supported: write drop_remainder: true, or leave it out"},
    {"DataConfig", "negative_sampler", kRefused, kSampler},
    {"DataConfig", "negative_sampler_v2", kRefused, kSampler},
    {"DataConfig", "hard_negative_sampler", kRefused, kSampler},
    {"DataConfig", "hard_negative_sampler_v2", kRefused, kSampler},
    {"DataConfig", "tdm_sampler", kRefused, kSampler},
    {"ZeroCollisionHash", "threshold_filtering_func", kRefused,
     "is a piece of Python. Use min_count in place of zch: rarer values share the unknown row"},
    {"DynamicEmbedding", "frequency_admission_strategy", kRefused,
     "is not supported. Use min_count in place of dynamicemb: rarer values share the unknown row"},
    {"DynamicEmbedding", "init_table", kRefused, "is not supported: tables start at random, or by init_fn"},
    {"FeatureConfig", "tokenize_feature", kRefused,
     "is not supported: cut the text into words before, and use id_feature with a separator"},
    {"FeatureConfig", "sequence_tokenize_feature", kRefused, "is not supported: cut the text into words before"},
    {"FeatureConfig", "custom_feature", kRefused,
     "needs a library (.so) of TorchEasyRec's. Write expr_feature, or compute the column before"},
    {"FeatureConfig", "sequence_custom_feature", kRefused,
     "needs a library (.so) of TorchEasyRec's. Write sequence_expr_feature, or compute the column before"},
    {"SeqFeatureConfig", "tokenize_feature", kRefused, "is not supported: cut the text into words before"},
    {"SeqFeatureConfig", "custom_feature", kRefused,
     "needs a library (.so) of TorchEasyRec's. Write expr_feature, or compute the column before"},
    {"TrainConfig", "fine_tune_checkpoint", kRefused,
     "is not supported: a checkpoint of TorchEasyRec cannot be read. To go on with a run of this program: --resume"},
    {"TrainConfig", "fine_tune_ckpt_param_map", kRefused, "is not supported, as fine_tune_checkpoint is not"},
    {"TrainConfig", "gradient_accumulation_steps", kRefused,
     "is not needed: multiply data_config.batch_size by it, memory is no limit here"},
    {"EvalConfig", "use_dense_ema", kRefused, "is always so with train_config.ema: take it out"},
    {"Optimizer", "part_optimizers", kRefused, kOneOptimizer},
    {"Optimizer", "param_optimizers", kRefused, kOneOptimizer},
    {"Optimizer", "lars_sgd_optimizer", kRefused, "is for batches spread over many machines: use sgd_optimizer"},
    {"Optimizer", "lamb_optimizer", kRefused, "is for batches spread over many machines: use adam_optimizer"},
    {"Optimizer", "partial_rowwise_lamb_optimizer", kRefused,
     "is for batches spread over many machines: use partial_rowwise_adam_optimizer"},
    {"SeqEncoderConfig", "multi_window_din_encoder", kRefused, "is not supported: use din_encoder"},
    {"SeqEncoderConfig", "self_attention_encoder", kRefused, "is not supported: use din_encoder or simple_attention"},
    {"SeqEncoderConfig", "hstu_encoder", kRefused, "is not supported: use din_encoder"},
    {"ModelConfig", "variational_dropout", kRefused,
     "is not supported: see which features matter with manygate report --importance"},
    {"ModelConfig", "num_class", kRefused, kPerTower},
    {"ModelConfig", "losses", kRefused, kPerTower},
    {"ModelConfig", "metrics", kRefused, kPerTower},
    {"ModelConfig", "train_metrics", kIgnored, kLogs},
    {"ModelConfig", "dlrm", kRefused, kSingleTask},
    {"ModelConfig", "deepfm", kRefused, kSingleTask},
    {"ModelConfig", "multi_tower", kRefused, kSingleTask},
    {"ModelConfig", "multi_tower_din", kRefused, kSingleTask},
    {"ModelConfig", "mask_net", kRefused, kSingleTask},
    {"ModelConfig", "wide_and_deep", kRefused, kSingleTask},
    {"ModelConfig", "dcn_v1", kRefused, kSingleTask},
    {"ModelConfig", "dcn_v2", kRefused, kSingleTask},
    {"ModelConfig", "xdeepfm", kRefused, kSingleTask},
    {"ModelConfig", "wukong", kRefused, kSingleTask},
    {"ModelConfig", "dssm", kRefused, kSingleTask},
    {"ModelConfig", "dssm_v2", kRefused, kSingleTask},
    {"ModelConfig", "dat", kRefused, kSingleTask},
    {"ModelConfig", "hstu_match", kRefused, kSingleTask},
    {"ModelConfig", "mind", kRefused, kSingleTask},
    {"ModelConfig", "tdm", kRefused, kSingleTask},
    {"ModelConfig", "rocket_launching", kRefused, kSingleTask},
    {"ModelConfig", "sid_rqvae", kRefused, kSingleTask},
    {"ModelConfig", "sid_rqkmeans", kRefused, kSingleTask},
    {"ModelConfig", "dlrm_hstu", kRefused, "is not supported: use mmoe with a din_encoder"},
    {"ModelConfig", "ultra_hstu", kRefused, "is not supported: use mmoe with a din_encoder"},
    // Of older versions and of EasyRec
    {"PEPNet", "main_group_name", kRenamed,
     "is an older name: the main group is the first of model_config.feature_groups"},
    {"PEPNet", "domain_group_name", kRenamed, "is an older name: call the feature group \"domain\""},
    {"PEPNet", "uia_group_name", kRenamed, "is an older name: call the feature group \"uia\""},
    {"MMoE", "expert_num", kRenamed, "is EasyRec's name: write num_expert"},
    {"OMoE", "expert_num", kRenamed, "is EasyRec's name: write num_expert"},
    {"DBMTL", "expert_num", kRenamed, "is EasyRec's name: write num_expert"},
    {"DBMTL", "bottom_dnn", kRenamed, "is EasyRec's name: write bottom_mlp"},
    {"DBMTL", "expert_dnn", kRenamed, "is EasyRec's name: write expert_mlp"},
    {"MMoE", "expert_dnn", kRenamed, "is EasyRec's name: write expert_mlp"},
    {"MMoE", "gate_dnn", kRenamed, "is EasyRec's name: write gate_mlp"},
    {"MMoE", "experts", kRenamed, "is EasyRec's: write expert_mlp { ... } once and num_expert"},
    {"TaskTower", "dnn", kRenamed, "is EasyRec's name: write mlp"},
    {"TaskTower", "relation_dnn", kRenamed, "is EasyRec's name: write relation_mlp"},
    {"TaskTower", "loss_type", kRenamed, "is EasyRec's: write losses { binary_cross_entropy {} }, or another loss"},
    {"TaskTower", "metrics_set", kRenamed, "is EasyRec's name: write metrics"},
    {"MLP", "use_dropout", kRenamed, "is EasyRec's: write dropout_ratio"},
    {"FeatureGroupConfig", "wide_deep", kRenamed, "is EasyRec's name: write group_type"},
    {"FeatureGroupConfig", "sequence_features", kRenamed, "is EasyRec's: write sequence_groups and sequence_encoders"},
    {"ModelConfig", "model_class", kRenamed, "is EasyRec's: the model is the field that is set, such as mmoe { ... }"},
    {"ModelConfig", "model_name", kRenamed, "is EasyRec's: the model is the field that is set, such as mmoe { ... }"},
    {"ModelConfig", "embedding_regularization", kRenamed,
     "is EasyRec's: write weight_decay in train_config.sparse_optimizer's optimizer"},
    {"*", "l2_regularization", kRenamed,
     "is EasyRec's: write weight_decay in train_config.dense_optimizer's optimizer"},
    {"Pipeline", "feature_config", kRenamed,
     "is EasyRec's: write feature_configs { id_feature { ... } } for each feature"},
    {"FeatureConfig", "features", kRenamed,
     "is EasyRec's: write feature_configs { id_feature { ... } } for each feature"},
    {"FeatureConfig", "input_names", kRenamed, "is EasyRec's: write id_feature { expression: \"user:column\" ... }"},
    {"FeatureConfig", "feature_type", kRenamed,
     "is EasyRec's: write id_feature { ... }, raw_feature { ... } or another kind"},
    {"*Feature", "input_names", kRenamed, "is EasyRec's name: write expression: \"user:column\""},
    {"*Feature", "feature_type", kRenamed, "is EasyRec's: the kind is the field around it, such as id_feature { ... }"},
    {"*Feature", "max_partitions", kIgnored, kSharding},
    {"DataConfig", "input_type", kRenamed, "is EasyRec's name: write dataset_type"},
    {"DataConfig", "separator", kRenamed, "is EasyRec's name: write delimiter"},
    {"DataConfig", "num_epochs", kRenamed, "is EasyRec's: write train_config.num_epochs"},
    {"DataConfig", "prefetch_size", kIgnored, kWorkers},
    {"Field", "default_val", kRenamed, "is EasyRec's: write default_value in the feature that reads the column"},
    {"TrainConfig", "optimizer_config", kRenamed, "is EasyRec's: write dense_optimizer and sparse_optimizer"},
    {"TrainConfig", "sync_replicas", kIgnored, kWorkers},
    {"TrainConfig", "save_summary_steps", kIgnored, kLogs},
    {"EvalConfig", "metrics_set", kRenamed, "is EasyRec's: write metrics inside task_towers { }"},
};

bool Matches(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with('*')) return pattern == name;
  const std::string_view end = pattern.substr(1);
  return name.ends_with(end) || (end == "Feature" && name == "KvDotProduct");
}

}  // namespace

const ForeignField* FindForeignField(const google::protobuf::Descriptor& message, std::string_view field) {
  for (const ForeignField& foreign : kFields)
    if (foreign.field == field && Matches(foreign.message, message.name())) return &foreign;
  return nullptr;
}

std::span<const ForeignField> ForeignFields() { return kFields; }

}  // namespace manygate::config
