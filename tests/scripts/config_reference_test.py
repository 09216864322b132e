# SPDX-License-Identifier: Apache-2.0
"""Makes pages of a small configuration: what stands in them, and what config_reference.py refuses.

    python3 tests/scripts/config_reference_test.py
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "config_reference.py"
FEATURE = """// SPDX-License-Identifier: Apache-2.0
// Features. What is said of this file.
//
// An input is "side:column".
syntax = "proto2";

package manygate.config;

// A value out of a set. It has an embedding.
message IdFeature {
  optional string feature_name = 1;  // the name; required; unique
  optional uint32 embedding_dim = 2;  // width; required unless one_hot; 1 to 64
  // Texts such as "a;b|c", joined by "|";
  // several: default: none of them
  repeated string vocab_list = 3;
  optional string separator = 4 [default = "\\x1d"];  // one character between values (of a row; or a cell)
}
message ComboFeature {
  optional string feature_name = 1;
  repeated string expression = 2;  // required: the inputs
  optional uint32 embedding_dim = 3;
}
message FeatureConfig {  // one feature
  oneof feature {
    IdFeature id_feature = 1;
    ComboFeature combo_feature = 2;  // values side by side
  }
}
"""
PIPELINE = """// SPDX-License-Identifier: Apache-2.0
// The configuration.
syntax = "proto2";

import "manygate/config/feature.proto";

// ------------------------------------------------------------------ data
enum DatasetType {
  CsvDataset = 0;  // text
  // Columns; needs the plug-in.
  ParquetDataset = 1;
  OrcDataset = 2;
}

message DataConfig {
  optional DatasetType dataset_type = 1 [default = CsvDataset];  // the format
  optional uint32 batch_size = 2 [default = 1024];  // rows; >= 1
  optional float share = 3 [default = 0.5];  // of rows. It is 1 | 2 <x> *; [0, 1)
  repeated float weights = 4;  // one per row; >= 0
  optional uint64 seed = 5 [default = 1];  // of all draws
}
message EvalConfig { optional uint32 num_steps = 1 [default = 0]; }  // batches; 0 = all
// Layers.
message MLP {
  repeated uint32 hidden_units = 1;  // units; required
}
message MMoE {
  optional MLP expert_mlp = 1 [(needed) = true];  // each expert
}
message OMoE {
  optional MLP expert_mlp = 1;
}
message ModelConfig {
  oneof model {
    MMoE mmoe = 1;   // many gates
    OMoE omoe = 2;   // one gate
  }
}
message Pipeline {
  optional DataConfig data_config = 1;  // how train_config.seed and files are read
  repeated FeatureConfig feature_configs = 2;
  optional EvalConfig eval_config = 3;  // how much
  optional ModelConfig model_config = 4;  // the model
}
extend google.protobuf.FieldOptions {
  optional bool needed = 50000;
}
"""
RANGES = """constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr double kWidest = 64;
constexpr double kMost = 1 << 10;
constexpr Range kRanges[] = {
    {"IdFeature", "embedding_dim", 1, kWidest},
    {"DataConfig", "batch_size", 1, kMost},
    {"DataConfig", "share", 0, 1, Ends::kOpenAbove},
    {"DataConfig", "weights", 0, kNoLimit},
};
"""
FOREIGN = """constexpr std::string_view kGpu = "GPUs";
constexpr std::string_view kLong =
    "is not supported: " "use mmoe";
