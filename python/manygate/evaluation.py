# SPDX-License-Identifier: Apache-2.0
"""Figures of a model: Evaluation (Model.evaluate), Comparison (manygate.compare)."""

from __future__ import annotations

import html
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from manygate._names import nearest
from manygate._tables import Table, number, signed

_Value = TypeVar("_Value")

_COUNTS = ("rows", "positives")
_INTERVAL = "_interval"


class _ByTask(Mapping[str, Mapping[str, _Value]]):
    """Something of each task, by its name."""

    _tasks: Mapping[str, Mapping[str, _Value]]

    def __getitem__(self, task: str) -> Mapping[str, _Value]:
        if task not in self._tasks:
            raise KeyError(f"no task {task!r}; {nearest(task, self._tasks)}")
        return self._tasks[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


class Evaluation(_ByTask[Any]):
    """Metrics by task. In a terminal it shows the program's table, in a notebook a table.

    evaluation[task] holds each metric as a float (nan where it does not exist, like the AUC of one class), 95 %
    intervals of those that have one ("auc_interval": (low, high)), and "rows" and "positives", of rows with a label.

    Attributes:
        rows: Rows read, with or without labels.
        by: Of the columns that `by` named: by[column][value] is the Evaluation of the rows of that value.

    Example:
        >>> import manygate
        >>> model = manygate.train(manygate.generate(500), ["click", "amount:amount"], progress=False)
        >>> evaluation = model.evaluate(by="device")
        >>> list(evaluation), evaluation.rows
        (['click', 'amount'], 50)
        >>> 0 <= evaluation["click"]["log_loss"] < 1
        True
        >>> sum(part.rows for part in evaluation.by["device"].values())
        50
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.rows: int = result["rows"]
        self._tasks = {task: _metrics(values) for task, values in result["tasks"].items()}
        self.by: dict[str, dict[str, Evaluation]] = {
            column: {value: Evaluation(part) for value, part in values.items()}
            for column, values in result.get("by", {}).items()
        }

    def __str__(self) -> str:
        return "\n".join([str(self._table()), *(f"by {name}\n\n{self._slices(name)}" for name in self.by)]).rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self._table().html() + "".join(self._slices(name).html() for name in self.by)

    def _table(self) -> Table:
        return _table(["task"], [([task], values) for task, values in self._tasks.items()])

    def _slices(self, column: str) -> Table:
        parts = {**self.by[column], "all": self}
        lines = [([value, task], values) for value, part in parts.items() for task, values in part.items()]
        return _table([column, "task"], lines)


def _metrics(values: Mapping[str, Any]) -> dict[str, Any]:
    """null is nan, an interval a pair."""
    return {
        name: math.nan if value is None else tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }


def _table(names: Sequence[str], lines: Sequence[tuple[list[str], Mapping[str, Any]]]) -> Table:
    """A line per task: what names it, and its metrics in columns that all lines share."""
    found = list(dict.fromkeys(name for _, values in lines for name in values))
    titles = ["rows", *(["positives"] if "positives" in found else [])]
    for metric in found:
        if metric not in _COUNTS and not metric.endswith(_INTERVAL):
            titles += [metric, *([metric + _INTERVAL] if metric + _INTERVAL in found else [])]
    rows = [[*name, *(_cell(title, values) for title in titles)] for name, values in lines]
    shown = [title[: -len(_INTERVAL)] + " 95 %" if title.endswith(_INTERVAL) else title for title in titles]
    return Table([*names, *shown], rows, left=len(names))


def _cell(title: str, values: Mapping[str, Any]) -> str:
    value = values.get(title)
    if value is None:
        return ""
    if title in _COUNTS:
        return f"{value:,}"
    return f"{value[0]:.4f}-{value[1]:.4f}" if isinstance(value, tuple) else number(value)


class TransferCell(NamedTuple):
    """One model on one task. Differences are to the task alone, signed so that more is better.

    Attributes:
        model: "alone", "shared_bottom", the model that is compared, "gbdt".
        values: The metric by seed.
        mean: Of the values.
        difference: To the task trained alone; 0 for "alone".
        low: Of the 95 % interval of the difference, over rows and seeds.
        high: Of the same.
        verdict: "gains", "no difference" or "loses".

    Example:
        >>> import manygate
        >>> manygate.TransferCell("mmoe", [0.8, 0.9], 0.85, 0.01, -0.01, 0.03, "no difference").mean
        0.85
    """

    model: str
    values: list[float]
    mean: float
    difference: float
    low: float
    high: float
    verdict: str


class Comparison(_ByTask[TransferCell]):
    """What sharing does to each task: comparison[task][model] is a TransferCell. Shown as a table per task.

    Attributes:
        metrics: The metric of each task: "auc", "root_mean_squared_error" or "log_loss".
        rows: How many rows each task was compared on.
        rows_name: Which rows they are.
        seeds: The seeds that each model was trained with.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(500)
        >>> settings = {"train_config.num_epochs": 1}
        >>> comparison = manygate.compare(rows, ["click", "purchase"], seeds=2, set=settings, progress=False)
        >>> list(comparison), list(comparison["click"])
        (['click', 'purchase'], ['alone', 'shared_bottom', 'mmoe'])
        >>> comparison.metrics["click"], comparison["click"]["alone"].difference
        ('auc', 0.0)
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        tasks = result["tasks"]
        self.rows_name: str = result["rows_name"]
        self.seeds: list[int] = result["seeds"]
        self.metrics: dict[str, str] = {task["tower"]: task["metric"] for task in tasks}
        self._lower = {task["tower"] for task in tasks if not task["higher_is_better"]}
        self.rows: dict[str, int] = {task["tower"]: task["rows"] for task in tasks}
        self._tasks = {task["tower"]: {cell["model"]: _cell_of(cell) for cell in task["cells"]} for task in tasks}

    def __str__(self) -> str:
        return "\n".join(f"{title}\n\n{table}" for title, table in self._tables()).rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(title)}</p>{table.html()}" for title, table in self._tables())

    def _tables(self) -> Iterable[tuple[str, Table]]:
        for task, cells in self._tasks.items():
            metric = self.metrics[task]
            less = "; less is better, and differences are alone - model" if task in self._lower else ""
            rows = [[cell.model, _mean(cell), *_difference(cell)] for cell in cells.values()]
            titles = ["model", "mean ± sd", "difference to alone", "verdict"]
            yield f"{task}: {metric} on {self.rows[task]:,} rows{less}", Table(titles, rows, left=len(titles))


