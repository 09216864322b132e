// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "manygate/features/feature.h"
#include "manygate/features/schema.h"

namespace manygate {
namespace {

using features::FeatureSchema;

// In a padded sequence, where "" at the end is no position. No value is a blank: those around values are taken away.
constexpr char kEmptyPosition[] = " ";
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

bool ReadsTexts(const FeatureSchema& feature) {
  return features::IsId(feature) && feature.kind() != FeatureSchema::BINS;
}

// The input that a feature wants its column to be.
ProgramInput WantedInput(const FeatureSchema& feature) {
  ProgramInput input{.name = feature.column()};
  if (!ReadsTexts(feature)) {
    input.type = TensorType::kNumber;
    if (feature.kind() == FeatureSchema::NUMBER_LIST) {
      input.list = true;
      input.sequence = feature.sequence();
      input.positions = feature.num_values();
      input.values = feature.position_width();
    }
    return input;
  }
  if (feature.has_separator()) {
    input.list = true;
    input.separator = feature.separator();
    input.sequence = feature.sequence();
    input.values = feature.num_values();
  }
  return input;
}

// Makes `input` one that serves both. Whoever wants a number can have it from a text. False: there is none.
bool Join(const ProgramInput& other, ProgramInput* input) {
  if (!input->list && !other.list) {
    if (other.type == TensorType::kText) input->type = TensorType::kText;
    return true;
  }
  if (input->list != other.list || input->type != other.type || input->separator != other.separator ||
      input->sequence != other.sequence)
    return false;
  if (input->type == TensorType::kNumber) return input->positions == other.positions && input->values == other.values;
  input->values = std::max(input->values, other.values);
  return true;
}

// Why a feature cannot be exported, as a sentence; "" if it can.
std::string Refusal(const FeatureSchema& feature, const features::Schema& schema) {
  for (const config::Generator& generator : schema.generators())
    if (generator.column() == feature.column())
      return fmt::format(
          "feature \"{}\" reads a column that is computed from others, which cannot be exported: write the column into "
          "the "
          "data, or leave the feature out, and train again",
          feature.name());
  if (feature.kind() == FeatureSchema::HASH)
    return fmt::format(
        "feature \"{}\" is hashed, which other formats cannot compute: give it a vocabulary (no hash_bucket_size, or "
        "vocab_list) or num_buckets and train again",
        feature.name());
  if (feature.weighted())
    return fmt::format(
        "feature \"{}\" has weighted values, which cannot be exported: set weighted: false and train again",
        feature.name());
  return "";
}

class FeatureExporter {
 public:
  FeatureExporter(const features::Schema& schema, const SourceOptions& options, TensorProgram* program)
      : schema_(schema), options_(options), program_(*program) {}

  StatusOr<EncodedRow> Export() {
    MG_RETURN_IF_ERROR(AddInputs());
    std::vector<std::pair<int64_t, Tensor>> numbers;
    for (const FeatureSchema& feature : schema_.features()) {
      program_.SetScope("features." + feature.name());
      switch (feature.kind()) {
        case FeatureSchema::VOCABULARY:
        case FeatureSchema::BUCKETS: row_.ids[feature.id_slot()] = Ids(feature); break;
        case FeatureSchema::BINS: row_.ids[feature.id_slot()] = Bin(feature); break;
        case FeatureSchema::NUMBER:
        case FeatureSchema::PIECEWISE:
        case FeatureSchema::NUMBER_LIST: numbers.emplace_back(feature.number_offset(), NumbersOf(feature)); break;
        case FeatureSchema::HASH: break;  // refused
      }
    }
    std::sort(numbers.begin(), numbers.end());
    std::vector<Tensor> parts;
    for (const auto& number : numbers) parts.push_back(number.second);
    program_.SetScope("features");
    if (!parts.empty()) row_.numbers = program_.Concat(std::move(parts));
    return std::move(row_);
  }

 private:
  Status AddInputs() {
    std::vector<ProgramInput> inputs;
    std::string problems;
    for (const FeatureSchema& feature : schema_.features()) {
      std::string problem = Refusal(feature, schema_);
      ProgramInput wanted = WantedInput(feature);
      const auto found = std::find_if(inputs.begin(), inputs.end(),
                                      [&](const ProgramInput& input) { return input.name == wanted.name; });
      if (found == inputs.end()) {
        wanted.missing = options_.missing_values;
        inputs.push_back(std::move(wanted));
      } else if (problem.empty() && !Join(wanted, &*found)) {
        problem = fmt::format(
            "feature \"{}\" splits column \"{}\" in another way than the features before it, and an exported model has "
            "one "
            "input per column: write the values into two columns and train again",
            feature.name(), feature.column());
      }
      if (!problem.empty()) problems += (problems.empty() ? "" : "\n") + problem;
    }
    if (!problems.empty()) return InvalidInput(problems);
    for (ProgramInput& input : inputs) {
      program_.SetScope("inputs");
      const std::string name = input.name;
      inputs_[name] = program_.Input(std::move(input));
    }
    return OkStatus();
  }

