// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/feature_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "manygate/config/message_fields.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kValueSeparator[] = "\x1d";  // between the values of a generated text
constexpr char kAll[] = "ALL";              // match_feature: instead of an input
constexpr uint32_t kMostNumbers = 65536;    // in one cell

// Whether the field is there and written.
bool Has(const Message& message, std::string_view name) {
  const FieldDescriptor* field = FindField(message, name);
  if (field == nullptr) return false;
  const Reflection& reflection = *message.GetReflection();
  return field->is_repeated() ? reflection.FieldSize(message, field) > 0 : reflection.HasField(message, field);
}

uint32_t Number(const Message& message, std::string_view name) {
  const FieldDescriptor* field = FindField(message, name);
  return field == nullptr ? 0 : message.GetReflection()->GetUInt32(message, field);
}

bool Flag(const Message& message, std::string_view name) {
  const FieldDescriptor* field = FindField(message, name);
  return field != nullptr && message.GetReflection()->GetBool(message, field);
}

// What the two messages have in common by name and type, and `from` has written.
void CopyFields(const Message& from, Message* to) {
  const Reflection &source = *from.GetReflection(), &target = *to->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  source.ListFields(from, &fields);
  for (const FieldDescriptor* field : fields) {
    const FieldDescriptor* same = FindField(*to, field->name());
    if (same == nullptr || same->cpp_type() != field->cpp_type() || same->is_repeated() != field->is_repeated())
      continue;
    const int size = field->is_repeated() ? source.FieldSize(from, field) : 1;
    for (int i = 0; i < size; ++i) {
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          field->is_repeated() ? target.AddString(to, same, source.GetRepeatedString(from, field, i))
                               : target.SetString(to, same, source.GetString(from, field));
          break;
        case FieldDescriptor::CPPTYPE_UINT32: target.SetUInt32(to, same, source.GetUInt32(from, field)); break;
        case FieldDescriptor::CPPTYPE_UINT64: target.SetUInt64(to, same, source.GetUInt64(from, field)); break;
        case FieldDescriptor::CPPTYPE_BOOL: target.SetBool(to, same, source.GetBool(from, field)); break;
        case FieldDescriptor::CPPTYPE_FLOAT:
          field->is_repeated() ? target.AddFloat(to, same, source.GetRepeatedFloat(from, field, i))
                               : target.SetFloat(to, same, source.GetFloat(from, field));
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          field->is_repeated() ? target.AddMessage(to, same)->CopyFrom(source.GetRepeatedMessage(from, field, i))
                               : target.MutableMessage(to, same)->CopyFrom(source.GetMessage(from, field));
          break;
        default: break;
      }
    }
  }
}

// The name of the oneof case that is set: "lookup_feature", "sequence_lookup_feature".
std::string CaseOf(const Message& feature_config) {
  const auto* oneof = feature_config.GetDescriptor()->FindOneofByName("feature");
  const FieldDescriptor* field = feature_config.GetReflection()->GetOneofFieldDescriptor(feature_config, oneof);
  return field == nullptr ? "" : field->name();
}

bool SaysWhatIdsAre(const Message& feature) {
  for (const char* way :
       {"num_buckets", "hash_bucket_size", "vocab_list", "vocab_dict", "vocab_file", "zch", "dynamicemb"})
    if (Has(feature, way)) return true;
  return false;
}

// Whose boundaries other features see when they read it.
bool HasBins(const Message& feature) { return Has(feature, "boundaries"); }

// Whether the encoding cuts a generated number into bins. Who reads the feature gets the bins, from a column of their own.
bool MakesNumberForBins(const ListedFeature& feature) {
  return feature.generator.has_value() && feature.generator->output() == Generator::NUMBER &&
         feature.encoding.raw_feature().boundaries_size() > 0;
}

constexpr char kBinsEnding[] = "/bins";

class Lister {
 public:
  explicit Lister(const Pipeline& pipeline) : pipeline_(pipeline), mode_(Mode(pipeline.data_config())) {}

