# SPDX-License-Identifier: Apache-2.0
"""Trains the configurations of this folder, which are written as TorchEasyRec's documentation describes them, unchanged.

    python3 tests/torcheasyrec/torcheasyrec_test.py --program build/release/manygate [--only mmoe_din] [--keep FOLDER]

The rows are generated (taobao_data.py). Features that the program generates equal those computed there. Each configuration must train to figures above chance, name what it ignores once,
predict under TorchEasyRec's names, and evaluate to the figures of its training. Where a column changes, predictions change if
the configuration reads it, and only then. The commands of docs/howto/from_torcheasyrec.md are run as they stand there.
"""
import argparse
import csv
import dataclasses
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import taobao_data

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "howto" / "from_torcheasyrec.md"
ROWS = 4000
MIN_AUC = 0.6

BINARY = {"ctr": ["auc"], "cvr": ["auc"]}
GROUPED_CLICKS = {"ctr": ["auc", "grouped_auc"], "cvr": ["auc"]}
GROUPED = {"ctr": ["grouped_auc", "auc"], "cvr": ["grouped_auc", "auc"]}
PROBABILITIES = ["probs_ctr", "logits_ctr", "probs_cvr", "logits_cvr"]
USER_AND_ITEM = ["user_id", "cate_id", "price", "pid"]
CLICKS = ["click_50_seq__adgroup_id", "click_50_seq__cate_id", "click_50_seq__brand"]


@dataclasses.dataclass
class Case:
    """What one configuration must do: metrics of its towers, columns of its predictions, columns of the rows it reads."""
    metrics: dict = dataclasses.field(default_factory=lambda: BINARY)
    columns: list = dataclasses.field(default_factory=lambda: PROBABILITIES)
    reads: list = dataclasses.field(default_factory=lambda: USER_AND_ITEM)
    ignored: list = dataclasses.field(default_factory=lambda: ["data_config.num_workers"])
    folder: str = "taobao"
    among_clicks: bool = False  # the tower cvr is measured on the clicks only


CASES = {
    "mmoe": Case(ignored=["data_config.num_workers", "data_config.pin_memory", "data_config.fg_threads",
                          "data_config.shuffle_buffer_size", "train_config.is_profiling",
                          "train_config.cudnn_allow_tf32", "train_config.cuda_matmul_allow_tf32",
                          "eval_config.log_step_count_steps", "export_config"]),
    "mmoe_din": Case(reads=USER_AND_ITEM + CLICKS + ["buy_10_seq__cate_id", "buy_10_seq__brand"],
                     ignored=["data_config.num_workers", "train_config.global_embedding_constraints",
                              "train_config.mixed_precision", "id_feature.embedding_constraints"]),
    "mmoe_attention": Case(reads=USER_AND_ITEM + CLICKS + ["click_50_seq__price", "view_cate_seq", "view_price_seq"],
                           ignored=["data_config.num_workers", "grad_clipping.enable_global_grad_clip"]),
    "mmoe_weights": Case(among_clicks=True),
    "ple": Case(ignored=["data_config.num_workers", "data_config.is_orderby_partition",
                         "data_config.odps_data_quota_name", "export_config"]),
    "ple_sequences": Case(reads=USER_AND_ITEM + CLICKS + ["click_50_seq__ts"]),
    "dbmtl": Case(metrics=GROUPED_CLICKS),
    "dbmtl_sequences": Case(reads=USER_AND_ITEM + CLICKS, ignored=["data_config.num_workers", "train_metrics"]),
    "dbmtl_jrc": Case(metrics=GROUPED, columns=["probs1_ctr", "logits_ctr_0", "logits_ctr_1", "probs1_cvr", "logits_cvr_0",
                                                "logits_cvr_1"]),
    "dbmtl_mask_net": Case(),
    "pepnet": Case(reads=USER_AND_ITEM + ["occupation"]),
    "dc2vr": Case(),
    "feature_kinds": Case(reads=[
        "user_id", "age_level", "shopping_level", "pid", "cms_group_id", "adgroup_id", "customer", "cate_id", "brand",
        "tag_category_list", "interests", "price", "picture", "user_picture", "user_cate_counts",
        "user_cate_brand_counts", "user_words", "title_words", "user_word_weights", "title_word_weights", "last_items",
        "last_items_valid", "events", "occupation"],
        ignored=["data_config.num_workers", "data_config.fg_threads", "zch.eviction_interval", "zch.lfu",
                 "dynamicemb.score_strategy", "id_feature.fg_value_type", "id_feature.data_type"]),
    "sequence_kinds": Case(reads=USER_AND_ITEM + CLICKS + [
        "click_50_seq__price", "click_50_seq__ts", "click_50_seq__title_words", "click_50_seq__title_word_weights",
        "click_50_seq__valid", "click_50_seq__event", "view_cate_seq", "view_price_seq", "user_cate_counts",
        "user_cate_brand_counts", "user_words", "user_word_weights"]),
    "fg_none": Case(folder="taobao_encoded", reads=USER_AND_ITEM + CLICKS + ["tag_category_list", "age_and_category",
                                                                             "category_clicks", "click_50_seq__price"]),
    "fg_bucketize": Case(folder="taobao_generated", reads=USER_AND_ITEM + CLICKS + [
        "tag_category_list", "age_and_category", "category_clicks", "click_50_seq__price"]),
    "input_fields_str": Case(folder="taobao_no_header"),
    "input_fields": Case(
        folder="taobao_no_header",
        metrics={"ctr": ["accuracy", "multiclass_auc"], "cvr": ["auc"], "amount": ["mean_squared_error", "mean_absolute_error"]},
        columns=["probs_ctr_0", "probs_ctr_1", "logits_ctr_0", "logits_ctr_1", "probs_cvr", "logits_cvr", "y_amount",
                 "logits_amount"]),
}
# Metrics for which more is better, with chance below MIN_AUC.
RATIOS = ("auc", "grouped_auc", "multiclass_auc", "accuracy")


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")


