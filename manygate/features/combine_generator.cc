// SPDX-License-Identifier: Apache-2.0
// Generator of combine_feature: one number of an input's values, each a number or the name of one.
#include <map>

#include "manygate/data/number_text.h"
#include "manygate/features/combiner.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

class CombineGenerator : public Generator {
 public:
  explicit CombineGenerator(const config::CombineFeature& feature)
      : combiner_(ParseCombiner(feature.combiner())), separator_(feature.separator()) {
    for (const config::ValueEntry& entry : feature.value_map()) numbers_.insert_or_assign(entry.key(), entry.value());
  }

  bool MakesNumbers() const override { return true; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    std::vector<double>& numbers = workspace->numbers;
    numbers.clear();
    const auto add = [&](std::string_view value) {
      double number = 0;
      if (NumberOf(value, &number)) numbers.push_back(number);
      return true;
    };
    separator_.empty() ? static_cast<void>(add(Trim(inputs[0]))) : ForEachValue(inputs[0], separator_[0], add);
    Combine(combiner_, &numbers);
  }

 private:
  bool NumberOf(std::string_view value, double* number) const {
    if (numbers_.empty()) return ParseDouble(value, number) == NumberParse::kOk;
    const auto found = numbers_.find(value);
    if (found != numbers_.end()) *number = found->second;
    return found != numbers_.end();
  }

  Combiner combiner_;
  std::string separator_;
  std::map<std::string, double, std::less<>> numbers_;  // of value_map
};

}  // namespace

std::unique_ptr<Generator> NewCombineGenerator(const config::CombineFeature& feature) {
  return std::make_unique<CombineGenerator>(feature);
}

}  // namespace manygate::features