  std::vector<ListedFeature> List() {
    for (int i = 0; i < pipeline_.feature_configs_size(); ++i) {
      const FeatureConfig& config = pipeline_.feature_configs(i);
      const std::string path = fmt::format("feature_configs[{}]", i);
      if (!config.has_sequence_feature()) {
        Add(config, path, nullptr);
        continue;
      }
      const SequenceFeature& sequence = config.sequence_feature();
      for (int k = 0; k < sequence.features_size(); ++k)
        Add(sequence.features(k), fmt::format("{}.sequence_feature.features[{}]", path, k), &sequence);
    }
    LinkFeatures();
    return std::move(features_);
  }

 private:
  static FgMode Mode(const DataConfig& data) {
    if (data.has_fg_mode() || !data.has_fg_encoded()) return data.fg_mode();
    return data.fg_encoded() ? FG_NONE : FG_NORMAL;
  }

  // group: the sequence_feature around it, or null.
  void Add(const Message& config, const std::string& path, const SequenceFeature* group) {
    const Message* chosen = ChosenFeature(config);
    if (chosen == nullptr) return;
    const Message& feature = *chosen;
    const std::string own_name = FieldText(feature, "feature_name");
    if (own_name.empty()) return;
    ListedFeature listed;
    listed.name = group == nullptr ? own_name : group->sequence_name() + "__" + own_name;
    listed.path = path;
    listed.written = chosen;
    listed.stub = Flag(feature, "stub_type");
    const std::string kind = CaseOf(config);
    listed.is_sequence = group != nullptr || kind.starts_with("sequence_");
    Encode(feature, &listed);
    if (listed.is_sequence) {
      const std::string delim = group != nullptr ? group->sequence_delim() : FieldText(feature, "sequence_delim");
      const uint32_t length = group != nullptr ? group->sequence_length() : Number(feature, "sequence_length");
      SetSequence(delim, length, &listed);
    }
    if (mode_ == FG_BUCKETIZE && HasBins(feature) && !MakesIds(feature) && listed.encoding.has_id_feature()) {
      CutColumn(feature, &listed);
    } else if (mode_ == FG_NONE || mode_ == FG_BUCKETIZE) {
      listed.column = listed.name;
    } else {
      FindInputs(feature, group, &listed);
      if (listed.generator.has_value()) Finish(feature, kind, &listed);
    }
    SetColumn(&listed);
    features_.push_back(std::move(listed));
  }

  // id_feature or raw_feature with all that the kind has in common with it.
  void Encode(const Message& feature, ListedFeature* listed) {
    const bool bins = HasBins(feature) && !MakesIds(feature);
    const bool list = listed->is_sequence || Number(feature, "value_dim") > 1 ||
                      (feature.GetDescriptor() == ExprFeature::descriptor() && Number(feature, "value_dim") == 0);
    if (MakesIds(feature) || (bins && (mode_ == FG_NONE || list))) {
      IdFeature* id = listed->encoding.mutable_id_feature();
      CopyFields(feature, id);
      if (bins) {
        id->set_num_buckets(
            static_cast<uint64_t>(feature.GetReflection()->FieldSize(feature, FindField(feature, "boundaries"))) + 1);
        id->clear_default_value();
        id->clear_value_dim();
      }
      if (mode_ == FG_NONE) ReadIdsAsTheyAre(id);
    } else {
      RawFeature* raw = listed->encoding.mutable_raw_feature();
      CopyFields(feature, raw);
      if (feature.GetDescriptor() != RawFeature::descriptor()) {
        raw->clear_expression();
        if (!raw->has_default_value() && FindField(feature, "default_value") != nullptr &&
            !FieldText(feature, "default_value").empty())
          raw->set_default_value(FieldText(feature, "default_value"));
        if (raw->value_dim() == 0) raw->set_value_dim(1);
      }
      if (raw->default_value().empty()) raw->clear_default_value();  // "" is TorchEasyRec's way to say none
      if (mode_ == FG_NONE) raw->set_separator(pipeline_.data_config().fg_encoded_multival_sep());
      if (mode_ == FG_NONE && raw->has_fg_encoded_default_value())
        raw->set_default_value(raw->fg_encoded_default_value());
    }
  }