def run(command, folder):
    """Runs to the end; returns (stdout, stderr)."""
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"exit code {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def check_ignored(name, case, stderr):
    notes = [line for line in stderr.splitlines() if "ignored: " in line]
    check(len(notes) == 1 and notes[0].startswith(f"note: {name}.config: "), f"{name}: one note of ignored fields: {notes}")
    for field in case.ignored:
        check(field in notes[0], f"{name}: the note names {field}: {notes[0]}")
    check(("export_config" in notes[0]) == ("export_config" in case.ignored), f"{name}: export_config in {notes[0]}")


def check_figures(name, case, tasks):
    check(list(tasks) == list(case.metrics), f"{name}: towers {list(tasks)}")
    for tower, metrics in case.metrics.items():
        figures = tasks[tower]
        names = [metric for metric in figures if metric not in ("rows", "positives", "auc_interval")]
        check(names == metrics, f"{name}: metrics of {tower}: {names}, expected {metrics}")
        for metric in metrics:
            value = figures[metric]
            check(value is not None and math.isfinite(value), f"{name}: {metric}_{tower} is {value}")
            check(metric not in RATIOS or value > MIN_AUC, f"{name}: {metric}_{tower} is {value}, expected > {MIN_AUC}")


def predictions(program, folder, model, data):
    run([program, "predict", model, "--data", data, "--logits", "--output", "predictions.csv"], folder)
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def changed_rows(rows, column):
    """The rows, each with the column's value of a row with another one."""
    values = [row[column] for row in rows]
    other = {value: next((one for one in values if one not in ("", value)), "") for value in set(values)}
    return [row | {column: other[row[column]]} for row in rows]


def check_reads(program, folder, name, case, before):
    """Predictions depend on the columns that are read, and on no other."""
    names = taobao_data.RAW_COLUMNS
    header = case.folder != "taobao_no_header"
    with open(folder / "data" / case.folder / "eval.csv", newline="") as file:
        rows = list(csv.DictReader(file, None if header else names))
    some = rows[:300]
    for column in case.reads + ["row_weight"]:
        path = folder / "changed.csv"
        taobao_data.write_csv(path, changed_rows(some, column), list(rows[0]), header)
        _, after = predictions(program, folder, f"experiments/{name}", path.name)
        moved = sum(one != other for one, other in zip(before, after))
        if column == "row_weight":
            check(moved == 0, f"{name}: a column that is not read moves {moved} predictions")
        else:
            check(moved > 0, f"{name}: another value of {column} moves no prediction")


