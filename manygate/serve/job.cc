// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/job.h"

#include <algorithm>
#include <utility>

namespace manygate::serve {
namespace {

template <typename T>
void ShrinkIfLarge(std::vector<T>* values) {
  if (values->capacity() * sizeof(T) <= Job::kKeptBytes) return;
  values->clear();
  values->shrink_to_fit();
}

}  // namespace

void Job::Start(std::shared_ptr<const ServedVersion> version, Clock::time_point arrived, Clock::time_point deadline) {
  version_ = std::move(version);
  arrived_ = arrived;
  deadline_ = deadline;
  rows_ = 0;
  kept_.clear();
  next = nullptr;
  abandoned_.store(false, std::memory_order_relaxed);
  wanted_.assign(version_->predictor->outputs().size(), 0);
  outputs_.resize(wanted_.size());
}

void Job::Finish() {
  kept_.clear();
  cells_.clear();  // they view the request
  ShrinkIfLarge(&cells_);
  ShrinkIfLarge(&ids_);
  ShrinkIfLarge(&numbers_);
  for (std::vector<float>& output : outputs_) ShrinkIfLarge(&output);
  version_.reset();
}

std::span<features::Cell> Job::cells(int64_t rows) {
  rows_ = rows;
  cells_.assign(static_cast<size_t>(rows) * version_->predictor->inputs().size(), features::Cell());
  return cells_;
}

std::string_view Job::Keep(std::string text) {
  return *kept_.emplace_back(std::make_unique<std::string>(std::move(text)));
}

void Job::WantOutput(size_t index) { wanted_[index] = 1; }

void Job::WantDefaultOutputs() {
  const auto outputs = version_->predictor->outputs();
  for (size_t i = 0; i < outputs.size(); ++i) wanted_[i] = !outputs[i].logits;
}

Outcome Job::Encode() {
  const Predictor& predictor = *version_->predictor;
  ids_.resize(static_cast<size_t>(rows_ * predictor.num_id_slots()));
  numbers_.resize(static_cast<size_t>(rows_ * predictor.number_width()));
  for (size_t i = 0; i < outputs_.size(); ++i)
    outputs_[i].resize(wants(i) ? static_cast<size_t>(rows_ * predictor.outputs()[i].width) : 0);
  const Status status = predictor.Encode(cells_, rows_, ids_.data(), numbers_.data());
  return status.ok() ? Done() : Refused(OutcomeCode::kInvalid, status.message());
}

}  // namespace manygate::serve
