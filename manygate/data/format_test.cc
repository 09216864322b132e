// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/data/test_files.h"

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

}  // namespace
}  // namespace manygate
