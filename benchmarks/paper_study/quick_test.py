#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The quick study runs, is finite, learns, does not depend on threads, and says that it means nothing.

    python3 benchmarks/paper_study/quick_test.py --program build/release/manygate_paper_study
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = None


def study(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


class Quick(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.run_one = study("--quick", "--threads", 1, "--output", cls.path / "results.json")
        cls.results = json.loads((cls.path / "results.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_table_of_nine_finite_rows(self):
        self.assertEqual(self.run_one.returncode, 0, self.run_one.stderr)
        rows = [line.split() for line in self.run_one.stdout.splitlines() if line[:3] in ("0.5", "0.9", "1.0")]
        self.assertEqual([row[:2] for row in rows], [[c, m] for c in ("0.5", "0.9", "1.0")
                                                     for m in ("shared_bottom", "omoe", "mmoe")])
        for cell, row in zip(self.results["cells"], rows):
            self.assertAlmostEqual(cell["summary"]["mean"], float(row[2]), delta=1e-5)
            for value in [*cell["summary"].values(), *sum(cell["losses"], []), *sum(cell["curve"].values(), [])]:
                self.assertTrue(math.isfinite(value))
        self.assertIn("of 57 trainings", self.run_one.stderr)

    def test_learns_and_stays_above_the_noise(self):
        for cell in self.results["cells"]:
            losses = cell["losses"][0]
            self.assertEqual(len(losses), 3)
            self.assertLess(sorted(losses)[1], 0.4, cell["model"])
            self.assertGreater(min(losses), self.results["signal"]["floor"])
            self.assertGreater(cell["curve"]["mean"][0], 0.8)

    def test_same_bytes_on_two_threads(self):
        again = study("--quick", "--threads", 2, "--output", self.path / "two.json")
        self.assertEqual(again.returncode, 0, again.stderr)
        lines = [[line for line in (self.path / name).read_text().splitlines() if not line.startswith('"cost"')]
                 for name in ("results.json", "two.json")]
        self.assertGreater(len(lines[0]), 20)
        self.assertEqual(*lines)

    def test_says_that_it_means_nothing(self):
        self.assertIs(self.results["meaningful"], False)
        self.assertIn("quick run: its numbers mean nothing", self.run_one.stdout)
        subprocess.run([sys.executable, HERE / "page.py", "--folder", self.path], check=True, capture_output=True)
        self.assertIn("numbers of a quick run mean nothing", (self.path / "README.md").read_text())
        for name in ("curves.svg", "histograms.svg"):
            picture = (self.path / name).read_text()
            self.assertEqual(xml.etree.ElementTree.fromstring(picture).tag, "{http://www.w3.org/2000/svg}svg")
            self.assertIn("not meaningful", picture)

    def test_findings_follow_from_their_parts(self):
        self.assertEqual([finding["number"] for finding in self.results["findings"]], [1, 2, 3, 4, 5])
        for finding in self.results["findings"]:
            verdicts = [part["verdict"] for part in finding["parts"]]
            expected = ("does not hold" if "does not hold" in verdicts else
                        "holds" if set(verdicts) == {"holds"} else "not decided")
            self.assertEqual(finding["verdict"], expected)

    def test_misuse(self):
        few = study("--rows", 100, "--output", self.path / "x.json")
        self.assertEqual(few.returncode, 2)
        self.assertIn("--rows: found 100, expected at least 2000", few.stderr)
        self.assertNotEqual(study("--quick", "--sines", "cosine", "--output", self.path / "x.json").returncode, 0)
        self.assertFalse((self.path / "x.json").exists())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = pathlib.Path(arguments.program).resolve()
    unittest.main(argv=[sys.argv[0], *rest])
