// SPDX-License-Identifier: Apache-2.0
// Features whose texts are ids: a learnt or written vocabulary, integers below num_buckets, or hashed texts. A text may
// hold several of them.
#include <algorithm>
#include <charconv>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/features/feature.h"
#include "manygate/features/text_index.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

constexpr size_t kShownValues = 3;  // in descriptions and notes

// What Fit needs besides the schema.
struct FitChoice {
  uint64_t min_count = 1;
  uint64_t max_vocabulary = 0;  // 0: all
  uint32_t max_values = 0;      // 0: as many as any training row has
  bool keep_separator = false;  // though no training row holds it; sequences and weighted ids always do
};

class IdFeature : public Feature {
 public:
  IdFeature(FeatureSchema schema, const FitChoice& choice) : Feature(std::move(schema)), choice_(choice) {
    IndexVocabulary();
  }

  ColumnKind SourceKind() const override { return ColumnKind::kCategory; }
  TrainingColumn Split(TrainingColumn texts) const override;
  void Fit(TrainingColumn column, FitMessages* messages) override;
  void Transform(const RawValues& values, uint32_t* ids, float* numbers) const override;
  std::string Describe() const override;

 private:
  bool has_default() const { return !schema_.default_value().empty(); }
  uint32_t IdOf(std::string_view text) const;
  uint32_t UnknownId() const;
  bool IsUnknown(std::string_view text) const {
    if (schema_.kind() == FeatureSchema::VOCABULARY) return index_.Find(text) < 0;
    return schema_.kind() == FeatureSchema::BUCKETS && IdOf(text) == unknown_id_;
  }
  ValueListKind list_kind() const {
    return {.separator = schema_.separator()[0], .sequence = schema_.sequence(), .weighted = schema_.weighted()};
  }
  void FillRow(std::string_view text, uint32_t* ids, float* weights) const;
  void FitNumValues(const std::vector<uint64_t>& rows_by_values, FitMessages* messages);
  void LearnVocabulary(std::vector<ValueCount> values);
  void CountWrittenVocabulary(const std::vector<ValueCount>& values, FitMessages* messages);
  void AddNotes(const std::vector<ValueCount>& values, FitMessages* messages) const;
  void IndexVocabulary();

  FitChoice choice_;
  TextIndex index_;  // of schema_.value()
  uint32_t unknown_id_ = 0;
};

TrainingColumn IdFeature::Split(TrainingColumn texts) const {
  if (!schema_.has_separator()) return texts;
  const auto holds_separator = [&](const ValueCount& text) {
    return text.text.find(SeparatorOf(text.text, schema_.separator()[0])) != text.text.npos;
  };
  if (!choice_.keep_separator && std::none_of(texts.values.begin(), texts.values.end(), holds_separator)) return texts;
  return SplitValues(texts, list_kind(), choice_.max_values);
}

void IdFeature::Fit(TrainingColumn column, FitMessages* messages) {
  FitNumValues(column.rows_by_values, messages);
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
    messages->problems.push_back("has a value of its vocabulary twice");
  if (schema_.kind() == FeatureSchema::VOCABULARY && !schema_.learnt()) CountWrittenVocabulary(values, messages);
  schema_.set_vocabulary_size(CountIds(schema_));
  uint64_t unknown_rows = 0, all_rows = has_default() ? 0 : column.missing_rows;
  for (const ValueCount& value : values) {
    all_rows += value.rows;
    if (IsUnknown(value.text)) unknown_rows += value.rows;
  }
  schema_.set_unknown_count(unknown_rows);
  if (schema_.kind() == FeatureSchema::BUCKETS && unknown_rows > 0) {
    messages->notes.push_back(fmt::format(
        "{} of {} {} no integer below num_buckets ({})", FormatCount(unknown_rows), FormatCount(all_rows),
        schema_.num_values() > 1 ? "values in training rows are" : "training rows hold", schema_.num_buckets()));
  }
}

