// SPDX-License-Identifier: Apache-2.0
// The part of XGBoost's C interface that is used here, declared by ourselves and looked up when the program runs:
// building needs nothing of XGBoost, and only `compare --with gbdt` needs its library.
//
//   MG_ASSIGN_OR_RETURN(const XgboostLibrary xgboost, XgboostLibrary::Load(""));
//   if (xgboost->BoosterUpdateOneIter(booster, 0, rows) != 0) return Failed(xgboost->GetLastError());
#ifndef MANYGATE_TRAIN_XGBOOST_LIBRARY_H_
#define MANYGATE_TRAIN_XGBOOST_LIBRARY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "manygate/base/status.h"

namespace manygate {

// XGB<name> and XG<name> of xgboost/c_api.h; handles are void*, bst_ulong is uint64_t. All return 0, or -1 and leave a
// text in GetLastError. Since XGBoost 1.4.
struct XgboostFunctions {
  const char* (*GetLastError)();
  // data: [rows, columns], copied; `missing` marks missing values.
  int (*DMatrixCreateFromMat)(const float* data, uint64_t rows, uint64_t columns, float missing, void** matrix);
  int (*DMatrixSetFloatInfo)(void* matrix, const char* field, const float* values, uint64_t size);
  int (*DMatrixFree)(void* matrix);
  int (*BoosterCreate)(void* const matrices[], uint64_t count, void** booster);
  int (*BoosterFree)(void* booster);
  int (*BoosterSetParam)(void* booster, const char* name, const char* value);
  int (*BoosterUpdateOneIter)(void* booster, int round, void* matrix);
  // result: "[round]\tname-metric:value"; the library's, until the next call.
  int (*BoosterEvalOneIter)(void* booster, int round, void* matrices[], const char* names[], uint64_t count,
                            const char** result);
  // settings: JSON; shape, dimensions and result are the library's, until the next call.
  int (*BoosterPredictFromDMatrix)(void* booster, void* matrix, const char* settings, const uint64_t** shape,
                                   uint64_t* dimensions, const float** result);
};

class XgboostLibrary {
 public:
  // path: its file, or "" for libxgboost.so.0 and libxgboost.so where the system looks for libraries. It stays loaded
  // until the process ends: it has threads of its own.
  // InvalidInput: it cannot be loaded or lacks a function; the message says what was tried and what to install.
  static StatusOr<XgboostLibrary> Load(const std::string& path);
  const XgboostFunctions* operator->() const { return functions_.get(); }

 private:
  std::shared_ptr<const XgboostFunctions> functions_;
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_XGBOOST_LIBRARY_H_
