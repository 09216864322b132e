# SPDX-License-Identifier: Apache-2.0
"""Runs the real program from raw rows to predictions and checks what it leaves.

    python3 tests/end_to_end/end_to_end.py kill   --program build/release/manygate
    python3 tests/end_to_end/end_to_end.py census --program build/release/manygate
    python3 tests/end_to_end/end_to_end.py init   --program build/release/manygate

kill    A training on generated rows is killed (SIGKILL) at random times and resumed until it ends. The weights must be
        byte-equal to those of a training that was left alone, and no unfinished file may stay behind.
census  Trains examples/census_income/mmoe.config and checks figures, hold-out, predictions (against scikit-learn),
        memory and size of the program. Needs the data under $MANYGATE_DATA or ../shared/data; exit code 77 without.
init    manygate init on every real table under $MANYGATE_DATA, check, and one epoch of what it wrote, without an edit.
models  Every model by its name on a generated funnel with an amount, and on Hillstrom's (visit, conversion, spend) where
        the data are there: plausible figures for every task, predictions that fit the model. 80 % of one task's labels
        are removed: the other task stays as it was, within its noise.
"""
import argparse
import csv
import gzip
import json
import math
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip  # noqa: E402

MIN_INCOME_AUC = 0.947
MIN_MARITAL_AUC = 0.9945
MAX_RESIDENT_BYTES = 300 * 2**20
MAX_PROGRAM_BYTES = 40 * 2**20

KILL_CONFIG = """
train_config {
  dense_optimizer { adam_optimizer { lr: 0.005 } cosine_annealing_learning_rate {} }
  num_epochs: 12
  save_checkpoints_steps: 150
  best_metrics: "mean_auc"
  seed: 5
}
data_config { batch_size: 32 with_header: true split { validation_fraction: 0.1 test_fraction: 0.1 } }
feature_configs { id_feature { feature_name: "user_id" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "item_id" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "category" one_hot: true } }
feature_configs { raw_feature { feature_name: "price" transform { log1p: true standardise: true } } }
model_config {
  mmoe {
    num_expert: 4
    expert_mlp { hidden_units: 16 dropout_ratio: 0.1 }
    task_towers { label_name: "click" mlp { hidden_units: 8 } }
    task_towers { label_name: "purchase" mlp { hidden_units: 8 } }
  }
}
"""


