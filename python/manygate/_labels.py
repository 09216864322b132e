# SPDX-License-Identifier: Apache-2.0
"""y of scikit-learn's estimators as columns of labels, one per task, and back: what manygate.sklearn makes tasks of."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

# scikit-learn < 1.6 calls the argument otherwise.
FINITE = "ensure_all_finite" if "ensure_all_finite" in inspect.signature(check_array).parameters else "force_all_finite"


@dataclass
class Task:
    """One column of y."""

    name: str
    values: NDArray[numpy.float64]  # [n], of classes their places in `classes`; NaN: missing
    classes: NDArray[Any]  # [k]; of numbers none

    def constant(self) -> float | None:
        """The value, where it is the only one: there is nothing to learn then."""
        present = self.values[~numpy.isnan(self.values)]
        return float(present[0]) if (present == present[0]).all() else None


def class_tasks(y: Any, like: Sequence[Task] | None) -> list[Task]:
    """like: tasks whose classes the values must have; default: the values make the classes. Errors: ValueError."""
    columns = label_columns(y)
    tasks = []
    for i, (name, values) in enumerate(columns):
        present = _present(name, values, len(columns))
        labels = values[present]
        if labels.dtype.kind == "O" and not all(isinstance(label, str) for label in labels):
            labels = _plain(labels)
        check_classification_targets(labels)
        classes, codes = numpy.unique(labels, return_inverse=True)
        if like is not None and i < len(like):
            unknown = numpy.setdiff1d(classes, like[i].classes)
            if len(unknown):
                raise ValueError(f'y: "{name}" has the class {unknown.tolist()[0]!r}, which was not there in fit')
            codes = numpy.searchsorted(like[i].classes, labels)
            classes = like[i].classes
        tasks.append(Task(name, _filled(present, codes), classes))
    return tasks


def number_tasks(y: Any) -> list[Task]:
    """Errors: ValueError: not numbers, no value, infinity."""
    columns = label_columns(y)
    tasks = []
    for name, values in columns:
        present = _present(name, values, len(columns))
        numbers = _filled(present, values[present].astype(numpy.float64))
        if numpy.isinf(numbers).any():
            raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
        tasks.append(Task(name, numbers, numpy.empty(0)))
    return tasks


def label_columns(y: Any) -> list[tuple[str, NDArray[Any]]]:
    """Names and values [n] of the columns of y: an array, a Series, a list, a table of pandas, polars or pyarrow."""
    if is_frame(y):
        names = y.column_names if hasattr(y, "column_names") else y.columns
        return [(str(name), numpy.asarray(column)) for name, column in zip(names, frame_columns(y))]
    array = check_array(y, ensure_2d=False, dtype=None, input_name="y", **{FINITE: False})
    if array.ndim == 1 or array.shape[1] == 1:
        name = getattr(y, "name", None)
        return [(name if isinstance(name, str) and name else "y", array.ravel())]
    return [(f"y{i}", array[:, i]) for i in range(array.shape[1])]


def is_frame(table: Any) -> bool:
    """Whether it is a table that knows types, not a matrix, a list or one column."""
    if len(getattr(table, "shape", ())) != 2:
        return False
    return hasattr(table, "__arrow_c_stream__") or hasattr(table, "iloc")


def frame_columns(frame: Any) -> list[Any]:
    if hasattr(frame, "iloc"):  # pandas
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    return list(frame.get_columns() if hasattr(frame, "get_columns") else frame.columns)  # polars, pyarrow


def mean_score(metric: Any, y: Any, predicted: NDArray[Any], sample_weight: Any) -> float:
    """The metric of each task over its labelled rows, the mean of all tasks. predicted: [n] or [n, tasks]."""
    columns = label_columns(y)
    by_task = predicted.reshape(len(predicted), -1)
    if by_task.shape[1] != len(columns):
        raise ValueError(f"y has {len(columns)} columns, {by_task.shape[1]} are predicted")
    weight = None if sample_weight is None else numpy.asarray(sample_weight)
    scores = []
    for i, (name, values) in enumerate(columns):
        present = _present(name, values, len(columns))
        mine = None if weight is None else weight[present]
        scores.append(metric(_plain(values[present]), _plain(by_task[present, i]), sample_weight=mine))
    return float(numpy.mean(scores))


def side_by_side(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """[n] or [n, tasks]; columns of several types as objects, so that each keeps its own."""
    if len(columns) == 1:
        return columns[0]
    if len({column.dtype.kind for column in columns}) == 1:
        return numpy.column_stack(columns)
    return numpy.column_stack([column.astype(object) for column in columns])


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Objects of one type as an array of that type."""
    return numpy.array(values.tolist()) if values.dtype.kind == "O" else values


def _filled(present: NDArray[numpy.bool_], values: NDArray[Any]) -> NDArray[numpy.float64]:
    filled = numpy.full(len(present), numpy.nan)
    filled[present] = values
    return filled


def _present(name: str, values: NDArray[Any], tasks: int) -> NDArray[numpy.bool_]:
    missing: NDArray[numpy.bool_]
    if values.dtype.kind == "f":
        missing = numpy.isnan(values)
    elif values.dtype.kind == "O":
        missing = numpy.array([_is_missing(value) for value in values], dtype=numpy.bool_)
    else:
        missing = numpy.zeros(len(values), dtype=numpy.bool_)
    if tasks == 1 and missing.any():
        raise ValueError(
            "Input y contains NaN. With several tasks a label may be missing; of one, leave these rows out"
        )
    if missing.all():
        raise ValueError(f'y: "{name}" has no value in any row')
    return ~missing


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
