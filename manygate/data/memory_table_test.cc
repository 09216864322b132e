// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/memory_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/data/arrow_layout.h"
#include "manygate/data/arrow_testing.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A batch of one column of int64.
class Numbers {
 public:
  Numbers(const char* name, std::vector<int64_t> values)
      : column_("l", static_cast<int64_t>(values.size())), rows("+s", static_cast<int64_t>(values.size())) {
    rows.Child(column_.Name(name).Values(values));
  }

 private:
  ArrowMade column_;

 public:
  ArrowMade rows;
};

// "first_row: values of column 0; of column 1" of each piece.
std::vector<std::string> PiecesOf(const MemoryTable& table, int64_t most_rows) {
  std::vector<std::string> texts;
  for (const MemoryTable::Piece& piece : table.Pieces(most_rows)) {
    std::string text = std::to_string(piece.first_row) + ":";
    EXPECT_EQ(piece.array.n_children, table.schema().n_children);
    for (int64_t i = 0; i < piece.array.n_children; ++i) {
      const ArrowArray& column = *piece.array.children[i];
      EXPECT_EQ(column.length, piece.array.length);
      EXPECT_EQ(column.release, nullptr);
      for (int64_t row = 0; row < column.length; ++row)
        text += " " + std::to_string(LoadSigned(column, 8, column.offset + row));
      text += ";";
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(MemoryTable, HasAPathThatNoListOrGlobIsMadeOf) {
  const auto table = MemoryTable::Make("a,b*c?[d]{e}$f~g/h\ni \"j\"");
  EXPECT_THAT(table->path(), testing::MatchesRegex("memory:[0-9]+/a_b_c__d__e__f_g_h_i _j_"));
  EXPECT_TRUE(IsMemoryPath(table->path()));
  EXPECT_FALSE(IsMemoryPath("./memory:1/x"));
  EXPECT_THAT(MemoryTable::Make(" ")->path(), testing::EndsWith("/table"));
  EXPECT_THAT(MemoryTable::Make("caf\xC3\xA9")->path(), testing::EndsWith("/caf\xC3\xA9"));
  EXPECT_THAT(MemoryTable::Make("caf\xE9")->path(), testing::EndsWith("/caf_"));
  EXPECT_NE(MemoryTable::Make("same")->path(), MemoryTable::Make("same")->path());
}

TEST(MemoryTable, IsFoundWhileItLives) {
  auto table = MemoryTable::Make("customers");
  const std::string path = table->path();
  const auto found = MemoryTable::Find(path);
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->get(), table.get());
  table.reset();
  EXPECT_TRUE(MemoryTable::Find(path).ok());  // `found` holds it
}

TEST(MemoryTable, IsGoneWithItsLastOwner) {
  const std::string path = MemoryTable::Make("customers")->path();
  const Status status = MemoryTable::Find(path).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), testing::AllOf(StartsWith(path + ": the rows are not there any more"),
                                               testing::EndsWith("give the rows again: --data FILE")));
}

TEST(MemoryTable, PiecesLieWithinOneBatchOfEveryStream) {
  Numbers a1("a", {1, 2, 3}), none("a", {}), a2("a", {4, 5, 6, 7}), b1("b", {10, 20, 30, 40, 50}), b2("b", {60, 70});
  ArrowMadeStream a({&a1.rows, &none.rows, &a2.rows}), b({&b1.rows, &b2.rows});
  {
    const auto table = MemoryTable::Make("t");
    EXPECT_EQ(table->rows(), 0);
    EXPECT_THAT(PiecesOf(*table, 10), ElementsAre());
    ASSERT_TRUE(table->Add(&a.stream).ok());
    ASSERT_TRUE(table->Add(&b.stream).ok());
    EXPECT_EQ(table->rows(), 7);
    EXPECT_THAT(ArrowColumnNames(table->schema()), ElementsAre("a", "b"));
    EXPECT_THAT(PiecesOf(*table, 100), ElementsAre("0: 1 2 3; 10 20 30;", "3: 4 5; 40 50;", "5: 6 7; 60 70;"));
    EXPECT_THAT(PiecesOf(*table, 2), ElementsAre("0: 1 2; 10 20;", "2: 3; 30;", "3: 4 5; 40 50;", "5: 6 7; 60 70;"));
    EXPECT_EQ(a.alive, 2);  // the empty batch is not kept
    EXPECT_EQ(b.alive, 2);
  }
  EXPECT_EQ(a.alive, 0);
  EXPECT_EQ(b.alive, 0);
}

