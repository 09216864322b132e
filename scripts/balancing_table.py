#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Regenerates the tables of docs/balancing.md: every balancing method against equal weights on three data sets.

    MANYGATE_DATA=data python3 scripts/balancing_table.py --manygate build/release/manygate
    python3 scripts/balancing_table.py --only cagrad --seeds 5    # one method; the other runs stay as they were
    python3 scripts/balancing_table.py --quick                    # 100 steps, one seed, prints and writes nothing
    python3 scripts/balancing_table.py --render                   # only the page, from docs/balancing.json

Each run is an example configuration with `train_config.balancing` set, on one thread; the numbers are those of the
held-out test rows. They go to docs/balancing.json and from there into the page, between the markers `table: begin` and
`table: end`. Needs Python's standard library, the built program, and Census-Income and Hillstrom (scripts/fetch_data.sh)
in the data folder; the funnel is generated.

Exit code 1: a run failed.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "docs/balancing.json"
PAGE = REPOSITORY / "docs/balancing.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
EQUAL = "equal"
METHODS = [EQUAL, "uncertainty", "dwa", "gradnorm", "metabalance", "pcgrad", "cagrad", "famo", "db_mtl", "pareto"]
FUNNEL_ROWS = 200000
QUICK_FUNNEL_ROWS = 20000
QUICK_STEPS = 100
# name: (title, configuration)
DATASETS = {
    "census": ("Census-Income, MMoE", "examples/census_income/mmoe.config"),
    "hillstrom": ("Hillstrom, ESMM with Huber's loss for spend", "examples/hillstrom/huber.config"),
    "funnel": ("Generated funnel, MMoE", "examples/funnel/mmoe.config"),
}
MEASURES = {"auc": ("AUC", 5, 1), "root_mean_squared_error": ("RMSE", 4, -1)}  # title, digits, better direction