  // What the model's own encoding makes of a text: [num_values] ids.
  static std::vector<uint32_t> Encoded(const FeatureSchema& feature, std::string_view text) {
    std::vector<uint32_t> ids(feature.num_values());
    features::FeatureFromSchema(feature)->Transform({.texts = &text, .count = 1}, ids.data(), nullptr);
    return ids;
  }

  Tensor Ids(const FeatureSchema& feature) {
    const auto none = static_cast<int64_t>(feature.vocabulary_size());
    const Tensor all = inputs_.at(feature.column());
    const Tensor texts = program_.Slice(all, 0, feature.num_values());
    // An empty position has no text of its own, so two of them stand for one.
    const bool sequence = feature.sequence(), list = feature.num_values() > 1;
    const int64_t missing = Encoded(feature, sequence ? feature.separator() : "")[0];
    if (sequence) {
      const Tensor within =
          program_.Binary(BinaryKind::kLess, program_.Counting(feature.num_values()), program_.Length(all));
      return program_.Select(within, Found(feature, texts, missing), program_.Ids({1, 1}, {none}));
    }
    if (!list) return Found(feature, texts, missing);
    // The first slot of a row without a value: its place and the length are both 0.
    const Tensor place = program_.Add(program_.Counting(feature.num_values()), program_.Length(texts));
    const Tensor stands_for_all = program_.Binary(BinaryKind::kEqual, place, program_.Ids({1, 1}, {0}));
    return program_.Select(stands_for_all, program_.Ids({1, 1}, {missing}), Found(feature, texts, none));
  }

  // empty: the id of "".
  Tensor Found(const FeatureSchema& feature, Tensor texts, int64_t empty) {
    if (feature.kind() == FeatureSchema::BUCKETS) {
      const auto buckets = static_cast<int64_t>(feature.num_buckets());
      const Tensor numbers = program_.Whole(texts, buckets, empty, buckets);
      if (!feature.sequence()) return numbers;
      const Tensor blank = program_.Cast(program_.LookUp(texts, {kEmptyPosition}, {1}, 0), TensorType::kTruth);
      return program_.Select(blank, program_.Ids({1, 1}, {empty}), numbers);
    }
    std::vector<std::string> keys = {""};
    std::vector<int64_t> ids = {empty};
    if (feature.sequence()) {
      keys.push_back(kEmptyPosition);
      ids.push_back(empty);
    }
    for (int i = 0; i < feature.value_size(); ++i) {
      if (feature.value(i).empty()) continue;
      keys.push_back(feature.value(i));
      ids.push_back(feature.value_id().empty() ? i : static_cast<int64_t>(feature.value_id(i)));
    }
    const uint64_t unknown = feature.has_default_id() ? feature.default_id() : features::NumWrittenIds(feature);
    return program_.LookUp(texts, std::move(keys), std::move(ids), static_cast<int64_t>(unknown));
  }

  Tensor Clip(const FeatureSchema& feature, Tensor x) {
    if (feature.has_clip_min()) x = program_.Binary(BinaryKind::kLarger, x, program_.Number(feature.clip_min()));
    if (feature.has_clip_max()) x = program_.Binary(BinaryKind::kSmaller, x, program_.Number(feature.clip_max()));
    return x;
  }

  // Of one number: [1, 1], NaN = missing.
  Tensor Raw(const FeatureSchema& feature) {
    const Tensor input = inputs_.at(feature.column());
    return program_.operation(input).type == TensorType::kText ? program_.Parse(input) : input;
  }
  Tensor Filled(Tensor x, float fill) {
    return program_.Select(program_.Unary(UnaryKind::kIsNaN, x), program_.Number(fill), x);
  }

  // How many of the edges are <= x.
  Tensor EdgesUpTo(Tensor x, std::vector<float> edges) {
    if (edges.empty()) edges.push_back(std::numeric_limits<float>::infinity());
    const auto count = static_cast<int64_t>(edges.size());
    const Tensor reached = program_.Binary(BinaryKind::kAtLeast, x, program_.Numbers({1, count}, std::move(edges)));
    return program_.Cast(program_.SumWidth(program_.Cast(reached, TensorType::kNumber)), TensorType::kId);
  }