constexpr ForeignField kFields[] = {
    {"DataConfig", "pin_memory", kIgnored, kGpu},
    {"*Feature", "use_mask", kRefused, kLong},
    {"*", "l2", kRenamed,
     "is EasyRec's: write \\"batch_size\\""},
};
"""


class ConfigReferenceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "docs").mkdir()
        (self.root / "manygate/config").mkdir(parents=True)
        self.files = {
            "feature.proto": FEATURE, "pipeline.proto": PIPELINE, "ranges.cc": RANGES, "foreign_fields.cc": FOREIGN
        }
        for name, text in self.files.items():
            self.write(name, text)

    def write(self, name, text):
        (self.root / "manygate/config" / name).write_text(text)

    def change(self, name, old, new):
        self.assertIn(old, self.files[name])
        self.write(name, self.files[name].replace(old, new))

    def run_script(self, *arguments):
        command = [sys.executable, SCRIPT, "--root", self.root, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def page(self):
        self.assertEqual(self.run_script(), (0, ""))
        return (self.root / "docs/config_reference.md").read_text()

    def refuses(self, *expected):
        code, output = self.run_script()
        self.assertEqual(code, 1, output)
        for text in expected:
            self.assertIn(text, output)
        self.assertIn(f"{len(expected)} problem(s)", output)
        self.assertFalse((self.root / "docs/config_reference.md").exists())

    def test_clauses_become_columns(self):
        page = self.page()
        self.assertIn("| `feature_name` | string | required | – | The name; unique |", page)
        self.assertIn("| `embedding_dim` | uint32 | required unless one_hot | 1 to 64 | Width |", page)
        self.assertIn("| `share` | float | `0.5` | [0, 1) | Of rows. It is 1 \\| 2 \\<x> \\* |", page)
        self.assertIn("| `weights` | list of float | none | each ≥ 0 | One per row |", page)
        self.assertIn("| `seed` | uint64 | `1` | ≥ 0 | Of all draws |", page)
        self.assertIn("| `num_steps` | uint32 | `0` | ≥ 0 | Batches; 0 = all |", page)

    def test_quotes_and_parentheses_are_not_cut(self):
        page = self.page()
        self.assertIn('| `vocab_list` | list of string | none | – | Texts such as `"a;b\\|c"`, joined by `"\\|"`; '
                      "several: default: none of them |", page)
        self.assertIn('| `separator` | string | `"\\x1d"` | – | One character between values (of a row; or a cell) |', page)

    def test_range_is_that_of_the_checked_table(self):
        self.assertIn("| `batch_size` | uint32 | `1024` | 1 to 1024 | Rows |", self.page())

    def test_a_field_without_a_comment_has_that_of_the_model_of_its_kind(self):
        combo = self.page().split("### ComboFeature\n")[1].split("###")[0]
        self.assertIn("| `feature_name` | string | required | – | The name; unique |", combo)
        self.assertIn("| `embedding_dim` | uint32 | required unless one_hot | 1 to 64 | Width |", combo)
        self.assertIn("| `expression` | list of string | required | – | The inputs |", combo)

    def test_messages_are_linked_and_explained_by_their_own_comment(self):
        page = self.page()
        self.assertIn("| `id_feature` | [IdFeature](#idfeature) | none | – | A value out of a set |", page)
        self.assertIn("| `feature_configs` | list of [FeatureConfig](#featureconfig) | none | – | One feature |", page)
        self.assertIn("| `dataset_type` | [DatasetType](#datasettype) | `CsvDataset` | – | The format |", page)
        self.assertIn("| `expert_mlp` | [layers (MLP)](#mlp) | required | – | Each expert |", page)
        self.assertIn("### IdFeature\nA value out of a set. It has an embedding.\n\n| field", page)
        self.assertIn("### ModelConfig\nAt most one of these.\n", page)

    def test_two_headings_of_one_anchor(self):
        self.change("pipeline.proto", "message OMoE", "// Gates.\nmessage Mmoe {}\nmessage OMoE")
        self.write("pipeline.proto", (self.root / "manygate/config/pipeline.proto").read_text().replace(
            "OMoE omoe = 2;   // one gate", "OMoE omoe = 2;   // one gate\n    Mmoe again = 3;"))
        page = self.page()
        self.assertIn("| `mmoe` | [MMoE](#mmoe) |", page)
        self.assertIn("| `again` | [Mmoe](#mmoe-1) | none | – | Gates |", page)
        self.assertIn("### Mmoe\nGates.\n\nNo fields: write `{}`.\n", page)

    def test_enums_are_tables_and_share_meanings(self):
        self.assertIn("### DatasetType\n| value | meaning |\n| --- | --- |\n| `CsvDataset` | Text |\n"
                      "| `ParquetDataset`, `OrcDataset` | Columns; needs the plug-in. |\n", self.page())

    def test_the_file_s_second_paragraph_opens_the_features(self):
        self.assertIn('## Features\nAn input is `"side:column"`.\n\n### FeatureConfig\n', self.page())

    def test_fields_of_other_systems(self):
        page = self.page()
        self.assertIn("| `DataConfig` | `pin_memory` | GPUs |", page)
        self.assertIn("| every feature | `use_mask` | is not supported: use mmoe |", page)
        self.assertIn('| any | `l2` | is EasyRec\'s: write `"batch_size"` |', page)

    def test_check_compares(self):
        self.assertEqual(self.run_script("--check")[0], 1)  # no page
        self.page()
        self.assertEqual(self.run_script("--check"), (0, "docs/config_reference.md: up to date\n"))
        self.change("pipeline.proto", "// of all draws", "// of some draws")
        code, output = self.run_script("--check")
        self.assertEqual(code, 1)
        self.assertIn("-| `seed` | uint64 | `1` | ≥ 0 | Of all draws |\n+| `seed` | uint64 | `1` | ≥ 0 | Of some draws |", output)
        self.assertIn("docs/config_reference.md is not what the sources say: run python3 scripts/config_reference.py", output)

    def test_field_without_a_meaning(self):
        self.change("pipeline.proto", "  // of all draws", "  // >= 0")
        self.refuses("DataConfig.seed has no meaning: write a comment behind it, or above it")

    def test_value_without_a_meaning(self):
        self.change("pipeline.proto", "  // text", "")
        self.refuses("DatasetType.CsvDataset has no meaning")

    def test_comment_that_contradicts_the_checked_range(self):
        for stated, shown in (("rows; >= 0", ">= 0"), ("rows; > 1", "> 1"), ("rows; 1 to 512", "1 to 512")):
            self.change("pipeline.proto", "rows; >= 1", stated)
            self.refuses(f'DataConfig.batch_size: the comment says "{shown}", ranges.cc checks "1 to 1024"')

    def test_comment_that_leaves_out_a_limit_below_one(self):
        self.change("pipeline.proto", "[0, 1)", ">= 0")
        self.refuses('DataConfig.share: the comment says ">= 0", ranges.cc checks "[0, 1)"')

    def test_inherited_comment_that_contradicts(self):
        self.change("ranges.cc", '    {"DataConfig", "batch', '    {"ComboFeature", "embedding_dim", 2, 64},\n    {"DataConfig", "batch')
        self.refuses('ComboFeature.embedding_dim: the comment says "1 to 64", ranges.cc checks "2 to 64"')

    def test_default_outside_the_range(self):
        self.change("pipeline.proto", "default = 0.5", "default = 1")
        self.refuses('DataConfig.share: the default 1 is outside "[0, 1)"')

    def test_range_of_a_field_that_is_not_there(self):
        self.change("ranges.cc", '"weights"', '"weight"')
        self.refuses("ranges.cc: DataConfig.weight is in no .proto")

    def test_message_that_nothing_holds(self):
        self.change("pipeline.proto", "message OMoE", "message Alone {\n  optional bool x = 1;  // y\n}\nmessage OMoE")
        self.refuses("Alone is in no configuration")

    def test_lines_that_are_not_understood(self):
        self.change("pipeline.proto", "uint64 seed = 5", "uint64 seed")
        code, output = self.run_script()
        self.assertEqual((code, output), (1, "pipeline.proto:20: expected a field: "
                                          "optional uint64 seed [default = 1];  // of all draws\n"))
        self.write("pipeline.proto", PIPELINE)
        self.change("ranges.cc", '"weights", 0, kNoLimit', '"weights", 0, 2 * 3')
        self.assertEqual(self.run_script(), (1, "ranges.cc: 4 lines in kRanges, 3 of them understood\n"))


if __name__ == "__main__":
    unittest.main()
