// SPDX-License-Identifier: Apache-2.0
// Encodes the rows of a raw table, some at a time: what Encode (encode.h) does for all rows at once.
//
//   MG_ASSIGN_OR_RETURN(features::TableEncoder encoder, features::TableEncoder::Create(schema, table, true));
//   features::EncodedTable some = encoder.NewTable(1000);
//   encoder.EncodeRows(/*begin=*/5000, /*count=*/1000, /*at=*/0, pool, &some);
#ifndef MANYGATE_FEATURES_TABLE_ENCODER_H_
#define MANYGATE_FEATURES_TABLE_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/table.h"
#include "manygate/features/encode.h"
#include "manygate/features/feature.h"
#include "manygate/features/schema.h"

namespace manygate::features {

struct ColumnStep;

class TableEncoder {
 public:
  // schema and table must outlive the encoder. Looks at every value once: InvalidInput as Encode.
  static StatusOr<TableEncoder> Create(const Schema& schema, const Table& table, bool with_labels);
  TableEncoder(TableEncoder&&) noexcept;
  ~TableEncoder();

  // For that many rows, all zero.
  EncodedTable NewTable(int64_t rows) const;
  // Rows begin .. begin + count - 1 of the raw table become rows at .. at + count - 1 of *result. The same for every
  // pool size.
  void EncodeRows(int64_t begin, int64_t count, int64_t at, ThreadPool& pool, EncodedTable* result) const;

 private:
  TableEncoder(const Schema& schema, const Table& table, bool with_labels);
  void AddFeature(const FeatureSchema& feature_schema);
  void AddLabel(const LabelSchema& label, int index);
  void AddWeight(int index);
  void AddGroup(const std::string& name);
  const Column* FindColumn(const std::string& who, const std::string& name);
  void AddProblem(const std::string& who, const Column& column, const std::string& problem);
  void EncodeBlock(int64_t begin, int64_t end, int64_t at, EncodedTable* result) const;

  const Schema& schema_;
  const Table& table_;
  const RecordLayout layout_;
  std::vector<std::unique_ptr<Feature>> features_;
  std::vector<ColumnStep> steps_;
  std::vector<const Column*> groups_;
  std::string problems_;
};

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_TABLE_ENCODER_H_
