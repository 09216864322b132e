// SPDX-License-Identifier: Apache-2.0
// The verb serve, in-process: it starts, says where it listens, and ends when it is told to. Without the server's packages
// it says what to install.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>

#include "manygate/cli/command_testing.h"
#include "manygate/data/test_files.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// With its end asked for before it starts.
Ran Serve(std::vector<std::string> args) {
  const std::atomic<bool> stop = true;
  args.insert(args.begin(), "serve");
  std::ostringstream out, err;
  const int code = RunCli(args, Console{.out = out, .err = err, .stop = &stop});
  return {code, out.str(), err.str()};
}

TEST(ServeTest, Help) {
  const Ran help = Serve({"--help"});
  EXPECT_EQ(help.code, kExitDone);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--http_port N"), HasSubstr("--token_file FILE"), HasSubstr("Examples:")));
}

TEST(ServeTest, WrongFlags) {
  const Ran alone = Serve({"models", "--tls_key", "key.pem"});
  EXPECT_EQ(alone.code, kExitWrongInput);
  EXPECT_THAT(alone.err, HasSubstr("--tls_certificate and --tls_key belong together"));
  EXPECT_EQ(Serve({"models", "--http_port", "65536"}).code, kExitWrongInput);
  EXPECT_EQ(Serve({}).code, kExitWrongInput);
}

#ifdef MANYGATE_SERVER

TEST(ServeTest, StartsAndEnds) {
  const TestFolder folder;
  serve::SaveTestModel(folder.Path("models/census/1"), 3);
  const Ran ran = Serve({folder.Path("models"), "--http_port", "0", "--grpc_port", "0", "--threads", "1"});
  EXPECT_EQ(ran.code, kExitDone) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("census version 1: loaded"), HasSubstr("HTTP at http://127.0.0.1:"),
                             HasSubstr("gRPC at 127.0.0.1:"), HasSubstr("ended")));
  EXPECT_THAT(Serve({folder.Path("models"), "--http_port", "0", "--grpc_port", "0", "--address", "0.0.0.0"}).err,
              HasSubstr("warning: 0.0.0.0 may be reached from other machines, and the server has no token and no TLS"));
}

TEST(ServeTest, WrongInput) {
  const TestFolder folder;
  serve::SaveTestModel(folder.Path("models/census/1"), 3);
  EXPECT_EQ(Serve({folder.Path("none")}).code, kExitWrongInput);
  EXPECT_THAT(Serve({folder.Path("none")}).err, HasSubstr("none"));
  const Ran token = Serve({folder.Path("models"), "--token_file", folder.Write("token", "two words\n")});
  EXPECT_EQ(token.code, kExitWrongInput);
  EXPECT_THAT(token.err, HasSubstr("expected one line with a token, without blanks"));
  EXPECT_EQ(Serve({folder.Path("models"), "--versions", "newest"}).code, kExitWrongInput);
}

#else

TEST(ServeTest, SaysWhatToInstall) {
  const Ran ran = Serve({"models"});
  EXPECT_EQ(ran.code, kExitWrongInput);
  EXPECT_THAT(ran.err, HasSubstr("./run deps serve"));
}

#endif

}  // namespace
}  // namespace manygate::cli
