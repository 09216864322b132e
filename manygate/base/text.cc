// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

namespace manygate {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

char LowerChar(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Optimal string alignment distance: three rows of the dynamic programme are enough.
int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

std::vector<std::string> SortedWords(std::string_view name) {
  std::vector<std::string> words = Split(name, '_');
  std::sort(words.begin(), words.end());
  return words;
}

// Distance of two lower-case names as NearestName counts it.
int NameDistance(std::string_view a, std::string_view b) {
  int distance = EditDistance(a, b);
  const std::string_view shorter = a.size() < b.size() ? a : b, longer = a.size() < b.size() ? b : a;
  if (shorter.size() >= 3 && longer.find(shorter) != std::string_view::npos) distance = std::min(distance, 2);
  if (distance > 1 && a.size() == b.size() && a.find('_') != std::string_view::npos &&
      SortedWords(a) == SortedWords(b)) {
    distance = 1;
  }
  return distance;
}

bool IsVariableName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); });
}

}  // namespace

std::vector<std::string> Split(std::string_view text, char delimiter) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t end = text.find(delimiter);
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return text.substr(0, 0);
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), LowerChar);
  return lower;
}

std::string NearestName(std::string_view name, std::span<const std::string> candidates) {
  // Names of hostile length would make the distance slow; nobody mistypes those.
  constexpr size_t kLongest = 200;
  if (name.size() > kLongest) return "";
  const std::string lower_name = ToLower(name);
  const std::string* nearest = nullptr;
  int nearest_rank = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest || candidate.empty()) continue;
    const std::string lower = ToLower(candidate);
    const int distance = NameDistance(lower_name, lower);
    const int longer = static_cast<int>(std::max(name.size(), candidate.size()));
    const bool contained = distance <= 2 && std::min(name.size(), candidate.size()) >= 3 &&
                           (lower.find(lower_name) != std::string::npos || lower_name.find(lower) != std::string::npos);
    if (distance > (longer + 1) / 3 && !contained) continue;
    const int rank = 2 * distance + (candidate.compare(name) != 0 && distance == 0 ? 1 : 0);
    if (nearest == nullptr || rank < nearest_rank) {
      nearest = &candidate;
      nearest_rank = rank;
    }
  }
  return nearest == nullptr ? "" : *nearest;
}

std::string JoinNames(std::span<const std::string> names, size_t limit) {
  if (names.empty()) return "none";
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), limit); ++i) {
    if (i > 0) text += ", ";
    text += names[i];
  }
  if (names.size() > limit) text += fmt::format(", ... ({} in all)", names.size());
  return text;
}

std::string Suggestion(std::string_view name, std::span<const std::string> candidates, std::string_view what) {
  const std::string nearest = NearestName(name, candidates);
  std::string text = nearest.empty() ? "" : fmt::format("Did you mean \"{}\"? ", nearest);
  return text + fmt::format("{}: {}", what, JoinNames(candidates));
}

StatusOr<std::string> ExpandEnvironment(std::string_view text) {
  std::string result;
  size_t position = 0;
  while (true) {
    const size_t start = text.find("${", position);
    result += text.substr(position, start == std::string_view::npos ? start : start - position);
    if (start == std::string_view::npos) return result;
    const size_t end = text.find('}', start);
    if (end == std::string_view::npos) {
      return InvalidInput(
          fmt::format("\"{}\": \"${{\" without a closing \"}}\". Write ${{NAME}} or ${{NAME:-default}}", text));
    }
    const std::string_view inside = text.substr(start + 2, end - start - 2);
    const size_t separator = inside.find(":-");
    const std::string name(inside.substr(0, separator));
    if (!IsVariableName(name)) {
      return InvalidInput(fmt::format(
          "\"{}\": \"{}\" is not the name of an environment variable. Write ${{NAME}} or ${{NAME:-default}}", text,
          name));
    }
    const char* value = std::getenv(name.c_str());
    if (separator != std::string_view::npos) {
      result += value != nullptr && *value != '\0' ? std::string_view(value) : inside.substr(separator + 2);
    } else if (value != nullptr) {
      result += value;
    } else {
      return InvalidInput(fmt::format(
          "\"{0}\": the environment variable {1} is not set. Set it (export {1}=...) or write ${{{1}:-default}}", text,
          name));
    }
    position = end + 1;
  }
}

std::string FormatCount(int64_t count) {
  std::string digits = std::to_string(count);
  const size_t first = count < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string FormatSeconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const int64_t minutes = std::llround(seconds / 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace manygate
