#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What examples/run_all.sh needs besides the program.

    table.py names [RECIPE|FOLDER]...          the recipes, one a line
    table.py prepare RECIPE --output FOLDER    makes rows where they are generated; prints arguments for
                                               `manygate train`, one a line; exit code 3 and a reason on stderr
                                               where its data are not there
    table.py show RECIPE... --output FOLDER [--results FILE]   the table, from FOLDER/RECIPE/metrics.jsonl

A recipe is examples/RECIPE.config. What it is compared with stands in COMPARISONS, with its source.
"""
import argparse
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NO_DATA = 3
# Figures closer than this are the same: the seeds of one recipe differ by more.
SAME = 0.0005

PADDLE_DATA = ("Census-Income", "census-income/census-income.data*", "census-income/census-income.test*")
ALI_DATA = ("Ali-CCP, 10 rows", "ali-ccp-sample/esmm/train/small.txt*", "ali-ccp-sample/esmm/test/small.txt*")
# recipe: (data, the files it needs below the data folder, model, seconds per epoch of the original with its machine)
RECIPES = {
    "paddlepaddle_models/mmoe": (*PADDLE_DATA, "MMoE 8 × 4", "133.6 (not said)"),
    "mindspore/census": (*PADDLE_DATA, "MMoE 8 × 4", "8.0 + 6 to 12 of evaluation (Ascend 910)"),
    "mindspore/adult": ("Adult", "adult/adult.data*", "adult/adult.test*", "MMoE 8 × 4",
                        "0.7 + 1 of evaluation (Ascend 910)"),
    "mindspore/bank": ("Bank Marketing", "bank-marketing/bank-additional-full.csv*", None, "MMoE 8 × 4",
                       "0.7 + 1 of evaluation (Ascend 910)"),
    "metaspore/census": (*PADDLE_DATA, "MMoE 2 × 4, embeddings", "14.3 (1 worker, 1 server)"),
    "torcheasyrec/taobao_mmoe": ("generated", None, None, "MMoE 6 × [512, 256, 128]", "not published"),
    "torcheasyrec/taobao_mmoe_has_sequence": ("generated", None, None, "the same, DIN", "not published"),
    "torcheasyrec/ali_ccp_mmoe": ("generated", None, None, "MMoE 3 × [128, 64]", "not published"),
    "torcheasyrec/ali_ccp_ple": ("generated", None, None, "PLE, 2 levels", "not published"),
    "paddlerec/mmoe": (*PADDLE_DATA, "MMoE 8 × 16", "129 to 150 (not said)"),
    "paddlerec/share_bottom": (*PADDLE_DATA, "Shared-Bottom 117", "77 to 86 (not said)"),
    "paddlerec/ple": (*PADDLE_DATA, "PLE, 1 level", "about 60 (not said)"),
    "paddlerec/esmm": (*ALI_DATA, "ESMM", "about 18 (GPU, 100,000 rows)"),
    "paddlerec/escm2": (*ALI_DATA, "ESCM², DR", "about 18 (GPU, 100,000 rows)"),
    "paddlerec/aitm": ("Ali-CCP, 48 rows", "ali-ccp-sample/aitm/train/train.csv*", "ali-ccp-sample/aitm/test/test.csv*",
                       "AITM", "about 1,800 (GPU, all rows)"),
}
# Recipes whose original is judged on the second half of the test file after every epoch.
TEST_HALF = {"paddlepaddle_models/mmoe", "metaspore/census", "paddlerec/mmoe", "paddlerec/share_bottom",
             "paddlerec/ple"}

CUMULATIVE = "their counters ran on over all epochs: a kind of mean, compared with our mean"
SHIFTED = "theirs tests on shifted columns: 208 of 499 stand one place off"
OTHER_SPLIT = "which rows theirs holds out is not known"
EMBEDDINGS_ONLY = "in theirs only the embeddings learn"
NO_WEIGHT = "instance_weight, a feature of theirs, is lost in the training file at hand"
QUICK = "a quick run says nothing"
SMALL = "a sample of rows: no model can be judged; theirs is of data that are not here"
GENERATED = "rows of the same shape, generated: theirs is of tables that are not public"
# recipe: rows of (task, the figure the original prints, its value, our metric, mean | max | last, source, remark)
COMPARISONS = {
    "paddlepaddle_models/mmoe": [
        ("income", "AUC after epoch 99", 0.93382, "auc", "mean", "README", CUMULATIVE),
        ("marital", "AUC after epoch 99", 0.99199, "auc", "mean", "README", CUMULATIVE),
    ],
    "mindspore/census": [
        ("income", "best flattened AUC", 0.98995, "flattened_auc", "max", "loss_census_income.txt", SHIFTED),
        ("marital", "best flattened AUC", 0.98392, "flattened_auc", "max", "loss_census_income.txt", SHIFTED),
    ],
    "mindspore/adult": [
        ("income", "best flattened AUC", 0.91879, "flattened_auc", "max", "loss_adult.txt", ""),
        ("never_married", "best flattened AUC", 0.93968, "flattened_auc", "max", "loss_adult.txt", ""),
    ],
    "mindspore/bank": [
        ("purchase", "best flattened AUC", 0.97470, "flattened_auc", "max", "scripts/ascend.txt", OTHER_SPLIT),
        ("married", "best flattened AUC", 0.74163, "flattened_auc", "max", "scripts/ascend.txt", OTHER_SPLIT),
    ],
    "metaspore/census": [
        ("marital", "AUC after 100 epochs", 0.98231, "auc", "last", "README", EMBEDDINGS_ONLY),
        ("income", "AUC after 100 epochs", 0.86267, "auc", "last", "README", EMBEDDINGS_ONLY),
    ],
    "torcheasyrec/taobao_mmoe": [
        ("ctr", "AUC, tolerance 0.002", 0.634, "auc", "last", "base_eval_metric.json", GENERATED),
        ("cvr", "AUC, tolerance 0.020", 0.785, "auc", "last", "base_eval_metric.json", GENERATED),
    ],
    "torcheasyrec/taobao_mmoe_has_sequence": [
        ("ctr", "AUC, tolerance 0.002", 0.636, "auc", "last", "base_eval_metric.json", GENERATED),
        ("cvr", "AUC, tolerance 0.020", 0.705, "auc", "last", "base_eval_metric.json", GENERATED),
    ],
    "torcheasyrec/ali_ccp_mmoe": [
        ("ctr", "AUC, tolerance 0.002", 0.616, "auc", "last", "base_eval_metric.json", GENERATED),
        ("cvr", "AUC, tolerance 0.005", 0.658, "auc", "last", "base_eval_metric.json", GENERATED),
    ],
    "torcheasyrec/ali_ccp_ple": [
        ("ctr", "AUC, tolerance 0.002", 0.616, "auc", "last", "base_eval_metric.json", GENERATED),
        ("cvr", "AUC, tolerance 0.005", 0.658, "auc", "last", "base_eval_metric.json", GENERATED),
    ],
    "paddlerec/mmoe": [
        ("income", "AUC, mean of 100 epochs", 0.94465, "auc", "mean", "models/multitask/readme.md, 2020", NO_WEIGHT),
        ("marital", "AUC, mean of 100 epochs", 0.99324, "auc", "mean", "models/multitask/readme.md, 2020", NO_WEIGHT),
        ("income", "AUC, best epoch", 0.94937, "auc", "max", "release/1.8 multi_task/mmoe", NO_WEIGHT),
        ("marital", "AUC, best epoch", 0.99419, "auc", "max", "release/1.8 multi_task/mmoe", NO_WEIGHT),
    ],
    "paddlerec/share_bottom": [
        ("income", "AUC, mean of 100 epochs", 0.93120, "auc", "mean", "models/multitask/readme.md, 2020", NO_WEIGHT),
        ("marital", "AUC, mean of 100 epochs", 0.99256, "auc", "mean", "models/multitask/readme.md, 2020", NO_WEIGHT),
        ("income", "AUC, best epoch", 0.94993, "auc", "max", "release/1.8 multi_task/share_bottom", NO_WEIGHT),
        ("marital", "AUC, best epoch", 0.99384, "auc", "max", "release/1.8 multi_task/share_bottom", NO_WEIGHT),
    ],
    "paddlerec/ple": [
        ("income", "not printed", None, "auc", "mean", "", ""),
        ("marital", "AUC", 0.99, "auc", "last", "models/multitask/ple/README.md",
         "theirs takes the wrong experts for the second task"),
    ],
    "paddlerec/esmm": [
        ("click", "AUC", 0.97181, "auc", "last", "models/multitask/readme.md, 2020", SMALL),
        ("purchase", "AUC", 0.49967, "auc", "last", "models/multitask/readme.md, 2020", SMALL),
    ],
    "paddlerec/escm2": [
        ("click", "AUC, of training", 0.82, "auc", "last", "models/multitask/escm2/readme.md", SMALL),
        ("purchase", "not printed", None, "auc", "last", "", SMALL),
    ],
    "paddlerec/aitm": [
        ("click", "AUC", 0.6130, "auc", "last", "models/multitask/aitm/readme.md", SMALL),
        ("purchase", "AUC", 0.6166, "auc", "last", "models/multitask/aitm/readme.md", SMALL),
    ],
}


def chosen(names):
    if not names:
        return list(RECIPES)
    found = [recipe for recipe in RECIPES if any(name in (recipe, recipe.split("/")[0]) for name in names)]
    for name in names:
        if not any(name in (recipe, recipe.split("/")[0]) for recipe in RECIPES):
            sys.exit(f"no recipe is called {name}; there are: {' '.join(RECIPES)}")
    return found


def data_file(pattern):
    """The one file of a pattern below $MANYGATE_DATA, or None."""
    found = sorted(pathlib.Path(os.environ.get("MANYGATE_DATA", "data")).glob(pattern))
    return found[0] if found else None


def numpy_permutation(size, seed):
    """numpy.random.RandomState(seed).permutation(size): MT19937, Fisher-Yates from the end, masked rejection."""
    state = [seed]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
    source = random.Random()
    source.setstate((3, (*state, 624), None))
    order = list(range(size))
    for i in range(size - 1, 0, -1):
        bits = i.bit_length()
        while (j := source.getrandbits(32) & ((1 << bits) - 1)) > i:
            pass
        order[i], order[j] = order[j], order[i]
    return order


def write_test_half(output):
    """The rows of Census-Income's test file that are not drawn by pandas' sample(frac=0.5, random_state=1)."""
    path = output / "census_test_half.csv"
    if not path.exists():
        source = data_file("census-income/census-income.test*")
        with open_text(source) as file:
            lines = [line for line in file if line.strip()]
        order = numpy_permutation(len(lines), 1)
        path.with_suffix(".tmp").write_text("".join(lines[row] for row in order[len(lines) // 2:]))
        path.with_suffix(".tmp").rename(path)
    return path


def open_text(path):
    return gzip.open(path, "rt") if path.suffix == ".gz" else open(path)


def weights_are_there():
    """Whether Census-Income's training file has its 25th column; the copy that some have has "?" in all rows."""
    path = data_file("census-income/census-income.data*")
    if path is None:
        return False
    with open_text(path) as file:
        return file.readline().split(",")[24].strip() != "?"