  // With FG_NONE the data hold row numbers of the table.
  void ReadIdsAsTheyAre(IdFeature* id) {
    uint64_t rows = id->num_buckets() + id->hash_bucket_size();
    if (id->vocab_list_size() > 0)
      rows = static_cast<uint64_t>(id->vocab_list_size()) + (id->has_default_bucketize_value() ? 0 : 2);
    for (const VocabEntry& entry : id->vocab_dict()) rows = std::max(rows, entry.value() + 1);
    id->clear_hash_bucket_size();
    id->clear_vocab_list();
    id->clear_vocab_dict();
    id->clear_default_bucketize_value();
    id->clear_default_value();
    if (rows > 0) id->set_num_buckets(rows);
    id->set_separator(pipeline_.data_config().fg_encoded_multival_sep());
    if (id->has_fg_encoded_default_value()) id->set_default_value(id->fg_encoded_default_value());
  }

  static void SetSequence(const std::string& delim, uint32_t length, ListedFeature* listed) {
    if (listed->encoding.has_id_feature()) {
      listed->encoding.mutable_id_feature()->set_sequence_delim(delim);
      if (length > 0) listed->encoding.mutable_id_feature()->set_sequence_length(length);
    } else {
      listed->encoding.mutable_raw_feature()->set_sequence_delim(delim);
      if (length > 0) listed->encoding.mutable_raw_feature()->set_sequence_length(length);
    }
  }

  void FindInputs(const Message& feature, const SequenceFeature* group, ListedFeature* listed) {
    const std::vector<WrittenInput> written = WrittenInputs(feature);
    const bool plain =
        feature.GetDescriptor() == IdFeature::descriptor() || feature.GetDescriptor() == RawFeature::descriptor();
    Generator generator;
    for (const WrittenInput& one : written) {
      const FeatureInput input = ParseInput(one.text);
      GeneratorInput* added = generator.add_inputs();
      const bool is_all = feature.GetDescriptor() == MatchFeature::descriptor() && one.text == kAll;
      if (input.side == "const" || is_all) {
        added->set_literal(input.name);
        continue;
      }
      added->set_sequence(listed->is_sequence && IsSequence(feature, input, written.size()));
      if (input.side == "feature") {
        added->set_column("feature:" + input.name);
      } else {
        added->set_column(group != nullptr && added->sequence() ? group->sequence_name() + "__" + input.name
                                                                : input.name);
      }
    }
    // The column of the feature's own name where no input is written.
    if (plain && written.empty()) {
      GeneratorInput* added = generator.add_inputs();
      added->set_column(listed->name);
      added->set_sequence(listed->is_sequence);
    }
    const bool one_column = plain && generator.inputs_size() == 1 && generator.inputs(0).has_column();
    const bool changes = Has(feature, "normalizer") || (plain && HasBins(feature) && listed->encoding.has_id_feature());
    if (one_column && !changes) {
      listed->column = generator.inputs(0).column();
    } else {
      listed->generator = std::move(generator);
    }
  }

  // With FG_BUCKETIZE the data hold the numbers, and several of one text are left to be cut.
  void CutColumn(const Message& feature, ListedFeature* listed) {
    RawFeature numbers;
    const auto* boundaries = FindField(feature, "boundaries");
    for (int i = 0; i < feature.GetReflection()->FieldSize(feature, boundaries); ++i)
      numbers.add_boundaries(feature.GetReflection()->GetRepeatedFloat(feature, boundaries, i));
    const uint32_t written = Number(feature, "value_dim");
    numbers.set_value_dim(listed->is_sequence ? 1 : written > 0 ? written : kMostNumbers);
    numbers.set_separator(FieldText(feature, "separator"));
    if (const std::string text = FieldText(feature, "default_value"); !text.empty()) numbers.set_default_value(text);
    listed->generator.emplace();
    GeneratorInput* input = listed->generator->add_inputs();
    input->set_column(listed->name);
    input->set_sequence(listed->is_sequence);
    Finish(numbers, "raw_feature", listed);
  }

