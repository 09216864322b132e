// SPDX-License-Identifier: Apache-2.0
// Generator of combo_feature: all combinations of the inputs' values.
#include "manygate/features/generator.h"
#include "manygate/features/schema.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

constexpr char kJoint = '_';
// One more than can be used, so that fitting still sees that there are too many.
constexpr size_t kMostCombinations = kMostValues + 1;

class ComboGenerator : public Generator {
 public:
  explicit ComboGenerator(const config::ComboFeature& feature)
      : separator_(feature.separator()), most_(feature.value_dim() > 0 ? feature.value_dim() : kMostCombinations) {}

  bool MakesNumbers() const override { return false; }

  // Like counting: places[i] is which of its values input i shows, and the last input's changes fastest.
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    workspace->text.clear();
    if (!SplitInputs(inputs, workspace)) return;
    std::vector<uint32_t>& places = workspace->places;
    places.assign(inputs.size(), 0);
    for (size_t count = 0; count < most_; ++count) {
      AppendCombination(workspace);
      size_t i = inputs.size();
      while (i > 0 && ++places[i - 1] == workspace->counts[i] - workspace->counts[i - 1]) places[--i] = 0;
      if (i == 0) return;
    }
  }

 private:
  // words: the values of all inputs, those of input i from counts[i] to counts[i + 1]. False if an input has none.
  bool SplitInputs(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const {
    std::vector<std::string_view>& words = workspace->words;
    words.clear();
    workspace->counts.assign(1, 0);
    for (const std::string_view input : inputs) {
      const auto add = [&](std::string_view value) {
        words.push_back(value);
        return true;
      };
      if (!separator_.empty()) {
        ForEachValue(input, separator_[0], add);
      } else if (!Trim(input).empty()) {
        add(Trim(input));
      }
      if (words.size() == workspace->counts.back()) return false;
      workspace->counts.push_back(static_cast<uint32_t>(words.size()));
    }
    return true;
  }

  static void AppendCombination(GeneratorWorkspace* workspace) {
    std::string& text = workspace->text;
    if (!text.empty()) text.push_back(kValueSeparator);
    for (size_t i = 0; i < workspace->places.size(); ++i) {
      if (i > 0) text.push_back(kJoint);
      text.append(workspace->words[workspace->counts[i] + workspace->places[i]]);
    }
  }

  std::string separator_;
  size_t most_;
};

}  // namespace

std::unique_ptr<Generator> NewComboGenerator(const config::ComboFeature& feature) {
  return std::make_unique<ComboGenerator>(feature);
}

}  // namespace manygate::features
