// SPDX-License-Identifier: Apache-2.0
// Binds the flags of one verb to variables, parses a command line into them and prints the page of --help.
// verb_parser.cc is the only file that includes the library behind it, which is slow to compile.
//
//   VerbParser parser("inspect", "What is in a model directory.", "Examples:\n  manygate inspect out/mmoe");
//   parser.Argument("PATH", Need::kRequired, path, "Model directory");
//   parser.Whole("--threads", "N", {1, 1024}, [&](uint64_t n) { threads = n; }, "Threads to work with");
//   MG_ASSIGN_OR_RETURN(std::optional<std::string> help, parser.Parse(args));
#ifndef MANYGATE_CLI_VERB_PARSER_H_
#define MANYGATE_CLI_VERB_PARSER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/status.h"

namespace manygate::cli {

enum class Need { kOptional, kRequired };

class VerbParser {
 public:
  // examples: shown at the end of the help as they stand.
  VerbParser(const std::string& verb, const std::string& description, const std::string& examples);
  ~VerbParser();
  VerbParser(const VerbParser&) = delete;
  VerbParser& operator=(const VerbParser&) = delete;

  // Without a flag, by position: one value, one of `names`, or as many as there are. The variables must outlive Parse.
  void Argument(const std::string& name, Need need, std::string& value, const std::string& meaning);
  void Choice(const std::string& name, std::vector<std::string> names, std::string& value, const std::string& meaning);
  void Arguments(const std::string& name, std::vector<std::string>& values, const std::string& meaning);

  // name: "--model_dir"; what: how the help calls the value, "DIR". A value must not be the empty text.
  void Text(const std::string& name, const std::string& what, Need need, std::string& value,
            const std::string& meaning);
  // May be given several times, one value each.
  void List(const std::string& name, const std::string& what, Need need, std::vector<std::string>& values,
            const std::string& meaning);
  void Whole(const std::string& name, const std::string& what, std::pair<uint64_t, uint64_t> range,
             const std::function<void(uint64_t)>& set, const std::string& meaning);
  void Real(const std::string& name, const std::string& what, std::pair<double, double> range,
            const std::function<void(double)>& set, const std::string& meaning);
  void Switch(const std::string& name, bool& value, const std::string& meaning);
  // --format text|json.
  void Format(bool& json);

  // The help page if it was asked for. InvalidInput: unknown flag (with the nearest name), a flag without its value or
  // twice, a value out of its range, arguments too many or too few.
  StatusOr<std::optional<std::string>> Parse(std::span<const std::string> args);

  // "<verb>: <text>" and where the help is.
  Status Wrong(const std::string& text) const;

 private:
  struct App;
  Status CheckNames(std::span<const std::string> args) const;

  std::string verb_;
  std::unique_ptr<App> app_;
};

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_VERB_PARSER_H_
