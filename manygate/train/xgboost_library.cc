// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/xgboost_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <vector>

namespace manygate {
namespace {

constexpr char kAdvice[] =
    "XGBoost is not part of the program: install its library (Debian, Ubuntu: apt install libxgboost0), or name its "
    "file: --with gbdt=/path/to/libxgboost.so";

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

// The first function that the library lacks; "" if none.
std::string FindAll(void* library, XgboostFunctions* functions) {
  if (!Find(library, "XGBGetLastError", &functions->GetLastError)) return "XGBGetLastError";
  if (!Find(library, "XGDMatrixCreateFromMat", &functions->DMatrixCreateFromMat)) return "XGDMatrixCreateFromMat";
  if (!Find(library, "XGDMatrixSetFloatInfo", &functions->DMatrixSetFloatInfo)) return "XGDMatrixSetFloatInfo";
  if (!Find(library, "XGDMatrixFree", &functions->DMatrixFree)) return "XGDMatrixFree";
  if (!Find(library, "XGBoosterCreate", &functions->BoosterCreate)) return "XGBoosterCreate";
  if (!Find(library, "XGBoosterFree", &functions->BoosterFree)) return "XGBoosterFree";
  if (!Find(library, "XGBoosterSetParam", &functions->BoosterSetParam)) return "XGBoosterSetParam";
  if (!Find(library, "XGBoosterUpdateOneIter", &functions->BoosterUpdateOneIter)) return "XGBoosterUpdateOneIter";
  if (!Find(library, "XGBoosterEvalOneIter", &functions->BoosterEvalOneIter)) return "XGBoosterEvalOneIter";
  if (!Find(library, "XGBoosterPredictFromDMatrix", &functions->BoosterPredictFromDMatrix))
    return "XGBoosterPredictFromDMatrix";
  return "";
}

}  // namespace

StatusOr<XgboostLibrary> XgboostLibrary::Load(const std::string& path) {
  const std::vector<std::string> names =
      path.empty() ? std::vector<std::string>{"libxgboost.so.0", "libxgboost.so"} : std::vector<std::string>{path};
  std::string tried;
  for (const std::string& name : names) {
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* reason = dlerror();
      tried += fmt::format("\n  {}", reason == nullptr ? name : reason);
      continue;
    }
    XgboostFunctions functions;
    const std::string lacks = FindAll(library, &functions);
    if (lacks.empty()) {
      XgboostLibrary loaded;
      loaded.functions_ = std::make_shared<const XgboostFunctions>(functions);
      return loaded;
    }
    tried += fmt::format("\n  {}: it has no function {}; XGBoost 1.4 or newer is needed", name, lacks);
  }
  return InvalidInput(fmt::format("gbdt: libxgboost cannot be loaded. {}\nTried:{}", kAdvice, tried));
}

}  // namespace manygate
