#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Regenerates the table of docs/models/README.md: every model, and XGBoost, on four data sets.

    pip install -r scripts/requirements-models.txt
    MANYGATE_DATA=data python3 scripts/model_table.py --program build/release/manygate
    python3 scripts/model_table.py --datasets bank hillstrom --models mmoe xgboost --seeds 2
    python3 scripts/model_table.py --only census/ple          # the runs whose name DATASET/MODEL/SEED holds this
    python3 scripts/model_table.py --render                   # only the page, from docs/models/results.json

Each run is an example configuration with its model replaced by `--model NAME` (default networks, the same features and
towers), or XGBoost on the same rows and columns, its settings chosen on the validation rows. The numbers go to
docs/models/results.json and from there into the page; runs that a call leaves out keep what an earlier call wrote.
Trained models and column caches lie in a temporary folder that is removed at the end.

Exit code 1: a run failed, or our program and Python do not see the same rows.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from model_table import datasets, page, runs

PAGE = datasets.REPOSITORY / "docs/models/README.md"
RESULTS = datasets.REPOSITORY / "docs/models/results.json"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=datasets.REPOSITORY / "build/release/manygate")
    parser.add_argument("--datasets", nargs="+", choices=datasets.DATASETS, default=list(datasets.DATASETS))
    every = runs.MODELS + [runs.ENSEMBLE, page.TREES]
    parser.add_argument("--models", nargs="+", choices=every, default=every)
    parser.add_argument("--seeds", type=int, help="how many, from 1; default: 3, or 5 where a seed draws the rows too")
    parser.add_argument("--only", default="", help="part of a run's name, DATASET/MODEL/SEED")
    parser.add_argument("--trials", type=int, default=12, help="settings of XGBoost that are tried per label")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    parser.add_argument("--render", action="store_true", help="write the page from the results, run nothing")
    return parser.parse_args()