def _cell_of(cell: Mapping[str, Any]) -> TransferCell:
    def real(value: float | None) -> float:
        return math.nan if value is None else float(value)

    values = [real(value) for value in cell["values"]]
    return TransferCell(
        model=cell["model"],
        values=values,
        mean=real(cell["mean"]),
        difference=real(cell["difference"]),
        low=real(cell["low"]),
        high=real(cell["high"]),
        verdict=cell["verdict"],
    )


def _mean(cell: TransferCell) -> str:
    if len(cell.values) < 2 or math.isnan(cell.mean):
        return number(cell.mean)
    return f"{number(cell.mean)} ± {number(statistics.stdev(cell.values))}"


def _difference(cell: TransferCell) -> list[str]:
    if cell.model == "alone":
        return ["", ""]
    if math.isnan(cell.difference):
        return ["n/a", ""]
    return [f"{signed(cell.difference)} [{signed(cell.low)}, {signed(cell.high)}]", cell.verdict]


class Finding(NamedTuple):
    """What manygate.check found.

    Attributes:
        severity: "error": training on it fails or its figures mislead; "warning": it may be meant.
        where: The place: a feature, a label, a line of the configuration.
        what: What is wrong there; goes on from `where`.
        remedy: What to do.

    Example:
        >>> import manygate
        >>> finding = manygate.Finding("warning", 'column "age"', "is constant", "Take it out")
        >>> finding.severity
        'warning'
    """

    severity: str
    where: str
    what: str
    remedy: str
