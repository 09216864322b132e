// SPDX-License-Identifier: Apache-2.0
// Generator of overlap_feature: how much two lists of words have in common. The distances of words are those of Tao and
// Zhai, "An exploration of proximity measures in information retrieval", SIGIR 2007, section 3.
#include <algorithm>
#include <array>
#include <limits>

#include "manygate/base/check.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

using Words = std::vector<std::string_view>;

bool Contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The share of the words that the others hold too.
double CommonRatio(const Words& words, const Words& others) {
  if (words.empty()) return 0;
  const auto common = std::count_if(words.begin(), words.end(), [&](auto word) { return Contains(others, word); });
  return static_cast<double>(common) / static_cast<double>(words.size());
}

// All words of the query in the title, in the same order; others may stand between them.
bool IsContained(const Words& query, const Words& title) {
  auto at = title.begin();
  for (const std::string_view word : query) {
    at = std::find(at, title.end(), word);
    if (at++ == title.end()) return false;
  }
  return !query.empty();
}

double IndexOf(const Words& query, const Words& title) {
  const auto found = std::search(title.begin(), title.end(), query.begin(), query.end());
  return query.empty() || found == title.end() ? -1 : static_cast<double>(found - title.begin());
}

// Makes the query's words distinct. places: for each word of the title which word of the query it is, or their number.
void FindPlaces(Words* query, const Words& title, std::vector<uint32_t>* places) {
  auto end = query->begin();
  for (const std::string_view word : *query)
    if (std::find(query->begin(), end, word) == end) *end++ = word;
  query->erase(end, query->end());
  places->clear();
  for (const std::string_view word : title)
    places->push_back(static_cast<uint32_t>(std::find(query->begin(), query->end(), word) - query->begin()));
}

// Words in the shortest stretch of the title that holds each word of the query; 0 if one is not there.
double MinCover(size_t num_words, const std::vector<uint32_t>& places, std::vector<uint32_t>* counts) {
  counts->assign(num_words + 1, 0);
  size_t held = 0, first = 0, shortest = 0;
  for (size_t last = 0; last < places.size(); ++last) {
    if (places[last] < num_words && (*counts)[places[last]]++ == 0) ++held;
    while (num_words > 0 && held == num_words) {
      const size_t length = last - first + 1;
      if (shortest == 0 || length < shortest) shortest = length;
      const uint32_t dropped = places[first++];
      if (dropped < num_words && --(*counts)[dropped] == 0) --held;
    }
  }
  return static_cast<double>(shortest);
}

constexpr size_t kNever = std::numeric_limits<size_t>::max();

// How far apart the nearest occurrences of two words are; kNever if one is not there.
size_t Distance(uint32_t a, uint32_t b, const std::vector<uint32_t>& places) {
  size_t nearest = kNever, last_a = kNever, last_b = kNever;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] == a) last_a = i;
    if (places[i] == b) last_b = i;
    if ((places[i] == a || places[i] == b) && last_a != kNever && last_b != kNever)
      nearest = std::min(nearest, std::max(last_a, last_b) - std::min(last_a, last_b));
  }
  return nearest;
}

enum class Pairs { kMin, kMax, kMean };

// Over the pairs of the query's words that are in the title. No word is there: the title's length + 1; one of several:
// the title's length; the only one: 0.
double PairDistance(Pairs kind, size_t num_words, const std::vector<uint32_t>& places) {
  size_t found = 0, pairs = 0, shortest = kNever, longest = 0, sum = 0;
  for (uint32_t a = 0; a < num_words; ++a) {
    if (std::find(places.begin(), places.end(), a) == places.end()) continue;
    ++found;
    for (uint32_t b = a + 1; b < num_words; ++b) {
      const size_t distance = Distance(a, b, places);
      if (distance == kNever) continue;
      ++pairs;
      sum += distance;
      shortest = std::min(shortest, distance);
      longest = std::max(longest, distance);
    }
  }
  if (found == 0) return static_cast<double>(places.size() + 1);
  if (num_words == 1) return 0;
  if (pairs == 0) return static_cast<double>(places.size());
  switch (kind) {
    case Pairs::kMin: return static_cast<double>(shortest);
    case Pairs::kMax: return static_cast<double>(longest);
    case Pairs::kMean: break;
  }
  return static_cast<double>(sum) / static_cast<double>(pairs);
}

class OverlapGenerator : public Generator {
 public:
  explicit OverlapGenerator(const config::OverlapFeature& feature) : separator_(feature.separator()) {
    const auto found = std::find(kMethods.begin(), kMethods.end(), feature.method());
    MG_CHECK(found != kMethods.end(), "method {} passed validation", feature.method());
    method_ = static_cast<Method>(found - kMethods.begin());
  }

  bool MakesNumbers() const override { return true; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    ReadWords(inputs[0], &workspace->words);
    ReadWords(inputs[1], &workspace->more_words);
    workspace->numbers.assign(1, Measure(workspace));
  }

 private:
  enum class Method {
    kQueryCommonRatio,
    kTitleCommonRatio,
    kIsContain,
    kIsEqual,
    kIndexOf,
    kMinCover,
    kMinDistance,
    kMaxDistance,
    kMeanDistance
  };
  static constexpr std::array<std::string_view, 9> kMethods = {
      // in the order of Method
      "query_common_ratio",  "title_common_ratio", "is_contain",         "is_equal",          "index_of",
      "proximity_min_cover", "proximity_min_dist", "proximity_max_dist", "proximity_avg_dist"};

  double Measure(GeneratorWorkspace* workspace) const {
    Words &query = workspace->words, &title = workspace->more_words;
    switch (method_) {
      case Method::kQueryCommonRatio: return CommonRatio(query, title);
      case Method::kTitleCommonRatio: return CommonRatio(title, query);
      case Method::kIsContain: return IsContained(query, title) ? 1 : 0;
      case Method::kIsEqual: return !query.empty() && query == title ? 1 : 0;
      case Method::kIndexOf: return IndexOf(query, title);
      default: break;
    }
    FindPlaces(&query, title, &workspace->places);
    if (method_ == Method::kMinCover) return MinCover(query.size(), workspace->places, &workspace->counts);
    return PairDistance(method_ == Method::kMinDistance   ? Pairs::kMin
                        : method_ == Method::kMaxDistance ? Pairs::kMax
                                                          : Pairs::kMean,
                        query.size(), workspace->places);
  }

  void ReadWords(std::string_view text, Words* words) const {
    words->clear();
    const auto add = [&](std::string_view word) {
      words->push_back(word);
      return true;
    };
    if (!separator_.empty()) {
      ForEachValue(text, separator_[0], add);
    } else if (!Trim(text).empty()) {
      add(Trim(text));
    }
  }

  Method method_ = Method::kQueryCommonRatio;
  std::string separator_;
};

}  // namespace

std::unique_ptr<Generator> NewOverlapGenerator(const config::OverlapFeature& feature) {
  return std::make_unique<OverlapGenerator>(feature);
}

}  // namespace manygate::features
