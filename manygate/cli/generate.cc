// SPDX-License-Identifier: Apache-2.0
// manygate generate funnel|paper --rows N --seed S --output F
#include "manygate/data/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/printing.h"
#include "manygate/cli/verbs.h"
#include "manygate/metrics/evaluation.h"

namespace manygate::cli {
namespace {

constexpr int kFunnelColumns = 15;

std::string Numbers(const std::vector<double>& values, int decimals) {
  std::string text;
  for (const double value : values) text += fmt::format("{}{:.{}f}", text.empty() ? "" : ", ", value, decimals);
  return text;
}

std::string JsonNumbers(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + JsonNumber(value);
  return "[" + text + "]";
}

Status GenerateFunnelFile(const GenerateFlags& flags, const Console& console) {
  MG_ASSIGN_OR_RETURN(const FunnelSummary made, GenerateFunnel({.rows = flags.rows, .seed = flags.seed}, flags.output));
  if (flags.json) {
    console.out << fmt::format(
        "{{\"output\": {}, \"rows\": {}, \"columns\": {}, \"clicks\": {}, \"purchases\": {}, \"amount_sum\": {}}}\n",
        JsonString(flags.output), made.rows, kFunnelColumns, made.clicks, made.purchases, JsonNumber(made.amount_sum));
    return OkStatus();
  }
  console.out << fmt::format("{}: {} rows, {} columns; click {}, purchase {} ({} of the clicks), mean amount {:.2f}\n",
                             flags.output, FormatCount(made.rows), kFunnelColumns, Percent(made.clicks, made.rows),
                             Percent(made.purchases, made.rows), Percent(made.purchases, made.clicks),
                             made.amount_sum / static_cast<double>(std::max<int64_t>(made.purchases, 1)));
  return OkStatus();
}

Status GeneratePaperFile(const GenerateFlags& flags, const Console& console) {
  PaperOptions options{.rows = flags.rows, .seed = flags.seed};
  options.correlation = flags.correlation.value_or(options.correlation);
  options.dimension = flags.dimension.value_or(options.dimension);
  MG_ASSIGN_OR_RETURN(const PaperSummary made, GeneratePaper(options, flags.output));
  const int columns = options.dimension + 2;
  if (flags.json) {
    console.out << fmt::format(
        "{{\"output\": {}, \"rows\": {}, \"columns\": {}, \"correlation\": {}, \"label_correlation\": {}, "
        "\"variance\": {}, \"noise_variance\": {}, \"alpha\": {}, \"beta\": {}}}\n",
        JsonString(flags.output), made.rows, columns, JsonNumber(options.correlation),
        JsonNumber(made.label_correlation), JsonNumbers({made.variance[0], made.variance[1]}),
        JsonNumber(made.noise_variance), JsonNumbers(made.alpha), JsonNumbers(made.beta));
    return OkStatus();
  }
  console.out << fmt::format(
      "{}: {} rows, {} columns; weight vectors correlate {:g}, labels {:.3f}\n"
      "  alpha  {}\n"
      "  beta   {}\n"
      "  var(y_1) {:.4f}, var(y_2) {:.4f}; noise floor: no model reaches a mean squared error below {:g}\n",
      flags.output, FormatCount(made.rows), columns, options.correlation, made.label_correlation,
      Numbers(made.alpha, 3), Numbers(made.beta, 3), made.variance[0], made.variance[1], made.noise_variance);
  return OkStatus();
}

}  // namespace

Status RunGenerate(const GenerateFlags& flags, const Console& console) {
  MG_RETURN_IF_ERROR(CheckOutputPath(flags.output));
  constexpr int64_t kLargeRows = 2'000'000;
  if (flags.rows >= kLargeRows)
    console.err << fmt::format("writing {} rows to {} ...", FormatCount(flags.rows), flags.output) << std::endl;
  const auto start = std::chrono::steady_clock::now();
  MG_RETURN_IF_ERROR(flags.kind == "funnel" ? GenerateFunnelFile(flags, console) : GeneratePaperFile(flags, console));
  if (flags.rows >= kLargeRows) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    MG_ASSIGN_OR_RETURN(const uint64_t bytes, FileSize(flags.output));
    console.err << fmt::format("{} in {}", FormatBytes(bytes), FormatSeconds(seconds.count())) << std::endl;
  }
  return OkStatus();
}

}  // namespace manygate::cli
