// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/data/test_files.h"
#include "manygate/data/test_records.h"

namespace manygate {
namespace {

TEST(DetectFormat, ByFirstBytesAndName) {
  const TestFolder folder;
  EXPECT_EQ(DetectFormat(folder.Write("rows.dat", "PAR1\x15\x04")).value(), config::ParquetDataset);
  EXPECT_EQ(DetectFormat(folder.Write("not.parquet", "a,b\n1,2\n")).value(), config::ParquetDataset);
  EXPECT_EQ(DetectFormat(folder.Write("empty.parquet", "")).value(), config::ParquetDataset);
  EXPECT_EQ(DetectFormat(folder.Write("PAR1.csv", "PAR,1\n")).value(), config::CsvDataset);
  EXPECT_EQ(DetectFormat(folder.Write("short.csv", "PA")).value(), config::CsvDataset);
  EXPECT_EQ(DetectFormat(folder.Path("absent")).value(), config::CsvDataset);
  EXPECT_EQ(DetectFormat(folder.Path("")).value(), config::CsvDataset);
}

TEST(DetectFormat, RecordsAndListsOfFieldsCompressedOrNot) {
  const TestFolder folder;
  const std::string records = Record(Example({{"a", Texts({"x"})}}));
  const std::string lists = "17,0,1,101:88,109_14:5,109_14:9\n18,1,0,101:3,205:7\n";
  EXPECT_EQ(DetectFormat(folder.Write("a.csv", records)).value(), config::TFRecordDataset);
  EXPECT_EQ(DetectFormat(folder.WriteGzip("a.gz", records)).value(), config::TFRecordDataset);
  EXPECT_EQ(DetectFormat(folder.WriteZstd("a.zst", records)).value(), config::TFRecordDataset);
  EXPECT_EQ(DetectFormat(folder.Write("cut", records.substr(0, 11))).value(), config::CsvDataset);
  EXPECT_EQ(DetectFormat(folder.Write("lists", lists)).value(), config::FieldListDataset);
  EXPECT_EQ(DetectFormat(folder.WriteGzip("lists.gz", lists)).value(), config::FieldListDataset);
  EXPECT_EQ(DetectFormat(folder.Write("times", "1,12:30,13:45\n2,12:31,14:50\n")).value(), config::CsvDataset);
}

}  // namespace
}  // namespace manygate
