# SPDX-License-Identifier: Apache-2.0
"""From data to a model: train, init, check, compare; and generate, data to start with."""

from __future__ import annotations

import contextlib
import csv
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from manygate import _core
from manygate._core import InvalidInput
from manygate._data import Data, Path, Rows
from manygate._progress import Progress
from manygate._program import Names, TemporaryFolder, repeated, run, settings
from manygate.evaluation import Comparison, Finding
from manygate.model import Model


def train(
    data: Data | None = None,
    labels: Names | None = None,
    *,
    config: Path | None = None,
    model: str | None = None,
    model_dir: Path | None = None,
    set: Mapping[str, Any] | None = None,
    seed: int | None = None,
    threads: int | None = None,
    resume: bool = False,
    progress: Progress = None,
) -> Model:
    """Trains a model: from data and labels, whose columns are then looked at, or from a configuration.

    Args:
        data: Rows with labels: a table of pandas, polars or pyarrow, anything with __arrow_c_stream__, a dict of
            columns, or paths of files (CSV, TSV, TFRecord, lists of fields; Parquet by pyarrow). With `config`: instead
            of its train_input_path.
        labels: Columns to predict, "income" or ["income", "visits:count"]. Kinds: binary, multiclass, regression,
            count, amount; default: binary of two values, multiclass of up to 20 texts, else regression. All other
            columns are features. Not with `config`.
        config: A configuration: its path, or its text (see init).
        model: The network: "mmoe" (default), "ple", "shared_bottom", "esmm", ... With `config`: instead of its own.
        model_dir: Folder for the model, logs and checkpoints. Default: a temporary one that goes with the Model; the
            configuration's model_dir is not used.
        set: Fields of the configuration to replace, {"train_config.num_epochs": 3}.
        seed: Of initial weights, order of rows, dropout. Default: 1. Equal seeds and rows give equal weights.
        threads: Threads to work with. Default: all cores. Results are the same for any number.
        resume: Go on from the last checkpoint in `model_dir`.
        progress: None: a bar in terminals and notebooks, lines elsewhere. False: silent (logger "manygate", level
            INFO). Or a function, called with each line.

    Returns:
        The model. It keeps a table that it was trained on, for evaluate and report.

    Raises:
        InvalidInput: Something is wrong with the data, the labels or the configuration; the message says where.
        Failed: The training diverged, the disk is full.
        KeyboardInterrupt: Ctrl-C; a checkpoint was written, resume goes on from it.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(1000)
        >>> model = manygate.train(rows, ["click", "purchase"], model="esmm", seed=3, progress=False)
        >>> model
        Model(esmm: 13 columns -> probs_click, probs_purchase, probs_purchase_given_click)
    """
    if resume and model_dir is None:
        raise InvalidInput("resume=True goes on from a checkpoint; give the model_dir that holds it")
    with _scratch_folder() as scratch:
        rows = Rows(data)
        arguments = _configuration(rows, labels, config, model, set, scratch)
        keep: list[object] = [rows]
        if model_dir is None:
            folder = TemporaryFolder()
            model_dir = os.path.join(folder.path, "model")
            keep.append(folder)
        arguments += ["--model_dir", os.fspath(model_dir), *repeated("--seed", None if seed is None else str(seed))]
        run("train", [*arguments, *(["--resume"] if resume else [])], threads=threads, progress=progress)
        return Model(model_dir, _keep=keep)


def init(data: Data, labels: Names, *, model: str | None = None, threads: int | None = None) -> str:
    """Looks at data and writes a configuration for them, with a comment beside every choice.

    Args:
        data: Rows with labels, as for train.
        labels: Columns to predict, as for train.
        model: The network. Default: "mmoe".
        threads: Threads to work with. Default: all cores.

    Returns:
        The text, to be saved and changed. Of a table in memory, its train_input_path is only a name: give the table
        again, train(table, config=text).

    Raises:
        InvalidInput: As train.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(500)
        >>> config = manygate.init(rows, ["click", "purchase"])
        >>> "num_expert" in config
        True
        >>> manygate.train(rows, config=config, progress=False).name
        'mmoe'
    """
    rows = Rows(data)
    with TemporaryFolder() as folder:
        output = os.path.join(folder, "model.config")
        arguments = [*rows.paths, *repeated("--label", labels), *repeated("--model", model), "--output", output]
        run("init", arguments, threads=threads)
        return pathlib.Path(output).read_text(encoding="utf-8").replace(output, "model.config")


