# SPDX-License-Identifier: Apache-2.0
"""Manygate against PyTorch on configurations C1 and C2 (Census-Income, MMoE), one thread each, in the same minute,
alternating.

    python benchmarks/run.py                       # all batch sizes; same-loss check; end to end; 20 minutes
    python benchmarks/run.py --configurations C2 --require
    python benchmarks/run.py --batches 512 --seconds 2 --skip end_to_end
    python benchmarks/run.py --pytorch_only        # without our program

Exit code 1: the two sides do not reach the same loss, the end-to-end model is not a trained one, or (with --require) a
ratio or time misses its requirement.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass

import census
import programs
import report
from variants import LIBRARY, VARIANTS, group

REPOSITORY = report.REPOSITORY


@dataclass(frozen=True)
class Configuration:
    name: str
    title: str
    config: pathlib.Path
    required: dict  # batch -> (times the library form, times the best form)
    end_to_end: bool = False


CONFIGURATIONS = {
    "C1": Configuration("C1", "one-hot columns", REPOSITORY / "examples/census_income/mmoe.config",
                        {32: (40, 8), 512: (None, 5), 4096: (None, 5)}, end_to_end=True),
    "C2": Configuration("C2", "embeddings", REPOSITORY / "benchmarks/embeddings.config",
                        {512: (None, 4), 4096: (None, 4)}),
}
LOSS_BATCH, LOSS_EPOCHS, LOSS_SEEDS, LOSS_TOLERANCE = 512, 1, (1, 2, 3), 0.02
END_TO_END_EPOCHS, COLD_SECONDS, CACHED_SECONDS, PEAK_MB = 10, 6.0, 4.0, 300
LEAST_AUC = {"income": 0.94, "marital": 0.994}  # of a trained model, whatever the seed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build" / "release")
    parser.add_argument("--configurations", nargs="+", default=list(CONFIGURATIONS), choices=list(CONFIGURATIONS))
    parser.add_argument("--cache", type=pathlib.Path, default=REPOSITORY / "build" / "bench_cache")
    parser.add_argument("--batches", type=int, nargs="+", help="instead of those with a requirement")
    parser.add_argument("--runs", type=int, default=3, help="alternating runs of each program; the median counts")
    parser.add_argument("--seconds", type=float, default=4, help="length of one run")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--skip", nargs="*", default=[], choices=["speed", "loss", "end_to_end"])
    parser.add_argument("--pytorch_only", action="store_true")
    parser.add_argument("--require", action="store_true", help="exit with 1 if a requirement is missed")
    parser.add_argument("--results", type=pathlib.Path, default=REPOSITORY / "benchmarks" / "RESULTS.md")
    parser.add_argument("--no_results", action="store_true", help="print only, leave RESULTS.md alone")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def choose_best(configuration, batch, arguments):
    """A short trial of every variant: the library's, the fastest of the best form, the fastest that goes further."""
    kept = {}
    for variant in VARIANTS[configuration.name]:
        worker = programs.TorchWorker(configuration.name, variant, batch, arguments.cache, arguments.core)
        speed = max(worker.ask("time 1")["rows_per_second"] for _ in range(2))
        say(f"  batch {batch}, {variant}: {report.thousands(speed)} thousand rows/s "
            f"(ready after {worker.ready['warm_up_seconds']:.1f} s)")
        best = kept.setdefault(group(variant), (speed, worker))
        if best[1] is not worker:
            slower, faster = sorted([best, (speed, worker)], key=lambda entry: entry[0])
            slower[1].close()
            kept[group(variant)] = faster
    return {name: worker for name, (_, worker) in kept.items()}


def measure_batch(configuration, batch, arguments, manygate):
    """Alternating runs. {program: {"variant", "rows_per_second": [...], "peak_rss_mb", "phases"}}."""
    workers = choose_best(configuration, batch, arguments)
    results = {}

    def add(name, variant, answer):
        result = results.setdefault(name, {"variant": variant, "rows_per_second": []})
        result["rows_per_second"].append(answer["rows_per_second"])
        result["peak_rss_mb"] = answer["peak_rss_mb"]
        result["phases"] = answer.get("phases")

    for _ in range(arguments.runs):
        if manygate:
            add("manygate", "", manygate.bench(batch, arguments.seconds))
        for name, worker in workers.items():
            add(name, worker.variant, worker.ask(f"time {arguments.seconds}"))
    for name, worker in workers.items():
        results[name]["phases"] = worker.ask("phases 1")["phases"]
        worker.close()
    return results


