// SPDX-License-Identifier: Apache-2.0
// The program `manygate`: its verbs, run in-process. Only this folder prints or decides on exit codes.
//
//   int code = RunCli({{"evaluate", "out/mmoe", "--format", "json"}}, std::cout, std::cerr);
//
// Results go to out, progress, notes and errors ("manygate: <message>") to err. Exit codes: 0 done; 1 the run failed
// (disk, divergence, memory, stopped); 2 the user's input is wrong (command line, configuration, data, model directory).
//
// To add a verb: its flags in flags.h and flags.cc, a file <verb>.cc, its declaration in verbs.h, a line in cli.cc.
#ifndef MANYGATE_CLI_CLI_H_
#define MANYGATE_CLI_CLI_H_

#include <atomic>
#include <iosfwd>
#include <span>
#include <string>

#include "manygate/base/status.h"

namespace manygate::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongInput = 2;

// Where a verb writes, and what may stop it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;
  int terminal_columns = 100;
  const std::atomic<bool>* stop = nullptr;  // set: write a checkpoint and end
  std::atomic<bool>* refresh = nullptr;     // set: the server looks at its models again
};

// One verb; what went wrong is returned, not printed. args: without the program's name. Never throws.
Status Run(std::span<const std::string> args, const Console& console);

// The same with errors on console.err; the exit code.
int RunCli(std::span<const std::string> args, const Console& console);
int RunCli(std::span<const std::string> args, std::ostream& out, std::ostream& err);

// The whole program: the process's streams and signals.
int Main(int argc, char** argv);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_CLI_H_