  static bool IsSequence(const Message& feature, const FeatureInput& input, size_t num_inputs) {
    const FieldDescriptor* fields = FindField(feature, "sequence_fields");
    const int named = feature.GetReflection()->FieldSize(feature, fields);
    for (int i = 0; i < named; ++i)
      if (feature.GetReflection()->GetRepeatedString(feature, fields, i) == input.name) return true;
    if (named > 0) return false;
    return num_inputs <= 1 ? input.side != "feature" : input.side == "item" || input.side.empty();
  }

  // The generator's own state, and what the encoding of its column leaves to it.
  void Finish(const Message& feature, const std::string& kind, ListedFeature* listed) {
    Generator& generator = *listed->generator;
    generator.set_column("feature:" + listed->name);
    const bool ids = listed->encoding.has_id_feature();
    const bool many = listed->is_sequence || (!ids && listed->encoding.raw_feature().value_dim() > 1);
    generator.set_output(ids && HasBins(feature) && !MakesIds(feature) ? Generator::BINS
                         : ids || many                                 ? Generator::TEXT
                                                                       : Generator::NUMBER);
    FeatureConfig* config = generator.mutable_feature();
    const std::string plain_kind = kind.starts_with("sequence_") ? kind.substr(9) : kind;
    config->GetReflection()->MutableMessage(config, FindField(*config, plain_kind))->CopyFrom(feature);
    if (!listed->is_sequence) {
      if (ids) listed->encoding.mutable_id_feature()->set_separator(kValueSeparator);
      if (many) listed->encoding.mutable_raw_feature()->set_separator(kValueSeparator);
    } else {
      generator.set_sequence_delim(ids ? listed->encoding.id_feature().sequence_delim()
                                       : listed->encoding.raw_feature().sequence_delim());
      generator.set_sequence_length(ids ? listed->encoding.id_feature().sequence_length()
                                        : listed->encoding.raw_feature().sequence_length());
      ids ? listed->encoding.mutable_id_feature()->set_sequence_delim(kValueSeparator)
          : listed->encoding.mutable_raw_feature()->set_sequence_delim(kValueSeparator);
      if (!ids) listed->encoding.mutable_raw_feature()->set_separator(",");
    }
    listed->column = generator.column();
  }

  static void SetColumn(ListedFeature* listed) {
    if (listed->encoding.has_id_feature()) {
      listed->encoding.mutable_id_feature()->set_feature_name(listed->name);
      listed->encoding.mutable_id_feature()->set_expression(listed->column);
    } else {
      listed->encoding.mutable_raw_feature()->set_feature_name(listed->name);
      listed->encoding.mutable_raw_feature()->set_expression(listed->column);
    }
  }

  // "feature:x" is the column that x's generator makes; where x has none, the column that x reads, or its bins.
  void LinkFeatures() {
    const std::vector<ListedFeature> before = features_;
    for (ListedFeature& feature : features_) {
      if (feature.generator.has_value()) {
        for (GeneratorInput& input : *feature.generator->mutable_inputs())
          if (input.has_column()) input.set_column(ValueColumn(input.column(), before));
      } else {
        feature.column = ValueColumn(feature.column, before);
        SetColumn(&feature);
      }
    }
  }

  static std::string ValueColumn(const std::string& column, const std::vector<ListedFeature>& features) {
    for (const ListedFeature& feature : features) {
      if ("feature:" + feature.name != column) continue;
      if (MakesNumberForBins(feature)) return column + kBinsEnding;
      return feature.generator.has_value() || feature.encoding.raw_feature().boundaries_size() > 0 ? column
                                                                                                   : feature.column;
    }
    return column;
  }

  const Pipeline& pipeline_;
  const FgMode mode_;
  std::vector<ListedFeature> features_;
};

// A plain raw_feature with boundaries has no generator of its own; those who read it get its bins.
Generator BinsOf(const ListedFeature& feature) {
  Generator generator;
  generator.set_column("feature:" + feature.name);
  generator.set_output(Generator::BINS);
  generator.add_inputs()->set_column(feature.column);
  *generator.mutable_feature() = feature.encoding;
  return generator;
}

}  // namespace

