// SPDX-License-Identifier: Apache-2.0
// Loads, validates, resolves and prints what libFuzzer makes up as a configuration. Beside the sanitizers' silence: every
// line about a problem begins with the file's name; what is valid stays valid with its defaults filled in, and prints to
// text that loads to the same configuration.
//
//   build/fuzz/tests/config_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/config tests/fuzz/corpus/config
//
// An input is the text itself; one that begins with a NUL byte changes a valid configuration instead, the second byte chooses
// which, the others fields and values, because text that is changed at random hardly ever gets past loading.
#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

constexpr char kName[] = "fuzz.config";

// A file of ten thousand lines teaches nothing that a short one does not, and takes seconds.
constexpr size_t kMostBytes = 16 * 1024;

void CheckProblems(const std::string& message) {
  MG_CHECK(!message.empty(), "a problem without a word, {} bytes", message.size());
  for (const std::string& line : Split(message, '\n')) {
    MG_CHECK(line.starts_with(kName), "names no file: {}", line);
  }
}

// Values that occur in configurations or are odd ones.
constexpr std::array<double, 12> kNumbers = {0, 1, 2, 3, 64, 0.5, 0.9, -1, 1e-3, 1e9, 4294967295.0, 1e30};
constexpr std::array<const char*, 16> kTexts = {"x",     "y",     "click", "buy",     "nn.ReLU",   "loss",
                                                "mean",  "a.csv", "\x1d",  "${A:-b}", "user:item", "domain",
                                                "a + b", "",      "0.5",   "x,y"};

// Valid together with each of kModels.
constexpr char kAround[] = R"(
data_config { with_header: true }
feature_configs { id_feature { feature_name: "x" embedding_dim: 2 num_buckets: 9 } }
feature_configs { raw_feature { feature_name: "y" } }
)";
constexpr std::array<const char*, 6> kModels = {
    R"(mmoe { expert_mlp { hidden_units: 4 } task_towers { label_name: "click" } task_towers { label_name: "buy" } })",
    R"(ple { extraction_networks { expert_num_per_task: 1 share_num: 1 task_expert_net { hidden_units: 4 }
       share_expert_net { hidden_units: 4 } } task_towers { label_name: "click" } task_towers { label_name: "buy" } })",
    R"(dbmtl { bottom_mlp { hidden_units: 4 } task_towers { tower_name: "click" label_name: "click" }
       task_towers { label_name: "buy" relation_tower_names: "click" relation_mlp { hidden_units: 2 } } })",
    R"(esmm { task_towers { label_name: "click" } task_towers { label_name: "buy" } })",
    R"(pepnet { task_towers { label_name: "click" } task_towers { label_name: "buy" } } feature_groups { group_name: "all"
       feature_names: "y" } feature_groups { group_name: "domain" feature_names: "x" })",
    R"(simple_multi_task { task_towers { label_name: "click" mlp { hidden_units: 4 } } })",
};

// Changes messages as bytes say; with no bytes left every choice is 0.
class MessageChanger {
 public:
  explicit MessageChanger(std::string_view bytes) : bytes_(bytes) {}

  // A byte: how many fields; then for each which field and what becomes of it.
  void Change(google::protobuf::Message* message, int depth) {
    const int fields = message->GetDescriptor()->field_count();
    for (size_t left = Next() % 8; left > 0 && fields > 0 && depth < 8; --left) {
      SetField(message, message->GetDescriptor()->field(static_cast<int>(Next()) % fields), depth);
    }
  }