def requirement(configuration, batch, name, ratio):
    library, best = configuration.required.get(batch, (None, None))
    needed = {"library": library, "best": best}.get(name)
    if needed is None:
        return "", True
    return f"≥ {needed}: {'met' if ratio >= needed else 'MISSED'}", ratio >= needed


def speed_section(configuration, arguments, manygate):
    """(lines of Markdown, all requirements met?)."""
    names = {"manygate": "Manygate", "library": "PyTorch, library form", "best": "PyTorch, best form",
             "ids": "PyTorch, ids form" if configuration.name == "C1" else "PyTorch, tabulated form"}
    rows, met = [], True
    for batch in arguments.batches or configuration.required:
        say(f"{configuration.name}, batch {batch}")
        results = measure_batch(configuration, batch, arguments, manygate)
        for name in names:
            if name not in results:
                continue
            result = results[name]
            ratio, verdict = "", ""
            if manygate and name != "manygate":
                times = (statistics.median(results["manygate"]["rows_per_second"])
                         / statistics.median(result["rows_per_second"]))
                verdict, good = requirement(configuration, batch, name, times)
                ratio, met = f"{times:.1f}×", met and good
            label = names[name] + (f" ({result['variant']})" if result["variant"] else "")
            rows.append([batch, label, report.spread(result["rows_per_second"]), ratio, verdict,
                         f"{result['peak_rss_mb']:.0f}", report.phases(result["phases"])])
    header = ["batch", "program", "thousand rows/s, median (range)", "Manygate is", "required", "peak MB",
              "time goes to"]
    return [f"### Training steps: {arguments.runs} alternating runs of {arguments.seconds:g} s", "",
            *report.table(header, rows), ""], met