def boosted(name, task, seeds, trials):
    environment = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(datasets.REPOSITORY / "scripts"))
    command = [sys.executable, "-m", "model_table.boosted", name, task, *map(str, seeds), "--trials", str(trials)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise runs.Failure(" ".join(command) + "\n" + done.stderr[-2000:])
    report = json.loads(done.stdout)
    found = []
    for fit in report["fits"]:
        counts = report["counts"]
        scores = {part: runs.tidy({task: {**counts[part], **fit[part]}}, kept)
                  for part, kept in (("validation", runs.KEPT[:4]), ("test", runs.KEPT))}
        note = {"seconds": round(fit["seconds"], 1), "rounds": fit["rounds"], "settings": report["settings"]}
        found.append({"dataset": name, "model": page.TREES, "seed": fit["seed"], "fits": {task: note}, **scores})
    return found


def jobs_of(flags, folder):
    """(name, expected seconds, function that returns runs): long ones first, so that the end is not one long one."""
    jobs = []
    cost = {"census": 30, "adult": 8, "bank": 8, "hillstrom": 8}
    for name in flags.datasets:
        data = datasets.DATASETS[name]
        seeds = list(range(1, (flags.seeds or data.seeds) + 1))
        for model in flags.models:
            if model == page.TREES:
                # Settings are chosen once per split of the rows.
                for group in [[seed] for seed in seeds] if data.split_varies else [seeds]:
                    for task in datasets.tasks(name):
                        jobs.append((f"{name}/{model}/{group[0]} {task}", cost[name] * 15,
                                     lambda n=name, t=task, g=group: boosted(n, t, g, flags.trials)))
                continue
            for seed in seeds[:1] if model == runs.ENSEMBLE and not data.split_varies else seeds:
                seconds = cost[name] * (runs.ENSEMBLE_MEMBERS if model == runs.ENSEMBLE else 1)
                jobs.append((f"{name}/{model}/{seed}", seconds,
                             lambda n=name, m=model, s=seed: [runs.train(flags.program.resolve(), n, m, s, folder)]))
    return sorted((job for job in jobs if flags.only in job[0]), key=lambda job: -job[1])


def summary(found):
    parts = []
    for run in found:
        for task, scores in run["test"].items():
            measure = page.metric(run["dataset"], task)
            parts.append(f"{task} {scores[measure]:.4f}")
    return ", ".join(parts)


def key(run):
    return run["dataset"], run["model"], run["seed"]


def merge(results, found):
    """New runs replace old ones of the same name; XGBoost's labels come one by one."""
    for run in found:
        old = next((other for other in results["runs"] if key(other) == key(run)), None)
        if old is None:
            results["runs"].append(run)
        elif run["model"] == page.TREES:
            for part in ("fits", "validation", "test"):
                old[part].update(run[part])
        else:
            results["runs"][results["runs"].index(old)] = run


def check_rows(results):
    """Our program and Python must have held out the same rows: as many, with as many positives."""
    seen, problems = {}, []
    for run in results["runs"]:
        split = run["seed"] if datasets.DATASETS[run["dataset"]].split_varies else 0
        for part in ("validation", "test"):
            for task, scores in run[part].items():
                counts = scores["rows"], scores.get("positives")
                if counts[1] is None:
                    continue
                place = run["dataset"], split, part, task
                first = seen.setdefault(place, (run["model"], counts))
                if first[1] != counts and task not in datasets.DATASETS[run["dataset"]].amounts:
                    problems.append(f"{'/'.join(map(str, place))}: {run['model']} saw {counts[0]} rows with "
                                    f"{counts[1]} positives, {first[0]} {first[1][0]} with {first[1][1]}")
    return problems


def run_all(flags, results):
    start = time.time()
    done, failed = 0, []
    lock = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="model_table_") as folder:
        jobs = jobs_of(flags, pathlib.Path(folder))
        print(f"{len(jobs)} jobs, {flags.processes} at a time", flush=True)

        def work(job):
            nonlocal done
            name, _, function = job
            began = time.time()
            try:
                found, text = function(), None
            except runs.Failure as failure:
                found, text = [], str(failure)
            with lock:
                done += 1
                if text is not None:
                    failed.append(name)
                merge(results, found)
                flags.results.write_text(as_json(results))
                print(f"[{done}/{len(jobs)}] {name}: {text or summary(found)}; {time.time() - began:.0f} s, "
                      f"{(time.time() - start) / 60:.1f} min in all", flush=True)

        with concurrent.futures.ThreadPoolExecutor(flags.processes) as pool:
            list(pool.map(work, jobs))
    results["made"].update({"minutes": round((time.time() - start) / 60, 1), "jobs": len(jobs),
                            "processes": flags.processes})
    return failed


def as_json(results):
    """One run a line, sorted, so that a change of one run is a change of one line."""
    order = {model: i for i, model in enumerate(runs.MODELS + [runs.ENSEMBLE, page.TREES])}
    names = list(datasets.DATASETS)
    results["runs"].sort(key=lambda run: (names.index(run["dataset"]), order[run["model"]], run["seed"]))
    lines = ",\n".join("  " + json.dumps(run) for run in results["runs"])
    return f'{{"made": {json.dumps(results["made"])},\n "runs": [\n{lines}\n]}}\n'


def note_rows(results):
    rows = results["made"].setdefault("rows", {})
    for run in results["runs"]:
        if run["model"] != page.TREES and run["dataset"] not in rows:
            data = datasets.load(run["dataset"], 1)
            rows[run["dataset"]] = {part: len(getattr(data, part)) for part in ("train", "validation", "test")}


def main():
    flags = parse_arguments()
    results = json.loads(flags.results.read_text()) if flags.results.exists() else {"made": {}, "runs": []}
    failed, problems = [], []
    if not flags.render:
        if not flags.program.exists():
            raise SystemExit(f"{flags.program}: not there. Build it, or name it with --program")
        kept = len(results["runs"])
        if kept > 0:
            print(f"{flags.results}: has {kept} runs; those that this call repeats are replaced", flush=True)
        failed = run_all(flags, results)
        note_rows(results)
        problems = check_rows(results)
        flags.results.write_text(as_json(results))
    page.write(flags.page, results)
    print("\n".join(page.table(results)))
    for problem in problems:
        print(problem, file=sys.stderr)
    if failed:
        print(f"{len(failed)} runs failed: {', '.join(failed)}", file=sys.stderr)
    sys.exit(1 if failed or problems else 0)


if __name__ == "__main__":
    main()
