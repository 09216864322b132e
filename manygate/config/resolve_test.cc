// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/resolve.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <functional>

#include "manygate/base/file.h"
#include "manygate/config/load.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;

Pipeline Parse(const std::string& text) {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", text);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? loaded->pipeline : Pipeline();
}

constexpr char kShort[] = R"(
data_config { with_header: true label_configs { label_name: "buy" positive_values: "yes" } }
feature_configs { id_feature { feature_name: "city" one_hot: true } }
feature_configs { raw_feature { feature_name: "age" expression: "user:years" } }
model_config { shared_bottom {
  bottom_mlp { hidden_units: 8 }
  task_towers { label_name: "click" }
  task_towers { tower_name: "bought" label_name: "buy" metrics { auc { thresholds: 200 } } }
  task_towers { tower_name: "amount" label_name: "amount" losses { l2_loss {} } }
} }
)";

TEST(ResolveTest, FillsWhatIsAbsent) {
  Pipeline pipeline = Parse(kShort);
  ResolveDefaults(&pipeline);
  const Pipeline expected = Parse(R"(
    train_config {
      sparse_optimizer { adam_optimizer { lr: 0.001 } constant_learning_rate {} }
      dense_optimizer { adam_optimizer { lr: 0.001 } constant_learning_rate {} }
    }
    eval_config {}
    data_config {
      with_header: true
      label_fields: ["click", "buy", "amount"]
      label_configs { label_name: "buy" column: "buy" positive_values: "yes" }
      label_configs { label_name: "click" column: "click" }
      label_configs { label_name: "amount" column: "amount" }
      split {}
    }
    feature_configs { id_feature { feature_name: "city" one_hot: true expression: "city" } }
    feature_configs { raw_feature { feature_name: "age" expression: "user:years" } }
    model_config {
      feature_groups { group_name: "all" feature_names: ["city", "age"] }
      shared_bottom {
        bottom_mlp { hidden_units: 8 }
        task_towers {
          tower_name: "click" label_name: "click" losses { binary_cross_entropy {} }
          metrics { auc {} } metrics { log_loss {} } metrics { accuracy {} } metrics { calibration {} }
        }
        task_towers {
          tower_name: "bought" label_name: "buy" losses { binary_cross_entropy {} } metrics { auc { thresholds: 200 } }
        }
        task_towers {
          tower_name: "amount" label_name: "amount" losses { l2_loss {} }
          metrics { root_mean_squared_error {} } metrics { mean_absolute_error {} } metrics { r2 {} }
        }
      }
    })");
  std::string difference;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, pipeline)) << difference;
}

TEST(ResolveTest, KeepsWhatIsThere) {
  Pipeline pipeline = Parse(R"(
    train_config {
      dense_optimizer { sgd_optimizer { lr: 0.5 } noam_learning_rate {} }
      early_stopping { patience: 2 }
    })");
  ResolveDefaults(&pipeline);
  EXPECT_EQ(pipeline.train_config().dense_optimizer().sgd_optimizer().lr(), 0.5f);
  EXPECT_TRUE(pipeline.train_config().dense_optimizer().has_noam_learning_rate());
  EXPECT_TRUE(pipeline.train_config().sparse_optimizer().has_noam_learning_rate());
  EXPECT_EQ(pipeline.train_config().early_stopping().metric(), "loss");
  pipeline = Parse("train_config { sparse_optimizer { adagrad_optimizer {} } }");
  ResolveDefaults(&pipeline);
  EXPECT_TRUE(pipeline.train_config().sparse_optimizer().has_adagrad_optimizer());
  EXPECT_TRUE(pipeline.train_config().dense_optimizer().has_adam_optimizer());
}

