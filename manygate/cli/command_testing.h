// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: the program as a user runs it, in-process.
//
//   const Ran ran = Command({"inspect", "out/mmoe"});
//   EXPECT_EQ(ran.code, kExitDone) << ran.err;
#ifndef MANYGATE_CLI_COMMAND_TESTING_H_
#define MANYGATE_CLI_COMMAND_TESTING_H_

#include <sstream>
#include <string>
#include <vector>

#include "manygate/cli/cli.h"

namespace manygate::cli {

struct Ran {
  int code;
  std::string out, err;
};

inline Ran Command(const std::vector<std::string>& args) {
  std::ostringstream out, err;
  const int code = RunCli(args, out, err);
  return {code, out.str(), err.str()};
}

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_COMMAND_TESTING_H_
