// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/tensorboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "manygate/base/crc32c.h"
#include "manygate/base/file.h"
#include "manygate/report/event.pb.h"

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A fresh folder that goes away with the test.
class TensorboardTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / ("manygate_events_" + std::to_string(getpid()) + "_" +
                                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::filesystem::path dir_;
};

template <typename T>
T Number(const std::string& bytes, size_t offset) {
  T number;
  std::memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

// All records of a file; both checksums of each are verified.
std::vector<event::Event> ReadEvents(const std::string& path) {
  std::vector<event::Event> events;
  const StatusOr<std::string> file = ReadFile(path);
  if (!file.ok()) {
    ADD_FAILURE() << file.status().message();
    return events;
  }
  const std::string& bytes = *file;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 16) {
      ADD_FAILURE() << "half a record at byte " << at;
      break;
    }
    const uint64_t length = Number<uint64_t>(bytes, at);
    EXPECT_EQ(Number<uint32_t>(bytes, at + 8), MaskCrc(Crc32c(bytes.data() + at, 8)));
    if (bytes.size() - at < 16 + length) {
      ADD_FAILURE() << "half a record at byte " << at;
      break;
    }
    EXPECT_EQ(Number<uint32_t>(bytes, at + 12 + length), MaskCrc(Crc32c(bytes.data() + at + 12, length)));
    EXPECT_TRUE(events.emplace_back().ParseFromString(bytes.substr(at + 12, length)));
    at += 16 + length;
  }
  return events;
}

TEST_F(TensorboardTest, WritesScalars) {
  StatusOr<std::unique_ptr<EventWriter>> writer = EventWriter::Open(dir_);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  EXPECT_THAT(std::filesystem::path((*writer)->path()).filename().string(), StartsWith("events.out.tfevents."));
  EXPECT_THAT((*writer)->path(), HasSubstr("." + std::to_string(getpid()) + "."));
  (*writer)->AddScalar("loss/income", 100, 0.25);
  (*writer)->AddScalar("auc/income", 5000000000, 0.9473);
  EXPECT_TRUE((*writer)->Flush().ok());
  const std::vector<event::Event> events = ReadEvents((*writer)->path());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_GT(events[0].wall_time(), 1.6e9);
  EXPECT_EQ(events[1].step(), 100);
  ASSERT_EQ(events[1].summary().value_size(), 1);
  EXPECT_EQ(events[1].summary().value(0).tag(), "loss/income");
  EXPECT_EQ(events[1].summary().value(0).simple_value(), 0.25f);
  EXPECT_GE(events[1].wall_time(), events[0].wall_time());
  EXPECT_EQ(events[2].step(), 5000000000);
  EXPECT_EQ(events[2].summary().value(0).tag(), "auc/income");
  EXPECT_EQ(events[2].summary().value(0).simple_value(), 0.9473f);
}

TEST_F(TensorboardTest, ResumedRunSaysFromWhichStep) {
  StatusOr<std::unique_ptr<EventWriter>> writer = EventWriter::Open(dir_, 301);
  ASSERT_TRUE(writer.ok());
  const std::vector<event::Event> events = ReadEvents((*writer)->path());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].step(), 301);
  EXPECT_EQ(events[1].session_log().status(), event::SessionLog::START);
}

TEST_F(TensorboardTest, ManyScalarsAreWrittenWithoutFlushAndAtTheEnd) {
  std::string path;
  {
    StatusOr<std::unique_ptr<EventWriter>> writer = EventWriter::Open(dir_);
    ASSERT_TRUE(writer.ok());
    path = (*writer)->path();
    for (int step = 0; step < 3000; ++step) (*writer)->AddScalar("loss/income", step, step);
    EXPECT_GE(std::filesystem::file_size(path), 64u * 1024);
  }
  const std::vector<event::Event> events = ReadEvents(path);
  ASSERT_EQ(events.size(), 3001u);
  EXPECT_EQ(events[3000].summary().value(0).simple_value(), 2999.0f);
}

TEST_F(TensorboardTest, EveryWriterHasItsOwnFile) {
  StatusOr<std::unique_ptr<EventWriter>> first = EventWriter::Open(dir_), second = EventWriter::Open(dir_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE((*first)->path(), (*second)->path());
}

TEST_F(TensorboardTest, FolderThatDoesNotExist) {
  const StatusOr<std::unique_ptr<EventWriter>> writer = EventWriter::Open(dir_ / "none");
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.status().code(), StatusCode::kFailed);
  EXPECT_THAT(writer.status().message(), HasSubstr("none/events.out.tfevents."));
  EXPECT_THAT(writer.status().message(), HasSubstr("cannot create: No such file or directory"));
}

}  // namespace
}  // namespace manygate
