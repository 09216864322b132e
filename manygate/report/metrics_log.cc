// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "manygate/base/file.h"

namespace manygate {
namespace {

// The step of one line without its line feed; nothing when the line is damaged.
std::optional<int64_t> StepOf(std::string_view line) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto step = json.find("step");
  if (step == json.end() || !step->is_number_integer()) return std::nullopt;
  return step->get<int64_t>();
}

}  // namespace

std::string ToJson(const MetricsLine& line) {
  std::string json = fmt::format(R"({{"step": {}, "epoch": {}, "seconds": {}, "rows_per_second": {}, "loss": {}, )",
                                 line.step, JsonNumber(line.epoch), JsonNumber(line.seconds),
                                 JsonNumber(line.rows_per_second), JsonNumber(line.result.loss));
  if (!line.train_losses.empty()) {
    const char* separator = "\"train_loss\": {";
    for (const auto& [tower, loss] : line.train_losses) {
      json += fmt::format("{}{}: {}", separator, JsonString(tower), JsonNumber(loss));
      separator = ", ";
    }
    json += "}, ";
  }
  if (!line.health.empty()) json += fmt::format("\"health\": {}, ", ToJson(line.health));
  return json + ToJson(line.result).substr(1);
}

Status AppendMetrics(const std::string& path, const MetricsLine& line) {
  const std::string text = ToJson(line) + "\n";
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return Failed(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  struct stat before {};
  Status status;
  if (fstat(descriptor, &before) != 0) {
    status = Failed(fmt::format("{}: cannot read its size: {}", path, std::strerror(errno)));
  } else {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
      status = Failed(fmt::format("{}: cannot write: {}", path,
                                  written < 0 ? std::strerror(errno) : "the line did not fit on the disk"));
      if (written > 0 && ftruncate(descriptor, before.st_size) != 0)
        status = Failed(status.message() + "; half a line is left at its end");
    }
  }
  close(descriptor);
  return status;
}

Status TruncateAfter(const std::string& path, int64_t step) {
  if (!FileExists(path)) return OkStatus();
  MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  size_t keep = 0;
  while (keep < text.size()) {
    const size_t end = text.find('\n', keep);
    if (end == std::string::npos) break;
    const std::optional<int64_t> of_line = StepOf(std::string_view(text).substr(keep, end - keep));
    if (!of_line.has_value() || *of_line > step) break;
    keep = end + 1;
  }
  if (keep == text.size()) return OkStatus();
  if (truncate(path.c_str(), static_cast<off_t>(keep)) != 0)
    return Failed(fmt::format("{}: cannot shorten: {}", path, std::strerror(errno)));
  return OkStatus();
}

}  // namespace manygate
