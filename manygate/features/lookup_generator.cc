// SPDX-License-Identifier: Apache-2.0
// Generators of lookup_feature and match_feature: the values of keys in a map or a map of maps that stands in the row.
#include "manygate/config/feature_list.h"
#include "manygate/data/number_text.h"
#include "manygate/features/combiner.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

// A pair in its parts: before the first delimiter and behind it. Without a delimiter both are empty.
struct Pair {
  std::string_view key, value;
};
Pair SplitPair(std::string_view text, char delimiter) {
  const size_t at = text.find(delimiter);
  if (at == std::string_view::npos) return {};
  return {Trim(text.substr(0, at)), Trim(text.substr(at + 1))};
}

// Calls f(value) for each value of a text; without a separator the text is one.
template <typename Function>
void ForEachKey(std::string_view text, const std::string& separator, Function f) {
  if (!separator.empty()) {
    ForEachValue(text, separator[0], f);
  } else if (!Trim(text).empty()) {
    f(Trim(text));
  }
}

void AppendValue(std::string_view value, std::string* text) {
  if (!text->empty()) text->push_back(kValueSeparator);
  text->append(value);
}

class LookupGenerator : public Generator {
 public:
  explicit LookupGenerator(const config::LookupFeature& feature)
      : makes_texts_(config::MakesIds(feature)),
        shows_key_(feature.need_key()),
        combiner_(ParseCombiner(feature.combiner())),
        separator_(feature.separator()),
        value_separator_(feature.value_separator()),
        value_dim_(feature.value_dim()) {}

  bool MakesNumbers() const override { return !makes_texts_; }

  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    const std::string_view map = inputs[0], keys = inputs[1];
    workspace->text.clear();
    workspace->numbers.clear();
    if (makes_texts_) {
      ForEachKey(keys, separator_, [&](std::string_view key) {
        const std::string_view value = Find(map, key);
        if (!value.empty()) AppendText(key, value, &workspace->text);
        return true;
      });
    } else if (value_dim_ > 1 && !value_separator_.empty()) {
      FindVectors(map, keys, workspace);
    } else {
      ForEachKey(keys, separator_, [&](std::string_view key) {
        double number = 0;
        if (ParseDouble(Find(map, key), &number) == NumberParse::kOk) workspace->numbers.push_back(number);
        return true;
      });
      Combine(combiner_, &workspace->numbers);
    }
  }

 private:
  // Of a key that is there twice the first; "" if it is not there.
  static std::string_view Find(std::string_view map, std::string_view key) {
    std::string_view found;
    ForEachValue(map, kValueSeparator, [&](std::string_view text) {
      const Pair pair = SplitPair(text, ':');
      if (pair.key != key) return true;
      found = pair.value;
      return found.empty();
    });
    return found;
  }

  void AppendText(std::string_view key, std::string_view value, std::string* text) const {
    if (!shows_key_) return AppendValue(value, text);
    AppendValue(key, text);
    text->push_back('_');
    text->append(value);
  }

  // vectors[i]: the i-th numbers of all keys' values. Without a combiner the keys' numbers one after the other.
  void FindVectors(std::string_view map, std::string_view keys, GeneratorWorkspace* workspace) const {
    std::vector<std::vector<double>>& places = workspace->vectors;
    if (places.size() < value_dim_) places.resize(value_dim_);
    for (std::vector<double>& place : places) place.clear();
    ForEachKey(keys, separator_, [&](std::string_view key) {
      size_t i = 0;
      ForEachPosition(Find(map, key), value_separator_[0], [&](std::string_view part) {
        double number = 0;
        if (ParseDouble(part, &number) != NumberParse::kOk) return ++i < value_dim_;
        (combiner_ == Combiner::kNone ? workspace->numbers : places[i]).push_back(number);
        return ++i < value_dim_;
      });
      return true;
    });
    if (combiner_ == Combiner::kNone) return;
    for (size_t i = 0; i < value_dim_; ++i) {
      Combine(combiner_, &places[i]);
      workspace->numbers.insert(workspace->numbers.end(), places[i].begin(), places[i].end());
    }
  }

  bool makes_texts_;
  bool shows_key_;
  Combiner combiner_;
  std::string separator_, value_separator_;
  size_t value_dim_;
};

// "books^blue:0.2,red:0.3|toys^red:0.1"
class MatchGenerator : public Generator {
 public:
  explicit MatchGenerator(const config::MatchFeature& feature)
      : makes_texts_(config::MakesIds(feature)),
        shows_first_(feature.show_pkey()),
        shows_second_(feature.show_skey()),
        all_first_(feature.pkey() == kAll),
        all_second_(feature.skey() == kAll),
        combiner_(ParseCombiner(feature.combiner())),
        separator_(feature.separator()) {}

  bool MakesNumbers() const override { return !makes_texts_; }

  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    workspace->text.clear();
    workspace->numbers.clear();
    if (all_first_) {
      ForEachSecondKey(inputs[0], "", inputs[2], workspace);
    } else {
      ForEachKey(inputs[1], separator_, [&](std::string_view first) {
        ForEachSecondKey(inputs[0], first, inputs[2], workspace);
        return true;
      });
    }
    if (!makes_texts_) Combine(combiner_, &workspace->numbers);
  }

 private:
  static constexpr char kAll[] = "ALL";

  void ForEachSecondKey(std::string_view map, std::string_view first, std::string_view seconds,
                        GeneratorWorkspace* workspace) const {
    if (all_second_) {
      Find(map, first, "", workspace);
      return;
    }
    ForEachKey(seconds, separator_, [&](std::string_view second) {
      Find(map, first, second, workspace);
      return true;
    });
  }

  // Of two keys the first value that is there; of ALL all that are there, in the map's order.
  void Find(std::string_view map, std::string_view first, std::string_view second,
            GeneratorWorkspace* workspace) const {
    const bool one = !all_first_ && !all_second_;
    bool done = false;
    ForEachValue(map, '|', [&](std::string_view entry) {
      const Pair outer = SplitPair(entry, '^');
      if (!all_first_ && outer.key != first) return true;
      ForEachValue(outer.value, ',', [&](std::string_view text) {
        const Pair inner = SplitPair(text, ':');
        if (inner.value.empty() || (!all_second_ && inner.key != second)) return true;
        Add(outer.key, inner, workspace);
        done = one;
        return !done;
      });
      return !done;
    });
  }

  void Add(std::string_view first, const Pair& inner, GeneratorWorkspace* workspace) const {
    if (!makes_texts_) {
      double number = 0;
      if (ParseDouble(inner.value, &number) == NumberParse::kOk) workspace->numbers.push_back(number);
      return;
    }
    std::string& text = workspace->text;
    AppendValue("", &text);
    for (const std::string_view shown : {shows_first_ ? first : "", shows_second_ ? inner.key : ""}) {
      text.append(shown);
      if (!shown.empty()) text.push_back('_');
    }
    text.append(inner.value);
  }

  bool makes_texts_;
  bool shows_first_, shows_second_;
  bool all_first_, all_second_;
  Combiner combiner_;
  std::string separator_;
};

}  // namespace

std::unique_ptr<Generator> NewLookupGenerator(const config::LookupFeature& feature) {
  return std::make_unique<LookupGenerator>(feature);
}

std::unique_ptr<Generator> NewMatchGenerator(const config::MatchFeature& feature) {
  return std::make_unique<MatchGenerator>(feature);
}

}  // namespace manygate::features
