// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/flags.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <memory>
#include <thread>

#include "manygate/base/text.h"
#include "manygate/base/version.h"

namespace manygate::cli {
namespace {

constexpr char kModelNames[] = "simple_multi_task, shared_bottom, omoe, mmoe";

int NumCpus() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

// Checks give the problem as a text, "" if there is none.
using Check = std::function<std::string(std::string&)>;

Check WholeNumber(uint64_t low, uint64_t high) {
  return [low, high](std::string& text) -> std::string {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && value >= low && value <= high) return "";
    return fmt::format("is \"{}\", expected a whole number from {} to {}", text, low, high);
  };
}

Check NumberBetween(double low, double high) {
  return [low, high](std::string& text) -> std::string {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool number = error == std::errc() && end == text.data() + text.size();
    if (number && value >= low && value <= high) return "";
    return fmt::format("is \"{}\", expected a number from {} to {}", text, low, high);
  };
}

Check OneOf(std::vector<std::string> names) {
  return [names = std::move(names)](std::string& text) -> std::string {
    if (std::find(names.begin(), names.end(), text) != names.end()) return "";
    return fmt::format("is \"{}\". {}", text, Suggestion(text, names, "Possible"));
  };
}

std::string NotEmpty(std::string& text) { return text.empty() ? "is empty" : ""; }

constexpr size_t kPageColumns = 110;

// With line feeds between words where a line would become longer than `columns`.
std::string Wrapped(const std::string& text, size_t columns) {
  std::string wrapped;
  size_t used = 0;
  for (const std::string& word : Split(text, ' ')) {
    const bool fits = used + 1 + word.size() <= columns;
    if (!wrapped.empty()) wrapped += fits ? ' ' : '\n';
    used = wrapped.empty() || !fits ? word.size() : used + 1 + word.size();
    wrapped += word;
  }
  return wrapped;
}

// The page of --help; examples at the end as they stand.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(30); }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_items_expected_min() == 0 || option->get_positional()) return "";
    return " " + option->get_type_name();
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    return Wrapped(option->get_description(), kPageColumns - get_column_width());
  }
  std::string make_footer(const CLI::App* app) const override { return app->get_footer() + "\n"; }
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    group = is_positional ? "Arguments" : "Flags";
    return CLI::Formatter::make_group(group, is_positional, options);
  }
  std::string make_usage(const CLI::App* app, std::string) const override {
    std::string usage = app->get_name();
    for (const CLI::Option* option : app->get_options([](const CLI::Option* o) { return o->get_positional(); }))
      usage += " " + make_option_usage(option);
    for (const CLI::Option* option : app->get_options([](const CLI::Option* o) { return !o->get_positional(); }))
      if (option->get_required()) usage += fmt::format(" {} {}", option->get_name(), option->get_type_name());
    return fmt::format("Usage: {} [FLAG]...\n", usage);
  }
};

// One verb: its flags bound to a struct. Each Define... below fills the app.
class VerbParser {
 public:
  VerbParser(const std::string& verb, const std::string& description, const std::string& examples)
      : verb_(verb), app_(description, "manygate " + verb) {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.set_help_flag("--help,-h", "This page");
    app_.footer(examples);
  }

