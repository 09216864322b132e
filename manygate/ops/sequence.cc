// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

// A part as the operations see it.
struct PositionReader {
  SequencePart part;
  int64_t vocabulary = 0;  // ids
  int64_t width = 0;       // of a position
  int64_t column = 0;      // of its first number within a position of the sequence
  int table_index = -1;    // among the tables of the node; -1: numbers

  const int32_t* Ids(const InputBatch& input, int64_t row) const {
    return input.ids + row * input.id_stride + part.slots.slot;
  }
  const float* Numbers(const InputBatch& input, int64_t row) const {
    return input.numbers + row * input.number_stride + part.number_offset;
  }
  int64_t Length(const InputBatch& input, int64_t row) const {
    const int64_t most = part.num_positions();
    int64_t length = 0;
    if (part.table >= 0) {
      const int32_t* ids = Ids(input, row);
      while (length < most && ids[length] < vocabulary) ++length;
    } else {
      const float* numbers = Numbers(input, row);
      while (length < most && !std::isnan(numbers[length * width])) ++length;
    }
    return length;
  }
  // [positions, width]
  Tensor ExportedNumbers(const ExportContext& c) const {
    const Tensor flat = c.NumbersAt(part.number_offset, part.positions * width);
    return c.program->Reshape(flat, {part.positions, width});
  }
  // [1, positions]: whether there is a value.
  Tensor ExportedMask(const ExportContext& c) const {
    TensorProgram& program = *c.program;
    if (part.table >= 0)
      return program.Binary(BinaryKind::kLess, c.IdsAt(part.slots.slot, part.num_positions()),
                            program.Ids({1, 1}, {vocabulary}));
    const Tensor first = program.Flat(program.Slice(ExportedNumbers(c), 0, 1));
    return program.Binary(BinaryKind::kEqual, first, first);  // NaN is not
  }
};

PositionReader ReaderOf(const Graph& graph, const SequencePart& part, const std::string& name) {
  MG_CHECK(part.num_positions() > 0, "{}: a part of {} positions", name, part.num_positions());
  if (part.table < 0) {
    MG_CHECK(part.width > 0, "{}: positions of {} numbers", name, part.width);
    return {.part = part, .width = part.width};
  }
  const TableBlock& table = graph.tables[part.table];
  return {.part = part, .vocabulary = table.rows, .width = table.columns};
}

class SequenceOp final : public Op {
 public:
  SequenceOp(std::vector<PositionReader> readers, Shape shape) : readers_(std::move(readers)), shape_(shape) {
    for (const PositionReader& reader : readers_) has_tables_ |= reader.table_index >= 0;
  }
  Shape OutputShape(std::span<const Shape>) const override { return shape_; }
  OpTraits Traits(std::span<const Shape>) const override { return {.commits = has_tables_}; }

  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) {
      for (const PositionReader& reader : readers_) {
        float* out = c.output.data + r * c.output.stride + reader.column;
        const int64_t length = reader.Length(*c.input, r);
        if (reader.table_index >= 0) {
          const RowTable& table = *c.tables[reader.table_index];
          const int32_t* ids = reader.Ids(*c.input, r);
          for (int64_t k = 0; k < length; ++k) std::copy_n(table.weights(ids[k]), reader.width, out + k * shape_.width);
        } else {
          const float* numbers = reader.Numbers(*c.input, r);
          for (int64_t k = 0; k < length; ++k)
            std::copy_n(numbers + k * reader.width, reader.width, out + k * shape_.width);
        }
        for (int64_t k = length; k < shape_.groups; ++k) std::fill_n(out + k * shape_.width, reader.width, 0.f);
      }
    }
  }

  void Backward(const OpContext&) const override {}

  void Commit(const OpContext& c) const override {
    for (const PositionReader& reader : readers_) {
      if (reader.table_index < 0) continue;
      RowTable& table = *c.tables[reader.table_index];
      for (int64_t r = 0; r < c.rows; ++r) {
        const float* d_out = c.d_output.data + r * c.d_output.stride + reader.column;
        const int32_t* ids = reader.Ids(*c.input, r);
        const int64_t length = reader.Length(*c.input, r);
        for (int64_t k = 0; k < length; ++k) AddTo(reader.width, d_out + k * shape_.width, table.gradient(ids[k]));
      }
    }
  }

  void Touch(const InputBatch& input, std::span<RowTable* const> tables) const override {
    for (const PositionReader& reader : readers_) {
      if (reader.table_index < 0) continue;
      for (int64_t r = 0; r < input.rows; ++r) {
        const size_t length = static_cast<size_t>(reader.Length(input, r));
        tables[reader.table_index]->TouchRows({reader.Ids(input, r), length}, 0);
      }
    }
  }

  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    std::vector<Tensor> parts;
    for (const PositionReader& reader : readers_) {
      const int64_t positions = reader.part.num_positions();
      Tensor part = -1;
      if (reader.table_index >= 0) {
        part = program.Gather(c.tables[static_cast<size_t>(reader.table_index)],
                              c.IdsAt(reader.part.slots.slot, positions));
      } else {
        const Tensor numbers = reader.ExportedNumbers(c);
        const Tensor ended = program.Unary(UnaryKind::kIsNaN, program.Slice(numbers, 0, 1));
        part = program.Select(ended, program.Number(0.f), numbers);
      }
      parts.push_back(program.Pad(part, {shape_.groups, reader.width}));
    }
    return program.Concat(std::move(parts));
  }

  std::string Describe() const override { return fmt::format("sequence of up to {} positions", shape_.groups); }

 private:
  std::vector<PositionReader> readers_;
  Shape shape_;
  bool has_tables_ = false;
};

