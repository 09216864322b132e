// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace manygate::check {

std::vector<std::string> NameWords(const std::string& name) {
  std::vector<std::string> words(1);
  char before = ' ';
  for (const char c : name) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    const bool hump = std::isupper(static_cast<unsigned char>(c)) && std::islower(static_cast<unsigned char>(before));
    if ((!letter || hump) && !words.back().empty()) words.emplace_back();
    if (letter) words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    before = c;
  }
  return words;
}

bool NamesAnId(const std::string& name) {
  static const std::array<std::string, 8> kWords = {"id", "ids", "uid", "uuid", "zip", "zipcode", "postcode", "code"};
  for (const std::string& word : NameWords(name))
    if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  return false;
}

bool NamesAWeight(const std::string& name) {
  static const std::array<std::string, 8> kNames = {"instanceweight", "sampleweight", "samplingweight", "rowweight",
                                                    "caseweight",     "finalweight",  "fnlwgt",         "surveyweight"};
  std::string joined;
  for (const std::string& word : NameWords(name)) joined += word;
  return joined == "weight" || joined == "weights" || std::find(kNames.begin(), kNames.end(), joined) != kNames.end();
}

int FunnelStep(const std::string& name) {
  static const std::map<std::string, int> kSteps = {
      {"view", 1}, {"visit", 1},  {"impression", 1}, {"open", 1},       {"click", 2},   {"clk", 2},      {"cart", 3},
      {"buy", 4},  {"bought", 4}, {"paid", 4},       {"conversion", 4}, {"convert", 4}, {"purchase", 4}, {"order", 4}};
  for (const std::string& word : NameWords(name))
    if (const auto step = kSteps.find(word); step != kSteps.end()) return step->second;
  return 0;
}

}  // namespace manygate::check