void IdFeature::FitNumValues(const std::vector<uint64_t>& rows_by_values, FitMessages* messages) {
  if (rows_by_values.empty() && !schema_.sequence() && !schema_.weighted()) {
    schema_.clear_separator();  // nothing was split: a feature of single values
    schema_.clear_pooling();
    return;
  }
  const size_t most = std::max<size_t>(rows_by_values.size(), 2) - 1;
  const size_t used = choice_.max_values == 0 ? most : std::min<size_t>(most, choice_.max_values);
  if (used > kMostValues) {
    messages->problems.push_back(fmt::format("has {} values in one row, and at most {} can be used: give it max_values",
                                             FormatCount(most), FormatCount(kMostValues)));
  }
  schema_.set_num_values(static_cast<uint32_t>(used));
  uint64_t rows = 0, cut = 0;
  for (size_t n = 0; n < rows_by_values.size(); ++n) {
    rows += rows_by_values[n];
    if (n > used) cut += rows_by_values[n];
  }
  if (cut == 0) return;
  messages->notes.push_back(
      fmt::format("has more than {} values (max_values) in {} of the {} training rows with a value: the first {} used",
                  used, FormatCount(cut), FormatCount(rows), used == 1 ? "is" : fmt::format("{} are", used)));
}

// Most frequent first; ties in the order of the bytes, so that the order of the rows does not matter.
void IdFeature::LearnVocabulary(std::vector<ValueCount> values) {
  std::erase_if(values, [&](const ValueCount& value) { return value.rows < choice_.min_count; });
  std::sort(values.begin(), values.end(), [](const ValueCount& a, const ValueCount& b) {
    return a.rows != b.rows ? a.rows > b.rows : a.text < b.text;
  });
  if (choice_.max_vocabulary > 0 && values.size() > choice_.max_vocabulary) values.resize(choice_.max_vocabulary);
  for (const ValueCount& value : values) {
    schema_.add_value(std::string(value.text));
    schema_.add_training_count(value.rows);
  }
}

void IdFeature::CountWrittenVocabulary(const std::vector<ValueCount>& values, FitMessages* messages) {
  schema_.mutable_training_count()->Resize(schema_.value_size(), 0);
  for (const ValueCount& value : values) {
    const int64_t found = index_.Find(value.text);
    if (found >= 0) schema_.set_training_count(static_cast<int>(found), value.rows);
  }
  std::vector<std::string> unseen;
  for (int i = 0; i < schema_.training_count_size(); ++i)
    if (schema_.training_count(i) == 0) unseen.push_back('"' + schema_.value(i) + '"');
  if (!unseen.empty()) {
    messages->notes.push_back(fmt::format("{} of {} values of its vocabulary are in no training row: {}", unseen.size(),
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
  index_.Build(schema_.value());
  unknown_id_ = UnknownId();
}

uint32_t IdFeature::UnknownId() const {
  if (schema_.kind() == FeatureSchema::BUCKETS) return static_cast<uint32_t>(schema_.num_buckets());
  return static_cast<uint32_t>(schema_.has_default_id() ? schema_.default_id() : NumWrittenIds(schema_));
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
      const int64_t found = index_.Find(text);
      if (found < 0) return unknown_id_;
      return static_cast<uint32_t>(schema_.value_id().empty() ? found : schema_.value_id(static_cast<int>(found)));
    }
  }
}

void IdFeature::Transform(const RawValues& values, uint32_t* ids, float* numbers) const {
  MG_CHECK(values.texts != nullptr, "feature \"{}\" needs texts", schema_.name());
  if (!schema_.has_separator()) {
    for (int64_t i = 0; i < values.count; ++i) ids[i] = IdOf(values.texts[i]);
    return;
  }
  const size_t most = schema_.num_values();
  for (int64_t i = 0; i < values.count; ++i, ids += most) {
    FillRow(values.texts[i], ids, numbers);
    if (numbers != nullptr && schema_.weighted()) numbers += most;
  }
}

// The ids of one text, and of weighted ids their weights.
void IdFeature::FillRow(std::string_view text, uint32_t* ids, float* weights) const {
  const size_t most = schema_.num_values();
  const bool weighted = schema_.weighted();
  size_t count = 0;
  const auto add = [&](std::string_view value) {
    if (weighted) {
      const WeightedValue parts = SplitWeight(value);
      value = parts.value;
      if (weights != nullptr) weights[count] = parts.weight;
    }
    ids[count++] = IdOf(value);
    return count < most;
  };
  if (schema_.sequence()) {
    ForEachPosition(text, schema_.separator()[0], add);
  } else {
    ForEachValue(text, schema_.separator()[0], add);
    if (count == 0) add("");
  }
  std::fill(ids + count, ids + most, static_cast<uint32_t>(schema_.vocabulary_size()));
  if (!weighted || weights == nullptr) return;
  std::fill(weights + count, weights + most, 0.f);
  if (schema_.pooling() != FeatureSchema::MEAN) return;
  for (size_t k = 0; k < count; ++k) weights[k] /= static_cast<float>(count);
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
        const double share = static_cast<double>(shown[i].first) / static_cast<double>(std::max<uint64_t>(rows, 1));
        text += fmt::format("{} \"{}\" {}", i == 0 ? ":" : ",", shown[i].second,
                            schema_.num_values() > 1 ? fmt::format("in {} rows", FormatCount(shown[i].first))
                                                     : fmt::format("{:.1f} %", 100 * share));
      }
      if (shown.size() < num_values) text += ", ...";
    }
  }
  if (schema_.sequence()) {
    text += fmt::format("; sequences of up to {}", FormatCount(schema_.num_values()));
  } else if (schema_.num_values() > 1) {
    text += fmt::format("; up to {} in a row", schema_.num_values());
  }
  if (schema_.unknown_count() > 0) {
    text += fmt::format("; unknown {} {}", FormatCount(schema_.unknown_count()),
                        schema_.num_values() > 1 ? "values" : "rows");
  }
  if (schema_.missing_count() > 0) text += fmt::format("; missing {} rows", FormatCount(schema_.missing_count()));
  if (has_default()) text += fmt::format("; missing = \"{}\"", schema_.default_value());
  return text;
}

