// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/source_options.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "manygate/config/input_fields.h"

namespace manygate {
namespace {

// "\t" written with a backslash reaches us as two characters when the configuration escapes it once more.
std::string_view Unbackslash(std::string_view text) { return text == "\\t" || text == "tab" ? "\t" : text; }

std::string Visible(std::string_view text) {
  std::string visible;
  for (const char c : text) {
    if (c == '\n') {
      visible += "\\n";
    } else if (c == '\r') {
      visible += "\\r";
    } else if (c == '\0') {
      visible += "\\0";
    } else {
      visible += c;
    }
  }
  return visible;
}

// Length first, so that no two lists of texts give the same text.
void AppendText(std::string_view text, std::string* out) { *out += fmt::format("{}:{};", text.size(), text); }

}  // namespace

std::string SourceOptions::Fingerprint() const {
  std::string out = fmt::format("delimiter={} quote={} header={} skip={} trim={} names=", static_cast<int>(delimiter),
                                static_cast<int>(quote), with_header, skip_lines, trim_blanks);
  for (const std::string& name : names) AppendText(name, &out);
  out += " missing=";
  for (const std::string& text : missing_values) AppendText(text, &out);
  if (!comment.empty()) {
    out += " comment=";
    AppendText(comment, &out);
  }
  if (dataset_type != config::CsvDataset) out += fmt::format(" type={}", static_cast<int>(dataset_type));
  return out;
}

StatusOr<SourceOptions> SourceOptionsFromConfig(const config::DataConfig& config) {
  SourceOptions options;
  std::string problems;
  const auto add = [&problems](std::string text) { problems += (problems.empty() ? "" : "\n") + std::move(text); };
  const std::string_view delimiter = Unbackslash(config.delimiter());
  if (delimiter.size() != 1 || delimiter == "\n" || delimiter == "\r" || delimiter[0] == '\0') {
    add(fmt::format("data_config.delimiter: found \"{}\", expected one ASCII character such as \",\" or \"\\t\"",
                    Visible(delimiter)));
  } else {
    options.delimiter = delimiter[0];
  }
  const std::string_view quote = config.quote();
  if (quote.size() > 1 || quote == "\n" || quote == "\r" || quote == " " || quote == "\t") {
    add(fmt::format(
        "data_config.quote: found \"{}\", expected one ASCII character that is not a blank, or \"\" for none",
        Visible(quote)));
  } else {
    options.quote = quote.empty() ? '\0' : quote[0];
  }
  if (quote.size() == 1 && quote == delimiter) {
    add(fmt::format("data_config.quote: \"{}\" is the delimiter too; choose different characters", quote));
  }
  if (config.comment().find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
    add(fmt::format(
        "data_config.comment: found \"{}\", expected text that stands at the begin of one line, such as \"#\"",
        Visible(config.comment())));
  }
  options.comment = config.comment();
  std::set<std::string> seen;
  const std::vector<config::Field> fields = config::InputFields(config);
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = fields[i].input_name();
    if (name.empty()) {
      add(fmt::format("data_config.input_fields[{}]: has no input_name", i));
    } else if (!seen.insert(name).second) {
      add(fmt::format("data_config.input_fields[{}]: the name \"{}\" is used twice; column names must differ", i,
                      name));
    }
    options.names.push_back(name);
  }
  if (!problems.empty()) return InvalidInput(problems);
  options.dataset_type = config.dataset_type();
  options.with_header = config.with_header();
  if (options.with_header) options.names.clear();  // the file's own names count
  options.skip_lines = config.skip_lines();
  options.trim_blanks = config.trim_blanks();
  options.missing_values.assign(config.missing_values().begin(), config.missing_values().end());
  return options;
}

}  // namespace manygate
