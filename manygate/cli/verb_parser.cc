// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/verb_parser.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>

#include "manygate/base/text.h"

namespace manygate::cli {
namespace {

// The whole text as a number, or nullopt.
template <typename T>
std::optional<T> ToNumber(const std::string& text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Checks give the problem as a text, "" if there is none.
using Check = std::function<std::string(std::string&)>;

template <typename T>
Check InRange(const char* kind, std::pair<T, T> range) {
  return [kind, range](std::string& text) -> std::string {
    const std::optional<T> value = ToNumber<T>(text);
    if (value.has_value() && *value >= range.first && *value <= range.second) return "";
    return fmt::format("is \"{}\", expected a {} from {} to {}", text, kind, range.first, range.second);
  };
}

Check OneOf(std::vector<std::string> names) {
  return [names = std::move(names)](std::string& text) -> std::string {
    if (std::find(names.begin(), names.end(), text) != names.end()) return "";
    return fmt::format("is \"{}\". {}", text, Suggestion(text, names, "Possible"));
  };
}

std::string NotEmpty(std::string& text) { return text.empty() ? "is empty" : ""; }

CLI::Validator Named(const Check& check) { return CLI::Validator(check, ""); }

std::string FirstWord(const std::string& text) { return text.substr(0, text.find_first_of(": ")); }

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

}  // namespace

struct VerbParser::App {
  CLI::App app;
};

VerbParser::VerbParser(const std::string& verb, const std::string& description, const std::string& examples)
    : verb_(verb), app_(new App{CLI::App(description, "manygate " + verb)}) {
  app_->app.formatter(std::make_shared<HelpFormatter>());
  app_->app.set_help_flag("--help,-h", "This page");
  app_->app.footer(examples);
}

VerbParser::~VerbParser() = default;

void VerbParser::Argument(const std::string& name, Need need, std::string& value, const std::string& meaning) {
  app_->app.add_option(name, value, meaning)->type_name("")->required(need == Need::kRequired);
}

void VerbParser::Choice(const std::string& name, std::vector<std::string> names, std::string& value,
                        const std::string& meaning) {
  app_->app.add_option(name, value, meaning)->type_name("")->required()->check(Named(OneOf(std::move(names))));
}

void VerbParser::Arguments(const std::string& name, std::vector<std::string>& values, const std::string& meaning) {
  app_->app.add_option(name, values, meaning)->type_name("")->required();
}

void VerbParser::Text(const std::string& name, const std::string& what, Need need, std::string& value,
                      const std::string& meaning) {
  app_->app.add_option(name, value, meaning)
      ->type_name(what)
      ->check(Named(NotEmpty))
      ->required(need == Need::kRequired);
}

void VerbParser::List(const std::string& name, const std::string& what, Need need, std::vector<std::string>& values,
                      const std::string& meaning) {
  CLI::Option* option = app_->app.add_option(name, values, meaning)->type_name(what)->check(Named(NotEmpty));
  option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->required(need == Need::kRequired);
}

void VerbParser::Whole(const std::string& name, const std::string& what, std::pair<uint64_t, uint64_t> range,
                       const std::function<void(uint64_t)>& set, const std::string& meaning) {
  app_->app.add_option(name, meaning)
      ->type_name(what)
      ->check(Named(InRange("whole number", range)))
      ->each([set](const std::string& text) { set(*ToNumber<uint64_t>(text)); });
}

void VerbParser::Real(const std::string& name, const std::string& what, std::pair<double, double> range,
                      const std::function<void(double)>& set, const std::string& meaning) {
  app_->app.add_option(name, meaning)
      ->type_name(what)
      ->check(Named(InRange("number", range)))
      ->each([set](const std::string& text) { set(*ToNumber<double>(text)); });
}

void VerbParser::Switch(const std::string& name, bool& value, const std::string& meaning) {
  app_->app.add_flag(name, value, meaning);
}

void VerbParser::Format(bool& json) {
  app_->app.add_option("--format", "How results are printed on standard output: text or json (default: text)")
      ->type_name("text|json")
      ->check(Named(OneOf({"text", "json"})))
      ->each([&json](const std::string& text) { json = text == "json"; });
}

StatusOr<std::optional<std::string>> VerbParser::Parse(std::span<const std::string> args) {
  if (std::find_if(args.begin(), args.end(), [](const std::string& a) { return a == "--help" || a == "-h"; }) !=
      args.end()) {
    return std::optional<std::string>(app_->app.help());
  }
  MG_RETURN_IF_ERROR(CheckNames(args));
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    app_->app.parse(reversed);
  } catch (const CLI::ExtrasError&) {
    return Wrong(fmt::format("one value too many: \"{}\"", app_->app.remaining().front()));
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
  return std::optional<std::string>();
}

Status VerbParser::Wrong(const std::string& text) const {
  return InvalidInput(fmt::format("{}: {}\nFor help: manygate {} --help", verb_, text, verb_));
}

// Before anything is parsed: every flag is known and has its value, whatever else is wrong.
Status VerbParser::CheckNames(std::span<const std::string> args) const {
  std::vector<std::string> names;
  for (const CLI::Option* option : app_->app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--") break;
    const bool is_flag = args[i].size() > 1 && args[i][0] == '-' && (args[i][1] == '-' || std::isalpha(args[i][1]));
    if (!is_flag) continue;
    const std::string name = args[i].substr(0, args[i].find('='));
    const CLI::Option* option = app_->app.get_option_no_throw(name);
    if (option == nullptr) return Wrong(fmt::format("unknown flag {}. {}", name, Suggestion(name, names, "Flags")));
    if (option->get_items_expected_min() == 0 || name.size() < args[i].size()) continue;
    const bool at_end = i + 1 == args.size();
    if (at_end || app_->app.get_option_no_throw(args[i + 1]) != nullptr)
      return Wrong(fmt::format("{} needs a value: {} {}", name, name, option->get_type_name()));
    ++i;  // its value, whatever it looks like
  }
  return OkStatus();
}

}  // namespace manygate::cli
