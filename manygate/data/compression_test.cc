// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/compression.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "manygate/data/test_files.h"
#include "manygate/data/text_source.h"

namespace manygate {
namespace {

// About 1.5 MiB that stay more than 256 KiB when compressed, so that a frame is read in several pieces.
std::string MixedText() {
  std::string text;
  uint32_t mixed = 1;
  for (int i = 0; i < 100000; ++i) {
    mixed = mixed * 1664525u + 1013904223u;
    text += fmt::format("{},{:08x}\n", i, mixed);
  }
  return text;
}

TEST(Compression, NamesAndFirstBytes) {
  EXPECT_STREQ(CompressionOfName("a/b.csv.gz"), "gzip");
  EXPECT_STREQ(CompressionOfName("b.zst"), "zstd");
  EXPECT_EQ(CompressionOfName("b.zst.csv"), nullptr);
  EXPECT_EQ(MakeCompressor("b.csv"), nullptr);
  EXPECT_NE(MakeCompressor("b.csv.zst"), nullptr);
  EXPECT_STREQ(MakeDecompressor("\x1F\x8B\x08")->format(), "gzip");
  EXPECT_STREQ(MakeDecompressor("\x28\xB5\x2F\xFD ")->format(), "zstd");
  EXPECT_STREQ(MakeDecompressor("\x50\x2A\x4D\x18 ")->format(), "zstd");
  EXPECT_STREQ(MakeDecompressor("\x5F\x2A\x4D\x18 ")->format(), "zstd");
  for (const char* text : {"\x1F", "\x28\xB5\x2F", "(a", "P*", "Price", "\x60\x2A\x4D\x18"})
    EXPECT_EQ(MakeDecompressor(text), nullptr) << text;
}

TEST(Compression, WhatIsWrittenInPiecesIsReadInPieces) {
  const TestFolder folder;
  const std::string text = MixedText();
  for (const char* name : {"t.gz", "t.zst"}) {
    SCOPED_TRACE(name);
    const std::string path = folder.Path(name);
    AtomicFile file;
    ASSERT_TRUE(file.Open(path).ok());
    const std::unique_ptr<Compressor> compressor = MakeCompressor(path);
    for (size_t at = 0; at < text.size(); at += 300001)
      ASSERT_TRUE(compressor->Append(text.substr(at, 300001), /*finish=*/false, &file).ok());
    ASSERT_TRUE(compressor->Append({}, /*finish=*/true, &file).ok());
    ASSERT_TRUE(file.Commit().ok());
    ASSERT_GT(std::filesystem::file_size(path), 256u << 10);
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{131072}, text.size(), text.size() + 1}) {
      StatusOr<std::unique_ptr<TextSource>> source = TextSource::Open(path);
      ASSERT_TRUE(source.ok()) << source.status().message();
      std::string read(text.size() + piece, '\0');
      size_t filled = 0;
      while (filled <= text.size()) {
        const StatusOr<size_t> got = (*source)->Read(read.data() + filled, std::min(piece, read.size() - filled));
        ASSERT_TRUE(got.ok()) << got.status().message();
        filled += *got;
        if (*got == 0) break;
      }
      read.resize(filled);
      EXPECT_TRUE(read == text) << "in pieces of " << piece;
    }
  }
}

// Without a checksum nothing follows the last block: what the decoder still keeps when the input is used up must come.
TEST(Compression, EndOfAZstdFrameWithoutChecksum) {
  const TestFolder folder;
  const std::string text(100000, 'x');
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), 3));
  StatusOr<std::unique_ptr<TextSource>> source = TextSource::Open(folder.Write("t.zst", frame));
  ASSERT_TRUE(source.ok()) << source.status().message();
  std::string piece(999, '\0');
  size_t filled = 0;
  for (;;) {
    const StatusOr<size_t> got = (*source)->Read(piece.data(), piece.size());
    ASSERT_TRUE(got.ok()) << got.status().message();
    filled += *got;
    if (*got < piece.size()) break;
  }
  EXPECT_EQ(filled, text.size());
}

}  // namespace
}  // namespace manygate