TEST(ResolveTest, WhatSomeModelsLeaveOpen) {
  Pipeline pipeline = Parse("model_config { pepnet { task_towers { label_name: 'a' } } }");
  ResolveDefaults(&pipeline);
  EXPECT_THAT(pipeline.model_config().pepnet().ppnet_hidden_units(), ElementsAre(64, 32));
  pipeline = Parse(
      "model_config { ple { extraction_networks { expert_num_per_task: 0 share_expert_net { hidden_units: [9, 5] } }"
      " extraction_networks { network_name: 'top' share_num: 0 task_expert_net { hidden_units: 7 } } } }");
  ResolveDefaults(&pipeline);
  const PLE& ple = pipeline.model_config().ple();
  EXPECT_EQ(ple.extraction_networks(0).network_name(), "0");
  EXPECT_EQ(ple.extraction_networks(1).network_name(), "top");
  EXPECT_THAT(ple.extraction_networks(0).task_expert_net().hidden_units(), ElementsAre(9, 5));
  EXPECT_THAT(ple.extraction_networks(1).share_expert_net().hidden_units(), ElementsAre(7));
}

TEST(ResolveTest, WeightsAndIndicatorLabels) {
  Pipeline pipeline = Parse(
      "data_config { sample_weight_fields: 'w' } model_config { mmoe {"
      " task_towers { label_name: 'buy' task_space_indicator_label: 'click' } task_towers { label_name: 'pay'"
      " task_space_indicator_label: 'buy' } } }");
  ResolveDefaults(&pipeline);
  EXPECT_THAT(pipeline.data_config().label_fields(), ElementsAre("buy", "pay", "click"));
  EXPECT_EQ(pipeline.model_config().mmoe().task_towers(1).sample_weight_name(), "w");
  pipeline = Parse(
      "data_config { sample_weight_fields: ['v', 'w'] } model_config { mmoe {"
      " task_towers { label_name: 'a' sample_weight_name: 'v' } } }");
  ResolveDefaults(&pipeline);
  EXPECT_EQ(pipeline.model_config().mmoe().task_towers(0).sample_weight_name(), "v");
}

TEST(ResolveTest, AColonInANameStaysInTheColumn) {
  Pipeline pipeline = Parse("feature_configs { id_feature { feature_name: \"a:b\" one_hot: true } }");
  ResolveDefaults(&pipeline);
  EXPECT_FALSE(pipeline.feature_configs(0).id_feature().has_expression());
}

TEST(ResolveTest, ASecondTimeChangesNothingAndTheResultIsValid) {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", kShort);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(ValidatePipeline(*loaded).message(), "");
  ResolveDefaults(&loaded->pipeline);
  EXPECT_EQ(ValidatePipeline(*loaded).message(), "");
  Pipeline again = loaded->pipeline;
  ResolveDefaults(&again);
  EXPECT_TRUE(MessageDifferencer::Equals(again, loaded->pipeline));
}

TEST(PrintPipelineTest, TheExamplesComeBack) {
  for (const char* name : {"census_income/mmoe.config", "census_income/shared_bottom.config", "funnel/mmoe.config"}) {
    const std::string path = JoinPath(JoinPath(MANYGATE_SOURCE_DIR, "examples"), name);
    if (!FileExists(path)) GTEST_SKIP() << path << " is not there";
    StatusOr<LoadedPipeline> loaded = LoadPipeline(path);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    EXPECT_EQ(ValidatePipeline(*loaded).message(), "");
    ResolveDefaults(&loaded->pipeline);
    EXPECT_TRUE(MessageDifferencer::Equals(Parse(PrintPipeline(loaded->pipeline)), loaded->pipeline)) << name;
  }
}