bool MakesIds(const Message& feature) {
  const std::string& type = feature.GetDescriptor()->name();
  if (type == "IdFeature" || type == "ComboFeature" || type == "BoolMaskFeature") return true;
  return SaysWhatIdsAre(feature) || Flag(feature, "need_discrete") || Flag(feature, "need_key") ||
         Flag(feature, "show_pkey") || Flag(feature, "show_skey");
}

const Message* ChosenFeature(const Message& feature_config) {
  const auto* oneof = feature_config.GetDescriptor()->FindOneofByName("feature");
  const FieldDescriptor* field = feature_config.GetReflection()->GetOneofFieldDescriptor(feature_config, oneof);
  return field == nullptr ? nullptr : &feature_config.GetReflection()->GetMessage(feature_config, field);
}

FeatureInput ParseInput(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::vector<WrittenInput> WrittenInputs(const Message& feature) {
  std::vector<WrittenInput> inputs;
  const auto add = [&](const std::string& name) {
    const FieldDescriptor* field = FindField(feature, name);
    if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    const Reflection& reflection = *feature.GetReflection();
    if (!field->is_repeated()) {
      if (reflection.HasField(feature, field)) inputs.push_back({name, -1, reflection.GetString(feature, field)});
      return;
    }
    for (int i = 0; i < reflection.FieldSize(feature, field); ++i)
      inputs.push_back({name, i, reflection.GetRepeatedString(feature, field, i)});
  };
  if (feature.GetDescriptor() == ExprFeature::descriptor()) {
    add("variables");
    return inputs;
  }
  for (const char* name : {"expression", "map", "nested_map", "key", "pkey", "skey", "query", "title", "document"})
    add(name);
  return inputs;
}

std::vector<std::string> FileColumns(const ListedFeature& feature) {
  std::vector<std::string> columns;
  const auto add = [&](const std::string& column) {
    const bool generated = column.starts_with("feature:");
    if (!column.empty() && !generated && std::find(columns.begin(), columns.end(), column) == columns.end())
      columns.push_back(column);
  };
  if (!feature.generator.has_value() && !feature.stub) add(feature.column);
  if (feature.generator.has_value())
    for (const GeneratorInput& input : feature.generator->inputs()) add(input.column());
  return columns;
}

std::string GroupColumn(const Pipeline& pipeline, const std::string& name) {
  for (const ListedFeature& feature : ListFeatures(pipeline))
    if (feature.name == name && !feature.generator.has_value()) return feature.column;
  return name;
}

std::vector<ListedFeature> ListFeatures(const Pipeline& pipeline) { return Lister(pipeline).List(); }

std::vector<Generator> ListGenerators(const std::vector<ListedFeature>& features) {
  std::map<std::string, Generator> generators;
  std::vector<std::string> order;
  for (const ListedFeature& feature : features) {
    if (feature.generator.has_value()) {
      generators[feature.generator->column()] = *feature.generator;
      order.push_back(feature.generator->column());
      if (!MakesNumberForBins(feature)) continue;
      Generator bins = *feature.generator;
      bins.set_column(bins.column() + kBinsEnding);
      bins.set_output(Generator::BINS);
      generators[bins.column()] = std::move(bins);  // as below: kept only where it is read
    } else if (feature.encoding.raw_feature().boundaries_size() > 0) {
      generators["feature:" + feature.name] =
          BinsOf(feature);  // kept only where another generator or encoding reads it
    }
  }
  for (const ListedFeature& feature : features)
    if (!feature.generator.has_value() && generators.contains(feature.column)) order.push_back(feature.column);
  std::vector<Generator> sorted;
  std::set<std::string> made, open;
  bool circle = false;
  const std::function<void(const std::string&)> make = [&](const std::string& column) {
    const auto found = generators.find(column);
    if (found == generators.end() || made.contains(column)) return;
    if (!open.insert(column).second) {
      circle = true;
      return;
    }
    for (const GeneratorInput& input : found->second.inputs()) make(input.column());
    open.erase(column);
    if (made.insert(column).second) sorted.push_back(found->second);
  };
  for (const std::string& column : order) make(column);
  return circle ? std::vector<Generator>{} : sorted;
}

}  // namespace manygate::config
