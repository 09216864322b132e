// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/c_layout.h"

#include <iterator>

namespace manygate {

// The first gap that is wide enough, or else behind all.
int64_t CLayout::Arena::Take(int64_t count) {
  for (auto gap = gaps.begin(); gap != gaps.end(); ++gap) {
    if (gap->second < count) continue;
    const auto [place, width] = *gap;
    gaps.erase(gap);
    if (width > count) gaps[place + count] = width - count;
    return place;
  }
  size += count;
  return size - count;
}

void CLayout::Arena::Return(int64_t place, int64_t count) {
  const auto after = gaps.find(place + count);
  if (after != gaps.end()) {
    count += after->second;
    gaps.erase(after);
  }
  const auto next = gaps.lower_bound(place);
  if (next != gaps.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == place) {
      before->second += count;
      return;
    }
  }
  gaps[place] = count;
}

CLayout::CLayout(const TensorProgram& program, const std::vector<bool>& used) : places_(used.size(), -1) {
  const std::vector<TensorProgram::Operation>& operations = program.operations();
  constexpr size_t kKept = SIZE_MAX;
  std::vector<size_t> last_reader(used.size(), 0);
  for (size_t i = 0; i < used.size(); ++i) {
    last_reader[i] = i;
    if (!used[i]) continue;
    for (const Tensor input : operations[i].inputs) last_reader[static_cast<size_t>(input)] = i;
  }
  for (const TensorProgram::Output& output : program.outputs()) last_reader[static_cast<size_t>(output.tensor)] = kKept;
  std::vector<std::vector<size_t>> ending(used.size());  // by operation: the tensors that nothing reads after it
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i] && last_reader[i] != kKept) ending[last_reader[i]].push_back(i);
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    // Before the inputs' places are free: no operation writes over what it reads.
    if (operations[i].kind != TensorProgram::Kind::kConstant)
      places_[i] = arenas_[operations[i].type].Take(operations[i].shape.size());
    for (const size_t ended : ending[i])
      if (places_[ended] >= 0) arenas_[operations[ended].type].Return(places_[ended], operations[ended].shape.size());
  }
}

int64_t CLayout::size(TensorType type) const {
  const auto found = arenas_.find(type);
  return found == arenas_.end() ? 0 : found->second.size;
}

const char* CLayout::Letter(TensorType type) {
  switch (type) {
    case TensorType::kText: return "t";
    case TensorType::kId: return "n";
    case TensorType::kNumber: return "f";
    case TensorType::kDouble: return "d";
    case TensorType::kTruth: return "b";
  }
  return "";
}

const char* CLayout::TypeName(TensorType type) {
  switch (type) {
    case TensorType::kText: return "text_view";
    case TensorType::kId: return "int";
    case TensorType::kNumber: return "float";
    case TensorType::kDouble: return "double";
    case TensorType::kTruth: return "unsigned char";
  }
  return "";
}

}  // namespace manygate
