// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/cli.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <variant>
#include <vector>

#include "manygate/cli/flags.h"
#include "manygate/cli/verbs.h"

namespace manygate::cli {
namespace {

struct RunVerb {
  const Console& console;
  Status operator()(const HelpText& help) const {
    console.out << help.text;
    return OkStatus();
  }
  Status operator()(const InitFlags& flags) const { return RunInit(flags, console); }
  Status operator()(const TrainFlags& flags) const { return RunTrain(flags, console); }
  Status operator()(const EvaluateFlags& flags) const { return RunEvaluate(flags, console); }
  Status operator()(const CompareFlags& flags) const { return RunCompare(flags, console); }
  Status operator()(const ReportFlags& flags) const { return RunReport(flags, console); }
  Status operator()(const PredictFlags& flags) const { return RunPredict(flags, console); }
  Status operator()(const ExportFlags& flags) const { return RunExport(flags, console); }
  Status operator()(const InspectFlags& flags) const { return RunInspect(flags, console); }
  Status operator()(const CheckFlags& flags) const { return RunCheck(flags, console); }
  Status operator()(const GenerateFlags& flags) const { return RunGenerate(flags, console); }
  Status operator()(const ServeFlags& flags) const { return RunServe(flags, console); }
};

Status ParseAndRun(std::span<const std::string> args, const Console& console) {
  MG_ASSIGN_OR_RETURN(VerbFlags flags, ParseFlags(args));
  MG_RETURN_IF_ERROR(std::visit(RunVerb{console}, flags));
  console.out.flush();
  if (!console.out) return Failed("standard output cannot be written to");
  return OkStatus();
}

int Report(const Status& status, const Console& console) {
  if (status.ok()) return kExitDone;
  console.out.flush();
  console.err << "manygate: " << status.message() << std::endl;
  return status.code() == StatusCode::kInvalidInput ? kExitWrongInput : kExitFailed;
}

std::atomic<bool> stop_requested{false};
std::atomic<bool> refresh_requested{false};

// The first signal asks the run to end; a second one does not wait for it.
extern "C" void HandleStopSignal(int) {
  if (stop_requested.exchange(true)) _exit(kExitFailed);
}

extern "C" void HandleRefreshSignal(int) { refresh_requested = true; }

void Install(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

// Of the verbs that end in good order when they are asked to; everything else writes its output at once or not at all.
void InstallHandlers(const std::string& verb) {
  if (verb != "train" && verb != "compare" && verb != "serve") return;
  Install(SIGINT, HandleStopSignal);
  Install(SIGTERM, HandleStopSignal);
  if (verb == "serve") Install(SIGHUP, HandleRefreshSignal);
}

int TerminalColumns() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

}  // namespace

Status Run(std::span<const std::string> args, const Console& console) {
  try {
    return ParseAndRun(args, console);
  } catch (const std::bad_alloc&) {
    return Failed("out of memory");
  } catch (const std::exception& error) {
    return Failed(fmt::format("the run ended on an error of the program itself: {}", error.what()));
  }
}

int RunCli(std::span<const std::string> args, const Console& console) {
  if (args.empty()) {
    console.err << ProgramHelp();
    return kExitWrongInput;
  }
  return Report(Run(args, console), console);
}

int RunCli(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return RunCli(args, Console{.out = out, .err = err});
}

int Main(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  const Console console{.out = std::cout,
                        .err = std::cerr,
                        .err_is_terminal = isatty(STDERR_FILENO) != 0,
                        .terminal_columns = TerminalColumns(),
                        .stop = &stop_requested,
                        .refresh = &refresh_requested};
  if (!args.empty()) InstallHandlers(args[0]);
  return RunCli(args, console);
}

}  // namespace manygate::cli
