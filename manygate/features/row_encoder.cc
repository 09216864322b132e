// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/number_text.h"

namespace manygate::features {

StatusOr<RowEncoder> RowEncoder::Create(const Schema& schema) {
  MG_RETURN_IF_ERROR(ValidateSchema(schema));
  RowEncoder result;
  result.num_id_slots_ = static_cast<int>(schema.num_id_slots());
  result.number_width_ = static_cast<int>(schema.number_width());
  for (const FeatureSchema& feature : schema.features()) {
    auto found = std::find(result.columns_.begin(), result.columns_.end(), feature.column());
    if (found == result.columns_.end()) found = result.columns_.insert(found, feature.column());
    result.entries_.push_back({FeatureFromSchema(feature), static_cast<int>(found - result.columns_.begin())});
  }
  return result;
}

Status RowEncoder::Encode(std::span<const std::string_view> texts, int32_t* ids, float* numbers) const {
  MG_CHECK(texts.size() == columns_.size(), "{} texts for {} columns", texts.size(), columns_.size());
  const ScopedFlushDenormals flush_denormals;  // as Encode for tables
  std::string problems;
  for (const Entry& entry : entries_) {
    const FeatureSchema& schema = entry.feature->schema();
    const std::string_view text = texts[entry.column];
    float number = std::numeric_limits<float>::quiet_NaN();
    RawValues values{.count = 1};
    if (entry.feature->SourceKind() == ColumnKind::kCategory) {
      values.texts = &text;
    } else {
      values.numbers = &number;
      if (!text.empty() && ParseFloat(text, &number) != NumberParse::kOk) {
        problems += fmt::format("{}column \"{}\": \"{}\" is no number, which feature \"{}\" needs",
                                problems.empty() ? "" : "\n", schema.column(), text, schema.name());
        continue;
      }
    }
    // Ids are below 2^31.
    entry.feature->Transform(values, reinterpret_cast<uint32_t*>(ids) + schema.id_slot(),
                             numbers + schema.number_offset());
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace manygate::features
