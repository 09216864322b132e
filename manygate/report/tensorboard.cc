// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "manygate/base/crc32c.h"
#include "manygate/base/file.h"
#include "manygate/report/event.pb.h"

namespace manygate {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie in memory");

constexpr size_t kBufferBytes = 64 * 1024;

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

void AppendNumber(const auto& number, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

StatusOr<std::unique_ptr<EventWriter>> EventWriter::Open(const std::string& dir, int64_t first_step) {
  static std::atomic<int> files_of_this_process{0};
  const double now = UnixSeconds();
  const std::string path = JoinPath(dir, fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<int64_t>(now),
                                                     HostName(), getpid(), files_of_this_process++));
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return Failed(fmt::format("{}: cannot create: {}", path, std::strerror(errno)));
  std::unique_ptr<EventWriter> writer(new EventWriter(path, descriptor));
  event::Event version;
  version.set_wall_time(now);
  version.set_file_version("brain.Event:2");
  writer->AddRecord(version.SerializeAsString());
  if (first_step > 0) {
    event::Event start;
    start.set_wall_time(now);
    start.set_step(first_step);
    start.mutable_session_log()->set_status(event::SessionLog::START);
    writer->AddRecord(start.SerializeAsString());
  }
  MG_RETURN_IF_ERROR(writer->Flush());
  return writer;
}

EventWriter::~EventWriter() {
  WriteBuffer();
  close(descriptor_);
}

void EventWriter::AddScalar(std::string_view tag, int64_t step, double value) {
  event::Event scalar;
  scalar.set_wall_time(UnixSeconds());
  scalar.set_step(step);
  event::Summary::Value* entry = scalar.mutable_summary()->add_value();
  entry->set_tag(std::string(tag));
  entry->set_simple_value(static_cast<float>(value));
  AddRecord(scalar.SerializeAsString());
  if (buffer_.size() >= kBufferBytes) WriteBuffer();
}

Status EventWriter::Flush() {
  WriteBuffer();
  return status_;
}

void EventWriter::AddRecord(std::string_view bytes) {
  const uint64_t length = bytes.size();
  AppendNumber(length, &buffer_);
  AppendNumber(MaskCrc(Crc32c(&length, sizeof(length))), &buffer_);
  buffer_ += bytes;
  AppendNumber(MaskCrc(Crc32c(bytes.data(), bytes.size())), &buffer_);
}

// After an error nothing more is written: a reader stops at the first damaged record anyway.
void EventWriter::WriteBuffer() {
  const char* from = buffer_.data();
  size_t left = buffer_.size();
  while (left > 0 && status_.ok()) {
    const ssize_t written = write(descriptor_, from, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      status_ = Failed(fmt::format("{}: cannot write: {}", path_, std::strerror(errno)));
      break;
    }
    from += written;
    left -= static_cast<size_t>(written);
  }
  buffer_.clear();
}

}  // namespace manygate