 private:
  size_t Next() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  void SetField(google::protobuf::Message* message, const google::protobuf::FieldDescriptor* field, int depth) {
    using Type = google::protobuf::FieldDescriptor::CppType;
    const google::protobuf::Reflection& reflection = *message->GetReflection();
    const bool repeated = field->is_repeated();
    const auto set = [&](auto add_one, auto set_one, auto value) {
      repeated ? (reflection.*add_one)(message, field, value) : (reflection.*set_one)(message, field, value);
    };
    using google::protobuf::Reflection;
    if (field->cpp_type() == Type::CPPTYPE_MESSAGE) {
      Change(repeated ? Element(message, field) : reflection.MutableMessage(message, field), depth + 1);
      return;
    }
    const size_t choice = Next();
    const double number = kNumbers[choice % kNumbers.size()];
    switch (field->cpp_type()) {
      case Type::CPPTYPE_BOOL: set(&Reflection::AddBool, &Reflection::SetBool, choice % 2 != 0); break;
      case Type::CPPTYPE_FLOAT: set(&Reflection::AddFloat, &Reflection::SetFloat, static_cast<float>(number)); break;
      case Type::CPPTYPE_DOUBLE: set(&Reflection::AddDouble, &Reflection::SetDouble, number); break;
      case Type::CPPTYPE_STRING:
        set(&Reflection::AddString, &Reflection::SetString, std::string(kTexts[choice % kTexts.size()]));
        break;
      case Type::CPPTYPE_ENUM: {
        const int values = field->enum_type()->value_count();
        set(&Reflection::AddEnum, &Reflection::SetEnum, field->enum_type()->value(static_cast<int>(choice) % values));
        break;
      }
      case Type::CPPTYPE_UINT32: SetWhole<uint32_t>(set, &Reflection::AddUInt32, &Reflection::SetUInt32, number); break;
      case Type::CPPTYPE_UINT64: SetWhole<uint64_t>(set, &Reflection::AddUInt64, &Reflection::SetUInt64, number); break;
      case Type::CPPTYPE_INT32: SetWhole<int32_t>(set, &Reflection::AddInt32, &Reflection::SetInt32, number); break;
      case Type::CPPTYPE_INT64: SetWhole<int64_t>(set, &Reflection::AddInt64, &Reflection::SetInt64, number); break;
      default: break;
    }
  }

  // One that is there, or a new one.
  google::protobuf::Message* Element(google::protobuf::Message* message,
                                     const google::protobuf::FieldDescriptor* field) {
    const google::protobuf::Reflection& reflection = *message->GetReflection();
    const size_t choice = Next() % 8;
    const int size = reflection.FieldSize(*message, field);
    if (choice == 0 || size == 0) return reflection.AddMessage(message, field);
    return reflection.MutableRepeatedMessage(message, field, static_cast<int>(choice) % size);
  }

  // Numbers that the type does not hold become 0.
  template <typename T>
  static void SetWhole(auto set, auto add_one, auto set_one, double number) {
    const bool fits = number >= static_cast<double>(std::numeric_limits<T>::min()) &&
                      number < static_cast<double>(std::numeric_limits<T>::max());
    set(add_one, set_one, fits ? static_cast<T>(number) : T{0});
  }

  std::string_view bytes_;
};

std::string ChangedText(std::string_view bytes) {
  const size_t choice = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
  const std::string text = fmt::format("{}model_config {{ {} }}", kAround, kModels[choice % kModels.size()]);
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText(kName, text);
  MG_CHECK(loaded.ok() && ValidatePipeline(*loaded).ok(), "{}\n{}{}", text, loaded.status().message(),
           loaded.ok() ? ValidatePipeline(*loaded).message() : "");
  if (!bytes.empty()) MessageChanger(bytes.substr(1)).Change(&loaded->pipeline, 0);
  return PrintPipeline(loaded->pipeline);
}

// What ResolveDefaults made of a valid configuration.
void CheckResolved(const Pipeline& resolved) {
  const std::string text = PrintPipeline(resolved);
  const StatusOr<LoadedPipeline> again = LoadPipelineFromText(kName, text);
  MG_CHECK(again.ok(), "{}\nof the printed configuration\n{}", again.status().message(), text);
  const Status valid = ValidatePipeline(*again);
  MG_CHECK(valid.ok(), "{}\nof the printed configuration\n{}", valid.message(), text);
  Pipeline pipeline = again->pipeline;
  ResolveDefaults(&pipeline);
  MG_CHECK(PrintPipeline(pipeline) == text, "{}\nbecame\n{}", text, PrintPipeline(pipeline));
}

void Check(std::string_view text) {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText(kName, text);
  if (!loaded.ok()) {
    CheckProblems(loaded.status().message());
    return;
  }
  const Status valid = ValidatePipeline(*loaded);
  if (!valid.ok()) {
    CheckProblems(valid.message());
    return;
  }
  ResolveDefaults(&loaded->pipeline);
  CheckResolved(loaded->pipeline);
}

}  // namespace
}  // namespace manygate::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > manygate::config::kMostBytes) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool changes = input.starts_with('\0');
  manygate::config::Check(changes ? manygate::config::ChangedText(input.substr(1)) : std::string(input));
  return 0;
}