// Sets every field of `message` outside oneofs, and of each oneof the member number `choice`, to a value that is
// hard to print. Repeated fields get two elements.
void SetEverything(Message* message, int choice) {
  const Reflection& reflection = *message->GetReflection();
  const google::protobuf::Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name() == "asset_dir") continue;  // loading makes vocab_file of it
    const google::protobuf::OneofDescriptor* oneof = field->containing_oneof();
    if (oneof != nullptr && oneof->field(choice % oneof->field_count()) != field) continue;
    const auto set = [&](auto singular, auto repeated, auto value) {
      if (!field->is_repeated()) return (reflection.*singular)(message, field, value);
      for (int j = 0; j < 2; ++j) (reflection.*repeated)(message, field, value);
    };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32: set(&Reflection::SetUInt32, &Reflection::AddUInt32, 4294967295u); break;
      case FieldDescriptor::CPPTYPE_UINT64: set(&Reflection::SetUInt64, &Reflection::AddUInt64, ~uint64_t{0}); break;
      case FieldDescriptor::CPPTYPE_FLOAT: set(&Reflection::SetFloat, &Reflection::AddFloat, 1.17549449e-38f); break;
      case FieldDescriptor::CPPTYPE_DOUBLE: set(&Reflection::SetDouble, &Reflection::AddDouble, 0.1 + 0.2); break;
      case FieldDescriptor::CPPTYPE_BOOL: set(&Reflection::SetBool, &Reflection::AddBool, true); break;
      case FieldDescriptor::CPPTYPE_ENUM: set(&Reflection::SetEnumValue, &Reflection::AddEnumValue, 0); break;
      case FieldDescriptor::CPPTYPE_STRING:
        set(&Reflection::SetString, &Reflection::AddString,
            std::string(field->name() == "vocab_file" ? "/" : "") + "a\"b\\c\n\t\xC3\xA9\x01 'd'");
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (!field->is_repeated()) SetEverything(reflection.MutableMessage(message, field), choice);
        for (int j = 0; field->is_repeated() && j < 2; ++j) {
          SetEverything(reflection.AddMessage(message, field), choice + j);
        }
        break;
      default: FAIL() << "a type without a test value: " << field->full_name();
    }
  }
}

TEST(PrintPipelineTest, EveryFieldOfTheSchemaComesBack) {
  for (int choice = 0; choice < 13; ++choice) {
    Pipeline pipeline;
    SetEverything(&pipeline, choice);
    EXPECT_TRUE(MessageDifferencer::Equals(Parse(PrintPipeline(pipeline)), pipeline)) << choice;
  }
}

// A default that is written out must read back as the same value.
TEST(PrintPipelineTest, EveryDefaultWrittenOutComesBack) {
  for (int choice = 0; choice < 13; ++choice) {
    Pipeline pipeline;
    SetEverything(&pipeline, choice);
    std::function<void(Message*)> write_defaults = [&](Message* message) {
      const Reflection& reflection = *message->GetReflection();
      std::vector<const FieldDescriptor*> fields;
      reflection.ListFields(*message, &fields);
      for (const FieldDescriptor* field : fields) {
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          if (!field->is_repeated()) write_defaults(reflection.MutableMessage(message, field));
          for (int i = 0; field->is_repeated() && i < reflection.FieldSize(*message, field); ++i) {
            write_defaults(reflection.MutableRepeatedMessage(message, field, i));
          }
        } else if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
          reflection.SetFloat(message, field, field->default_value_float());
        } else if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
          reflection.SetDouble(message, field, field->default_value_double());
        } else if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
          reflection.SetString(message, field, field->default_value_string());
        }
      }
    };
    write_defaults(&pipeline);
    EXPECT_TRUE(MessageDifferencer::Equals(Parse(PrintPipeline(pipeline)), pipeline)) << choice;
  }
}

TEST(ResolveTest, GroupsWithoutNamesHoldAllFeatures) {
  Pipeline pipeline;
  pipeline.add_feature_configs()->mutable_raw_feature()->set_feature_name("age");
  pipeline.add_feature_configs()->mutable_raw_feature()->set_feature_name("pay");
  FeatureGroupConfig* wide = pipeline.mutable_model_config()->add_feature_groups();
  wide->set_group_name("wide");
  wide->set_group_type(WIDE);
  ResolveDefaults(&pipeline);
  const auto& groups = pipeline.model_config().feature_groups();
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(groups[1].group_name(), "all");
  EXPECT_EQ(groups[1].group_type(), DEEP);
  for (const auto& group : groups) {
    ASSERT_EQ(group.feature_names_size(), 2);
    EXPECT_EQ(group.feature_names(1), "pay");
  }
}

}  // namespace
}  // namespace manygate::config