  CLI::Option* Argument(const std::string& name, std::string& value, const std::string& meaning) {
    return app_.add_option(name, value, meaning)->type_name("");
  }
  CLI::Option* Arguments(const std::string& name, std::vector<std::string>& values, const std::string& meaning) {
    return app_.add_option(name, values, meaning)->type_name("");
  }
  CLI::Option* Text(const std::string& name, const std::string& what, std::string& value, const std::string& meaning) {
    return app_.add_option(name, value, meaning)->type_name(what)->check(Named(NotEmpty));
  }
  // May be given several times, one value each.
  CLI::Option* List(const std::string& name, const std::string& what, std::vector<std::string>& values,
                    const std::string& meaning) {
    CLI::Option* option = app_.add_option(name, values, meaning)->type_name(what)->check(Named(NotEmpty));
    return option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  template <typename T>
  CLI::Option* Number(const std::string& name, const std::string& what, T& value, const Check& check,
                      const std::string& meaning) {
    return app_.add_option(name, value, meaning)->type_name(what)->check(Named(check));
  }
  void Switch(const std::string& name, bool& value, const std::string& meaning) { app_.add_flag(name, value, meaning); }
  void Threads(int& threads) {
    threads = NumCpus();
    Number("--threads", "N", threads, WholeNumber(1, 1024),
           fmt::format("Threads to work with; results are the same for any number (default: one per CPU, here {})",
                       NumCpus()));
  }
  void Format(bool& json) {
    app_.add_option("--format", "How results are printed on standard output: text or json (default: text)")
        ->type_name("text|json")
        ->check(Named(OneOf({"text", "json"})))
        ->each([&json](const std::string& text) { json = text == "json"; });
  }

  // The help page when it was asked for, else nullopt.
  StatusOr<std::optional<HelpText>> Parse(std::span<const std::string> args) {
    if (std::find_if(args.begin(), args.end(), [](const std::string& a) { return a == "--help" || a == "-h"; }) !=
        args.end()) {
      return std::optional<HelpText>(HelpText{app_.help()});
    }
    MG_RETURN_IF_ERROR(CheckNames(args));
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    try {
      app_.parse(reversed);
    } catch (const CLI::ExtrasError&) {
      return Wrong(fmt::format("one value too many: \"{}\"", app_.remaining().front()));
    } catch (const CLI::RequiredError& error) {
      std::string name = error.what();
      name = name.substr(0, name.find(' '));
      return Wrong(fmt::format("{} is missing", name));
    } catch (const CLI::ArgumentMismatch& error) {
      return Wrong(fmt::format("{}: give it once", FirstWord(error.what())));
    } catch (const CLI::ValidationError& error) {  // "--threads: is ..."
      std::string text = error.what();
      const size_t colon = text.find(": ");
      if (colon != std::string::npos) text.erase(colon, 1);
      return Wrong(text);
    } catch (const CLI::ParseError& error) {
      return Wrong(error.what());
    }
    return std::optional<HelpText>();
  }

  Status Wrong(const std::string& text) const {
    return InvalidInput(fmt::format("{}: {}\nFor help: manygate {} --help", verb_, text, verb_));
  }

 private:
  static CLI::Validator Named(const Check& check) { return CLI::Validator(check, ""); }

  static std::string FirstWord(const std::string& text) { return text.substr(0, text.find_first_of(": ")); }

  // Before anything is parsed: every flag is known and has its value, whatever else is wrong.
  Status CheckNames(std::span<const std::string> args) const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i] == "--") break;
      const bool is_flag = args[i].size() > 1 && args[i][0] == '-' && (args[i][1] == '-' || std::isalpha(args[i][1]));
      if (!is_flag) continue;
      const std::string name = args[i].substr(0, args[i].find('='));
      const CLI::Option* option = app_.get_option_no_throw(name);
      if (option == nullptr) return Wrong(fmt::format("unknown flag {}. {}", name, Suggestion(name, names, "Flags")));
      if (option->get_items_expected_min() == 0 || name.size() < args[i].size()) continue;
      const bool at_end = i + 1 == args.size();
      if (at_end || app_.get_option_no_throw(args[i + 1]) != nullptr)
        return Wrong(fmt::format("{} needs a value: {} {}", name, name, option->get_type_name()));
      ++i;  // its value, whatever it looks like
    }
    return OkStatus();
  }

  std::string verb_;
  CLI::App app_;
};

template <typename Flags>
StatusOr<VerbFlags> Finish(VerbParser& parser, std::span<const std::string> args, Flags& flags) {
  MG_ASSIGN_OR_RETURN(std::optional<HelpText> help, parser.Parse(args));
  if (help.has_value()) return VerbFlags(*std::move(help));
  return VerbFlags(std::move(flags));
}

