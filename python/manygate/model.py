# SPDX-License-Identifier: Apache-2.0
"""A trained model: Model, and what goes in and comes out of it."""

from __future__ import annotations

import csv
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from manygate import _container, _core
from manygate._core import InvalidInput
from manygate._data import Data, Path, Rows, is_parquet, paths_in, rows_of
from manygate._names import nearest
from manygate._program import Names, TemporaryFolder, repeated, run
from manygate.evaluation import Evaluation
from manygate.report import Report


@dataclass(frozen=True)
class Input:
    """A column that a model reads.

    Attributes:
        name: Of the column.
        number: Whether it is read as a number; else as a text, where a whole number stands for its digits.

    Example:
        >>> import manygate
        >>> model = manygate.train(manygate.generate(500), "click", progress=False)
        >>> model.inputs[0]
        Input(name='user_id', number=False)
    """

    name: str
    number: bool


@dataclass(frozen=True)
class Output:
    """Numbers that a model predicts.

    Attributes:
        name: "probs_<task>" of binary tasks and classes, "y_<task>" of numbers, "logits_<task>" before the link, and
            what funnel models add ("probs_<task>_given_<the one before>").
        width: Numbers per row.
        logits: Whether it is predicted only where it is asked for.
        classes: Of tasks with classes, [width]: what each number is the probability of; else empty.
        columns: [width], what `manygate predict` calls them in a file.

    Example:
        >>> import manygate
        >>> model = manygate.train(manygate.generate(500), "device", progress=False)
        >>> output = model.outputs[0]
        >>> output.name, output.width, sorted(output.classes)
        ('probs_device', 4, ['desktop', 'phone', 'tablet', 'tv'])
    """

    name: str
    width: int
    logits: bool
    classes: tuple[str, ...]
    columns: tuple[str, ...]


