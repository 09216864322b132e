// SPDX-License-Identifier: Apache-2.0
// Every loss against the numbers of tests/oracles/losses_oracle.py (PyTorch, float64): sum, gradients, predictions.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "manygate/losses/loss.h"
#include "manygate/losses/loss_testing.h"

namespace manygate {
namespace {

struct Case {
  std::string name, loss;
  std::map<std::string, double> parameters;
  double sum = 0;
  TestRows rows;
  std::vector<double> d_logits, predictions;
};

void ReadRow(const std::string& line, Case& one) {
  std::istringstream words(line);
  std::string word;
  std::vector<std::vector<double>> parts(1);
  words >> word;
  while (words >> word) {
    if (word == "|") {
      parts.emplace_back();
    } else {
      parts.back().push_back(std::strtod(word.c_str(), nullptr));
    }
  }
  ASSERT_EQ(parts.size(), 4u) << line;
  ASSERT_EQ(parts[0].size(), 3u) << line;
  one.rows.labels.push_back(static_cast<float>(parts[0][0]));
  one.rows.weights.push_back(static_cast<float>(parts[0][1]));
  one.rows.sessions.push_back(static_cast<int32_t>(parts[0][2]));
  one.rows.stride = static_cast<int64_t>(parts[1].size());
  for (const double logit : parts[1]) one.rows.logits.push_back(static_cast<float>(logit));
  one.d_logits.insert(one.d_logits.end(), parts[2].begin(), parts[2].end());
  one.predictions.insert(one.predictions.end(), parts[3].begin(), parts[3].end());
}

std::vector<Case> ReadCases() {
  std::ifstream file(MANYGATE_SOURCE_DIR "/tests/oracles/losses_oracle.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first == "case") {
      cases.emplace_back();
      cases.back().name = second;
    } else if (first == "loss") {
      cases.back().loss = second;
    } else if (first == "row") {
      ReadRow(line, cases.back());
    } else if (first == "sum") {
      cases.back().sum = std::stod(second);
    } else {
      cases.back().parameters[first] = std::stod(second);
    }
  }
  return cases;
}

std::unique_ptr<Loss> MakeLoss(const Case& one) {
  const auto parameter = [&one](const char* name) { return one.parameters.at(name); };
  if (one.loss == "binary_cross_entropy") {
    config::BinaryCrossEntropy config;
    config.set_label_smoothing(parameter("label_smoothing"));
    return MakeBinaryCrossEntropy(config);
  }
  if (one.loss == "binary_focal_loss") {
    config::BinaryFocalLoss config;
    config.set_gamma(parameter("gamma"));
    config.set_alpha(parameter("alpha"));
    return MakeBinaryFocalLoss(config);
  }
  if (one.loss == "softmax_cross_entropy") {
    config::SoftmaxCrossEntropy config;
    config.set_label_smoothing(parameter("label_smoothing"));
    return MakeSoftmaxCrossEntropy(config, static_cast<int>(parameter("num_class")));
  }
  if (one.loss == "jrc_loss") {
    config::JRCLoss config;
    config.set_session_name("session");
    config.set_alpha(parameter("alpha"));
    return MakeJrcLoss(config);
  }
  if (one.loss == "l2_loss") {
    config::L2Loss config;
    config.set_standardise(parameter("standardise") != 0);
    return MakeL2Loss(config, {.mean = parameter("mean"), .deviation = parameter("deviation")});
  }
  if (one.loss == "huber_loss") {
    config::HuberLoss config;
    config.set_delta(parameter("delta"));
    config.set_standardise(parameter("standardise") != 0);
    return MakeHuberLoss(config, {.mean = parameter("mean"), .deviation = parameter("deviation")});
  }
  if (one.loss == "pairwise_loss") return MakePairwiseLoss(config::PairwiseLoss());
  if (one.loss == "poisson_loss") return MakePoissonLoss(config::PoissonLoss());
  return MakeZilnLoss(config::ZILNLoss());
}

TEST(OracleTest, FileIsWhole) {
  const std::vector<Case> cases = ReadCases();
  ASSERT_EQ(cases.size(), 27u);
  std::set<std::string> losses;
  for (const Case& one : cases) {
    losses.insert(one.loss);
    EXPECT_EQ(one.rows.labels.size(), 24u) << one.name;
    EXPECT_EQ(MakeLoss(one)->name(), one.loss);
  }
  EXPECT_EQ(losses.size(), 9u);
}

TEST(OracleTest, SumsGradientsAndPredictions) {
  for (const Case& one : ReadCases()) {
    const auto loss = MakeLoss(one);
    ASSERT_EQ(one.rows.stride, loss->NumLogits()) << one.name;
    const LossResult result = ComputeLoss(*loss, one.rows);
    EXPECT_NEAR(result.sum, one.sum, 5e-7 * (1 + std::fabs(one.sum))) << one.name;
    ASSERT_EQ(result.d_logits.size(), one.d_logits.size()) << one.name;
    for (size_t k = 0; k < one.d_logits.size(); ++k) {
      EXPECT_NEAR(result.d_logits[k], one.d_logits[k], 5e-7 * (1 + std::fabs(one.d_logits[k]))) << one.name << " " << k;
    }
    std::vector<float> predictions(24 * loss->NumPredictions());
    ASSERT_EQ(predictions.size(), one.predictions.size()) << one.name;
    loss->Link(one.rows.logits.data(), one.rows.stride, 24, predictions.data());
    for (size_t k = 0; k < predictions.size(); ++k) {
      EXPECT_NEAR(predictions[k], one.predictions[k], 5e-7 * (1e-3 + std::fabs(one.predictions[k])))
          << one.name << " " << k;
    }
  }
}

}  // namespace
}  // namespace manygate
