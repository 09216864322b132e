// SPDX-License-Identifier: Apache-2.0
// Generator of expr_feature: a number, or several, computed from the numbers of other columns.
#include <limits>

#include "manygate/base/check.h"
#include "manygate/config/feature_list.h"
#include "manygate/data/number_text.h"
#include "manygate/features/generator.h"
#include "manygate/features/value_list.h"

namespace manygate::features {
namespace {

class ExpressionGenerator : public Generator {
 public:
  ExpressionGenerator(const config::ExprFeature& feature, Expression expression)
      : expression_(std::move(expression)), separator_(feature.separator()) {}

  bool MakesNumbers() const override { return true; }
  void Generate(std::span<const std::string_view> inputs, GeneratorWorkspace* workspace) const override {
    std::vector<std::vector<double>>& vectors = workspace->vectors;
    if (vectors.size() < inputs.size()) vectors.resize(inputs.size());
    workspace->variables.clear();
    for (size_t i = 0; i < inputs.size(); ++i) {
      vectors[i].clear();
      if (expression_.Uses(i)) ReadNumbers(inputs[i], &vectors[i]);
      workspace->variables.emplace_back(vectors[i]);
    }
    expression_.Evaluate(workspace->variables, &workspace->expression, &workspace->numbers);
  }

 private:
  void ReadNumbers(std::string_view text, std::vector<double>* numbers) const {
    const auto add = [&](std::string_view part) {
      double number = 0;
      if (ParseDouble(part, &number) == NumberParse::kOk) numbers->push_back(number);
      return true;
    };
    separator_.empty() ? static_cast<void>(add(Trim(text))) : ForEachValue(text, separator_[0], add);
  }

  Expression expression_;
  std::string separator_;
};

}  // namespace

std::unique_ptr<Generator> NewExpressionGenerator(const config::ExprFeature& feature) {
  std::vector<std::string> names;
  for (const std::string& variable : feature.variables()) names.push_back(config::ParseInput(variable).name);
  const double fill = feature.has_fill_missing() ? feature.fill_missing() : std::numeric_limits<double>::quiet_NaN();
  StatusOr<Expression> expression = Expression::Parse(feature.expression(), names, fill);
  MG_CHECK(expression.ok(), "expression {} passed validation", feature.expression());
  return std::make_unique<ExpressionGenerator>(feature, *std::move(expression));
}

}  // namespace manygate::features
