// SPDX-License-Identifier: Apache-2.0
// Features whose texts are ids: a learnt or written vocabulary, integers below num_buckets, or hashed texts.
#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/features/feature.h"

namespace manygate::features {
namespace {

constexpr size_t kShownValues = 3;  // in descriptions and notes

class IdFeature : public Feature {
 public:
  // min_count, max_vocabulary: what Fit needs besides the schema.
  IdFeature(FeatureSchema schema, uint64_t min_count, uint64_t max_vocabulary)
      : Feature(std::move(schema)), min_count_(min_count), max_vocabulary_(max_vocabulary) {
    IndexVocabulary();
  }

  ColumnKind SourceKind() const override { return ColumnKind::kCategory; }
  void Fit(TrainingColumn column, FitMessages* messages) override;
  void Transform(const RawValues& values, uint32_t* ids, float* numbers) const override;
  std::string Describe() const override;

 private:
  bool has_default() const { return !schema_.default_value().empty(); }
  uint32_t IdOf(std::string_view text) const;
  uint32_t UnknownId() const;
  void LearnVocabulary(std::vector<ValueCount> values);
  void CountWrittenVocabulary(const std::vector<ValueCount>& values, FitMessages* messages);
  void AddNotes(const std::vector<ValueCount>& values, FitMessages* messages) const;
  void IndexVocabulary();