class Model:
    """A trained model. manygate.train makes one, Model.load reads one.

    Predicts from several threads at once, also in processes that were forked; pickle and copy go through to_bytes.

    Attributes:
        name: Of the network: "mmoe", "ple", ...
        model_dir: The folder that holds it. That of a model trained without model_dir, or made of bytes, goes with it.
        inputs: The columns that it reads.
        outputs: What it predicts.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(1000)
        >>> model = manygate.train(rows, ["click", "purchase"], progress=False)
        >>> model.predict(rows)["probs_click"].shape
        (1000,)
    """

    def __init__(self, model_dir: Path, *, _keep: object = None) -> None:
        self.model_dir = pathlib.Path(os.path.abspath(model_dir))
        self._keep = _keep  # what must live as long: a temporary folder, the rows in memory that were trained on
        self._predictor = _core.Predictor(str(self.model_dir))
        self.name = self._predictor.model_name
        self.inputs = [Input(column.name, column.number) for column in self._predictor.inputs]
        self.outputs = [
            Output(made.name, made.width, made.logits, tuple(made.classes), tuple(made.columns))
            for made in self._predictor.outputs
        ]

    @classmethod
    def load(cls, model_dir: Path) -> Model:
        """Reads a model directory, as train, save and the program leave it.

        Args:
            model_dir: The folder.

        Returns:
            The model. Its weights are in memory; evaluate, report, export and save read the folder again.

        Raises:
            InvalidInput: It is no model directory, it is damaged, or of a newer version.

        Example:
            >>> import manygate, tempfile
            >>> folder = tempfile.mkdtemp() + "/model"
            >>> manygate.train(manygate.generate(500), "click", progress=False).save(folder)
            >>> manygate.Model.load(folder).name
            'mmoe'
        """
        return cls(model_dir)

    def save(self, model_dir: Path) -> None:
        """Copies the model into a folder, which appears when it is complete; checkpoints are left behind.

        Args:
            model_dir: A new or empty folder, or a model directory, which is replaced.

        Raises:
            InvalidInput: The folder holds something else.
            OSError: It cannot be written.

        Example:
            >>> import manygate, os, tempfile
            >>> model = manygate.train(manygate.generate(500), "click", progress=False)
            >>> folder = tempfile.mkdtemp()
            >>> model.save(folder)
            >>> sorted(os.listdir(folder))
            ['MANIFEST.json', 'metrics.jsonl', 'pipeline.config', 'schema.pbtxt', 'weights.safetensors']
        """
        _container.copy(str(self.model_dir), os.fspath(model_dir))

    def to_bytes(self) -> bytes:
        """The model as bytes, for a pickle, a database or a broadcast; no code is in them.

        Returns:
            A stored ZIP archive of the files that save writes.

        Raises:
            OSError: The folder of the model is gone.

        Example:
            >>> import manygate
            >>> rows = manygate.generate(500)
            >>> model = manygate.train(rows, "click", progress=False)
            >>> copy = manygate.Model.from_bytes(model.to_bytes())
            >>> bool((copy.predict(rows)["probs_click"] == model.predict(rows)["probs_click"]).all())
            True
        """
        return _container.pack(str(self.model_dir))

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """The model of to_bytes, in a temporary folder that lives as long as it does.

        Args:
            data: What to_bytes returned. Checksums are verified; do not fear bytes of others, they cannot run code.

        Returns:
            The model.

        Raises:
            InvalidInput: These are not the bytes of a model, they are damaged, or of a newer version.

        Example:
            >>> import manygate
            >>> manygate.Model.from_bytes(b"no model")
            Traceback (most recent call last):
            manygate.InvalidInput: not a model, or damaged bytes: File is not a zip file
        """
        folder = TemporaryFolder()
        model_dir = os.path.join(folder.path, "model")
        _container.unpack(bytes(data), model_dir)
        return cls(model_dir, _keep=folder)

    def predict(
        self, data: Data, outputs: Names | None = None, *, logits: bool = False, threads: int | None = None
    ) -> dict[str, NDArray[numpy.float32]]:
        """Predicts every row, in the order of the rows: bit for bit the numbers of `manygate predict`.

        Args:
            data: Rows with the columns of `inputs`; others are not looked at. A table of pandas, polars or pyarrow,
                anything with __arrow_c_stream__ (read batch by batch), a dict of columns, or paths of files. Columns of
                numbers, and all of polars and pyarrow, are read where they lie.
            outputs: Names out of `outputs`, one or several. Default: all but logits.
            logits: Also those of "logits_<task>", the numbers before the link.
            threads: Threads to work with. Default: all cores. Results are the same for any number.

        Returns:
            By output, float32 [rows], or [rows, width] of outputs with several numbers per row.

        Raises:
            InvalidInput: A column is missing; a value is no number where one is needed; no such output; data that
                are no table.

        Example:
            >>> import manygate
            >>> rows = manygate.generate(500)
            >>> model = manygate.train(rows, ["click", "device"], progress=False)
            >>> {name: values.shape for name, values in model.predict(rows).items()}
            {'probs_click': (500,), 'probs_device': (500, 4)}
            >>> model.predict(rows, "probs_clicks")
            Traceback (most recent call last):
            manygate.InvalidInput: no output "probs_clicks"; did you mean "probs_click"?
        """
        wanted = self._wanted(outputs, logits)
        if paths_in(data) is not None and not is_parquet(data):
            return self._predict_files(Rows(data), wanted, threads)
        rows = rows_of(data, [column.name for column in self.inputs])
        predicted = self._predictor.predict(rows, wanted, threads or 0)
        return {name: predicted[name] for name in wanted}

    def evaluate(self, data: Data | None = None, *, by: Names | None = None, threads: int | None = None) -> Evaluation:
        """All metrics of all tasks.

        Args:
            data: Rows with labels; as for predict. Default: those that the training held out (test, else validation). A
                model keeps a table that it was trained on for this; one that was loaded or unpickled has only files.
            by: One or several columns: also the metrics of the rows of each of their values, up to 1,000.
            threads: Threads to work with. Default: all cores.

        Returns:
            Metrics by task.

        Raises:
            InvalidInput: A column is missing, the rows that were held out cannot be read again, as for predict.

        Example:
            >>> import manygate
            >>> model = manygate.train(manygate.generate(500), "click", progress=False)
            >>> model.evaluate()["click"]["rows"], model.evaluate(manygate.generate(200, seed=2))["click"]["rows"]
            (50, 200)
        """
        rows = Rows(data)
        arguments = [str(self.model_dir), *rows.flags(), *repeated("--by", by)]
        return Evaluation(run("evaluate", arguments, threads=threads))

    def report(self, data: Data | None = None, *, threads: int | None = None) -> Report:
        """The page about the model: curves, ROC and calibration, gates and experts, data, the network.

        Args:
            data: Rows with labels; as for evaluate.
            threads: Threads to work with. Default: all cores.

        Returns:
            The page; a notebook shows it.

        Raises:
            InvalidInput: As evaluate.

        Example:
            >>> import manygate
            >>> model = manygate.train(manygate.generate(500), "click", progress=False)
            >>> "calibration" in model.report().html
            True
        """
        rows = Rows(data)
        with TemporaryFolder() as folder:
            page = os.path.join(folder, "report.html")
            result = run("report", [str(self.model_dir), "--output", page, *rows.flags()], threads=threads)
            return Report(pathlib.Path(page).read_text(encoding="utf-8"), result["rows"])

    def export(self, path: Path, to: str = "onnx", *, name: str | None = None) -> None:
        """Writes the model as one file for other programs.

        Args:
            path: The file; it appears when it is complete, and replaces an older one.
            to: "onnx": raw columns in, predictions out. "c": C99 that needs nothing else. "safetensors": weights by
                name.
            name: What the graph, or the functions in C, are called. Default: after the model directory.

        Raises:
            InvalidInput: No such format; the model has a part that the format cannot hold; the folder does not exist.
            Failed: The file cannot be written.

        Example:
            >>> import manygate, os, tempfile
            >>> model = manygate.train(manygate.generate(500), "click", progress=False)
            >>> path = os.path.join(tempfile.mkdtemp(), "click.onnx")
            >>> model.export(path)
            >>> os.path.exists(path)
            True
        """
        arguments = [str(self.model_dir), "--to", to, "--output", os.fspath(path), *repeated("--name", name)]
        run("export", arguments)

    def history(self) -> list[dict[str, Any]]:
        """The log of the training: an entry per validation.

        Returns:
            Each with "step", "epoch", "seconds", "train_loss" by task, and with "tasks", their metrics on the
            validation rows, where there are any. Empty for a model whose log was not kept.

        Example:
            >>> import manygate
            >>> model = manygate.train(manygate.generate(500), "click", progress=False)
            >>> model.history()[0]["epoch"]
            1
        """
        log = self.model_dir / "metrics.jsonl"
        if not log.exists():
            return []
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]

    def __repr__(self) -> str:
        made = ", ".join(output.name for output in self.outputs if not output.logits)
        return f"Model({self.name}: {len(self.inputs)} columns -> {made})"

    def __reduce__(self) -> tuple[Callable[[bytes], Model], tuple[bytes]]:
        return type(self).from_bytes, (self.to_bytes(),)

    def _wanted(self, outputs: Names | None, logits: bool) -> list[str]:
        there = {output.name: output for output in self.outputs}
        if outputs is None:
            return [name for name in there if logits or not there[name].logits]
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        for name in names:
            if name not in there:
                raise InvalidInput(f'no output "{name}"; {nearest(name, there)}')
        more = [name for name in there if logits and there[name].logits]
        return list(dict.fromkeys([*names, *more]))

    def _predict_files(
        self, rows: Rows, wanted: Sequence[str], threads: int | None
    ) -> dict[str, NDArray[numpy.float32]]:
        """By the program, which writes the shortest numbers that read back equal."""
        with TemporaryFolder() as folder:
            path = os.path.join(folder, "predictions.csv")
            run("predict", [str(self.model_dir), *rows.flags(), "--output", path, "--logits"], threads=threads)
            with open(path, encoding="utf-8", newline="") as file:
                places = {name: place for place, name in enumerate(next(csv.reader(file)))}
                # The header may span lines.
                values = numpy.loadtxt(file, dtype=numpy.float32, delimiter=",", ndmin=2)
        predicted = {}
        for output in (output for output in self.outputs if output.name in wanted):
            columns = values[:, [places[column] for column in output.columns]].reshape(len(values), -1)
            alone = output.width == 1 and not output.classes
            predicted[output.name] = columns[:, 0].copy() if alone else columns.copy()
        return {name: predicted[name] for name in wanted}
