// SPDX-License-Identifier: Apache-2.0
// Scalars for TensorBoard, without TensorFlow.
//
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<EventWriter> events, EventWriter::Open(model_dir));
//   events->AddScalar("loss/income", step, 0.21);
//   MG_RETURN_IF_ERROR(events->Flush());
//
// File events.out.tfevents.<unix seconds>.<host>.<process>.<number>, a sequence of records (base/crc32c.h),
// each an Event of report/event.proto, the first one Event{file_version: "brain.Event:2"}.
#ifndef MANYGATE_REPORT_TENSORBOARD_H_
#define MANYGATE_REPORT_TENSORBOARD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "manygate/base/status.h"

namespace manygate {

class EventWriter {
 public:
  // A new file in an existing folder; other event files there stay. first_step > 0 (a resumed run): TensorBoard forgets
  // what earlier files say about this step and later ones. Failed: the file cannot be written.
  static StatusOr<std::unique_ptr<EventWriter>> Open(const std::string& dir, int64_t first_step = 0);
  ~EventWriter();  // writes what is left; an error then is lost, so Flush first
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Kept in memory until Flush, or until 64 KiB have gathered. Stored as float32.
  void AddScalar(std::string_view tag, int64_t step, double value);
  // Failed: a write failed, now or earlier; names the file.
  Status Flush();
  const std::string& path() const { return path_; }

 private:
  EventWriter(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void AddRecord(std::string_view bytes);
  void WriteBuffer();

  const std::string path_;
  const int descriptor_;
  std::string buffer_;
  Status status_;
};

}  // namespace manygate

#endif  // MANYGATE_REPORT_TENSORBOARD_H_
