#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes README.md, curves.svg and histograms.svg of the study from results.json; runs the study first with --program.

    python3 benchmarks/paper_study/page.py                                               # only the page, in a second
    python3 benchmarks/paper_study/page.py --program build/release/manygate_paper_study  # the study first: 10 minutes
    python3 benchmarks/paper_study/page.py --program PROGRAM --folder out/quick --quick  # other options are the study's
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

import figures

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import report  # noqa: E402  machine() and commit() of the other benchmarks


def run_study(program, folder, options):
    """Runs the study; adds machine and commit to the line of its cost."""
    path = folder / "results.json"
    subprocess.run([program, "--output", path, *options], check=True)
    cost = json.loads(path.read_text())["cost"] | {"machine": report.machine(), "commit": report.commit()}
    lines = path.read_text().splitlines()
    lines = [f'"cost": {json.dumps(cost)}' if line.startswith('"cost"') else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def digits(value):
    return "none" if value is None else f"{value:.4g}"


def interval(ends):
    return f"{digits(ends[0])} .. {digits(ends[1])}" if None not in ends else "undefined"


def loss_table(results):
    rows = []
    for cell in results["cells"]:
        s = cell["summary"]
        numbers = [s[k] for k in ("mean", "sd", "min", "q05", "q25", "q50", "q75", "q95")]
        rows.append([f'{cell["correlation"]:.1f}', figures.MODELS[cell["model"]], *(f"{n:.5f}" for n in numbers)])
    return table(["correlation", "model", "mean", "sd", "min", "5 %", "25 %", "50 %", "75 %", "95 %"], rows)


def pilot_table(results):
    rows = []
    for model, pilot in results["pilot"].items():
        rows.append([figures.MODELS[model], *map(digits, pilot["losses"]), f'{pilot["chosen"]:g}'])
    return table(["model", *(f"{rate:g}" for rate in pilot["rates"]), "chosen"], rows)


def verb(finding):
    return "is not decided" if finding["verdict"] == "not decided" else finding["verdict"]


def finding_text(finding):
    holding = sum(part["verdict"] == "holds" for part in finding["parts"])
    parts = [[p["claim"], digits(p["value"]), interval(p["interval"]), p["verdict"]] for p in finding["parts"]]
    return (f'### Finding {finding["number"]}: {finding["verdict"]}\n\n{finding["paper"]} '
            f'**Here it {verb(finding)}**: {holding} of {len(parts)} parts hold.\n\n' +
            table(["part", "value", "95 % interval", "verdict"], parts) + "\n")


def gate_table(results):
    rows = []
    for name, key in (("10 % of task 2's labels", "removed"), ("all labels", "all_labels")):
        for task, gate in enumerate(results["sparse"][key], 1):
            entropy, top = gate["entropy"], gate["top_expert_mean"]
            rows.append([name, f"gate of task {task}", digits(entropy["mean"]), digits(entropy["sd"]),
                         digits(top["mean"])])
    return table(["training rows have", "gate", "mean entropy", "sd", "mean weight of the top expert"], rows)


def cost_text(cost):
    minutes = cost["wall_seconds"] / 60
    where = f' on {cost["machine"]}, commit {cost["commit"]}' if "machine" in cost else ""
    return (f'It took {minutes:.1f} minutes on {cost["threads"]} threads and {cost["cpu_seconds"]:,.0f} s of processor '
            f'time{where}: {cost["cpu_seconds"] / 120:.1f} minutes on two cores that do nothing else.')


def warning(results):
    if not results["meaningful"]:
        return "**These numbers of a quick run mean nothing.**\n\n"
    runs = results["settings"]["runs"]
    return "" if runs >= 200 else f"**A short study: {runs} runs where the paper has 200.**\n\n"


def page(results):
    settings, signal, cost = results["settings"], results["signal"], results["cost"]
    trainings = settings["runs"] * len(results["cells"])
    verdicts = [f'{finding["number"]} {verb(finding)}' for finding in results["findings"]]
    sines = (f'alpha_i and beta_i are N(0, 1), drawn once (seed {signal["sine_seed"]}: the first from 1 whose '
             'labels have a variance of at least 2, of which a straight line explains at most half)'
             if signal["sine_seed"] else "alpha_i = i, beta_i = (i - 1)²")
    template = (HERE / "page.md").read_text(encoding="utf-8")
    values = {
        "warning": warning(results),
        "verdicts": "; ".join(verdicts),
        "trainings": f"{trainings:,}",
        "sines": sines,
        "alpha": ", ".join(f"{a:.3f}" for a in signal["alpha"]),
        "beta": ", ".join(f"{b:.3f}" for b in signal["beta"]),
        "variance": f'{signal["variance"]:.3f}',
        "noise_deviation": f'{signal["noise_deviation"]:g}',
        "noise_variance": f'{signal["noise_variance"]:g}',
        "linear_share": f'{100 * signal["linear_share"]:.0f} %',
        "floor": f'{signal["floor"]:.5f}',
        "losses": loss_table(results),
        "pilot": pilot_table(results),
        "findings": "\n".join(map(finding_text, results["findings"])),
        "gates": gate_table(results),
        "cost": cost_text(cost),
        **{name: f"{value:,}" if isinstance(value, int) else f"{value:g}" for name, value in settings.items()},
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="manygate_paper_study: run the study first")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE, help="of results.json and of what is made of it")
    arguments, options = parser.parse_known_args()
    if options and not arguments.program:
        parser.error(f"options {' '.join(options)} are the study's and need --program")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.program:
        run_study(arguments.program, arguments.folder, options)
    results = json.loads((arguments.folder / "results.json").read_text())
    for name, content in (("README.md", page(results)), ("curves.svg", figures.curves(results)),
                          ("histograms.svg", figures.histograms(results))):
        (arguments.folder / name).write_text(content, encoding="utf-8")
        print(arguments.folder / name)


if __name__ == "__main__":
    main()
