// SPDX-License-Identifier: Apache-2.0
// Generator of kv_dot_product: the dot product of two vectors whose places have names.
#include <algorithm>

#include "manygate/data/number_text.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

class KvDotGenerator : public Generator {
 public:
  explicit KvDotGenerator(const config::KvDotProduct& feature)
      : delimiter_(feature.kv_delimiter()[0]), separator_(feature.separator()) {}

  bool MakesNumbers() const override { return true; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    workspace->numbers.clear();
    ReadPairs(inputs[0], &workspace->pairs);
    ReadPairs(inputs[1], &workspace->more_pairs);
    if (workspace->pairs.empty() || workspace->more_pairs.empty()) return;
    double sum = 0;
    auto other = workspace->more_pairs.cbegin();
    const auto end = workspace->more_pairs.cend();
    for (const KeyNumber& pair : workspace->pairs) {
      while (other != end && other->key < pair.key) ++other;
      if (other != end && other->key == pair.key) sum += pair.number * other->number;
    }
    workspace->numbers.push_back(sum);
  }

 private:
  // In the order of the keys; of a key that is there twice the first.
  void ReadPairs(std::string_view text, std::vector<KeyNumber>* pairs) const {
    pairs->clear();
    const auto add = [&](std::string_view part) {
      const size_t at = part.rfind(delimiter_);
      double number = 1;
      if (at != std::string_view::npos && ParseDouble(Trim(part.substr(at + 1)), &number) != NumberParse::kOk)
        return true;
      pairs->push_back({Trim(part.substr(0, at)), number});
      return true;
    };
    if (!separator_.empty()) {
      ForEachValue(text, separator_[0], add);
    } else if (!Trim(text).empty()) {
      add(Trim(text));
    }
    std::sort(pairs->begin(), pairs->end(), [](const KeyNumber& a, const KeyNumber& b) {
      return a.key != b.key ? a.key < b.key : a.key.data() < b.key.data();  // equal keys as they stand in the text
    });
    const auto same = [](const KeyNumber& a, const KeyNumber& b) { return a.key == b.key; };
    pairs->erase(std::unique(pairs->begin(), pairs->end(), same), pairs->end());
  }

  char delimiter_;
  std::string separator_;
};

}  // namespace

std::unique_ptr<Generator> NewKvDotGenerator(const config::KvDotProduct& feature) {
  return std::make_unique<KvDotGenerator>(feature);
}

}  // namespace manygate::features