Status CheckTrain(const VerbParser& parser, const TrainFlags& flags) {
  if (!flags.config.empty()) {
    if (!flags.labels.empty())
      return parser.Wrong("--label is for runs without CONFIG; the labels of a configuration stand in its task_towers");
    if (!flags.model.empty())
      return parser.Wrong(
          "--model is for runs without CONFIG; the model of a configuration stands in its model_config");
    return OkStatus();
  }
  if (flags.data.empty() && flags.labels.empty()) {
    return parser.Wrong(
        "nothing to train on. Give a configuration (manygate train CONFIG), or data and labels (manygate train --data "
        "FILE --label COLUMN)");
  }
  if (flags.data.empty()) return parser.Wrong("--data is missing: a CSV file to train on, or a CONFIG that names one");
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
      "  manygate train --data out/funnel.csv --label click --label purchase --model_dir out/funnel\n"
      "  manygate train mmoe.config --set train_config.num_epochs=5 --set model_config.mmoe.num_expert=4");
  parser.Argument("CONFIG", flags.config,
                  "Configuration, as in examples/; every field: manygate/config/pipeline.proto");
  parser.List(
      "--data", "FILE", flags.data,
      "Training data: CSV, TSV, also .gz; a name, glob or list separated by commas; may be repeated. With CONFIG: "
      "instead of its train_input_path");
  parser.List(
      "--label", "NAME[:KIND]", flags.labels,
      "Without CONFIG: a column to predict; may be repeated. KIND is binary or regression (default: binary when "
      "it has two values, else regression)");
  parser.Text("--model", "NAME", flags.model, fmt::format("Without CONFIG: {} (default: mmoe)", kModelNames));
  parser.Text("--model_dir", "DIR", flags.model_dir,
              "Folder for the model, logs and checkpoints (default: model_dir of CONFIG; without CONFIG out/model)");
  parser.Number("--seed", "N", flags.seed, WholeNumber(0, UINT64_MAX),
                "Seed of initial weights, order of rows and dropout (default: train_config.seed, 1)");
  parser.List("--set", "PATH=VALUE", flags.overrides,
              "Replaces one field of the configuration, like train_config.num_epochs=3; may be repeated");
  parser.Switch("--resume", flags.resume, "Go on from the last checkpoint in the model directory");
  parser.Threads(flags.threads);
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<TrainFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckTrain(parser, std::get<TrainFlags>(*parsed)));
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
                    "  manygate evaluate out/shared_bottom out/mmoe");
  parser.Arguments("MODEL_DIR", flags.model_dirs, "Model directories, as train leaves them")->required();
  parser.List("--data", "FILE", flags.data,
              "Data with labels; a name, glob or list separated by commas; may be repeated (default: the hold-out rows "
              "of the training: test, or validation when there is no test split)");
  parser.Threads(flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
}

StatusOr<VerbFlags> ParsePredict(std::span<const std::string> args) {
  PredictFlags flags;
  VerbParser parser("predict",
                    "Predictions for every row, in the order of the rows, as CSV: probs_<tower> for binary tasks, "
                    "y_<tower> for numbers.",
                    "Example:\n"
                    "  manygate predict out/funnel --data new.csv --keep user_id --keep item_id --output p.csv.gz");
  parser.Argument("MODEL_DIR", flags.model_dir, "Model directory, as train leaves it")->required();
  parser
      .List("--data", "FILE", flags.data,
            "Rows to predict, without or with labels; a name, glob or list separated by commas; may be repeated")
      ->required();
  parser
      .Text("--output", "FILE", flags.output,
            "CSV to write, gzip when it ends in .gz; it appears when it is complete, and replaces an older one")
      ->required();
  parser.List("--keep", "COLUMN", flags.keep, "A column of the data to repeat in the output; may be repeated");
  parser.Switch("--logits", flags.logits, "Also logits_<tower>, the numbers before the sigmoid");
  parser.Threads(flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
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
  parser.Argument("PATH", flags.path, "Model directory, data file or configuration")->required();
  parser.Threads(flags.threads);
  parser.Format(flags.json);
  return Finish(parser, args, flags);
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
  parser.Argument("KIND", flags.kind, "funnel or paper")
      ->required()
      ->check(CLI::Validator(OneOf({"funnel", "paper"}), ""));
  parser.Number("--rows", "N", flags.rows, WholeNumber(1, 10'000'000'000), "Rows to write (default: 100000)");
  parser.Number("--seed", "N", flags.seed, WholeNumber(0, UINT64_MAX), "Same seed, same file (default: 1)");
  parser.Text("--output", "FILE", flags.output, "CSV to write, gzip when it ends in .gz")->required();
  parser.Number("--correlation", "P", flags.correlation, NumberBetween(-1, 1),
                "paper: cosine of the two tasks' weight vectors, -1 to 1 (default: 0.5)");
  parser.Number("--dimension", "D", flags.dimension, WholeNumber(2, 100000), "paper: input columns (default: 100)");
  parser.Format(flags.json);
  auto parsed = Finish(parser, args, flags);
  if (parsed.ok() && std::holds_alternative<GenerateFlags>(*parsed))
    MG_RETURN_IF_ERROR(CheckGenerate(parser, std::get<GenerateFlags>(*parsed)));
  return parsed;
}

struct Verb {
  const char* name;
  const char* line;
  StatusOr<VerbFlags> (*parse)(std::span<const std::string>);
};

constexpr Verb kVerbs[] = {
    {"train", "train a model from a configuration, or from data and labels alone", ParseTrain},
    {"evaluate", "all metrics of all tasks, on hold-out rows or on other data", ParseEvaluate},
    {"predict", "predictions for every row of a file, as CSV", ParsePredict},
    {"inspect", "what is in a model directory, a data file or a configuration", ParseInspect},
    {"generate", "data to start with: a click funnel, or the MMoE paper's tasks", ParseGenerate},
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