class Failure(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manygate", type=pathlib.Path, default=REPOSITORY / "build/release/manygate")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("MANYGATE_DATA", REPOSITORY / "data"))
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--only", choices=METHODS, metavar="METHOD", help="one of: " + ", ".join(METHODS))
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 1")
    parser.add_argument("--processes", type=int, default=2, help="runs at the same time; 1 for undisturbed times")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    parser.add_argument("--quick", action="store_true", help="does every method run? writes nothing")
    parser.add_argument("--render", action="store_true", help="write the page from the results, run nothing")
    return parser.parse_args()


def call(command, environment):
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise Failure(" ".join(command) + "\n" + done.stderr[-2000:])
    return done.stdout


def run(flags, folder, environment, name, method, seed):
    """One training: what the report says of the test rows, and the speed."""
    settings = {
        "data_config.cache_dir": str(folder / "cache"),
        "train_config.use_tensorboard": "false",
        "train_config.keep_checkpoint_max": "1",
    }
    if method != EQUAL:
        settings["train_config.balancing"] = "{ %s {} }" % method
    if flags.quick:
        settings["train_config.num_steps"] = str(QUICK_STEPS)
    model_dir = folder / f"{name}_{method}_{seed}"
    command = [str(flags.manygate.resolve()), "train", str(REPOSITORY / DATASETS[name][1]), "--format", "json",
               "--threads", "1", "--seed", str(seed), "--model_dir", str(model_dir)]
    for path, value in settings.items():
        command += ["--set", f"{path}={value}"]
    report = json.loads(call(command, environment))
    tasks = {}
    for task, values in report["test"]["tasks"].items():
        measure = next(measure for measure in MEASURES if measure in values)
        if not isinstance(values[measure], (int, float)):
            raise Failure(f"{name}/{method}/{seed}: {measure} of {task} is {values[measure]}")
        tasks[task] = {measure: round(values[measure], 7)}
    return {"dataset": name, "method": method, "seed": seed, "steps": report["steps"],
            "seconds": round(report["seconds"], 2), "rows_per_second": round(report["rows_per_second"]), "test": tasks}


def prepare(flags, folder):
    """The environment of the runs, and the funnel's rows."""
    environment = dict(os.environ, MANYGATE_DATA=str(pathlib.Path(flags.data).resolve()),
                       FUNNEL_DATA=str(folder / "funnel.csv"))
    if "funnel" in flags.datasets:
        rows = QUICK_FUNNEL_ROWS if flags.quick else FUNNEL_ROWS
        call([str(flags.manygate.resolve()), "generate", "funnel", "--rows", str(rows), "--seed", "1", "--output",
              str(folder / "funnel.csv")], environment)
    return environment


def key(one):
    return one["dataset"], one["method"], one["seed"]


def order(one):
    return list(DATASETS).index(one["dataset"]), METHODS.index(one["method"]), one["seed"]


def run_all(flags, results):
    """Runs what the flags ask for; returns the names of the runs that failed."""
    methods = [flags.only] if flags.only else METHODS
    seeds = range(1, (1 if flags.quick else flags.seeds) + 1)
    # Equal weights come first, then method by method: a table that was cut short can be read.
    jobs = [(name, method, seed) for method in methods for name in flags.datasets for seed in seeds]
    failed, lock, start = [], threading.Lock(), time.time()
    with tempfile.TemporaryDirectory(prefix="balancing_table_") as temporary:
        folder = pathlib.Path(temporary)
        environment = prepare(flags, folder)

        def work(job):
            try:
                found, text = run(flags, folder, environment, *job), None
            except Failure as failure:
                found, text = None, str(failure)
            with lock:
                if found is None:
                    failed.append("/".join(map(str, job)))
                else:
                    results["runs"] = sorted([one for one in results["runs"] if key(one) != job] + [found], key=order)
                    text = f"{found['test']}, {found['rows_per_second']:,} rows per second"
                if not flags.quick:
                    flags.results.write_text(as_json(results))
                print(f"{'/'.join(map(str, job))}: {text}; {(time.time() - start) / 60:.1f} min in all", flush=True)

        with concurrent.futures.ThreadPoolExecutor(flags.processes) as pool:
            list(pool.map(work, jobs))
    return failed


def as_json(results):
    """One run a line, so that a change of one run is a change of one line."""
    return '{"runs": [\n' + ",\n".join("  " + json.dumps(one) for one in results["runs"]) + "\n]}\n"


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0


def mark(values, equal, better):
    """▲ or ▼ where the difference from equal weights is beyond twice its standard error."""
    if len(values) < 2 or len(equal) < 2:
        return ""
    error = math.sqrt(spread(values) ** 2 / len(values) + spread(equal) ** 2 / len(equal))
    difference = better * (statistics.mean(values) - statistics.mean(equal))
    return " ▲" if difference > 2 * error else " ▼" if difference < -2 * error else ""


def table(results, name):
    runs = [one for one in results["runs"] if one["dataset"] == name]
    by_method = {method: [one for one in runs if one["method"] == method] for method in METHODS}
    equal = by_method[EQUAL]
    if not equal:
        return []
    columns = [(task, measure) for task, values in equal[0]["test"].items() for measure in values]
    heads = [f"{task} {MEASURES[measure][0]}" for task, measure in columns]
    lines = ["", f"### {DATASETS[name][0]}", "",
             f"`{DATASETS[name][1]}`, {len(equal)} seed{'s' if len(equal) > 1 else ''}.", "",
             "| method | " + " | ".join(heads) + " | time per step |", "|---|" + "--:|" * (len(heads) + 1)]
    speed = statistics.median(one["rows_per_second"] for one in equal)
    for method, found in by_method.items():
        if not found:
            continue
        cells = []
        for task, measure in columns:
            digits, better = MEASURES[measure][1:]
            values = [one["test"][task][measure] for one in found]
            reference = [one["test"][task][measure] for one in equal]
            sign = "" if method == EQUAL else mark(values, reference, better)
            cells.append(f"{statistics.mean(values):.{digits}f} ± {spread(values):.{digits}f}{sign}")
        ratio = speed / statistics.median(one["rows_per_second"] for one in found)
        title = "equal weights" if method == EQUAL else f"`{method}`"
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {ratio:.2f} |")
    return lines


def page_lines(results):
    lines = ["Test rows, mean ± standard deviation over seeds; time per step against equal weights on one thread. ▲ and "
             "▼: better", "and worse than equal weights by more than twice the standard error of the difference."]
    for name in DATASETS:
        lines += table(results, name)
    return lines


def write_page(path, lines):
    text = path.read_text()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{path}: has no lines {BEGIN} and {END}")
    path.write_text(pattern.sub(lambda _: "\n".join([BEGIN, *lines, END]), text))


def main():
    flags = parse_arguments()
    results = {"runs": []}
    if flags.results.exists() and not flags.quick:
        results = json.loads(flags.results.read_text())
    failed = []
    if not flags.render:
        if not flags.manygate.exists():
            raise SystemExit(f"{flags.manygate}: not there. Build it, or name it with --manygate")
        failed = run_all(flags, results)
    lines = page_lines(results)
    print("\n".join(lines))
    if not flags.quick:
        write_page(flags.page, lines)
    if failed:
        print(f"{len(failed)} runs failed: {', '.join(failed)}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