class SequenceLengthOp final : public Op {
 public:
  explicit SequenceLengthOp(const PositionReader& reader) : reader_(reader) {}
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r)
      c.output.data[r * c.output.stride] = static_cast<float>(reader_.Length(*c.input, r));
  }
  void Backward(const OpContext&) const override {}
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    return c.program->SumWidth(c.program->Cast(reader_.ExportedMask(c), TensorType::kNumber));
  }
  std::string Describe() const override {
    return fmt::format("length of a sequence, at most {}", reader_.part.num_positions());
  }

 private:
  PositionReader reader_;
};

// Inputs: the sequence, its length.
class SequencePoolOp final : public Op {
 public:
  explicit SequencePoolOp(Pooling pooling) : pooling_(pooling) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[0].width}; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = pooling_ == Pooling::kMean};
  }
  void Forward(const OpContext& c) const override {
    const auto [positions, width] = c.input_shapes[0];
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* x = c.inputs[0].data + r * c.inputs[0].stride;
      float* y = c.output.data + r * c.output.stride;
      std::fill_n(y, width, 0.f);
      for (int64_t k = 0; k < positions; ++k)
        for (int64_t i = 0; i < width; ++i) y[i] += x[k * width + i];
      if (pooling_ == Pooling::kMean) ScaleBy(width, Share(c, r), y);
    }
  }
  void Backward(const OpContext& c) const override {
    const View d_x = c.d_inputs[0];
    if (d_x.data == nullptr) return;
    const auto [positions, width] = c.input_shapes[0];
    for (int64_t r = 0; r < c.rows; ++r) {
      const float share = pooling_ == Pooling::kMean ? Share(c, r) : 1.f;
      const float* d_y = c.d_output.data + r * c.d_output.stride;
      for (int64_t k = 0; k < positions; ++k) {
        float* d = d_x.data + r * d_x.stride + k * width;
        c.accumulate[0] ? AddScaled(width, share, d_y, d) : CopyScaled(width, share, d_y, d);
      }
    }
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor sum = program.SumGroups(c.inputs[0]);
    if (pooling_ == Pooling::kSum) return sum;
    const Tensor length = program.Binary(BinaryKind::kLarger, program.Flat(c.inputs[1]), program.Number(1.f));
    return program.Multiply(sum, program.Divide(program.Number(1.f), length));
  }
  std::string Describe() const override {
    return pooling_ == Pooling::kMean ? "mean over positions" : "sum over positions";
  }

 private:
  static float Share(const OpContext& c, int64_t row) {
    return 1.f / std::max(c.inputs[1].data[row * c.inputs[1].stride], 1.f);
  }
  Pooling pooling_;
};

}  // namespace

Value Sequence(Graph& graph, std::string name, std::vector<SequencePart> parts, int64_t positions) {
  MG_CHECK(!parts.empty(), "{}: a sequence of nothing", name);
  Shape shape{positions, 0};
  std::vector<PositionReader> readers;
  std::vector<int> tables;
  for (const SequencePart& part : parts) {
    PositionReader reader = ReaderOf(graph, part, name);
    MG_CHECK(part.num_positions() <= positions, "{}: a part of {} positions, a sequence of {}", name,
             part.num_positions(), positions);
    reader.column = shape.width;
    shape.width += reader.width;
    if (part.table >= 0) {
      reader.table_index = static_cast<int>(tables.size());
      tables.push_back(part.table);
    }
    readers.push_back(reader);
  }
  auto op = std::make_unique<SequenceOp>(std::move(readers), shape);
  return graph.AddNode(std::move(name), std::move(op), {}, {}, std::move(tables));
}

Value SequenceLength(Graph& graph, std::string name, const SequencePart& part) {
  auto op = std::make_unique<SequenceLengthOp>(ReaderOf(graph, part, name));
  return graph.AddNode(std::move(name), std::move(op), {});
}

Value SequencePool(Graph& graph, Value sequence, Value length, Pooling pooling, std::string name) {
  MG_CHECK(graph.shape(length).size() == 1, "{}: {} lengths per row", name, graph.shape(length).size());
  return graph.AddNode(std::move(name), std::make_unique<SequencePoolOp>(pooling), {sequence, length});
}

}  // namespace manygate
