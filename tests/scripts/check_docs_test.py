# SPDX-License-Identifier: Apache-2.0
"""Plants untrue documents in a small repository and checks that check_docs.py names each with its place.

    python3 tests/scripts/check_docs_test.py
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_docs.py"
PROGRAM = """#!/bin/sh
case "$1" in
  --help) printf 'Subcommands:\\n  train    trains a model\\n  predict  scores rows\\n' ;;
  train) echo '  --model_dir D   --seed N' ;;
  predict) echo '  --data F --output F' ;;
  *) exit 2 ;;
esac
"""
README = """# Program
See [the design](docs/design.md).
```
./run test
build/manygate train examples/a.config \\
  --model_dir out
```
Then `manygate predict out --data F`.
"""


class CheckDocsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write("run", "#!/bin/sh\ncat <<'U'\n./run test    runs the tests\nU\n")
        self.write("README.md", README)
        self.write("docs/design.md", "# Design\n")
        self.write("examples/a.config", "")
        self.write("program", PROGRAM)
        (self.root / "program").chmod(0o755)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self, *expected):
        command = [sys.executable, SCRIPT, "--root", self.root, "--program", self.root / "program"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.splitlines()[:-1], list(expected))
        self.assertEqual(done.returncode, 1 if expected else 0)

    def test_true_documents_pass(self):
        self.check()

    def test_broken_link(self):
        self.write("docs/design.md", "\n[up](../README.md) [gone](gone.md) [web](https://example.org/x)\n")
        self.check("docs/design.md:2: links to gone.md, which does not exist")

    def test_unknown_verbs_and_flags(self):
        self.write("docs/design.md", "`./run tset`\n`manygate predict D --out F`\n```\nmanygate trian\n```\n")
        self.check("docs/design.md:1: ./run has no verb tset; it has test",
                   "docs/design.md:2: manygate predict has no flag --out",
                   "docs/design.md:4: manygate has no verb trian; it has train, predict")

    def test_flag_on_a_continued_line(self):
        self.write("README.md", README.replace("--model_dir", "--model_dri"))
        self.check("README.md:5: manygate train has no flag --model_dri")

    def test_named_file_that_does_not_exist(self):
        self.write("docs/design.md", "`manygate train examples/b.config`\n")
        self.check("docs/design.md:1: names examples/b.config, which does not exist")

    def test_path_of_a_machine(self):
        self.write("a.cc", "// ok: build/tmp/x https://example.org/home/x\nopen(\"" + "/ho" + "me/x/data.csv\");\n")
        self.check('a.cc:2: holds a path of one machine: /ho' + 'me/x/data.csv");')

    def test_long_source(self):
        self.write("long.py", "x = 1\n" * 801)
        self.check("long.py: 801 lines; at most 800: split it by concept")


if __name__ == "__main__":
    unittest.main()