  Tensor Bin(const FeatureSchema& feature) {
    const Tensor raw = Raw(feature);
    const Tensor x = Clip(feature, Filled(raw, feature.default_number()));
    const Tensor bin = EdgesUpTo(x, {feature.edges().begin(), feature.edges().end()});
    if (feature.has_default_number()) return bin;
    const Tensor missing = program_.Ids({1, 1}, {static_cast<int64_t>(feature.vocabulary_size()) - 1});
    return program_.Select(program_.Unary(UnaryKind::kIsNaN, raw), missing, bin);
  }

  Tensor NumbersOf(const FeatureSchema& feature) {
    if (feature.kind() == FeatureSchema::NUMBER_LIST) return NumberList(feature);
    const Tensor raw = Raw(feature);
    const Tensor x = Clip(feature, Filled(raw, feature.fill()));
    const Tensor number = feature.kind() == FeatureSchema::PIECEWISE ? Piece(feature, x) : Scaled(feature, x);
    if (!feature.missing_indicator()) return number;
    return program_.Concat({number, program_.Cast(program_.Unary(UnaryKind::kIsNaN, raw), TensorType::kNumber)});
  }

  // In double, as the model's own encoding.
  Tensor Scaled(const FeatureSchema& feature, Tensor x) {
    if (!feature.log1p() && !feature.standardise()) return x;
    Tensor exact = program_.Cast(x, TensorType::kDouble);
    if (feature.log1p()) {
      const Tensor size = program_.Add(program_.Double(1), program_.Unary(UnaryKind::kAbsolute, exact));
      const Tensor logarithm = program_.Unary(UnaryKind::kLog, size);
      exact = program_.Select(program_.Binary(BinaryKind::kLess, exact, program_.Double(0)),
                              program_.Unary(UnaryKind::kNegative, logarithm), logarithm);
    }
    if (feature.standardise())
      exact = program_.Divide(program_.Subtract(exact, program_.Double(feature.mean())),
                              program_.Double(feature.deviation()));
    return program_.Cast(exact, TensorType::kNumber);
  }

  // The piece goes to the feature's id slot; returned is the fraction of it that lies below x.
  Tensor Piece(const FeatureSchema& feature, Tensor x) {
    const auto& edges = feature.edges();
    if (edges.size() < 2) {
      row_.ids[feature.id_slot()] = program_.Repeat(program_.Ids({1, 1}, {0}));
      return program_.Repeat(program_.Number(0));
    }
    const Tensor piece = EdgesUpTo(x, {edges.begin() + 1, edges.end() - 1});
    row_.ids[feature.id_slot()] = piece;
    std::vector<double> starts, widths;
    for (int i = 0; i + 1 < edges.size(); ++i) {
      starts.push_back(edges[i]);
      widths.push_back(static_cast<double>(edges[i + 1]) - static_cast<double>(edges[i]));
    }
    const Shape all{static_cast<int64_t>(starts.size()), 1};
    const Tensor above =
        program_.Subtract(program_.Cast(x, TensorType::kDouble), program_.Gather(program_.Doubles(all, starts), piece));
    const Tensor fraction = program_.Divide(above, program_.Gather(program_.Doubles(all, widths), piece));
    const Tensor at_least = program_.Binary(BinaryKind::kLarger, fraction, program_.Double(0));
    return program_.Cast(program_.Binary(BinaryKind::kSmaller, at_least, program_.Double(1)), TensorType::kNumber);
  }

  Tensor NumberList(const FeatureSchema& feature) {
    const Tensor input = inputs_.at(feature.column());
    Tensor filled = Filled(input, feature.fill());
    if (feature.sequence()) {
      const int64_t positions = feature.num_values();
      const Tensor within = program_.Binary(BinaryKind::kLess, program_.Counting(positions), program_.Length(input));
      filled = program_.Select(program_.Reshape(within, {positions, 1}), filled, program_.Number(kNaN));
    }
    return program_.Flat(filled);
  }

  const features::Schema& schema_;
  const SourceOptions& options_;
  TensorProgram& program_;
  std::map<std::string, Tensor> inputs_;  // by column
  EncodedRow row_;
};

}  // namespace

StatusOr<EncodedRow> ExportFeatures(const features::Schema& schema, const SourceOptions& options,
                                    TensorProgram* program) {
  return FeatureExporter(schema, options, program).Export();
}

}  // namespace manygate
