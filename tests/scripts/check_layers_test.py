# SPDX-License-Identifier: Apache-2.0
"""Plants violations in a small tree and checks that check_layers.py names each with its place.

    python3 tests/scripts/check_layers_test.py
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_layers.py"
LAYERS = "base:\nmath: base\ngraph: base math\ngraph tests: ops\nops: base graph\ncli: *\n"
CMAKE = """manygate_folder(base DEPENDS fmt::fmt)
manygate_folder(math DEPENDS manygate_base)
manygate_folder(graph DEPENDS manygate_math TEST_DEPENDS manygate_ops)
manygate_folder(ops DEPENDS manygate_graph)
manygate_folder(cli DEPENDS manygate_ops)
"""


class CheckLayersTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.write("scripts/layers.txt", LAYERS)
        self.write("manygate/CMakeLists.txt", CMAKE)
        self.write("manygate/base/status.h", "#include <string>\n")
        self.write("manygate/graph/graph.cc", '#include "manygate/graph/graph.h"\n#include "manygate/math/gemm.h"\n')

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self, *expected):
        """Runs the script: each expected text must stand in its output, and there must be no other violation."""
        done = subprocess.run(
            [sys.executable, SCRIPT, "--root", self.root], capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 1 if expected else 0, done.stdout)
        for text in expected:
            self.assertIn(text, done.stdout)
        if expected:
            self.assertEqual(len(done.stdout.splitlines()), len(expected) + 1, done.stdout)
            self.assertIn(f"{len(expected)} violation(s)", done.stdout)

    def test_a_tree_that_follows_the_arrows_passes(self):
        self.check()

    def test_include_against_an_arrow(self):
        self.write("manygate/base/text.cc", '#include <vector>\n\n#include "manygate/math/gemm.h"\n')
        self.check("manygate/base/text.cc:3: includes manygate/math/gemm.h, but math is not open to base; "
                   "base may include: nothing")

    def test_include_of_a_folder_that_does_not_exist(self):
        self.write("manygate/math/gemm.cc", '#include "manygate/bse/status.h"\n')
        self.check("manygate/math/gemm.cc:1: includes manygate/bse/status.h, but bse is no folder; "
                   "math may include: base")

    def test_only_tests_get_the_test_arrows(self):
        self.write("manygate/graph/graph_test.cc", '#include "manygate/ops/dense.h"\n')
        self.check()
        self.write("manygate/graph/graph.cc", '#include "manygate/ops/dense.h"\n')
        self.check("manygate/graph/graph.cc:1: includes manygate/ops/dense.h")

    def test_nobody_includes_cli_and_cli_includes_everything(self):
        self.write("manygate/cli/main.cc", '#include "manygate/ops/dense.h"\n')
        self.check()
        self.write("manygate/ops/dense.cc", '#include "manygate/cli/main.h"\n')
        self.check("manygate/ops/dense.cc:1: includes manygate/cli/main.h")

    def test_proto_imports_and_target_includes_count(self):
        self.write("manygate/base/a.proto", 'import "manygate/math/b.proto";\n')
        self.write("manygate/base/k.cc", '#define HWY_TARGET_INCLUDE "manygate/math/k.cc"\n')
        self.check("manygate/base/a.proto:1: includes manygate/math/b.proto",
                   "manygate/base/k.cc:1: includes manygate/math/k.cc")

    def test_folder_without_a_line_and_file_without_a_folder(self):
        self.write("manygate/helpers/x.h", "")
        self.write("manygate/stray.cc", "")
        self.check("manygate/helpers/x.h: not in a folder that layers.txt knows", "manygate/stray.cc: not in a folder")

    def test_short_include_path(self):
        self.write("manygate/math/gemm.cc", '#include "gemm.h"\n')
        self.check('manygate/math/gemm.cc:1: "gemm.h": write the path from the root')

    def test_cycle_in_the_list(self):
        self.write("scripts/layers.txt", LAYERS.replace("base:", "base: ops"))
        self.write("manygate/CMakeLists.txt", "")
        self.check("layers.txt: base reaches itself: base -> ops -> base")

    def test_unknown_name_in_the_list(self):
        self.write("scripts/layers.txt", LAYERS + "train: bse\n")
        self.check("layers.txt: train names bse, which has no line of its own")

    def test_cmake_links_more_than_allowed(self):
        self.write("manygate/CMakeLists.txt", CMAKE.replace("math DEPENDS manygate_base", "math DEPENDS manygate_base manygate_cli"))
        self.check("manygate_folder(math DEPENDS manygate_cli): layers.txt does not allow it")

    def test_cmake_links_less_than_allowed(self):
        self.write("manygate/CMakeLists.txt", CMAKE.replace("graph DEPENDS manygate_math", "graph DEPENDS manygate_base"))
        self.check("manygate_folder(graph): layers.txt allows math, but nothing in DEPENDS brings it",
                   "manygate_folder(cli): layers.txt allows math, but nothing in DEPENDS brings it")


if __name__ == "__main__":
    unittest.main()