def run(command, cwd, code=0):
    """Runs to the end; returns (stdout, stderr)."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    if done.returncode != code:
        sys.exit(f"FAILED: exit code {done.returncode}, expected {code}: {' '.join(map(str, command))}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def checkpoints(model):
    return [path for path in (model / "checkpoints").glob("step-*") if path.suffix != ".tmp"]


def kill_test(program, folder):
    run([program, "generate", "funnel", "--rows", 8000, "--seed", 3, "--output", "rows.csv"], folder)
    (folder / "kill.config").write_text(f'train_input_path: "rows.csv"\n{KILL_CONFIG}')
    train = [str(program), "train", "kill.config", "--threads", "1"]
    start = time.monotonic()
    run([*train, "--model_dir", "whole"], folder)
    whole_seconds = time.monotonic() - start
    # The weights that the model ends with are the best ones, maybe of an early step; the last checkpoint tells of all.
    last = max(checkpoints(folder / "whole"), key=lambda path: int(path.name.removeprefix("step-"))).name
    compared = ["weights.safetensors", f"checkpoints/{last}/weights.safetensors",
                f"checkpoints/{last}/optimizer.safetensors"]
    expected_log = [json.loads(line)["step"] for line in (folder / "whole/metrics.jsonl").read_text().splitlines()]

    # Spread over the run, however fast the machine is; threads differ on purpose.
    chance = random.Random(11)
    model = folder / "killed"
    kills, attempts, resumes = 0, 0, 0
    while True:
        attempts += 1
        if attempts > 60:
            sys.exit("FAILED: 60 attempts and no end")
        resume = bool(checkpoints(model))
        resumes += resume
        command = [*train[:-1], str(chance.choice([1, 2])), "--model_dir", model.name] + ["--resume"] * resume
        with open(folder / "killed.log", "w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
            if kills < 6:
                before = {path.name for path in checkpoints(model)}
                # At first at any time, the reading included; then some time after it has made progress.
                deadline = time.monotonic() + 60
                while kills > 0 and process.poll() is None and time.monotonic() < deadline:
                    if {path.name for path in checkpoints(model)} - before:
                        break
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, whole_seconds / 12))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
            code = process.wait(timeout=300)
        if code == -signal.SIGKILL:
            kills += 1
            print(f"killed with checkpoints {sorted(path.name for path in checkpoints(model))}", flush=True)
            continue
        if code != 0:
            print((folder / "killed.log").read_text())
        check(code == 0, f"exit code {code} after {kills} kills and {resumes} resumes")
        break
    check(kills >= 4 and resumes >= 3, f"{kills} kills hit a running training")
    for name in compared:
        check((model / name).read_bytes() == (folder / "whole" / name).read_bytes(),
              f"{name} is byte-equal to that of an uninterrupted run")
    logged = [json.loads(line)["step"] for line in (model / "metrics.jsonl").read_text().splitlines()]
    check(logged == expected_log, f"metrics.jsonl has each of its {len(expected_log)} evaluations once")
    left = [name for name in files_below(folder) if name.endswith(".tmp") or ".tmp/" in name]
    check(not left, f"no unfinished file is left {left or ''}")
    whole_out, _ = run([program, "evaluate", "whole", "--format", "json"], folder)
    killed_out, _ = run([program, "evaluate", "killed", "--format", "json"], folder)
    check(whole_out == killed_out, "both models evaluate to the same figures")


def stop_test(program, folder):
    """Ctrl-C: a checkpoint, a sentence, exit code 1; then --resume."""
    command = [str(program), "train", "kill.config", "--model_dir", "stopped"]
    with open(folder / "stopped.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not checkpoints(folder / "stopped") and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)
    text = (folder / "stopped.log").read_text()
    check(code == 1 and "--resume goes on" in text, f"Ctrl-C ends with code 1 and says how to go on (code {code})")
    run([*command, "--resume"], folder)
    for whole in sorted((folder / "whole").rglob("weights.safetensors")):
        resumed = folder / "stopped" / whole.relative_to(folder / "whole")
        check(resumed.read_bytes() == whole.read_bytes(),
              f"stopped and resumed: {resumed.relative_to(folder)} is the same")


def data_folder():
    configured = os.environ.get("MANYGATE_DATA")
    return pathlib.Path(configured) if configured else ROOT.parent / "shared" / "data"


def test_labels(path):
    """income and marital of every row, as examples/census_income/mmoe.config defines them."""
    income, marital = [], []
    with gzip.open(path, "rt") as rows:
        for row in csv.reader(rows):
            if not row:
                continue
            marital.append(int(row[7].strip() == "Never married"))
            income.append(int(row[41].strip() == "50000+."))
    return {"income": income, "marital": marital}


def check_shape(result, rows):
    check(list(result) == ["rows", "tasks"] and list(result["tasks"]) == ["income", "marital"],
          "evaluate --format json has rows and tasks, income before marital")
    check(result["rows"] == rows, f"{rows} rows are evaluated")
    for task, figures in result["tasks"].items():
        check({"auc", "log_loss", "rows", "positives"} <= set(figures), f"{task} has auc, log_loss, rows, positives")
        check(0.5 < figures["auc"] < 1 and 0 < figures["log_loss"] < 0.7 and figures["rows"] == rows,
              f"figures of {task} are plausible: {figures}")


def check_predictions(folder, data, evaluated):
    import numpy
    from sklearn.metrics import log_loss, roc_auc_score

    labels = test_labels(data / "census-income/census-income.test.gz")
    with open(folder / "predictions.csv", newline="") as file:
        reader = csv.reader(file)
        check(next(reader) == ["probs_income", "probs_marital"], "columns of the predictions")
        values = numpy.array([[float(value) for value in row] for row in reader])
    check(len(values) == len(labels["income"]), f"one prediction for each of {len(values)} rows")
    check(bool(numpy.all((values >= 0) & (values <= 1))), "predictions are probabilities")
    for column, task in enumerate(["income", "marital"]):
        figures = evaluated["tasks"][task]
        check(figures["positives"] == sum(labels[task]), f"{task}: {figures['positives']} positives")
        auc = roc_auc_score(labels[task], values[:, column])
        check(abs(auc - figures["auc"]) < 1e-9, f"{task}: scikit-learn's AUC {auc:.12f} is ours {figures['auc']:.12f}")
        loss = log_loss(labels[task], values[:, column])
        check(math.isclose(loss, figures["log_loss"], rel_tol=1e-5),
              f"{task}: scikit-learn's log loss {loss:.9f} is ours")


def census_test(program, folder):
    data = data_folder()
    test_file = data / "census-income/census-income.test.gz"
    if not test_file.exists() or not list((data / "census-income").glob("census-income.data*.gz")):
        skip(f"no Census-Income rows under {data}; set MANYGATE_DATA, or run scripts/fetch_data.sh census-income")
    os.environ["MANYGATE_DATA"] = str(data.resolve())

    stripped = folder / "stripped"
    run(["strip", "-o", stripped, program], folder)
    check(stripped.stat().st_size < MAX_PROGRAM_BYTES,
          f"the stripped program has {stripped.stat().st_size / 2**20:.1f} MiB")

    out, _ = run([program, "train", ROOT / "examples/census_income/mmoe.config", "--model_dir", "mmoe", "--seed", 1,
                  "--format", "json"], folder)
    # The largest of all children so far: strip, which is small, and this one.
    resident = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    check(resident < MAX_RESIDENT_BYTES, f"training takes {resident / 2**20:.0f} MiB of memory")
    trained = json.loads(out)
    auc = {task: figures["auc"] for task, figures in trained["test"]["tasks"].items()}
    check(trained["epochs"] <= 10, f"{trained['epochs']} epochs in {trained['seconds']:.1f} s")
    check(auc["income"] >= MIN_INCOME_AUC, f"test AUC of income {auc['income']:.5f}")
    check(auc["marital"] >= MIN_MARITAL_AUC, f"test AUC of marital {auc['marital']:.5f}")

    held_out, _ = run([program, "evaluate", "mmoe", "--format", "json"], folder)
    check(json.loads(held_out) == trained["test"], "evaluate repeats the hold-out figures exactly")

    out, _ = run([program, "evaluate", "mmoe", "--data", test_file, "--format", "json"], folder)
    evaluated = json.loads(out)
    check_shape(evaluated, 99762)
    run([program, "predict", "mmoe", "--data", test_file, "--output", "predictions.csv"], folder)
    check_predictions(folder, data, evaluated)
    left = [name for name in files_below(folder) if name.endswith(".tmp") or ".tmp/" in name]
    check(not left, f"no unfinished file is left {left or ''}")


MODELS = ("simple_multi_task shared_bottom omoe mmoe cgc ple esmm escm2 aitm dbmtl dc2vr adatt dselect_k pepnet").split()
FUNNELS = {"esmm", "escm2"}  # their later tasks are products of probabilities


def check_model(program, folder, data, labels, model, steps):
    """Trains by name, evaluates, predicts; labels: two binary ones that follow each other, and an amount."""
    given = [part for label in labels for part in ("--label", label)]
    towers = [label.split(":")[0] for label in labels]
    run([program, "train", "--data", data, *given, "--model", model, "--model_dir", "model", "--set",
         f"train_config.num_steps={steps}"], folder)
    evaluated = json.loads(run([program, "evaluate", "model", "--format", "json"], folder)[0])
    for tower in towers:
        figures = evaluated["tasks"][tower]
        if any(value is None for value in figures.values()):
            sys.exit(f"FAILED: {model}: a figure of {tower} does not exist: {figures}")
    first, second, amount = (evaluated["tasks"][tower] for tower in towers)
    if not (0.55 < first["auc"] < 1 and 0.5 < second["auc"] < 1 and 0.3 < first["calibration"] < 3):
        sys.exit(f"FAILED: {model}: {first}, {second}")
    if not (amount["root_mean_squared_error"] > 0 and 0.5 < amount["xauc"] <= 1):
        sys.exit(f"FAILED: {model}: {amount}")
    run([program, "predict", "model", "--data", data, "--output", "predictions.csv"], folder)
    with open(folder / "predictions.csv", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    probability = [f"probs_{tower}" for tower in towers[:2]]
    given_name = f"probs_{towers[1]}_given_{towers[0]}"
    expected = {*probability, f"y_{towers[2]}"} | ({given_name} if model in FUNNELS else set())
    if set(rows[0]) != expected:
        sys.exit(f"FAILED: {model}: columns {sorted(rows[0])}, expected {sorted(expected)}")
    for row in rows:
        if not all(0 <= row[name] <= 1 for name in probability) or row[f"y_{towers[2]}"] < 0:
            sys.exit(f"FAILED: {model}: {row}")
        if model in FUNNELS and abs(row[probability[1]] - row[probability[0]] * row[given_name]) > 1e-5:
            sys.exit(f"FAILED: {model} predicts no product: {row}")
    print(f"ok: {model} on {pathlib.Path(data).name}: auc {first['auc']:.4f} {second['auc']:.4f}, xauc "
          f"{amount['xauc']:.4f}", flush=True)


def missing_labels_test(program, folder):
    run([program, "generate", "funnel", "--rows", 40000, "--seed", 9, "--output", "all.csv"], folder)
    chance = random.Random(4)
    with open(folder / "all.csv", newline="") as source, open(folder / "few.csv", "w", newline="") as target:
        reader = csv.DictReader(source)
        writer = csv.DictWriter(target, reader.fieldnames)
        writer.writeheader()
        for row in reader:
            writer.writerow({**row, "purchase": row["purchase"] if chance.random() < 0.2 else ""})
    click = {}
    for name in ("all", "few"):
        out, _ = run([program, "train", "--data", f"{name}.csv", "--label", "click", "--label", "purchase", "--model_dir",
                      name, "--set", "train_config.num_epochs=3", "--format", "json"], folder)
        tasks = json.loads(out)["test"]["tasks"]
        check(all(value is not None for figures in tasks.values() for value in figures.values()),
              f"every figure exists with {name} labels of purchase")
        click[name] = tasks["click"]
        rows = tasks["purchase"]["rows"]
        check(rows == 4000 if name == "all" else 600 < rows < 1000, f"purchase is measured on {rows} rows")
    low, high = click["all"]["auc_interval"]
    difference = abs(click["few"]["auc"] - click["all"]["auc"])
    check(difference < (high - low) / 2, f"80 % of the purchases unknown: the AUC of click moves by {difference:.4f}, less "
                                         f"than its noise {(high - low) / 2:.4f}")


def models_test(program, folder):
    run([program, "generate", "funnel", "--rows", 8000, "--seed", 2, "--output", "funnel.csv"], folder)
    for model in MODELS:
        check_model(program, folder, folder / "funnel.csv", ["click", "purchase", "amount:amount"], model, 400)
    missing_labels_test(program, folder)
    hillstrom = data_folder() / "hillstrom/hillstrom.csv.gz"
    if not hillstrom.exists():
        skip(f"in part: no {hillstrom}; set MANYGATE_DATA")
    for model in MODELS:
        check_model(program, folder, hillstrom.resolve(), ["visit", "conversion", "spend:amount"], model, 300)


CENSUS_COLUMNS = (
    "age,class_worker,det_ind_code,det_occ_code,education,wage_per_hour,hs_college,marital_stat,major_ind_code,"
    "major_occ_code,race,hisp_origin,sex,union_member,unemp_reason,full_or_part_emp,capital_gains,capital_losses,"
    "stock_dividends,tax_filer_stat,region_prev_res,state_prev_res,det_hh_fam_stat,det_hh_summ,instance_weight,"
    "mig_chg_msa,mig_chg_reg,mig_move_reg,mig_same,mig_prev_sunbelt,num_emp,fam_under_18,country_father,"
    "country_mother,country_self,citizenship,own_or_self,vet_question,vet_benefits,weeks_worked,year,income_50k")
ADULT_COLUMNS = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,capital-gain,"
    "capital-loss,hours-per-week,native-country,income")
# Per table: file, names, labels with the kind that is to be found, columns that must be left out, least AUC of the
# first task after one epoch (None: too few rows to say), what `check` finds: the quirks that are known of it, such as
# rows in order of time or a sample of a few rows.
INIT_TABLES = [
    ("census-income/census-income.data.noweight.gz", CENSUS_COLUMNS,
     {"income_50k": "binary", "marital_stat": "multi-class"}, ["instance_weight"], 0.93, []),
    ("census-income/census-income.test.gz", CENSUS_COLUMNS, {"income_50k": "binary"}, ["instance_weight"], 0.93, []),
    ("adult/adult.data.gz", ADULT_COLUMNS, {"income": "binary"}, ["fnlwgt"], 0.88, []),
    ("adult/adult.test.gz", ADULT_COLUMNS, {"income": "binary"}, ["fnlwgt"], 0.85, []),
    ("bank-marketing/bank-full.csv.gz", None, {"y": "binary", "housing": "binary"}, [], 0.87,
     ["is 1 in 3.0 % of the first tenth of the training file, but in 47.1 % of the last",
      "is 1 in 89.6 % of the first tenth of the training file, but in 21.0 % of the last"]),
    ("bank-marketing/bank-additional-full.csv.gz", None, {"y": "binary"}, [], 0.9,
     ["is 1 in 2.8 % of the first tenth of the training file, but in 45.9 % of the last"]),
    ("hillstrom/hillstrom.csv.gz", None, {"visit": "binary", "conversion": "binary", "spend": "regression"}, [], 0.56, []),
    ("aliexpress-sample/aliexpress_train_sample.csv", None, {"click": "binary", "conversion": "binary"},
     ["categorical_1", "numerical_58"], None,
     ["is 1 in only 2 of 80 training rows", "is 0 in all 20 evaluation rows",
      "has a value that no training row has in 5 of 20 evaluation rows"]),
    ("ali-ccp-sample/ali_ccp_train_sample.csv", None, {"click": "binary", "purchase": "binary"}, ["101", "301"], None,
     ["is 1 in only 7 of 80 training rows", "is 1 in only 1 of 80 training rows", "is 0 in all 20 evaluation rows",
      "is 0 in all 20 evaluation rows"]),
    ("ali-ccp-sample/aitm/train/train.csv", None, {"click": "binary", "purchase": "binary"}, ["128"], None,
     ["is 1 in only 3 of 40 training rows", "is 1 in only 1 of 40 training rows", "is 0 in all 8 evaluation rows"]),
    ("ali-ccp-sample/esmm/train/small.txt.gz", "sample_id,click,purchase", {"click": "binary", "purchase": "binary"},
     ["301"], None,
     ["is 1 in only 1 of 8 training rows", "is 1 in only 1 of 8 training rows", "is 0 in all 2 evaluation rows"]),
    ("aliexpress-sample/tiny_mtl/train.csv", None, {"click": "binary", "conversion": "binary"}, ["numerical_60"], None,
     ["is 1 in only 3 of 80 training rows", "is 1 in only 2 of 80 training rows", "is 0 in all 20 evaluation rows",
      "is 0 in all 20 evaluation rows", "has a value that no training row has in 6 of 20 evaluation rows"]),
    ("taobao-ad-sample/alimama_sampled_train.txt.gz", None, {"column_266": "binary"}, ["column_199"], None, []),
]


def check_init(program, folder, data, names, labels, left_out, least_auc, quirks):
    command = [program, "init", data.resolve(), "--output", "t.config", "--force", "--format", "json"]
    command += ["--columns", names] if names else []
    for label in labels:
        command += ["--label", label]
    made = json.loads(run(command, folder)[0])
    check({label["name"]: label["kind"] for label in made["labels"]} == labels, f"{data.name}: kinds {labels}")
    check(set(left_out) <= {column["column"] for column in made["left_out"]}, f"{data.name}: without {left_out}")
    findings = json.loads(run([program, "check", "t.config", "--format", "json"], folder)[0])["findings"]
    found = [finding["what"] for finding in findings]
    check(len(found) == len(quirks) and all(quirk in what for quirk, what in zip(quirks, found)),
          f"{data.name}: check finds its {len(quirks)} quirks and nothing else: {found}")
    out, _ = run([program, "train", "t.config", "--set", "train_config.num_epochs=1", "--model_dir", "model",
                  "--format", "json"], folder)
    tasks = json.loads(out)["validation"]["tasks"]
    first = tasks[next(iter(labels))]
    check(len(tasks) == len(labels), f"{data.name}: one epoch of {len(tasks)} tasks")
    if least_auc is not None:
        check(first["auc"] > least_auc, f"{data.name}: AUC {first['auc']:.4f} > {least_auc}")


def init_test(program, folder):
    if not (data_folder() / INIT_TABLES[0][0]).exists():
        skip(f"no tables under {data_folder()}; set MANYGATE_DATA")
    for file, names, labels, left_out, least_auc, quirks in INIT_TABLES:
        check_init(program, folder, data_folder() / file, names, labels, left_out, least_auc, quirks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", choices=["kill", "census", "init", "models"])
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    folder = arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="manygate_end_to_end_"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if arguments.test == "kill":
            kill_test(program, folder)
            stop_test(program, folder)
        elif arguments.test == "census":
            census_test(program, folder)
        elif arguments.test == "init":
            init_test(program, folder)
        else:
            models_test(program, folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
