# SPDX-License-Identifier: Apache-2.0
"""One training of our program, as a process of its own, and what it reports."""
import json
import re
import subprocess

from model_table import datasets

MODELS = ["simple_multi_task", "shared_bottom", "omoe", "mmoe", "cgc", "ple", "esmm", "escm2", "aitm", "dbmtl", "adatt",
          "dselect_k", "pepnet"]
ENSEMBLE = "mmoe_ensemble"  # 5 networks of mmoe, one run
ENSEMBLE_MEMBERS = 5
# These have no shared trunk by default: their towers get the layers that the others have below and in the towers.
NO_TRUNK = ("simple_multi_task", "esmm")
TOWER = '{ hidden_units: [128, 64, 32] activation: "nn.SiLU" dropout_ratio: 0.2 init_scale: [1, 1.7, 1.7] }'


class Failure(Exception):
    pass


def arguments(program, name, model, seed, folder):
    """The command line of a run; the configuration is the example's but for the model, the seed and where files go."""
    data = datasets.DATASETS[name]
    model_name = "mmoe" if model == ENSEMBLE else model
    settings = {
        "data_config.cache_dir": str(folder / "cache"),
        "train_config.use_tensorboard": "false",
        "train_config.keep_checkpoint_max": "1",
    }
    if data.split_varies:
        settings["data_config.split.seed"] = str(seed)
    if model == ENSEMBLE:
        settings["ensemble.members"] = str(ENSEMBLE_MEMBERS)
    if model in NO_TRUNK:
        for tower in range(len(datasets.tasks(name))):
            settings[f"model_config.{model_name}.task_towers[{tower}].mlp"] = TOWER
    command = [str(program), "train", str(datasets.REPOSITORY / data.config), "--model", model_name, "--format", "json",
               "--threads", "1", "--seed", str(seed), "--model_dir", str(folder / f"{name}_{model}_{seed}")]
    for path, value in settings.items():
        command += ["--set", f"{path}={value}"]
    return command


def train(program, name, model, seed, folder):
    command = arguments(program, name, model, seed, folder)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(" ".join(command) + "\n" + done.stderr[-2000:])
    report = json.loads(done.stdout)
    parameters = re.search(r"([\d,]+) parameters", done.stderr)
    return {
        "dataset": name,
        "model": model,
        "seed": seed,
        "seconds": round(report["seconds"], 1),
        "parameters": int(parameters.group(1).replace(",", "")) if parameters else None,
        "validation": tidy(report["validation"]["tasks"], KEPT[:4]),
        "test": tidy(report["test"]["tasks"], KEPT),
    }


KEPT = ("rows", "positives", "auc", "xauc", "log_loss", "root_mean_squared_error", "calibration")


def tidy(tasks, kept):
    return {task: {name: shorten(values[name]) for name in kept if name in values} for task, values in tasks.items()}


def shorten(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value
