# SPDX-License-Identifier: Apache-2.0
"""Runs examples/run_all.sh and the commands of two pages for people who come from another system.

    python3 tests/examples/examples_test.py recipes --program build/release/manygate
    python3 tests/examples/examples_test.py pages   --program build/release/manygate

recipes  `run_all.sh --quick`: every recipe trains or says why not, and the table has every row with figures that can be;
         nothing is written to RESULTS.md. Without data, what needs data is skipped with a sentence. The half of the test
         file is the one that the program holds out; its rows are drawn as numpy does. RESULTS.md has the table's rows.
pages    The ```sh blocks of docs/howto/from_paddlerec.md and from_gbdt.md, in a folder of their own. XGBoost is left out
         where it is not installed.
"""
import argparse
import ctypes.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "tests")]
import table  # noqa: E402  (examples/table.py)
from checks import check, skip  # noqa: E402

PAGES = ["docs/howto/from_paddlerec.md", "docs/howto/from_gbdt.md"]
TEST_HALF_POSITIVES = {"income": 3082, "marital": 21476}  # of 49,881 rows, as `train` counts its hold-out


def run_all(program, output, *arguments, code=0, data=None):
    """Returns (stdout, stderr)."""
    environment = {**os.environ, "MANYGATE_DATA": str(data)}
    command = ["sh", ROOT / "examples/run_all.sh", "--program", program, "--output", output, *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=500, env=environment)
    if done.returncode != code:
        sys.exit(f"FAILED: exit code {done.returncode}, expected {code}: {arguments}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def cells(markdown):
    """The rows of a table but the first two."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def names_of(rows):
    return [(row[0], row[3], row[4].split(":")[0]) for row in rows]


def expected_rows():
    return [(recipe, row[0], row[1]) for recipe in table.RECIPES for row in table.COMPARISONS[recipe]]


def check_table(text, trained):
    rows = cells(text)
    check(names_of(rows) == expected_rows(), f"the table has its {len(rows)} rows")
    for row in rows:
        same, exact, epochs, verdict = row[5], row[6], row[7], row[10]
        if row[0] not in trained:
            if (same, exact, epochs) != ("-", "-", "-") or not verdict.startswith("skipped"):
                sys.exit(f"FAILED: {row}")
            continue
        figures = [float(number) for number in re.findall(r"\d\.\d{5}", same + exact)]
        # Of ten rows, none of which is a purchase, there is no AUC.
        if len(figures) != 6 and not (row[0] in ("paddlerec/esmm", "paddlerec/escm2") and row[3] == "purchase"):
            sys.exit(f"FAILED: not six figures: {row}")
        if not all(0 <= figure <= 1 for figure in figures) or not float(epochs) > 0 or verdict != table.QUICK:
            sys.exit(f"FAILED: {row}")
    print(f"ok: figures of {len(trained)} recipes", flush=True)


def check_permutation():
    # numpy.random.RandomState(1).permutation(10)
    check(table.numpy_permutation(10, 1) == [2, 9, 6, 4, 0, 3, 1, 7, 8, 5], "rows are drawn as numpy draws them")


def check_test_half(path):
    lines = path.read_text().splitlines()
    positives = {"income": sum(line.endswith("50000+.") for line in lines),
                 "marital": sum(line.split(",")[7].strip() == "Never married" for line in lines)}
    check(len(lines) == 49881 and positives == TEST_HALF_POSITIVES, f"{len(lines)} rows of the test half, {positives}")


def check_verdicts():
    check(table.verdict(0.9, 0.8, "") == "beaten" and table.verdict(0.8004, 0.8, "") == "met", "beaten and met")
    check(table.verdict(0.79, 0.8, "their bug") == "not met by 0.01000; their bug", "not met, and by how much")
    check(table.verdict(0.9, 0.8, table.SMALL).startswith("not comparable"), "a sample is not compared")


def recipes_test(program, folder):
    check_permutation()
    check_verdicts()
    results = (ROOT / "examples/RESULTS.md").read_text()
    check(names_of(cells(results)) == expected_rows(), "RESULTS.md has every row")

    configured = os.environ.get("MANYGATE_DATA")
    data = (pathlib.Path(configured) if configured else ROOT.parent / "shared/data").resolve()
    there = {recipe for recipe, (_, train, test, _, _) in table.RECIPES.items()
             if all(not pattern or list(data.glob(pattern)) for pattern in (train, test))}
    out, err = run_all(program, folder / "quick", "--quick", data=data)
    check_table(out, there)
    total = len(table.RECIPES)
    for number, recipe in enumerate(table.RECIPES, 1):
        line = next((line for line in err.splitlines() if line.startswith(f"==> [{number}/{total}] {recipe}")), None)
        if line is None or ("skipped" in line) != (recipe not in there):
            sys.exit(f"FAILED: the progress line of {recipe}: {line}")
    check((ROOT / "examples/RESULTS.md").read_text() == results, "a quick run leaves RESULTS.md alone")
    if (folder / "quick/census_test_half.csv").exists():
        check_test_half(folder / "quick/census_test_half.csv")

    out, err = run_all(program, folder / "none", "--quick", "mindspore", data=folder / "no_such_folder")
    check(err.count("skipped, no ") == 3 and out.count("skipped: its data are not there") == 6, "without data, says so")
    _, err = run_all(program, folder / "none", "paddlerec/mmoo", code=2, data=data)
    check("no recipe is called paddlerec/mmoo; there are: paddlepaddle_models/mmoe" in err, "a wrong name: exit code 2")
    _, err = run_all(program, folder / "none", "--slow", code=2, data=data)
    check("unknown option --slow" in err, "a wrong option is exit code 2")
    if len(there) < total:
        skip(f"in part: no data below {data} for {sorted(set(table.RECIPES) - there)}")


def blocks(page):
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)


def pages_test(program, folder):
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "manygate").symlink_to(program)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    trees = ctypes.util.find_library("xgboost") is not None
    for name in PAGES:
        work = folder / pathlib.Path(name).stem
        work.mkdir()
        commands = blocks(ROOT / name)
        check(len(commands) >= 2, f"{name} has {len(commands)} blocks of commands")
        for block in commands:
            if not trees:
                block = block.replace(" --with gbdt", "")
            done = subprocess.run(["sh", "-e", "-c", block], cwd=work, capture_output=True, text=True, timeout=300,
                                  env=environment)
            if done.returncode != 0:
                sys.exit(f"FAILED: exit code {done.returncode} in {name}\n{block}\n{done.stdout}{done.stderr}")
        print(f"ok: {name}", flush=True)
    work = folder / "from_paddlerec"
    evaluated = subprocess.run([program, "evaluate", "out/mmoe", "--format", "json"], cwd=work, capture_output=True,
                               text=True, check=True).stdout
    auc = {task: figures["auc"] for task, figures in json.loads(evaluated)["tasks"].items()}
    check(auc["marital"] > 0.8 and auc["income"] > 0.6, f"rows of numbers teach something: {auc}")
    first = (work / "out/esmm.csv").read_text().splitlines()[0]
    check(first == "id,probs_click,probs_buy,probs_buy_given_click", f"columns of ESMM's predictions: {first}")
    check((folder / "from_gbdt/out/compare/transfer.json").exists(), "compare leaves its table")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", choices=["recipes", "pages"])
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    arguments = parser.parse_args()
    folder = (arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="manygate_examples_"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (recipes_test if arguments.test == "recipes" else pages_test)(arguments.program.resolve(), folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