def check(
    data: Data | None = None,
    labels: Names | None = None,
    *,
    config: Path | None = None,
    model: str | None = None,
    set: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> list[Finding]:
    """What is wrong with data and labels: features that give a label away, labels that cannot be learnt, and more.

    Args:
        data: Rows with labels, as for train.
        labels: Columns to predict, as for train.
        config: A configuration, as for train.
        model: The network, as for train.
        set: Fields of the configuration to replace, as for train.
        threads: Threads to work with. Default: all cores.

    Returns:
        What was found, errors first; empty when nothing was.

    Raises:
        InvalidInput: The data or the configuration cannot be read.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(2000)
        >>> rows["copy"] = rows["click"]
        >>> findings = manygate.check(rows, config=manygate.init(rows, "click").replace("brand", "copy"))
        >>> findings[0].severity, findings[0].remedy
        ('error', 'Take the feature out unless its value is known before the answer is')
    """
    with _scratch_folder() as scratch:
        rows = Rows(data)
        arguments = _configuration(rows, labels, config, model, set, scratch)
        found = run("check", [*arguments, "--exit_zero"], threads=threads)["findings"]
        return [Finding(**{**finding, "where": _without(scratch, finding["where"])}) for finding in found]


def compare(
    data: Data | None = None,
    labels: Names | None = None,
    *,
    config: Path | None = None,
    model: str | None = None,
    model_dir: Path | None = None,
    seeds: int = 3,
    gbdt: bool | Path = False,
    set: Mapping[str, Any] | None = None,
    threads: int | None = None,
    resume: bool = False,
    progress: Progress = None,
) -> Comparison:
    """Does sharing help? Trains the model, Shared-Bottom and each task alone on the same rows, seeds and budget.

    Args:
        data: Rows with labels, as for train.
        labels: Columns to predict, two or more, as for train.
        config: A configuration, as for train.
        model: The network that is compared, as for train.
        model_dir: Folder for all trained models. Default: a temporary one, which is removed.
        seeds: How many seeds each is trained with, two or more.
        gbdt: Also XGBoost, a model per task; needs libxgboost: True where the system has it, else its file.
        set: Fields of the configuration to replace, as for train.
        threads: Threads to work with. Default: all cores.
        resume: Keep the models that `model_dir` holds already, of the same configuration.
        progress: As for train.

    Returns:
        Per task and model the gain or loss, with a paired 95 % interval.

    Raises:
        InvalidInput: As train.
        Failed: As train.

    Example:
        >>> import manygate
        >>> settings = {"train_config.num_epochs": 1}
        >>> rows = manygate.generate(500)
        >>> comparison = manygate.compare(rows, ["click", "purchase"], seeds=2, set=settings, progress=False)
        >>> comparison["click"]["mmoe"].verdict in ("gains", "no difference", "loses")
        True
    """
    with _scratch_folder() as scratch:
        rows = Rows(data)
        arguments = _configuration(rows, labels, config, model, set, scratch)
        folder = os.path.join(scratch, "compare") if model_dir is None else os.fspath(model_dir)
        boosted = "gbdt" if gbdt is True else f"gbdt={os.fspath(gbdt)}" if gbdt else None
        arguments += ["--model_dir", folder, "--seeds", str(seeds), *repeated("--with", boosted)]
        arguments += ["--resume"] if resume else []
        return Comparison(run("compare", arguments, threads=threads, progress=progress))


def generate(rows: int = 10_000, *, seed: int = 1) -> dict[str, NDArray[Any]]:
    """Data to start with: impressions, their clicks and purchases, with ids, numbers and missing values.

    Args:
        rows: How many.
        seed: Same seed, same rows; those of `manygate generate funnel`.

    Returns:
        15 columns by name, each [rows]: texts (object, None where missing), int64, float64 (nan where missing). Labels:
        click, purchase, amount. pandas.DataFrame and polars.DataFrame take it as it is.

    Raises:
        InvalidInput: rows < 1.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(3)
        >>> list(rows)[:3], rows["device"].tolist(), rows["click"].tolist()
        (['user_id', 'item_id', 'category'], ['desktop', 'phone', 'phone'], [0, 0, 0])
    """
    with TemporaryFolder() as folder:
        path = os.path.join(folder, "funnel.csv")
        _core.run(["generate", "funnel", "--rows", str(rows), "--seed", str(seed), "--output", path])
        with open(path, encoding="utf-8", newline="") as file:
            names, *lines = csv.reader(file)
    return {name: _column(texts) for name, texts in zip(names, zip(*lines))}


def _column(texts: Sequence[str]) -> NDArray[Any]:
    for kind in (numpy.int64, numpy.float64):
        try:
            return numpy.array([text or "nan" for text in texts], dtype=kind)
        except ValueError:
            pass
    return numpy.array([text or None for text in texts], dtype=object)


@contextlib.contextmanager
def _scratch_folder() -> Iterator[str]:
    """A temporary folder; the text of a configuration lies there, which messages then call "config"."""
    with TemporaryFolder() as folder:
        try:
            yield folder
        except InvalidInput as error:
            raise InvalidInput(_without(folder, str(error))) from None


def _without(folder: str, message: str) -> str:
    return message.replace(folder + os.sep, "")


def _configuration(
    rows: Rows,
    labels: Names | None,
    config: Path | None,
    model: str | None,
    set: Mapping[str, Any] | None,
    scratch: str,
) -> list[str]:
    """What train, check and compare choose a configuration by; a text of one goes to the folder `scratch`."""
    if config is None and (not rows.paths or not labels):
        raise InvalidInput('give data and labels, like train(table, ["income"]), or config=')
    if isinstance(config, str) and ("\n" in config or "{" in config):
        path = os.path.join(scratch, "config")
        pathlib.Path(path).write_text(config, encoding="utf-8")
        config = path
    chosen = [] if config is None else [os.fspath(config)]
    return [*chosen, *rows.flags(), *repeated("--label", labels), *repeated("--model", model), *settings(set)]