TEST(MemoryTable, OffsetsOfBatchesAndColumnsAddUp) {
  ArrowMade column("l", 5, /*offset=*/2), rows("+s", 3, /*offset=*/1);
  rows.Child(column.Values<int64_t>({0, 0, 1, 2, 3, 4, 5}));
  ArrowMadeStream stream({&rows});
  const auto table = MemoryTable::Make("t");
  ASSERT_TRUE(table->Add(&stream.stream).ok());
  EXPECT_THAT(PiecesOf(*table, 2), ElementsAre("0: 2 3;", "2: 4;"));
}

TEST(MemoryTable, WhatDoesNotFitLeavesItAsItWas) {
  const auto table = MemoryTable::Make("t");
  const auto refusal = [&](ArrowMade& rows, size_t fail_at = SIZE_MAX, const char* error = nullptr) {
    ArrowMadeStream stream({&rows});
    stream.fail_at = fail_at;
    stream.error = error;
    const Status status = table->Add(&stream.stream);
    EXPECT_EQ(stream.alive, 0);
    EXPECT_EQ(status.ok() ? StatusCode::kOk : status.code(), StatusCode::kInvalidInput);
    return status.ok() ? "" : status.message();
  };
  Numbers a("a", {1, 2}), shorter("b", {1}), again("a", {3, 4});
  ArrowMadeStream stream({&a.rows});
  ASSERT_TRUE(table->Add(&stream.stream).ok());

  EXPECT_EQ(refusal(shorter.rows),
            "column \"b\" has 1 rows, but the columns before it have 2; all columns of a table have as many");
  EXPECT_EQ(refusal(again.rows), "column \"a\" is there twice; give each column a name of its own");
  EXPECT_EQ(refusal(a.rows, 0), "the rows cannot be handed over: Input/output error");
  EXPECT_EQ(refusal(a.rows, 1, "the file is gone"), "the rows cannot be handed over: the file is gone");
  ArrowMade plain("l", 2);
  EXPECT_THAT(refusal(plain.Values<int64_t>({1, 2})), StartsWith("found a stream of int64, expected one of rows"));
  ArrowMade empty("+s", 2);
  EXPECT_THAT(refusal(empty), HasSubstr("found rows without columns"));
  ArrowMade text("u", 2), texts("+s", 2);
  text.Name("c").Values<int32_t>({0, 3, 1}).AddBuffer("abc", 3);
  EXPECT_EQ(refusal(texts.Child(text)), "column \"c\": a batch of rows is damaged");
  ArrowMade column("l", 2), nulls("+s", 2);
  EXPECT_THAT(refusal(nulls.Child(column.Name("d").Values<int64_t>({1, 2})).Valid("10")),
              StartsWith("a row is null as a whole"));

  EXPECT_THAT(ArrowColumnNames(table->schema()), ElementsAre("a"));
  EXPECT_THAT(PiecesOf(*table, 10), ElementsAre("0: 1 2;"));
}

TEST(MemoryTable, ColumnsThatCannotBeReadAreKept) {
  ArrowMade inner("l", 1), odd("+s", 1), rows("+s", 1);
  rows.Child(odd.Name("odd").Child(inner.Values<int64_t>({1})));
  ArrowMadeStream stream({&rows});
  const auto table = MemoryTable::Make("t");
  ASSERT_TRUE(table->Add(&stream.stream).ok());
  EXPECT_THAT(ArrowColumnNames(table->schema()), ElementsAre("odd"));
}

}  // namespace
}  // namespace manygate