// A vocabulary that is written, or else one that is to be learnt.
void SetVocabulary(const config::IdFeature& id, FeatureSchema* schema) {
  schema->set_kind(FeatureSchema::VOCABULARY);
  schema->set_learnt(id.vocab_list().empty() && id.vocab_dict().empty());
  *schema->mutable_value() = id.vocab_list();
  for (const config::VocabEntry& entry : id.vocab_dict()) {
    schema->add_value(entry.key());
    schema->add_value_id(entry.value());
  }
  if (id.has_default_bucketize_value()) schema->set_default_id(id.default_bucketize_value());
}

// 0: as many as a row has.
uint32_t MostValues(const config::IdFeature& id, bool is_sequence) {
  if (is_sequence) return id.sequence_length();
  return id.value_dim() > 0 ? id.value_dim() : id.max_values();
}

}  // namespace

std::unique_ptr<Feature> NewIdFeature(const config::ListedFeature& feature) {
  const config::IdFeature& id = feature.encoding.id_feature();
  FeatureSchema schema;
  schema.set_name(feature.name);
  schema.set_column(feature.column);
  if (id.num_buckets() > 0) {
    schema.set_kind(FeatureSchema::BUCKETS);
    schema.set_num_buckets(id.num_buckets());
  } else if (id.hash_bucket_size() > 0) {
    schema.set_kind(FeatureSchema::HASH);
    schema.set_hash_bucket_size(id.hash_bucket_size());
  } else {
    SetVocabulary(id, &schema);
  }
  // Outside of a written vocabulary, it is one more name of missing.
  const auto& values = schema.value();
  const bool known = schema.kind() != FeatureSchema::VOCABULARY || schema.learnt() ||
                     std::find(values.begin(), values.end(), id.default_value()) != values.end();
  if (!id.default_value().empty() && known) schema.set_default_value(id.default_value());
  const std::string& separator = feature.is_sequence ? id.sequence_delim() : id.separator();
  if (!separator.empty()) schema.set_separator(separator);
  if (feature.is_sequence) schema.set_sequence(true);
  if (id.weighted()) schema.set_weighted(true);
  if (id.pooling() == "mean") schema.set_pooling(FeatureSchema::MEAN);
  if (!id.trainable()) schema.set_trainable(false);
  if (id.one_hot()) {
    schema.set_encoding(FeatureSchema::ONE_HOT);
  } else {
    schema.set_encoding(FeatureSchema::EMBEDDING);
    schema.set_embedding_dim(id.embedding_dim());
    if (id.has_embedding_name()) schema.set_embedding_name(id.embedding_name());
    if (id.has_init_fn()) schema.set_init_fn(id.init_fn());
  }
  const uint64_t kept = id.has_zch() ? id.zch().zch_size() : id.dynamicemb().max_capacity();
  const FitChoice choice{.min_count = id.min_count(),
                         .max_vocabulary = kept > 0 ? kept : id.max_vocabulary(),
                         .max_values = MostValues(id, feature.is_sequence),
                         .keep_separator = id.has_separator() || feature.is_sequence || id.weighted()};
  return std::make_unique<IdFeature>(std::move(schema), choice);
}

std::unique_ptr<Feature> IdFeatureFromSchema(const FeatureSchema& schema) {
  return std::make_unique<IdFeature>(schema, FitChoice{});
}

}  // namespace manygate::features
