// SPDX-License-Identifier: Apache-2.0
// The command line, as plain structs. flags.cc lists the flags of every verb.
//
//   MG_ASSIGN_OR_RETURN(VerbFlags flags, ParseFlags({{"generate", "funnel", "--output", "f.csv"}}));
//   std::get<GenerateFlags>(flags).rows;
#ifndef MANYGATE_CLI_FLAGS_H_
#define MANYGATE_CLI_FLAGS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "manygate/base/status.h"

namespace manygate::cli {

struct InitFlags {
  std::vector<std::string> data;
  std::vector<std::string> labels;  // NAME or NAME:KIND
  std::string columns;              // "a,b,c"; "" = the file has a header
  std::string model;                // "" = not given
  std::string output;               // "" = named after the data, in the present folder
  bool force = false;
  int threads = 1;
  bool json = false;
};

// What train, check and compare choose a configuration by (load_or_infer.h).
struct ConfigurationFlags {
  std::string config;                  // "": none, the configuration is made from data and labels
  std::vector<std::string> data;       // with a configuration: instead of its train_input_path
  std::vector<std::string> labels;     // NAME or NAME:KIND
  std::string columns;                 // "a,b,c"; "" = the file has a header
  std::string model;                   // "": the configuration's; without one mmoe
  std::vector<std::string> overrides;  // path=value
  int threads = 1;
};

struct TrainFlags : ConfigurationFlags {
  std::string model_dir;  // "" = not given
  std::optional<uint64_t> seed;
  bool resume = false;
  bool json = false;
};

struct EvaluateFlags {
  std::vector<std::string> model_dirs;
  std::vector<std::string> data;  // empty: the hold-out rows of the training
  std::vector<std::string> by;    // columns whose values split the rows
  int threads = 1;
  bool json = false;
};

struct CompareFlags : ConfigurationFlags {
  std::string model_dir;          // "" = not given
  uint64_t seeds = 3;             // how many, from train_config.seed on
  std::vector<std::string> with;  // "gbdt" or "gbdt=FILE"
  bool resume = false;
  bool json = false;
};

struct ReportFlags {
  std::string model_dir;
  std::string output;             // "" = report.html in the model directory
  std::vector<std::string> data;  // empty: the hold-out rows of the training
  int threads = 1;
  bool json = false;
};

struct PredictFlags {
  std::string model_dir;
  std::vector<std::string> data;
  std::string output;
  std::vector<std::string> keep;  // columns of the data to repeat in the output
  bool logits = false;
  int threads = 1;
  bool json = false;
};

struct ExportFlags {
  std::string model_dir;
  std::string to;  // "onnx", "safetensors", "c"
  std::string output;
  std::string name;  // "" = after the model directory
  bool json = false;
};

struct InspectFlags {
  std::string path;
  int threads = 1;
  bool json = false;
};

struct CheckFlags : ConfigurationFlags {
  bool exit_zero = false;  // done, whatever is found
  bool json = false;
};

struct GenerateFlags {
  std::string kind;  // "funnel" or "paper"
  int64_t rows = 0;
  uint64_t seed = 1;
  std::string output;
  std::optional<double> correlation;  // paper only
  std::optional<int> dimension;       // paper only
  bool json = false;
};

// What manygate/serve/server.h explains, with its defaults.
struct ServeFlags {
  std::string repository;
  std::string address = "127.0.0.1";
  int http_port = 8080;
  int grpc_port = 8081;
  int threads = 1;  // that score
  int http_threads = 1;
  int64_t max_batch_rows = 1024;
  int64_t max_queue_rows = 16384;
  int64_t max_queue_delay_us = 0;
  int64_t deadline_ms = 1000;
  std::string versions = "latest";
  double poll_seconds = 0;
  bool admin = false;
  std::string token_file;  // "": no token
  std::string tls_certificate, tls_key;
  double log_share = 0;
  std::string log_file;  // "": stderr
  int max_connections = 1024;
  int max_body_mb = 16;
};

// --help or --version was given: print this, exit code 0.
struct HelpText {
  std::string text;
};

using VerbFlags = std::variant<HelpText, InitFlags, TrainFlags, EvaluateFlags, CompareFlags, ReportFlags, PredictFlags,
                               ExportFlags, InspectFlags, CheckFlags, GenerateFlags, ServeFlags>;

// args: the verb and what follows; not empty. InvalidInput: unknown verb or flag (with the nearest name), a flag without
// its value, a value of the wrong kind or out of range, a value too many or too few.
StatusOr<VerbFlags> ParseFlags(std::span<const std::string> args);

// The verbs, a line each, and a first example.
std::string ProgramHelp();

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_FLAGS_H_