def check_case(program, folder, name, case):
    out, err = run([program, "train", f"{name}.config", "--format", "json"], folder)
    trained = json.loads(out)
    check_ignored(name, case, err)
    tasks = trained["validation"]["tasks"]
    check_figures(name, case, tasks)
    rows_of_cvr = tasks["ctr"]["positives"] if case.among_clicks else ROWS // 4
    check(tasks["cvr"]["rows"] == rows_of_cvr, f"{name}: cvr is measured on {tasks['cvr']['rows']} rows")
    check(trained["model_dir"] == f"experiments/{name}", f"{name}: model_dir {trained['model_dir']}")
    data = f"data/{case.folder}/eval.csv"
    out, _ = run([program, "evaluate", f"experiments/{name}", "--data", data, "--format", "json"], folder)
    check(json.loads(out) == trained["validation"], f"{name}: evaluate gives the figures of the training")
    columns, rows = predictions(program, folder, f"experiments/{name}", data)
    check(columns == case.columns, f"{name}: columns {columns}, expected {case.columns}")
    check(len(rows) == ROWS // 4 and all(math.isfinite(float(value)) for row in rows for value in row),
          f"{name}: a prediction for each of {ROWS // 4} rows")
    check_reads(program, folder, name, case, rows[:300])
    shown = ", ".join(f"{metric}_{tower} {figures[metric]:.4f}" for tower, figures in tasks.items()
                      for metric in case.metrics[tower])
    print(f"ok: {name}: {shown}", flush=True)


def check_same_bytes(program, folder, name):
    for threads in ("1", "2"):
        run([program, "train", f"{name}.config", "--model_dir", f"again_{threads}", "--threads", threads], folder)
    files = [(folder / model / "weights.safetensors").read_bytes() for model in ("again_1", "again_2", f"experiments/{name}")]
    check(files[0] == files[1] == files[2], f"{name}: three runs give the same bytes, with one thread and with two")
    print(f"ok: {name} again: the same bytes", flush=True)


def check_modes(program, folder, name):
    """Features that the program generates (FG_DAG) give the model that taobao_data.py's own give (FG_BUCKETIZE)."""
    text = (folder / f"{name}.config").read_text().replace("FG_BUCKETIZE", "FG_DAG")
    text = text.replace("data/taobao_generated/", "data/taobao/")
    (folder / "raw.config").write_text(text)
    text = text.replace("FG_DAG", "FG_BUCKETIZE").replace("data/taobao/", "data/taobao_generated/")
    (folder / "generated.config").write_text(text)
    made = {}
    for mode, data in (("raw", "taobao"), ("generated", "taobao_generated")):
        run([program, "train", f"{mode}.config", "--model_dir", f"{name}_{mode}"], folder)
        made[mode] = predictions(program, folder, f"{name}_{mode}", f"data/{data}/eval.csv")
    check(made["raw"] == made["generated"], f"{name}: the same predictions with features generated by the program and elsewhere")
    print(f"ok: {name} with FG_DAG and FG_BUCKETIZE: the same predictions", flush=True)


def page_commands():
    """The command lines of the page, in order."""
    commands, fenced = [], False
    for line in PAGE.read_text().splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced and line.startswith("manygate "):
            commands.append(line.split()[1:])
    return commands


def check_page(program, folder):
    """The page's pipeline.config is that of mmoe_din."""
    shutil.copy(HERE / "mmoe_din.config", folder / "pipeline.config")
    commands = page_commands()
    verbs = [command[0] for command in commands]
    check({"check", "train", "evaluate", "predict"} <= set(verbs), f"the page's commands: {verbs}")
    for command in commands:
        run([program, *command], folder)
    print(f"ok: {PAGE.name}: {len(commands)} commands", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="one configuration, by its name")
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    written = {path.stem for path in HERE.glob("*.config")}
    check(written == set(CASES), f"a case per configuration: {sorted(written ^ set(CASES))}")
    folder = arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="manygate_torcheasyrec_"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        taobao_data.write_all(folder / "data", ROWS)
        for path in [*HERE.glob("*.config"), *HERE.glob("*.txt")]:
            shutil.copy(path, folder)
        for name, case in CASES.items():
            if arguments.only in (None, name):
                check_case(program, folder, name, case)
        if arguments.only is None:
            check_same_bytes(program, folder, "mmoe_din")
            for name in ("fg_bucketize", "feature_kinds", "sequence_kinds"):
                check_modes(program, folder, name)
            check_page(program, folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
