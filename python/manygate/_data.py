# SPDX-License-Identifier: Apache-2.0
"""What data may be: tables of other libraries, columns, paths; and how the program comes to see them.

rows = Rows(frame)                         # of pandas, polars, pyarrow, ...; a dict of columns; paths
_core.run(["train", *rows.flags(), ...])   # while `rows` lives
predictor.predict(rows_of(frame, ["age", "city"]), ...)
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Union

from manygate import _columns
from manygate._core import InvalidInput, MemoryTable


class ArrowStream(Protocol):
    """A table that can be read as an Arrow stream: of pandas, polars, pyarrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


Path = Union[str, "os.PathLike[str]"]
Data = Union[ArrowStream, Mapping[str, Any], Path, Sequence[Path]]

ACCEPTED = (
    "a table of pandas, polars or pyarrow, anything with __arrow_c_stream__, a dict of columns, or paths of files"
)


class Rows:
    """Data as paths for --data: of files, or of a table in memory, which lives as long as this. None: no data."""

    def __init__(self, data: Data | None) -> None:
        self.table: MemoryTable | None = None
        paths = [] if data is None else paths_in(data)
        if paths is None or _is_parquet(paths):
            self.table = _memory_table(data if paths is None else parquet(paths), None)
            self.paths = [self.table.path]
        else:
            self.paths = paths

    def flags(self) -> list[str]:
        return [part for path in self.paths for part in ("--data", path)]


def paths_in(data: object) -> list[str] | None:
    """The paths, if data is one or a list of them; else None."""
    if isinstance(data, (str, os.PathLike)):
        return [os.fspath(data)]
    if isinstance(data, (list, tuple)) and data and all(isinstance(part, (str, os.PathLike)) for part in data):
        return [os.fspath(part) for part in data]
    return None


def is_parquet(data: object) -> bool:
    """Whether data are paths of Parquet files that pyarrow, if it is installed, will read."""
    paths = paths_in(data)
    return paths is not None and _is_parquet(paths)


def parquet(paths: Sequence[str], columns: Sequence[str] | None = None) -> ArrowStream:
    """A stream over Parquet files, row group by row group; of those of `columns` that are there."""
    import pyarrow.dataset

    parts = [part for path in paths for part in path.split(",") if part]
    try:
        found = [file for part in parts for file in sorted(glob.glob(part)) or [part]]
        dataset = pyarrow.dataset.dataset(found if len(found) > 1 else found[0], format="parquet")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{', '.join(parts)}: {error}") from None
    there = None if columns is None else [name for name in columns if name in dataset.schema.names]
    # Without all of them whoever reads must see every name, to suggest one.
    if columns is not None and len(there or []) < len(columns):
        there = None
    stream: ArrowStream = dataset.scanner(columns=there).to_reader()
    return stream


def rows_of(data: Data, columns: Sequence[str]) -> ArrowStream | MemoryTable:
    """Rows in memory, for a model that reads `columns`: what Predictor.predict takes. Others are not looked at."""
    paths = paths_in(data)
    if paths is not None:
        return parquet(paths, columns)
    if _of(data, "polars", "DataFrame"):
        data = data.select(columns) if set(columns) <= set(data.columns) else data.head(0)  # type: ignore[union-attr]
    if hasattr(data, "__arrow_c_stream__") and not _of(data, "pandas", "DataFrame", "Series"):
        return data  # type: ignore[return-value]
    return _memory_table(data, columns)


def _is_parquet(paths: Sequence[str]) -> bool:
    def is_one(path: str) -> bool:
        if os.path.isdir(path):
            return bool(glob.glob(os.path.join(glob.escape(path), "*.parquet")))
        return path.lower().endswith((".parquet", ".pq"))

    parts = [part for path in paths for part in path.split(",") if part]
    return bool(parts) and all(is_one(part) for part in parts) and _columns.pyarrow() is not None


def _of(data: object, package: str, *names: str) -> bool:
    """Whether data is an object of such a class of a package, without importing the package."""
    return any(kind.__name__ in names and kind.__module__.split(".")[0] == package for kind in type(data).__mro__)


def _memory_table(data: object, columns: Sequence[str] | None) -> MemoryTable:
    table = MemoryTable("data")
    if _of(data, "pandas", "DataFrame"):
        _add_pandas(table, data, columns)
    elif isinstance(data, Mapping):
        _add_columns(table, data, columns)
    elif getattr(getattr(data, "dtype", None), "names", None):  # a structured array of numpy
        array: Any = data
        _add_columns(table, {name: array[name] for name in array.dtype.names}, columns)
    elif hasattr(data, "__arrow_c_stream__") and not _is_one_column(data):
        table.add_stream(data)
    elif _of(data, "pyarrow", "Dataset"):
        table.add_stream(data.scanner().to_reader())  # type: ignore[attr-defined]
    else:
        raise InvalidInput(_advice(data))
    return table


def _is_one_column(data: object) -> bool:
    return _of(data, "pandas", "Series") or _of(data, "polars", "Series") or _of(data, "pyarrow", "ChunkedArray")


def _add_pandas(table: MemoryTable, frame: Any, columns: Sequence[str] | None) -> None:
    names = [str(name) for name in frame.columns]
    for place, name in _wanted(names, columns):
        _columns.add(table, name, frame.iloc[:, place])
    if columns is not None and not set(columns) <= set(names):
        _add_empty(table, names, columns)


def _add_columns(table: MemoryTable, data: Mapping[Any, Any], columns: Sequence[str] | None) -> None:
    if not data:
        raise InvalidInput("the dict of columns is empty")
    names, values = [str(name) for name in data], list(data.values())
    for place, name in _wanted(names, columns):
        _columns.add(table, name, values[place])
    if columns is not None and not set(columns) <= set(names):
        _add_empty(table, names, columns)


def _wanted(names: Sequence[str], columns: Sequence[str] | None) -> Iterable[tuple[int, str]]:
    """(place, name) of the columns to hand over, in the order of the table."""
    read = None if columns is None else set(columns)
    return [(place, name) for place, name in enumerate(names) if read is None or name in read]


def _add_empty(table: MemoryTable, names: Sequence[str], columns: Sequence[str]) -> None:
    """The other names, without values: a column is missing, and the message suggests the nearest name."""
    for name in names:
        if name not in columns:
            table.add_texts(name, [None] * table.rows)


def _advice(data: object) -> str:
    """What to do about something that is no table."""
    package = type(data).__module__.split(".")[0]
    kind = type(data).__name__ if package == "builtins" else f"{package}.{type(data).__name__}"
    if package == "pyspark":
        return f"data is a {kind}. Score it where it lies with manygate.spark.predict, or give .toPandas()"
    if _of(data, "polars", "LazyFrame"):
        return f"data is a {kind}, which holds no rows yet. Give .collect()"
    if _is_one_column(data):
        return f'data is a {kind}, one column without a table. Give {{"name": column}}, or a table'
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], Mapping):
        return "data is a list of dicts. Give a table of them: pandas.DataFrame(rows), pyarrow.Table.from_pylist(rows)"
    if hasattr(data, "__array__"):
        return (
            f'data is a {kind} without names of columns. Give a dict, {{"age": x[:, 0], "city": x[:, 1]}}, or a '
            "table: pandas.DataFrame(x, columns=[...])"
        )
    return f"data is of type {kind}, expected {ACCEPTED}"
