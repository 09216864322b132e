// SPDX-License-Identifier: Apache-2.0
// The messages themselves are in load_test.cc; here: the scan accepts what protobuf's parser accepts, and nothing else.
#include "manygate/config/scan_text.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "manygate/base/random.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate::config {
namespace {

constexpr char kText[] = R"(train_input_path: "a.csv" # comment
train_config { num_epochs: 3; seed: 0x1F, ema < decay: .9f > use_tensorboard: t best_metrics: ['loss', "auc" "_a"] }
data_config { input_fields [{ input_name: "x" input_type: INT64 }, { input_type: 3 }] missing_values: [] }
feature_configs { raw_feature { feature_name: "c" boundaries: [-1, 2.5e-3, inf, -inf] boundaries: 7 } }
model_config { mmoe: { expert_mlp { hidden_units: [64, 32] } task_towers { label_name: "click" } } }
)";

class Silent : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
};

bool ParserAccepts(const std::string& text) {
  Silent silent;
  Pipeline pipeline;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  return parser.ParseFromString(text, &pipeline);
}

TEST(ScanTextTest, AcceptsEveryFormOfTheText) {
  EXPECT_TRUE(ParserAccepts(kText));
  EXPECT_TRUE(ScanText(kText, *Pipeline::descriptor()).problems.empty());
}

// Pieces that occur in such files, put where they do not belong.
TEST(ScanTextTest, AgreesWithTheParserOnMutatedText) {
  const std::string pieces[] = {"{",        "}",   "<",  ">",  "[",    "]",    ":",      ",",   ";",
                                "-",        "\"",  "#",  "\n", "1",    "0x",   "1.5",    "a",   "true",
                                "inf",      "'",   " ",  "\\", "\x01", "seed", "seed:",  "08",  "1e5",
                                "mmoe { }", "nan", "3f", "\t", "\xC3", "/",    "omoe {", "[a]", "-1"};
  const Philox random(7, 0);
  int accepted = 0;
  for (uint64_t round = 0; round < 5000; ++round) {
    std::string text = kText;
    const uint32_t changes = 1 + random.Block(round * 8)[0] % 3;
    for (uint32_t i = 0; i < changes; ++i) {
      const auto bits = random.Block(round * 8 + 1 + i);
      const size_t position = bits[0] % text.size();
      const std::string& piece = pieces[bits[1] % std::size(pieces)];
      text.replace(position, bits[2] % 3 == 0 ? bits[3] % 12 : 0, bits[2] % 3 == 2 && i > 0 ? "" : piece);
    }
    const ScannedText scanned = ScanText(text, *Pipeline::descriptor());
    const bool parsed = ParserAccepts(text);
    accepted += parsed;
    ASSERT_EQ(scanned.problems.empty(), parsed)
        << text << "\n"
        << (scanned.problems.empty() ? "only the parser refuses it" : scanned.problems[0].message);
    ASSERT_LE(scanned.problems.size(), static_cast<size_t>(kMostProblems));
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 4000);
}

}  // namespace
}  // namespace manygate::config
