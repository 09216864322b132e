// SPDX-License-Identifier: Apache-2.0
// Generator of bool_mask_feature: the values of one list where another says true.
#include <algorithm>

#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

bool IsTrue(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return text == "1" || std::equal(text.begin(), text.end(), kTrue.begin(), kTrue.end(), same);
}

class BoolMaskGenerator : public Generator {
 public:
  explicit BoolMaskGenerator(const config::BoolMaskFeature& feature) : separator_(feature.separator()) {}

  bool MakesNumbers() const override { return false; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    std::string& text = workspace->text;
    text.clear();
    ReadParts(inputs[0], &workspace->words);
    ReadParts(inputs[1], &workspace->more_words);
    const size_t count = std::min(workspace->words.size(), workspace->more_words.size());
    for (size_t i = 0; i < count; ++i) {
      if (!IsTrue(workspace->more_words[i]) || workspace->words[i].empty()) continue;
      if (!text.empty()) text.push_back(kValueSeparator);
      text.append(workspace->words[i]);
    }
  }

 private:
  // Empty parts too: each value belongs to the truth at its own place.
  void ReadParts(std::string_view text, std::vector<std::string_view>* parts) const {
    parts->clear();
    if (separator_.empty()) return parts->push_back(Trim(text));
    ForEachPosition(text, separator_[0], [&](std::string_view part) {
      parts->push_back(part);
      return true;
    });
  }

  std::string separator_;
};

}  // namespace

std::unique_ptr<Generator> NewBoolMaskGenerator(const config::BoolMaskFeature& feature) {
  return std::make_unique<BoolMaskGenerator>(feature);
}

}  // namespace manygate::features