def weight_feature(recipe):
    """instance_weight as the original of a recipe takes it: a number as it is, or MetaSpore's id of ln(x + 1)."""
    if recipe != "metaspore/census":
        return '{ raw_feature { feature_name: "instance_weight" } }'
    return ('{ raw_feature { feature_name: "instance_weight" normalizer: "method=expression,expr=log(x+1)" '
            'boundaries: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] embedding_dim: 2 init_fn: "nn.init.normal_,std=0.01" } }')


def generated_rows(recipe, output, quick):
    """Writes them once; returns the training and the evaluation file."""
    kind = "taobao" if "taobao" in recipe else "ali_ccp"
    folder = output / "generated"
    best = folder / f"{kind}_best.json"
    if not best.exists():
        script = ROOT / "examples/torcheasyrec/generate.py"
        command = [sys.executable, script, kind, "--rows", "2000" if quick else "60000", "--output", folder]
        best_text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        best.write_text(best_text)
    return [(folder / f"{kind}_{part}.csv").resolve() for part in ("train", "eval")]


def prepare(recipe, output, quick):
    """Prints arguments for train besides configuration and model directory."""
    _, train, test, _, _ = RECIPES[recipe]
    for pattern in (train, test):
        if pattern and data_file(pattern) is None:
            print(f"no {pattern} in {os.environ.get('MANYGATE_DATA', 'data')}", file=sys.stderr)
            sys.exit(NO_DATA)
    output.mkdir(parents=True, exist_ok=True)
    fields = {}
    steps = 200
    if recipe in TEST_HALF:
        fields["eval_input_path"] = write_test_half(output).resolve()
        fields["data_config.split.eval_halves"] = "false"
    if recipe.startswith("torcheasyrec/"):
        fields["train_input_path"], fields["eval_input_path"] = generated_rows(recipe, output, quick)
        steps = 4
    if "ali-ccp-sample" in (train or ""):
        fields["train_config.save_checkpoints_epochs"] = 10  # a checkpoint takes longer than 10 epochs
        steps = 1
    if quick:
        fields |= {"train_config.num_steps": steps, "train_config.save_checkpoints_steps": max(steps // 2, 1)}
    if "census-income" in (train or "") and weights_are_there():
        fields["feature_configs+"] = weight_feature(recipe)
    for name, value in fields.items():
        print("--set", f"{name}={value}", sep="\n")


class Figures:
    """What a training's metrics.jsonl says."""

    def __init__(self, path):
        self.lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.epochs = self.lines[-1]["epoch"]
        self.seconds_per_epoch = self.lines[-1]["seconds"] / max(self.epochs, 1)

    def of(self, task, metric):
        """mean, max and last over the evaluations; None where one does not exist."""
        values = [line["tasks"][task].get(metric) for line in self.lines]
        if any(value is None for value in values):
            return None
        return {"mean": sum(values) / len(values), "max": max(values), "last": values[-1]}


def verdict(ours, original, remark):
    """Whether a figure of ours reaches theirs, and what is to be known of it; NO_WEIGHT only where it does not."""
    if remark in (SMALL, GENERATED):
        return f"not comparable: {remark}"
    if original is None or ours is None:
        return remark or "-"
    difference = ours - original
    if difference > SAME:
        word = "beaten"
    elif difference >= -SAME:
        word = "met"
    else:
        word = f"not met by {-difference:.5f}"
    if remark == NO_WEIGHT and (difference >= -SAME or weights_are_there()):
        remark = ""
    return f"{word}; {remark}" if remark else word


def triple(values, marked=None):
    if values is None:
        return "-"
    return " / ".join(f"**{value:.5f}**" if name == marked else f"{value:.5f}" for name, value in values.items())


WITHOUT_WEIGHT = """lost in the training file at hand: no feature here. The
  test file has it: trained on its other half for 60 epochs, share_bottom's best epoch on this half has an income AUC of
  0.9423 and 0.9435 (two seeds) with it, 0.9266 and 0.9386 without it, and of marital 0.9923 and 0.9928 for 0.9900 and
  0.9916"""
HEADER = ["recipe", "data", "model", "task", "original", "ours, same metric: mean / max / last",
          "ours, exact AUC: mean / max / last", "epochs", "s/epoch ours", "s/epoch original", "verdict"]


def rows_of(recipe, output, quick):
    data, _, _, model, seconds = RECIPES[recipe]
    path = output / recipe / "metrics.jsonl"
    figures = Figures(path) if path.exists() else None
    for task, what, original, metric, aggregate, source, remark in COMPARISONS[recipe]:
        theirs = what if original is None else f"{what}: **{original:.5f}** ({source})"
        if figures is None:
            yield [recipe, data, model, task, theirs, "-", "-", "-", "-", seconds, "skipped: its data are not there"]
            continue
        same = figures.of(task, metric)
        exact = figures.of(task, "xauc") or figures.of(task, "auc")
        said = QUICK if quick else verdict(same[aggregate] if same else None, original, remark)
        yield [recipe, data, model, task, theirs, triple(same, aggregate), triple(exact), f"{figures.epochs:g}",
               f"{figures.seconds_per_epoch:.2f}", seconds, said]


def table(recipes, output, quick):
    rows = [row for recipe in recipes for row in rows_of(recipe, output, quick)]
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def machine():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{os.cpu_count()} CPUs{' (' + names[0] + ')' if names else ''}"


RESULTS = """# Results of the recipes

Written by [run_all.sh](run_all.sh), which trains every recipe as its configuration says; do not edit.
{machine}; other work ran on the machine at the same time.

- "Same metric" is computed as the original computes it: over 4,095 thresholds for PaddlePaddle's, flattened over both
  classes for MindSpore's ([mindspore/README.md](mindspore/README.md)). Exact AUC stands beside it. In bold what is
  compared: the original's figure is a mean over epochs, the best epoch, or the last.
- The best epoch is chosen on the rows that it is reported on, in the originals and here: it flatters.
- Census-Income's figures are of the original's rows: PaddlePaddle's and MetaSpore's half of the test file, MindSpore's
  whole test file. What else differs stands in the README of each folder.
- instance_weight, a feature of the originals, is {weight}.
- "Beaten" is better by more than {same}, "met" within it. Seconds per epoch include the evaluation.
- Generated rows (TorchEasyRec's shapes) are few, and seen twice. The AUC of the true probabilities, which no model can
  be expected to pass: {best}.

{table}"""


def best_of_generated(output):
    parts = []
    for kind in ("taobao", "ali_ccp"):
        path = output / "generated" / f"{kind}_best.json"
        if path.exists():
            best = json.loads(path.read_text())
            parts.append(f"{kind}: {best['click']:.3f} for ctr, {best['purchase']:.3f} for cvr")
            if kind == "taobao":
                parts[-1] += f" ({best['purchase_of_clicked']:.3f} among clicked rows, those of taobao_mmoe's cvr)"
    return "; ".join(parts) or "not known"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["names", "prepare", "show"])
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.what == "names":
        print("\n".join(chosen(arguments.recipes)))
    elif arguments.what == "prepare":
        prepare(arguments.recipes[0], arguments.output, arguments.quick)
    else:
        text = table(chosen(arguments.recipes), arguments.output, arguments.quick)
        print(text, end="")
        if arguments.results:
            best = best_of_generated(arguments.output)
            weight = "in the training file and a feature here, too" if weights_are_there() else WITHOUT_WEIGHT
            arguments.results.write_text(
                RESULTS.format(machine=machine(), same=SAME, best=best, weight=weight, table=text))


if __name__ == "__main__":
    main()