def loss_section(configuration, arguments, manygate):
    """Mean training loss of the last fifth of one epoch, averaged over the seeds, must agree within the tolerance."""
    steps = LOSS_EPOCHS * (census.ROWS // LOSS_BATCH)
    rows, means = [], {}
    for variant in (LIBRARY, "fused/eager"):
        worker = programs.TorchWorker(configuration.name, variant, LOSS_BATCH, arguments.cache, arguments.core)
        losses = [worker.ask(f"loss {LOSS_EPOCHS} {seed}")["mean_loss_last_fifth"] for seed in LOSS_SEEDS]
        worker.close()
        means[f"PyTorch, {variant}"] = losses
    if manygate:
        means["Manygate"] = [manygate.loss(LOSS_BATCH, steps, seed)["mean_loss_last_fifth"] for seed in LOSS_SEEDS]
    reference = statistics.mean(means[f"PyTorch, {LIBRARY}"])
    agree = True
    for name, losses in means.items():
        difference = statistics.mean(losses) / reference - 1
        agree = agree and abs(difference) <= LOSS_TOLERANCE
        rows.append([name, f"{statistics.mean(losses):.4f}", " ".join(f"{loss:.4f}" for loss in losses),
                     f"{100 * difference:+.2f} %"])
    title = (f"### Same loss: {steps} steps of {LOSS_BATCH} rows, mean over the last fifth, seeds "
             f"{', '.join(map(str, LOSS_SEEDS))}; at most {100 * LOSS_TOLERANCE:g} % apart: {'yes' if agree else 'NO'}")
    return [title, "", *report.table(["program", "mean", "by seed", "difference"], rows), ""], agree


def train_once(configuration, arguments, folder, cache):
    """(seconds, peak MB) of one `manygate train`, from the first line read to the model written."""
    command = [arguments.build / "manygate", "train", configuration.config, "--model_dir", folder / "model",
               "--seed", "1", "--threads", "1", "--set", f"train_config.num_epochs={END_TO_END_EPOCHS}",
               "--set", f"data_config.cache_dir={cache}"]
    shutil.rmtree(folder / "model", ignore_errors=True)
    return programs.measured_run(command, arguments.core, programs.one_thread_environment())[1:]


def check_model(arguments, folder):
    """The model that was timed must be a good one: the AUC of each task on the whole test file."""
    test_file = census.data_folder() / "census-income" / "census-income.test.gz"
    command = [arguments.build / "manygate", "evaluate", folder / "model", "--data", test_file, "--format", "json"]
    tasks = json.loads(programs.measured_run(command, arguments.core, programs.one_thread_environment())[0])["tasks"]
    return {name: tasks[name]["auc"] for name in LEAST_AUC}, all(tasks[n]["auc"] >= v for n, v in LEAST_AUC.items())


def end_to_end_section(configuration, arguments):
    """`manygate train` as a user runs it: text to model and hold-out metrics, then again from the column cache."""
    if not (arguments.build / "manygate").exists():
        raise SystemExit(f"{arguments.build / 'manygate'}: not built. Give --build FOLDER or --skip end_to_end.")
    measured = {"from the .gz text": [], "from the cache": []}
    with tempfile.TemporaryDirectory(prefix="manygate_bench_") as name:
        folder = pathlib.Path(name)
        for run in range(arguments.runs):
            for runs in measured.values():  # the first of the two fills the cache
                runs.append(train_once(configuration, arguments, folder, folder / f"cache_{run}"))
        auc, good = check_model(arguments, folder)
    rows, met = [], True
    for (name, runs), limit in zip(measured.items(), (COLD_SECONDS, CACHED_SECONDS)):
        seconds, peak = [run[0] for run in runs], max(run[1] for run in runs)
        fine = statistics.median(seconds) <= limit and peak <= PEAK_MB
        met = met and fine
        times = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        rows.append([name, times, f"{peak:.0f}",
                     f"≤ {limit:g} s, ≤ {PEAK_MB} MB: {'met' if fine else 'MISSED'}"])
    title = f"### End to end: `manygate train`, {END_TO_END_EPOCHS} epochs at batch 32, evaluation included"
    areas = ", ".join(f"{name} {value:.5f}" for name, value in auc.items())
    return [title, "", *report.table(["input", "seconds, median (range)", "peak MB", "required"], rows), "",
            f"AUC on the whole test file: {areas}{'' if good else ' (LOWER than a trained model has)'}.", ""], met, good


def measure(configuration, arguments, version):
    """(same loss?, trained model?, requirements met?)"""
    manygate = None
    if not arguments.pytorch_only:
        manygate = programs.Manygate(arguments.build, configuration.config, arguments.core)
    title = f"{configuration.name}, Census-Income, {configuration.title}" + ("" if manygate else ", PyTorch only")
    lines = report.heading(title, f"PyTorch {version}")
    same_loss = sound_model = met = True
    if "loss" not in arguments.skip:
        section, same_loss = loss_section(configuration, arguments, manygate)
        lines += section
    if "speed" not in arguments.skip:
        section, good = speed_section(configuration, arguments, manygate)
        lines, met = lines + section, met and good
    if manygate and configuration.end_to_end and "end_to_end" not in arguments.skip:
        section, good, sound_model = end_to_end_section(configuration, arguments)
        lines, met = lines + section, met and good
    print("\n".join(lines))
    if not arguments.no_results:
        report.insert_section(arguments.results, lines)
    return same_loss, sound_model, met


def main():
    arguments = parse_arguments()
    os.environ["MANYGATE_DATA"] = str(census.data_folder())  # the configuration reads it too
    say("preparing the arrays")
    version = programs.prepare(arguments.cache)
    outcomes = [measure(CONFIGURATIONS[name], arguments, version) for name in arguments.configurations]
    same_loss, sound_model, met = (all(column) for column in zip(*outcomes))
    if not same_loss:
        say("The two sides do not reach the same loss, so the speeds mean nothing.")
    if not sound_model:
        say("The model of the end-to-end run is not a trained one, so its time means nothing.")
    if not same_loss or not sound_model or (arguments.require and not met):
        sys.exit(1)


if __name__ == "__main__":
    main()
