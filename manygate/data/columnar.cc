// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/columnar.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "manygate/base/file.h"

namespace manygate {
namespace {

constexpr char kLibrary[] = "libmanygate_columnar.so";
constexpr char kAdvice[] =
    "Parquet files and files of other machines (s3://, hdfs://) are read by a plug-in built on Apache Arrow. To build "
    "it: "
    "python3 -m venv .venv && .venv/bin/pip install pyarrow, then ./run build; or name its file: "
    "MANYGATE_COLUMNAR=/path/to/libmanygate_columnar.so";

std::vector<std::string> Candidates() {
  const char* named = std::getenv("MANYGATE_COLUMNAR");
  if (named != nullptr && *named != '\0') return {named};
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path folder = program.parent_path();
  return {(folder / kLibrary).string(), (folder.parent_path() / "lib" / kLibrary).string()};
}

// Arrow's libraries bring an OpenSSL of their own and export it. DEEPBIND makes them use theirs even where the program has
// loaded another one; the runtimes of sanitizers refuse it.
int LoadFlags() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return RTLD_NOW | RTLD_LOCAL;
#else
  return RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif
}

// Null: `*reason` says why.
const ManygateColumnar* Load(const std::string& path, std::string* reason) {
  if (!FileExists(path)) {
    *reason = path + ": no such file";
    return nullptr;
  }
  void* const library = dlopen(path.c_str(), LoadFlags());
  if (library == nullptr) {
    const char* error = dlerror();
    *reason = error == nullptr ? path + ": cannot be loaded" : error;
    return nullptr;
  }
  const auto get = reinterpret_cast<const ManygateColumnar* (*)()>(dlsym(library, MANYGATE_COLUMNAR_SYMBOL));
  if (get == nullptr) {
    *reason = fmt::format("{}: has no function {}; it is another library", path, MANYGATE_COLUMNAR_SYMBOL);
    return nullptr;
  }
  const ManygateColumnar* const columnar = get();
  if (columnar->abi_version != MANYGATE_COLUMNAR_ABI) {
    *reason = fmt::format("{}: has interface version {}, this program needs {}; build both from one source", path,
                          columnar->abi_version, MANYGATE_COLUMNAR_ABI);
    return nullptr;
  }
  return columnar;
}

}  // namespace

StatusOr<const ManygateColumnar*> LoadColumnar() {
  static std::mutex mutex;
  static const ManygateColumnar* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) return loaded;
  std::string tried;
  for (const std::string& path : Candidates()) {
    std::string reason;
    loaded = Load(path, &reason);
    if (loaded != nullptr) return loaded;
    tried += "\n  " + reason;
  }
  return InvalidInput(
      fmt::format("the columnar plug-in cannot be loaded. {}\nTried:{}", kAdvice, tried.empty() ? " nothing" : tried));
}

}  // namespace manygate
