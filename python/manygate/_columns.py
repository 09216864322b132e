# SPDX-License-Identifier: Apache-2.0
"""One column of a table in memory: numbers where they lie, texts, and what pyarrow makes of anything else.

Bool is 1 or 0, None, NaN, NA and NaT are missing, whole numbers among texts are decimal, floats the shortest text that
reads back equal: as in files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from manygate._core import InvalidInput, MemoryTable

_INT64 = range(-(2**63), 2**63)


def pyarrow() -> Any:
    """The module, or None where it is not installed."""
    try:
        import pyarrow as module
    except ImportError:
        return None
    return module


def add(table: MemoryTable, name: str, values: Any) -> None:
    """Adds a column; values: an array, Series, pyarrow array or list of numbers or texts. Errors: InvalidInput."""
    package = type(values).__module__.split(".")[0]
    if isinstance(values, (str, bytes)) or not (hasattr(values, "__len__") or hasattr(values, "__array__")):
        raise InvalidInput(f'column "{name}" is {values!r}, expected a sequence with one value per row')
    if package == "polars":
        table.add_stream(values.to_frame(name))
    elif package == "pyarrow":
        table.add_stream(pyarrow().table([values], [name]))
    elif package == "pandas":
        _add_pandas(table, name, values)
    elif isinstance(values, (list, tuple)):
        _add_objects(table, name, values)
    else:
        _add_numpy(table, name, values)


def _add_pandas(table: MemoryTable, name: str, values: Any) -> None:
    dtype = values.dtype
    if isinstance(dtype, numpy.dtype) and dtype.kind not in "OSUMm":
        _add_numpy(table, name, values.to_numpy())
    elif not _add_by_pyarrow(table, name, values):
        _add_objects(table, name, values.tolist())


def _add_numpy(table: MemoryTable, name: str, values: Any) -> None:
    array = values if isinstance(values, numpy.ndarray) else numpy.asarray(values)
    if array.ndim != 1:
        raise InvalidInput(f'column "{name}" has shape {array.shape}, expected one value per row')
    if isinstance(array, numpy.ma.MaskedArray):
        _add_objects(table, name, array.tolist())
    elif array.dtype.kind in "biuf":
        kind = numpy.dtype(numpy.float64) if array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
        table.add_numbers(name, numpy.ascontiguousarray(array, dtype=kind))
    elif array.dtype.kind in "OSU":
        _add_objects(table, name, array.tolist())
    elif array.dtype.kind not in "Mm" or not _add_by_pyarrow(table, name, array):
        advice = "; install pyarrow, which hands over dates" if array.dtype.kind in "Mm" else ""
        raise InvalidInput(f'column "{name}" is of type {array.dtype}, expected numbers or texts{advice}')


def _add_by_pyarrow(table: MemoryTable, name: str, values: Any) -> bool:
    """False: it is not installed, or does not take values of several types in one column."""
    module = pyarrow()
    if module is None:
        return False
    try:
        array = module.array(values, from_pandas=True)
    except (module.ArrowException, TypeError, ValueError, OverflowError):
        return False
    table.add_stream(module.table([array], [name]))
    return True


def _add_objects(table: MemoryTable, name: str, values: Sequence[Any]) -> None:
    """Python's own values, or numpy's: numbers if all of them are, else texts."""
    if set(map(type, values)) <= {str, type(None)}:  # by far the quickest look at them
        table.add_texts(name, values)
        return
    present = [value for value in values if not _is_missing(value)]
    if present and all(isinstance(value, (bool, numpy.bool_)) for value in present):
        if len(present) == len(values):
            table.add_numbers(name, numpy.asarray(values, dtype=numpy.bool_))
            return
    elif present and all(_is_number(value) for value in present):
        if any(isinstance(value, (float, numpy.floating)) for value in present):
            numbers = [math.nan if _is_missing(value) else float(value) for value in values]
            table.add_numbers(name, numpy.asarray(numbers, dtype=numpy.float64))
            return
        if len(present) == len(values) and all(value in _INT64 for value in present):
            table.add_numbers(name, numpy.asarray(values, dtype=numpy.int64))
            return
    table.add_texts(name, [_text(name, row, value) for row, value in enumerate(values)])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, numpy.integer, numpy.floating))


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, numpy.floating)) and math.isnan(value)


def _text(name: str, row: int, value: Any) -> str | None:
    if _is_missing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (bool, numpy.bool_)):
        return str(int(value))
    if isinstance(value, (float, numpy.floating)):
        text = str(value)
        return text[:-2] if text.endswith(".0") else text
    if isinstance(value, (int, numpy.integer)):
        return str(int(value))
    raise InvalidInput(
        f'column "{name}", row {row}: found {type(value).__name__} {value!r:.60}, expected a text or a number'
    )
