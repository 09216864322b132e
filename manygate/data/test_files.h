// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: files of a test's own, and where the real data sets are.
#ifndef MANYGATE_DATA_TEST_FILES_H_
#define MANYGATE_DATA_TEST_FILES_H_

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace manygate {

// A folder that is removed with its content at the end of the test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "manygate_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  std::string Write(const std::string& name, std::string_view content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }
  std::string WriteGzip(const std::string& name, std::string_view content) const {
    const gzFile file = gzopen(Path(name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    return Path(name);
  }

  std::string WriteZstd(const std::string& name, std::string_view content) const {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    std::string frame(ZSTD_compressBound(content.size()), '\0');
    frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(), content.size()));
    ZSTD_freeCCtx(context);
    return Write(name, frame);
  }

 private:
  std::string path_;
};

inline std::string FileContent(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

// Path of a file of the real data sets ($MANYGATE_DATA, or ../shared/data beside the repository); "" when absent.
inline std::string RealDataFile(const std::string& name) {
  const char* folder = std::getenv("MANYGATE_DATA");
  const std::string path =
      (folder != nullptr ? std::string(folder) : std::string(MANYGATE_SOURCE_DIR) + "/../shared/data") + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

}  // namespace manygate

#endif  // MANYGATE_DATA_TEST_FILES_H_
