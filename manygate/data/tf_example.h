// SPDX-License-Identifier: Apache-2.0
// Reads the bytes of a tf.Example in place, without building messages.
//
//   std::vector<FeatureEntry> entries;
//   MG_CHECK(ReadExample(record, &entries) == nullptr, "not an Example");
//   FeatureValues values;
//   for (const FeatureEntry& entry : entries)
//     if (ReadFeature(entry.feature, &values) == nullptr) use(entry.name, values);
//
// The messages, in the wire format of protocol buffers:
//   Example   { 1: Features }
//   Features  { 1: repeated { 1: name, 2: Feature } }           a map; of a name that is there twice the last one counts
//   Feature   { 1: BytesList | 2: FloatList | 3: Int64List }    the last one counts; or none
//   BytesList { 1: repeated bytes }   FloatList { 1: repeated float, packed or not }   Int64List { 1: likewise, int64 }
// Other fields, which a reader of protocol buffers would pass over, are refused: they mean that the record is another
// message, such as a tf.SequenceExample.
#ifndef MANYGATE_DATA_TF_EXAMPLE_H_
#define MANYGATE_DATA_TF_EXAMPLE_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace manygate {

struct FeatureEntry {
  std::string_view name;     // points into the record, as all below
  std::string_view feature;  // the bytes of the Feature
};

struct FeatureValues {
  enum class Kind { kNone, kBytes, kFloat, kInt64 };
  Kind kind = Kind::kNone;
  std::vector<std::string_view> texts;  // of kBytes
  std::vector<float> floats;            // of kFloat
  std::vector<int64_t> integers;        // of kInt64
};

// In the order of the record. What is wrong with it, in a few words, or nullptr.
const char* ReadExample(std::string_view record, std::vector<FeatureEntry>* entries);
const char* ReadFeature(std::string_view feature, FeatureValues* values);

}  // namespace manygate

#endif  // MANYGATE_DATA_TF_EXAMPLE_H_