  uint64_t min_count_;
  uint64_t max_vocabulary_;
  std::unordered_map<std::string_view, uint32_t> index_;  // views into schema_.value()
};

void IdFeature::Fit(TrainingColumn column, FitMessages* messages) {
  schema_.set_missing_count(column.missing_rows);
  std::vector<ValueCount>& values = column.values;
  // A missing value is read as the default value from here on, so it counts as one too.
  if (has_default() && column.missing_rows > 0) {
    auto found = std::find_if(values.begin(), values.end(),
                              [&](const ValueCount& value) { return value.text == schema_.default_value(); });
    if (found == values.end()) found = values.insert(found, {schema_.default_value(), 0});
    found->rows += column.missing_rows;
  }
  AddNotes(values, messages);
  if (schema_.learnt()) LearnVocabulary(values);
  if (schema_.kind() == FeatureSchema::VOCABULARY) IndexVocabulary();
  if (index_.size() != static_cast<size_t>(schema_.value_size()))
    messages->problems.push_back("vocab_list has a value twice");
  if (schema_.kind() == FeatureSchema::VOCABULARY && !schema_.learnt()) CountWrittenVocabulary(values, messages);
  schema_.set_vocabulary_size(CountIds(schema_));
  uint64_t unknown_rows = 0, all_rows = has_default() ? 0 : column.missing_rows;
  for (const ValueCount& value : values) {
    all_rows += value.rows;
    if (schema_.kind() != FeatureSchema::HASH && IdOf(value.text) == UnknownId()) unknown_rows += value.rows;
  }
  schema_.set_unknown_count(unknown_rows);
  if (schema_.kind() == FeatureSchema::BUCKETS && unknown_rows > 0) {
    messages->notes.push_back(fmt::format("{} of {} training rows hold no integer below num_buckets ({})",
                                          FormatCount(unknown_rows), FormatCount(all_rows), schema_.num_buckets()));
  }
}

// Most frequent first; ties in the order of the bytes, so that the order of the rows does not matter.
void IdFeature::LearnVocabulary(std::vector<ValueCount> values) {
  std::erase_if(values, [&](const ValueCount& value) { return value.rows < min_count_; });
  std::sort(values.begin(), values.end(), [](const ValueCount& a, const ValueCount& b) {
    return a.rows != b.rows ? a.rows > b.rows : a.text < b.text;
  });
  if (max_vocabulary_ > 0 && values.size() > max_vocabulary_) values.resize(max_vocabulary_);
  for (const ValueCount& value : values) {
    schema_.add_value(std::string(value.text));
    schema_.add_training_count(value.rows);
  }
}

void IdFeature::CountWrittenVocabulary(const std::vector<ValueCount>& values, FitMessages* messages) {
  schema_.mutable_training_count()->Resize(schema_.value_size(), 0);
  for (const ValueCount& value : values) {
    const auto found = index_.find(value.text);
    if (found != index_.end()) schema_.set_training_count(static_cast<int>(found->second), value.rows);
  }
  std::vector<std::string> unseen;
  for (int i = 0; i < schema_.training_count_size(); ++i)
    if (schema_.training_count(i) == 0) unseen.push_back('"' + schema_.value(i) + '"');
  if (!unseen.empty()) {
    messages->notes.push_back(fmt::format("{} of {} values of vocab_list are in no training row: {}", unseen.size(),
                                          schema_.training_count_size(), JoinNames(unseen, kShownValues)));
  }
}

void IdFeature::AddNotes(const std::vector<ValueCount>& values, FitMessages* messages) const {
  const bool missing_is_a_value = schema_.missing_count() > 0 && !has_default();
  if (values.size() + (missing_is_a_value ? 1 : 0) > 1) return;
  messages->notes.push_back(
      values.empty()
          ? "has no value in any training row, so it tells the model nothing"
          : fmt::format("is \"{}\" in all training rows, so it tells the model nothing", values.front().text));
}

void IdFeature::IndexVocabulary() {
  index_.clear();
  for (int i = 0; i < schema_.value_size(); ++i) index_.emplace(schema_.value(i), static_cast<uint32_t>(i));
}

uint32_t IdFeature::UnknownId() const {
  return static_cast<uint32_t>(schema_.kind() == FeatureSchema::BUCKETS ? schema_.num_buckets() : schema_.value_size());
}

uint32_t IdFeature::IdOf(std::string_view text) const {
  if (text.empty()) {
    if (!has_default()) return static_cast<uint32_t>(schema_.vocabulary_size() - 1);
    text = schema_.default_value();
  }
  switch (schema_.kind()) {
    case FeatureSchema::HASH: return static_cast<uint32_t>(Xxh3(text.data(), text.size()) % schema_.hash_bucket_size());
    case FeatureSchema::BUCKETS: {
      uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      const bool whole = error == std::errc() && end == text.data() + text.size();
      return whole && number < schema_.num_buckets() ? static_cast<uint32_t>(number) : UnknownId();
    }
    default: {
      const auto found = index_.find(text);
      return found == index_.end() ? UnknownId() : found->second;
    }
  }
}

void IdFeature::Transform(const RawValues& values, uint32_t* ids, float*) const {
  MG_CHECK(values.texts != nullptr, "feature \"{}\" needs texts", schema_.name());
  for (int64_t i = 0; i < values.count; ++i) ids[i] = IdOf(values.texts[i]);
}

std::string IdFeature::Describe() const {
  std::string text;
  switch (schema_.kind()) {
    case FeatureSchema::HASH: text = fmt::format("{} hash buckets", FormatCount(schema_.hash_bucket_size())); break;
    case FeatureSchema::BUCKETS: text = fmt::format("integers below {}", FormatCount(schema_.num_buckets())); break;
    default: {
      std::vector<std::pair<uint64_t, std::string>> shown;
      uint64_t rows = schema_.unknown_count() + (has_default() ? 0 : schema_.missing_count());
      for (const uint64_t count : schema_.training_count()) rows += count;
      for (int i = 0; i < schema_.training_count_size(); ++i)
        shown.emplace_back(schema_.training_count(i), schema_.value(i));
      std::stable_sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
      const size_t num_values = shown.size();
      shown.resize(std::min(num_values, kShownValues));
      text = fmt::format("{} values", FormatCount(static_cast<int64_t>(num_values)));
      for (size_t i = 0; i < shown.size(); ++i) {
        text +=
            fmt::format("{} \"{}\" {:.1f} %", i == 0 ? ":" : ",", shown[i].second,
                        100.0 * static_cast<double>(shown[i].first) / static_cast<double>(std::max<uint64_t>(rows, 1)));
      }
      if (shown.size() < num_values) text += ", ...";
    }
  }
  if (schema_.unknown_count() > 0) text += fmt::format("; unknown {} rows", FormatCount(schema_.unknown_count()));
  if (schema_.missing_count() > 0) text += fmt::format("; missing {} rows", FormatCount(schema_.missing_count()));
  if (has_default()) text += fmt::format("; missing = \"{}\"", schema_.default_value());
  return text;
}

}  // namespace

std::unique_ptr<Feature> NewIdFeature(const config::FeatureConfig& feature_config) {
  const config::IdFeature& id = feature_config.id_feature();
  FeatureSchema schema;
  schema.set_name(config::FeatureName(feature_config));
  schema.set_column(config::FeatureColumn(feature_config));
  if (id.num_buckets() > 0) {
    schema.set_kind(FeatureSchema::BUCKETS);
    schema.set_num_buckets(id.num_buckets());
  } else if (id.hash_bucket_size() > 0) {
    schema.set_kind(FeatureSchema::HASH);
    schema.set_hash_bucket_size(id.hash_bucket_size());
  } else {
    schema.set_kind(FeatureSchema::VOCABULARY);
    schema.set_learnt(id.vocab_list().empty());
    *schema.mutable_value() = id.vocab_list();
  }
  if (!id.default_value().empty()) schema.set_default_value(id.default_value());
  if (id.one_hot()) {
    schema.set_encoding(FeatureSchema::ONE_HOT);
  } else {
    schema.set_encoding(FeatureSchema::EMBEDDING);
    schema.set_embedding_dim(id.embedding_dim());
    if (id.has_embedding_name()) schema.set_embedding_name(id.embedding_name());
    if (id.has_init_fn()) schema.set_init_fn(id.init_fn());
  }
  return std::make_unique<IdFeature>(std::move(schema), id.min_count(), id.max_vocabulary());
}

std::unique_ptr<Feature> IdFeatureFromSchema(const FeatureSchema& schema) {
  return std::make_unique<IdFeature>(schema, /*min_count=*/1, /*max_vocabulary=*/0);
}

}  // namespace manygate::features
