// SPDX-License-Identifier: Apache-2.0
// Errors that are the user's (data, configuration, files): a Status with one sentence that says where, what was found,
// what was expected and what to do. Our own bugs use MG_CHECK (check.h) instead. Nothing below cli/ prints or exits.
//
//   StatusOr<Table> table = ReadFiles(path);
//   if (!table.ok()) return table.status();
//   MG_ASSIGN_OR_RETURN(Table table, ReadFiles(path));   // the same in one line
//   MG_RETURN_IF_ERROR(WriteFileAtomic(path, text));
#ifndef MANYGATE_BASE_STATUS_H_
#define MANYGATE_BASE_STATUS_H_

#include <optional>
#include <string>
#include <utility>

namespace manygate {

// kInvalidInput: the user can mend it (exit code 2). kFailed: the run failed (disk, divergence; exit code 1).
// kCancelled: stopped by the user's own signal.
enum class StatusCode { kOk, kInvalidInput, kFailed, kCancelled };

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // May hold several problems, one per line.
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status OkStatus() { return Status(); }
inline Status InvalidInput(std::string message) { return Status(StatusCode::kInvalidInput, std::move(message)); }
inline Status Failed(std::string message) { return Status(StatusCode::kFailed, std::move(message)); }
inline Status Cancelled(std::string message) { return Status(StatusCode::kCancelled, std::move(message)); }

template <typename T>
class [[nodiscard]] StatusOr {
 public:
  StatusOr(Status status) : status_(std::move(status)) {}
  StatusOr(T value) : value_(std::move(value)) {}
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace manygate

#define MG_RETURN_IF_ERROR(expression)            \
  do {                                            \
    ::manygate::Status mg_status_ = (expression); \
    if (!mg_status_.ok()) return mg_status_;      \
  } while (false)
#define MG_CONCAT_INNER_(a, b) a##b
#define MG_CONCAT_(a, b) MG_CONCAT_INNER_(a, b)
#define MG_ASSIGN_OR_RETURN_INNER_(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) return result.status();                         \
  declaration = std::move(result).value()
#define MG_ASSIGN_OR_RETURN(declaration, expression) \
  MG_ASSIGN_OR_RETURN_INNER_(MG_CONCAT_(mg_result_, __LINE__), declaration, expression)

#endif  // MANYGATE_BASE_STATUS_H_
