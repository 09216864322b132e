// SPDX-License-Identifier: Apache-2.0
// Generators of id_feature and raw_feature: a cell as it is.
#include "manygate/data/number_text.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

// The values of a text between its own separators, put between ours.
class CopyTextGenerator : public Generator {
 public:
  explicit CopyTextGenerator(const config::IdFeature& feature) : separator_(feature.separator()) {}

  bool MakesNumbers() const override { return false; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    std::string& text = workspace->text;
    text.clear();
    if (separator_.empty()) {
      text = Trim(inputs[0]);
      return;
    }
    ForEachValue(inputs[0], separator_[0], [&](std::string_view value) {
      if (!text.empty()) text.push_back(kValueSeparator);
      text.append(value);
      return true;
    });
  }

 private:
  std::string separator_;
};

// The number of a text, or value_dim of them, each in its place: what is no number there is default_value or 0.
class CopyNumberGenerator : public Generator {
 public:
  explicit CopyNumberGenerator(const config::RawFeature& feature)
      : separator_(feature.separator()), value_dim_(feature.value_dim()) {
    if (ParseDouble(feature.default_value(), &fill_) != NumberParse::kOk) fill_ = 0;
  }

  bool MakesNumbers() const override { return true; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    std::vector<double>& numbers = workspace->numbers;
    numbers.clear();
    double number = 0;
    if (value_dim_ <= 1 || separator_.empty()) {
      if (ParseDouble(Trim(inputs[0]), &number) == NumberParse::kOk) numbers.push_back(number);
      return;
    }
    ForEachPosition(inputs[0], separator_[0], [&](std::string_view part) {
      numbers.push_back(ParseDouble(part, &number) == NumberParse::kOk ? number : fill_);
      return numbers.size() < value_dim_;
    });
  }

 private:
  std::string separator_;
  size_t value_dim_;
  double fill_ = 0;
};

}  // namespace

std::unique_ptr<Generator> NewCopyGenerator(const config::FeatureConfig& feature) {
  if (feature.has_id_feature()) return std::make_unique<CopyTextGenerator>(feature.id_feature());
  return std::make_unique<CopyNumberGenerator>(feature.raw_feature());
}

}  // namespace manygate::features
