// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/compression.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
// 15: the largest window; 16: gzip framing only.
constexpr int kGzipWindow = 15 + 16;
// Of a frame of data, and, but for the lowest four bits of the first byte, of a frame to skip.
constexpr std::string_view kZstdMagic = "\x28\xB5\x2F\xFD";
constexpr std::string_view kZstdSkippedMagic = "\x50\x2A\x4D\x18";
constexpr int kMaxZstdWindowLog = 27;  // 128 MiB

bool IsZstdSkippedByte(char byte) { return (static_cast<unsigned char>(byte) & 0xF0) == 0x50; }

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() { MG_CHECK(inflateInit2(&stream_, kGzipWindow) == Z_OK, "zlib {}", zlibVersion()); }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  const char* format() const override { return "gzip"; }
  bool MayStartFrame(char first_byte) const override { return first_byte == '\x1F'; }
  bool IsPadding(char byte) const override { return byte == '\0'; }  // tapes and some tools fill a block with zeros

  Step Next(std::string_view input, char* output, size_t room) override {
    const uInt given = static_cast<uInt>(std::min<size_t>(input.size(), 1u << 30));
    const uInt limit = static_cast<uInt>(std::min<size_t>(room, 1u << 30));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = given;
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = limit;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    Step step;
    step.consumed = given - stream_.avail_in;
    step.produced = limit - stream_.avail_out;
    if (code == Z_STREAM_END) {
      step.frame_end = true;
      inflateReset(&stream_);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      step.damage = stream_.msg != nullptr ? stream_.msg : "no details";
    }
    return step;
  }

 private:
  z_stream stream_ = {};
};

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {
    MG_CHECK(context_ != nullptr, "zstd {}", ZSTD_versionString());
    const size_t code = ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    MG_CHECK(!ZSTD_isError(code), "zstd {}: {}", ZSTD_versionString(), ZSTD_getErrorName(code));
  }
  ~ZstdDecompressor() override { ZSTD_freeDCtx(context_); }
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;

  const char* format() const override { return "zstd"; }
  bool MayStartFrame(char first_byte) const override {
    return first_byte == kZstdMagic[0] || IsZstdSkippedByte(first_byte);
  }
  bool IsPadding(char) const override { return false; }

  Step Next(std::string_view input, char* output, size_t room) override {
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    ZSTD_outBuffer out = {output, room, 0};
    const size_t code = ZSTD_decompressStream(context_, &out, &in);
    Step step;
    step.consumed = in.pos;
    step.produced = out.pos;
    step.frame_end = code == 0;
    if (!ZSTD_isError(code)) return step;
    switch (ZSTD_getErrorCode(code)) {
      case ZSTD_error_frameParameter_windowTooLarge:
        step.refusal = "needs more than 128 MiB to be unpacked; compress the file again without zstd's --long";
        break;
      case ZSTD_error_dictionary_wrong:
        step.refusal = "was made with a dictionary; compress the file again without one";
        break;
      default: step.damage = ZSTD_getErrorName(code);
    }
    return step;
  }

 private:
  ZSTD_DCtx* const context_;
};

class GzipCompressor : public Compressor {
 public:
  GzipCompressor() : out_(kBufferBytes, '\0') {
    // Level 6 is zlib's own choice.
    MG_CHECK(deflateInit2(&stream_, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib {}",
             zlibVersion());
  }
  ~GzipCompressor() override { deflateEnd(&stream_); }

  Status Append(std::string_view text, bool finish, AtomicFile* file) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int code = deflate(&stream_, finish ? Z_FINISH : Z_NO_FLUSH);
      MG_CHECK(code != Z_STREAM_ERROR, "deflate {}", code);
      MG_RETURN_IF_ERROR(file->Append({out_.data(), out_.size() - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return OkStatus();
  }

 private:
  z_stream stream_ = {};
  std::string out_;
};

class ZstdCompressor : public Compressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx()), out_(kBufferBytes, '\0') {
    MG_CHECK(context_ != nullptr, "zstd {}", ZSTD_versionString());
    // The level is zstd's own choice; the checksum is what lets a reader see damage.
    const size_t code = ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
    MG_CHECK(!ZSTD_isError(code), "zstd {}: {}", ZSTD_versionString(), ZSTD_getErrorName(code));
  }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  Status Append(std::string_view text, bool finish, AtomicFile* file) override {
    ZSTD_inBuffer in = {text.data(), text.size(), 0};
    for (;;) {
      ZSTD_outBuffer out = {out_.data(), out_.size(), 0};
      const size_t left = ZSTD_compressStream2(context_, &out, &in, finish ? ZSTD_e_end : ZSTD_e_continue);
      MG_CHECK(!ZSTD_isError(left), "zstd {}: {}", ZSTD_versionString(), ZSTD_getErrorName(left));
      MG_RETURN_IF_ERROR(file->Append({out_.data(), out.pos}));
      if (finish ? left == 0 : in.pos == in.size) return OkStatus();
    }
  }

 private:
  ZSTD_CCtx* const context_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Decompressor> MakeDecompressor(std::string_view head) {
  if (head.starts_with("\x1F\x8B")) return std::make_unique<GzipDecompressor>();
  const bool skipped =
      head.size() >= 4 && IsZstdSkippedByte(head[0]) && head.substr(1, 3) == kZstdSkippedMagic.substr(1);
  if (skipped || head.starts_with(kZstdMagic)) return std::make_unique<ZstdDecompressor>();
  return nullptr;
}

std::unique_ptr<Compressor> MakeCompressor(std::string_view path) {
  if (path.ends_with(".gz")) return std::make_unique<GzipCompressor>();
  if (path.ends_with(".zst")) return std::make_unique<ZstdCompressor>();
  return nullptr;
}

const char* CompressionOfName(std::string_view path) {
  if (path.ends_with(".gz")) return "gzip";
  if (path.ends_with(".zst")) return "zstd";
  return nullptr;
}

}  // namespace manygate
