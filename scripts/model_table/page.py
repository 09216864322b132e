# SPDX-License-Identifier: Apache-2.0
"""The table of docs/models/README.md, made of results.json."""
import statistics

from model_table import datasets, runs

BEGIN = "<!-- begin: scripts/model_table.py writes from here on -->"
END = "<!-- end: scripts/model_table.py -->"
TREES = "xgboost"


def label_of(model):
    if model == TREES:
        return "XGBoost, one per label"
    if model == runs.ENSEMBLE:
        return f"`mmoe`, ensemble of {runs.ENSEMBLE_MEMBERS}"
    return f"`{model}`"


def metric(name, task):
    return "xauc" if task in datasets.DATASETS[name].amounts else "auc"


def values(results, name, model, task, measure=None):
    measure = measure or metric(name, task)
    return [run["test"][task][measure] for run in results["runs"]
            if (run["dataset"], run["model"]) == (name, model) and task in run["test"]]


def cell(numbers, digits=4):
    if not numbers:
        return ""
    text = f"{statistics.mean(numbers):.{digits}f}"
    return text if len(numbers) < 2 else f"{text} ± {statistics.stdev(numbers):.{digits}f}"


def present(results, wanted):
    found = {run["model"] for run in results["runs"]}
    return [model for model in wanted if model in found]


def table(results):
    """Models down, labels across. Bold: the best mean of a column, whoever has it."""
    models = present(results, runs.MODELS + [runs.ENSEMBLE, TREES])
    columns = [(name, task) for name in datasets.DATASETS for task in datasets.tasks(name)
               if any(values(results, name, model, task) for model in models)]
    best = {}
    for name, task in columns:
        means = {model: statistics.mean(found) for model in models if (found := values(results, name, model, task))}
        best[name, task] = max(means, key=means.get)
    lines = ["| model | " + " | ".join(f"{datasets.DATASETS[name].title}: {task.replace('_', ' ')}"
                                       + (" (XAUC)" if metric(name, task) == "xauc" else "")
                                       for name, task in columns) + " |",
             "|---|" + "---|" * len(columns)]
    for model in models:
        cells = []
        for column in columns:
            # Where a seed draws the rows, the deviation is a hundred times larger.
            digits = 4 if datasets.DATASETS[column[0]].split_varies else 5
            text = cell(values(results, column[0], model, column[1]), digits)
            cells.append(f"**{text}**" if best[column] == model else text)
        lines.append(f"| {label_of(model)} | " + " | ".join(cells) + " |")
    return lines


def costs(results):
    """Parameters and seconds of one network."""
    models = present(results, runs.MODELS)
    names = [name for name in datasets.DATASETS if any(run["dataset"] == name for run in results["runs"])]
    titles = " | ".join(f"{datasets.DATASETS[name].title}: parameters, seconds" for name in names)
    lines = [f"| model | {titles} |", "|---|" + "---|" * len(names)]
    for model in models:
        cells = []
        for name in names:
            found = [run for run in results["runs"] if (run["dataset"], run["model"]) == (name, model)]
            if not found:
                cells.append("")
                continue
            seconds = min(run["seconds"] for run in found)
            cells.append(f"{found[0]['parameters']:,}, {seconds:.0f} s")
        lines.append(f"| `{model}` | " + " | ".join(cells) + " |")
    return lines


def amounts(results):
    """What XAUC does not tell of an amount: the size of its errors, and whether the sums agree."""
    lines = []
    for name, data in datasets.DATASETS.items():
        for task in data.amounts:
            models = [model for model in present(results, runs.MODELS + [runs.ENSEMBLE, TREES])
                      if values(results, name, model, task)]
            if models:
                lines += [f"{data.title}, {task}:", "", "| model | root mean squared error | predicted / observed |",
                          "|---|---|---|"]
            for model in models:
                errors = cell(values(results, name, model, task, "root_mean_squared_error"), 3)
                sums = cell(values(results, name, model, task, "calibration"), 2)
                lines.append(f"| {label_of(model)} | {errors} | {sums} |")
    return lines


def made(results):
    notes = results.get("made", {})
    parts = []
    for name, data in datasets.DATASETS.items():
        rows = notes.get("rows", {}).get(name)
        if rows:
            seeds = sorted({run["seed"] for run in results["runs"] if run["dataset"] == name})
            parts.append(f"{data.title} {rows['train']:,} training, {rows['validation']:,} validation and "
                         f"{rows['test']:,} test rows, seeds {', '.join(map(str, seeds))}")
    text = f"Rows: {'; '.join(parts)}. Test AUC, mean ± standard deviation over the seeds. "
    if "minutes" in notes:
        text += (f"The last call of the script took {notes['minutes']:.0f} minutes for {notes['jobs']} jobs, "
                 f"{notes['processes']} processes of one thread at a time.")
    return text


def render(results):
    lines = [made(results), ""] + table(results) + [""] + amounts(results)
    lines += ["", "What one network costs on one core (the least of the seeds; other work may run beside):", ""] + costs(results)
    return "\n".join(lines)


def write(path, results):
    text = path.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{path}: the lines {BEGIN!r} and {END!r} are missing")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n\n{render(results)}\n\n{END}{after}")
