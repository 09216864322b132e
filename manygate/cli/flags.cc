// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "manygate/base/text.h"
#include "manygate/base/version.h"
#include "manygate/cli/verb_parser.h"
#include "manygate/config/accessors.h"
#include "manygate/export/export.h"

namespace manygate::cli {
namespace {

int NumCpus() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void AddThreads(VerbParser& parser, int& threads) {
  threads = NumCpus();
  parser.Whole(
      "--threads", "N", {1, 1024}, [&threads](uint64_t value) { threads = static_cast<int>(value); },
      fmt::format("Threads to work with; results are the same for any number (default: one per CPU, here {})",
                  NumCpus()));
}

template <typename Flags>
StatusOr<VerbFlags> Finish(VerbParser& parser, std::span<const std::string> args, Flags& flags) {
  MG_ASSIGN_OR_RETURN(std::optional<std::string> help, parser.Parse(args));
  if (help.has_value()) return VerbFlags(HelpText{*std::move(help)});
  return VerbFlags(std::move(flags));
}

void AddColumns(VerbParser& parser, std::string& columns) {
  parser.Text("--columns", "NAMES", Need::kOptional, columns,
              "The names of the columns in order, separated by commas, of a file whose first line does not name them; "
              "f1..f499 stands for 499 names. Of lists of fields (17,0,1,101:88,...): of the values before the fields");
}

StatusOr<VerbFlags> ParseInit(std::span<const std::string> args) {
  InitFlags flags;
  VerbParser parser("init",
                    "Looks at data that nobody has described and writes a configuration for them, with a comment "
                    "beside every choice.\n"
                    "It trains as it is, and is a start for choices of your own.",
                    "Examples:\n"
                    "  manygate init out/funnel.csv --label click --label purchase\n"
                    "  manygate init rows.data --columns age,city,income,bought --label bought --output bought.config");
  parser.Arguments(
      "DATA", flags.data,
      "CSV, TSV, TFRecord or lists of fields, also .gz and .zst; names, globs or lists separated by commas, "
      "all with the same columns");
  parser.List("--label", "NAME[:KIND]", Need::kRequired, flags.labels,
              "A column to predict; may be repeated. KIND is binary, multiclass, regression, count or amount (default: "
              "binary when it has two values, multiclass for up to 20 texts, else regression)");
  AddColumns(parser, flags.columns);
  parser.Text("--model", "NAME", Need::kOptional, flags.model,
              fmt::format("{} (default: mmoe)", JoinNames(config::ModelNames(), config::ModelNames().size())));
  parser.Text("--output", "FILE", Need::kOptional, flags.output,
              "Configuration to write (default: named after the data, with .config, in the present folder)");
  parser.Switch("--force", flags.force, "Replace the configuration when it exists already");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

Status ColumnsWithConfiguration(const VerbParser& parser) {
  return parser.Wrong("--columns is for runs without CONFIG; a configuration names them in data_config.input_fields");
}

// verb: "train", `act`: "train on". What train and check need to have a configuration.
Status CheckConfiguration(const VerbParser& parser, const ConfigurationFlags& flags, const std::string& verb,
                          const std::string& act) {
  if (!flags.config.empty()) {
    if (!flags.labels.empty())
      return parser.Wrong("--label is for runs without CONFIG; the labels of a configuration stand in its task_towers");
    if (!flags.columns.empty()) return ColumnsWithConfiguration(parser);
    return OkStatus();
  }
  if (flags.data.empty() && flags.labels.empty()) {
    return parser.Wrong(
        fmt::format("nothing to {}. Give a configuration (manygate {} CONFIG), or data and labels (manygate {} --data "
                    "FILE --label COLUMN)",
                    act, verb, verb));
  }
  if (flags.data.empty())
    return parser.Wrong(fmt::format("--data is missing: a CSV file to {}, or a CONFIG that names one", act));
  if (flags.labels.empty())
    return parser.Wrong("--label is missing: the column to predict, or a CONFIG that names one");
  return OkStatus();
}

StatusOr<VerbFlags> ParseTrain(std::span<const std::string> args) {
  TrainFlags flags;
  VerbParser parser(
      "train",
      "Trains a model: from a configuration, or from a data file and its labels alone (the columns are then looked at\n"
      "and a configuration is made). Ctrl-C writes a checkpoint; --resume goes on from it.",
      "Examples:\n"
      "  manygate train examples/census_income/mmoe.config --model_dir out/mmoe --seed 1\n"
      "  manygate train --data out/funnel.csv --label click --label purchase --label amount:amount --model esmm\n"
      "  manygate train mmoe.config --set train_config.num_epochs=5 --set model_config.mmoe.num_expert=4");
  parser.Argument("CONFIG", Need::kOptional, flags.config,
                  "Configuration, as in examples/; every field: manygate/config/pipeline.proto");
  parser.List(
      "--data", "FILE", Need::kOptional, flags.data,
      "Training data: CSV, TSV, TFRecord, lists of fields, also .gz or .zst; a name, glob or list separated by commas; "
      "may be repeated. With CONFIG: instead of its train_input_path");
  parser.List(
      "--label", "NAME[:KIND]", Need::kOptional, flags.labels,
      "Without CONFIG: a column to predict; may be repeated. KIND is binary, multiclass, regression, count or amount "
      "(default: binary when it has two values, multiclass for up to 20 texts, else regression)");
  AddColumns(parser, flags.columns);
  parser.Text(
      "--model", "NAME", Need::kOptional, flags.model,
      fmt::format("{} (default without CONFIG: mmoe). With CONFIG: instead of its model, with the same features, "
                  "towers and training",
                  JoinNames(config::ModelNames(), config::ModelNames().size())));
  parser.Text("--model_dir", "DIR", Need::kOptional, flags.model_dir,
              "Folder for the model, logs and checkpoints (default: model_dir of CONFIG; without CONFIG out/model)");
  parser.Whole(
      "--seed", "N", {0, UINT64_MAX}, [&flags](uint64_t value) { flags.seed = value; },
      "Seed of initial weights, order of rows and dropout (default: train_config.seed, 1)");
  parser.List("--set", "PATH=VALUE", Need::kOptional, flags.overrides,
              "Replaces one field of the configuration, like train_config.num_epochs=3; may be repeated");
  parser.Switch("--resume", flags.resume, "Go on from the last checkpoint in the model directory");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<TrainFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckConfiguration(parser, std::get<TrainFlags>(*parsed), "train", "train on"));
  return parsed;
}

StatusOr<VerbFlags> ParseEvaluate(std::span<const std::string> args) {
  EvaluateFlags flags;
  VerbParser parser("evaluate",
                    "All metrics of all tasks, of one model or of several side by side: on the rows that the training "
                    "held out, or\non other data.",
                    "Examples:\n"
                    "  manygate evaluate out/mmoe\n"
                    "  manygate evaluate out/mmoe --data census-income.test.gz --format json\n"
                    "  manygate evaluate out/shared_bottom out/mmoe\n"
                    "  manygate evaluate out/mmoe --by sex");
  parser.Arguments("MODEL_DIR", flags.model_dirs, "Model directories, as train leaves them");
  parser.List("--data", "FILE", Need::kOptional, flags.data,
              "Data with labels; a name, glob or list separated by commas; may be repeated (default: the hold-out rows "
              "of the training: test, or validation when there is no test split)");
  parser.List("--by", "COLUMN", Need::kOptional, flags.by,
              "Also the metrics of the rows of each value of a column; may be repeated");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

Status CheckCompare(const VerbParser& parser, const CompareFlags& flags) {
  for (const std::string& name : flags.with)
    if (name != "gbdt" && !name.starts_with("gbdt="))
      return parser.Wrong(fmt::format("--with {}: there is only gbdt (XGBoost)", name));
  if (!flags.config.empty() && !flags.labels.empty())
    return parser.Wrong("--label is for runs without CONFIG; the labels of a configuration stand in its task_towers");
  if (!flags.config.empty() && !flags.columns.empty()) return ColumnsWithConfiguration(parser);
  if (flags.config.empty() && (flags.data.empty() || flags.labels.empty()))
    return parser.Wrong("nothing to compare. Give a configuration (manygate compare CONFIG), or --data and --label");
  return OkStatus();
}

StatusOr<VerbFlags> ParseCompare(std::span<const std::string> args) {
  CompareFlags flags;
  VerbParser parser(
      "compare",
      "Does sharing help? Trains the model, Shared-Bottom and each task alone on the same rows, seeds and "
      "budget, and says\nper task what sharing gains or loses, with a paired 95 % interval.",
      "Examples:\n"
      "  manygate compare examples/census_income/mmoe.config\n"
      "  manygate compare examples/census_income/mmoe.config --seeds 5 --with gbdt\n"
      "  manygate compare --data out/funnel.csv --label click --label purchase --model ple");
  parser.Argument("CONFIG", Need::kOptional, flags.config, "Configuration, as for train");
  parser.List("--data", "FILE", Need::kOptional, flags.data,
              "Training data; may be repeated. With CONFIG: instead of its train_input_path");
  parser.List("--label", "NAME[:KIND]", Need::kOptional, flags.labels,
              "Without CONFIG: a column to predict, as for train; may be repeated");
  AddColumns(parser, flags.columns);
  parser.Text("--model", "NAME", Need::kOptional, flags.model, "As for train: the model that is compared");
  parser.Text(
      "--model_dir", "DIR", Need::kOptional, flags.model_dir,
      "Folder for all trained models and transfer.json (default: model_dir of CONFIG with _compare; without one "
      "out/compare)");
  parser.Whole(
      "--seeds", "N", {2, 1000}, [&flags](uint64_t value) { flags.seeds = value; },
      "How many seeds each model is trained with, from train_config.seed on (default: 3)");
  parser.List(
      "--with", "NAME", Need::kOptional, flags.with,
      "gbdt: also XGBoost, one model per task, lightly tuned on the validation rows; needs libxgboost, where the "
      "system has it or named: gbdt=FILE");
  parser.List("--set", "PATH=VALUE", Need::kOptional, flags.overrides,
              "Replaces one field of the configuration; may be repeated");
  parser.Switch("--resume", flags.resume, "Keep the models that are trained already, with the same configuration");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<CompareFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckCompare(parser, std::get<CompareFlags>(*parsed)));
  return parsed;
}

StatusOr<VerbFlags> ParseReport(std::span<const std::string> args) {
  ReportFlags flags;
  VerbParser parser("report",
                    "One self-contained HTML page about a trained model: curves, ROC and calibration, gates and "
                    "experts, transfer, data,\nthe drawing of the model; a table beside each picture.",
                    "Examples:\n"
                    "  manygate report out/mmoe\n"
                    "  manygate report out/mmoe --data census-income.test.gz --output report.html");
  parser.Argument("MODEL_DIR", Need::kRequired, flags.model_dir, "Model directory, as train leaves it");
  parser.Text("--output", "FILE", Need::kOptional, flags.output,
              "HTML file to write (default: report.html in the model directory)");
  parser.List("--data", "FILE", Need::kOptional, flags.data,
              "Data with labels; may be repeated (default: the hold-out rows of the training)");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

StatusOr<VerbFlags> ParsePredict(std::span<const std::string> args) {
  PredictFlags flags;
  VerbParser parser("predict",
                    "Predictions for every row, in the order of the rows, as CSV: probs_<tower> for binary tasks, "
                    "probs_<tower>_<class>\nfor classes, y_<tower> for numbers; funnel models add "
                    "probs_<tower>_given_<the one before>.",
                    "Example:\n"
                    "  manygate predict out/funnel --data new.csv --keep user_id --keep item_id --output p.csv.gz");
  parser.Argument("MODEL_DIR", Need::kRequired, flags.model_dir, "Model directory, as train leaves it");
  parser.List("--data", "FILE", Need::kRequired, flags.data,
              "Rows to predict, without or with labels; a name, glob or list separated by commas; may be repeated");
  parser.Text("--output", "FILE", Need::kRequired, flags.output,
              "CSV to write, compressed when it ends in .gz or .zst; it appears when it is complete, and replaces an "
              "older one");
  parser.List("--keep", "COLUMN", Need::kOptional, flags.keep,
              "A column of the data to repeat in the output; may be repeated");
  parser.Switch("--logits", flags.logits, "Also logits_<tower>, the numbers before the sigmoid");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

Status CheckExport(const VerbParser& parser, const ExportFlags& flags) {
  const std::vector<std::string> formats = ExportFormatNames();
  if (std::find(formats.begin(), formats.end(), flags.to) != formats.end()) return OkStatus();
  return parser.Wrong(fmt::format("--to {}: not a format to export to. {}", flags.to,
                                  Suggestion(flags.to, formats, "Formats")));
}

StatusOr<VerbFlags> ParseExport(std::span<const std::string> args) {
  ExportFlags flags;
  VerbParser parser("export",
                    "A model as one file for other programs. onnx: raw columns in, predictions out, for ONNX Runtime "
                    "and others.\nc: a C99 source file that needs nothing else. safetensors: the weights by name.",
                    "Examples:\n"
                    "  manygate export out/funnel --to onnx --output funnel.onnx\n"
                    "  manygate export out/funnel --to c --name funnel --output funnel.c");
  parser.Argument("MODEL_DIR", Need::kRequired, flags.model_dir, "Model directory, as train leaves it");
  parser.Text("--to", "FORMAT", Need::kRequired, flags.to, JoinNames(ExportFormatNames()));
  parser.Text("--output", "FILE", Need::kRequired, flags.output,
              "File to write; it appears when it is complete, and replaces an older one");
  parser.Text("--name", "NAME", Need::kOptional, flags.name,
              "What the graph, or the functions in C, are called (default: after the model directory)");
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<ExportFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckExport(parser, std::get<ExportFlags>(*parsed)));
  return parsed;
}

StatusOr<VerbFlags> ParseInspect(std::span<const std::string> args) {
  InspectFlags flags;
  VerbParser parser(
      "inspect",
      "What is in a model directory (drawing, parameters, columns, training), in a data file (columns) or "
      "in a\nconfiguration (with every default written out).",
      "Examples:\n"
      "  manygate inspect out/mmoe\n"
      "  manygate inspect out/funnel.csv");
  parser.Argument("PATH", Need::kRequired, flags.path, "Model directory, data file or configuration");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

StatusOr<VerbFlags> ParseCheck(std::span<const std::string> args) {
  CheckFlags flags;
  VerbParser parser(
      "check",
      "What is wrong with a configuration and its data: features that give a label away, labels that cannot be "
      "learnt,\nshifted columns, ids read as numbers and more, each with its place and remedy. Exit code 2 if "
      "there is an error.",
      "Examples:\n"
      "  manygate check examples/census_income/mmoe.config\n"
      "  manygate check mmoe.config --format json\n"
      "  manygate check --data out/funnel.csv --label click --label purchase\n"
      "  manygate check mmoe.config --data march.csv --set eval_input_path=april.csv");
  parser.Argument("CONFIG", Need::kOptional, flags.config,
                  "Configuration, as for train; without one, data and labels, as for train");
  parser.List("--data", "FILE", Need::kOptional, flags.data,
              "Training data; may be repeated. With CONFIG: instead of its train_input_path");
  parser.List("--label", "NAME[:KIND]", Need::kOptional, flags.labels,
              "Without CONFIG: a column to predict, as for train; may be repeated");
  AddColumns(parser, flags.columns);
  parser.Text("--model", "NAME", Need::kOptional, flags.model,
              "As for train: esmm, escm2 and aitm ask for an order of labels");
  parser.List("--set", "PATH=VALUE", Need::kOptional, flags.overrides,
              "Replaces one field of the configuration; may be repeated");
  parser.Switch("--exit_zero", flags.exit_zero, "Exit code 0 whatever is found; 2 only where nothing could be checked");
  AddThreads(parser, flags.threads);
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<CheckFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckConfiguration(parser, std::get<CheckFlags>(*parsed), "check", "check"));
  return parsed;
}

Status CheckGenerate(const VerbParser& parser, const GenerateFlags& flags) {
  const bool funnel = flags.kind == "funnel";
  if (funnel && flags.correlation.has_value())
    return parser.Wrong("--correlation belongs to generate paper, not funnel");
  if (funnel && flags.dimension.has_value()) return parser.Wrong("--dimension belongs to generate paper, not funnel");
  return OkStatus();
}

StatusOr<VerbFlags> ParseGenerate(std::span<const std::string> args) {
  GenerateFlags flags;
  flags.rows = 100000;
  VerbParser parser("generate",
                    "Data to start with, as CSV with a header. funnel: impression, click, purchase, amount, with ids, "
                    "numbers and\nmissing values. paper: the two regression tasks of the MMoE paper (Ma et al. 2018).",
                    "Examples:\n"
                    "  manygate generate funnel --rows 200000 --seed 1 --output out/funnel.csv\n"
                    "  manygate generate paper --rows 10000 --correlation 0.9 --output out/paper.csv.gz");
  parser.Choice("KIND", {"funnel", "paper"}, flags.kind, "funnel or paper");
  parser.Whole(
      "--rows", "N", {1, 10'000'000'000}, [&flags](uint64_t value) { flags.rows = static_cast<int64_t>(value); },
      "Rows to write (default: 100000)");
  parser.Whole(
      "--seed", "N", {0, UINT64_MAX}, [&flags](uint64_t value) { flags.seed = value; },
      "Same seed, same file (default: 1)");
  parser.Text("--output", "FILE", Need::kRequired, flags.output,
              "CSV to write, compressed when it ends in .gz or .zst");
  parser.Real(
      "--correlation", "P", {-1, 1}, [&flags](double value) { flags.correlation = value; },
      "paper: cosine of the two tasks' weight vectors, -1 to 1 (default: 0.5)");
  parser.Whole(
      "--dimension", "D", {2, 100000}, [&flags](uint64_t value) { flags.dimension = static_cast<int>(value); },
      "paper: input columns (default: 100)");
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<GenerateFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckGenerate(parser, std::get<GenerateFlags>(*parsed)));
  return parsed;
}

void AddServeBatching(VerbParser& parser, ServeFlags& flags) {
  const auto whole = [&parser](const char* name, std::pair<uint64_t, uint64_t> range, auto& value,
                               const std::string& meaning) {
    using Value = std::remove_reference_t<decltype(value)>;
    parser.Whole(name, "N", range, [&value](uint64_t n) { value = static_cast<Value>(n); }, meaning);
  };
  flags.threads = NumCpus();
  whole("--threads", {1, 1024}, flags.threads, fmt::format("Threads that score (default: one per CPU, here {})", NumCpus()));
  whole("--http_threads", {1, 64}, flags.http_threads, "Threads that read and write HTTP (default: 1)");
  whole("--max_batch_rows", {1, 1 << 20}, flags.max_batch_rows, "Rows that are scored at once (default: 1024)");
  whole("--max_queue_rows", {1, 1 << 24}, flags.max_queue_rows,
        "Rows that may wait; requests above it are refused with 429 (default: 16384)");
  whole("--max_queue_delay_us", {0, 1'000'000}, flags.max_queue_delay_us,
        "Microseconds that a batch waits for more rows (default: 0)");
  whole("--deadline_ms", {1, 3'600'000}, flags.deadline_ms,
        "Milliseconds after which a request that waits is given up with 504, where it names no time itself "
        "(default: 1000)");
  whole("--max_connections", {1, 1 << 20}, flags.max_connections, "HTTP connections at once (default: 1024)");
  whole("--max_body_mb", {1, 2047}, flags.max_body_mb, "Megabytes that a request may have (default: 16)");
}

Status CheckServe(const VerbParser& parser, const ServeFlags& flags) {
  if (flags.tls_certificate.empty() != flags.tls_key.empty())
    return parser.Wrong("--tls_certificate and --tls_key belong together; one of them is missing");
  return OkStatus();
}

StatusOr<VerbFlags> ParseServe(std::span<const std::string> args) {
  ServeFlags flags;
  VerbParser parser("serve",
                    "Answers requests for predictions: the Open Inference Protocol v2 over HTTP and gRPC, and TensorFlow "
                    "Serving's\n:predict over HTTP, until SIGTERM or Ctrl-C. SIGHUP looks for new versions of the models.",
                    "Examples:\n"
                    "  manygate serve models                  with models/census/1, models/census/2, models/clicks/1\n"
                    "  manygate serve out/mmoe --http_port 9000\n"
                    "  curl localhost:8080/v2/models/mmoe\n"
                    "  curl localhost:8080/v1/models/mmoe:predict -d '{\"instances\": [{\"age\": 39, \"job\": null}]}'");
  parser.Argument("REPOSITORY", Need::kRequired, flags.repository,
                  "Folder with NAME/VERSION/ below it, or one model directory, as train leaves it");
  parser.Text("--address", "A", Need::kOptional, flags.address, "Address to listen at (default: 127.0.0.1)");
  parser.Whole(
      "--http_port", "N", {0, 65535}, [&flags](uint64_t value) { flags.http_port = static_cast<int>(value); },
      "Port of HTTP (default: 8080; 0: any free one)");
  parser.Whole(
      "--grpc_port", "N", {0, 65535}, [&flags](uint64_t value) { flags.grpc_port = static_cast<int>(value); },
      "Port of gRPC (default: 8081; 0: any free one)");
  AddServeBatching(parser, flags);
  parser.Text("--versions", "P", Need::kOptional, flags.versions,
              "Versions to serve: latest, latest:N, all or numbers like 1,4 (default: latest)");
  parser.Real(
      "--poll_seconds", "S", {0, 86400}, [&flags](double value) { flags.poll_seconds = value; },
      "How often new versions are looked for (default: 0, only on SIGHUP)");
  parser.Switch("--admin", flags.admin, "Let clients load and unload models");
  parser.Text("--token_file", "FILE", Need::kOptional, flags.token_file,
              "File with a token that requests need: Authorization: Bearer TOKEN");
  parser.Text("--tls_certificate", "FILE", Need::kOptional, flags.tls_certificate, "Certificate chain, in PEM");
  parser.Text("--tls_key", "FILE", Need::kOptional, flags.tls_key, "Its key, in PEM");
  parser.Real(
      "--log_share", "S", {0, 1}, [&flags](double value) { flags.log_share = value; },
      "Share of the prediction requests that are logged, without their values (default: 0)");
  parser.Text("--log_file", "FILE", Need::kOptional, flags.log_file, "JSON lines (default: standard error)");
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<ServeFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckServe(parser, std::get<ServeFlags>(*parsed)));
  return parsed;
}

struct Verb {
  const char* name;
  const char* line;
  StatusOr<VerbFlags> (*parse)(std::span<const std::string>);
};

constexpr Verb kVerbs[] = {
    {"init", "write a commented configuration for data that nobody has described", ParseInit},
    {"train", "train a model from a configuration, or from data and labels alone", ParseTrain},
    {"evaluate", "all metrics of all tasks, on hold-out rows or on other data", ParseEvaluate},
    {"compare", "does sharing help? the model against each task alone, with intervals", ParseCompare},
    {"report", "one HTML page about a trained model", ParseReport},
    {"predict", "predictions for every row of a file, as CSV", ParsePredict},
    {"export", "a model as one file: ONNX, C source, or its weights", ParseExport},
    {"inspect", "what is in a model directory, a data file or a configuration", ParseInspect},
    {"check", "what is wrong with a configuration and its data", ParseCheck},
    {"generate", "data to start with: a click funnel, or the MMoE paper's tasks", ParseGenerate},
    {"serve", "predictions over HTTP and gRPC", ParseServe},
};

}  // namespace

std::string ProgramHelp() {
  std::string text =
      "manygate trains and runs multi-task models (Shared-Bottom, OMoE, MMoE) on tabular data.\n\n"
      "Usage: manygate VERB [ARGUMENT]... [FLAG]...\n\n";
  for (const Verb& verb : kVerbs) text += fmt::format("  {:<10} {}\n", verb.name, verb.line);
  text +=
      "\nThe flags of a verb: manygate VERB --help. The version: manygate --version.\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong.\n\n"
      "Example:\n"
      "  manygate generate funnel --rows 200000 --seed 1 --output funnel.csv\n"
      "  manygate train --data funnel.csv --label click --label purchase --model_dir out/funnel\n"
      "  manygate evaluate out/funnel\n"
      "  manygate predict out/funnel --data funnel.csv --output predictions.csv\n";
  return text;
}

StatusOr<VerbFlags> ParseFlags(std::span<const std::string> args) {
  const std::string& first = args[0];
  if (first == "--help" || first == "-h" || (first == "help" && args.size() == 1))
    return VerbFlags(HelpText{ProgramHelp()});
  if (first == "--version") return VerbFlags(HelpText{fmt::format("manygate {}\n", kProgramVersion)});
  if (first == "help") {
    const std::string verb_help[] = {args[1], "--help"};
    return ParseFlags(verb_help);
  }
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    if (first == verb.name) return verb.parse(args.subspan(1));
    names.push_back(verb.name);
  }
  const bool is_flag = first.starts_with("-");
  if (is_flag) names = {"--help", "--version"};
  return InvalidInput(fmt::format("unknown {} \"{}\". {}\nFor help: manygate --help", is_flag ? "flag" : "verb", first,
                                  Suggestion(first, names, is_flag ? "Flags before a verb" : "Verbs")));
}

}  // namespace manygate::cli
