# SPDX-License-Identifier: Apache-2.0
"""Scores the rows of a Spark DataFrame where they lie: DataFrame.mapInArrow, the model read once per worker process.

Needs pyspark >= 3.3 on the driver, and manygate and pyarrow on the driver and every worker.

>>> import manygate
>>> from pyspark.sql import SparkSession
>>> spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()  # doctest: +SKIP
>>> scored = manygate.spark.predict(spark.read.parquet("rows"), "out/funnel")  # doctest: +SKIP
>>> scored.write.parquet("scores")  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import manygate
from manygate import _container
from manygate._names import nearest

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

__all__ = ["predict"]

_MODELS_PER_WORKER = 4
_MANIFEST = "MANIFEST.json"  # written last: with it a model directory is complete, and another one


def predict(
    df: DataFrame,
    model_dir: str | os.PathLike[str],
    *,
    outputs: str | Sequence[str] | None = None,
    keep: Sequence[str] | None = None,
    logits: bool = False,
    broadcast: bool = True,
) -> DataFrame:
    """Adds the model's predictions to every row, with the bits of `manygate predict`.

    Nothing is computed before the result is used, and then within one stage, without a shuffle. Null means missing. A
    worker process reads the model once, whatever the number of tasks and jobs that it works on.

    Args:
        df: Rows with the columns that the model reads; the types are Spark's, as in Parquet.
        model_dir: Model directory, which the driver reads.
        outputs: Names of outputs, as Model.outputs has them; default: all.
        keep: Columns of df to repeat; default: all of them, [] for none.
        logits: Also logits_<task>, the numbers before the sigmoid.
        broadcast: True: the driver sends the model to the workers, within the query where there is no SparkContext
            (Spark Connect). False: they read model_dir themselves, which must be a path that every worker sees.

    Returns:
        A DataFrame of the columns kept and one FloatType column per number, called as `manygate predict` calls them:
        probs_<task>, probs_<task>_<class>, y_<task>.

    Raises:
        manygate.InvalidInput: A column that the model reads is not there, or one that is kept is called as a
            prediction; an unknown output; no model directory. A value that the model cannot take ends the Spark job.

    Example:
        >>> import manygate.spark
        >>> from pyspark.sql import SparkSession
        >>> spark = SparkSession.builder.master("local[2]").getOrCreate()  # doctest: +SKIP
        >>> rows = spark.read.parquet("new_rows")  # doctest: +SKIP
        >>> scored = manygate.spark.predict(rows, "out/funnel", keep=["user_id", "item_id"])  # doctest: +SKIP
        >>> scored.columns  # doctest: +SKIP
        ['user_id', 'item_id', 'probs_click', 'probs_purchase', 'y_amount']
    """
    from pyspark.sql.types import FloatType, StructField, StructType

    model = manygate.Model.load(model_dir)
    wanted = _wanted_columns(model, outputs, logits)
    inputs = [given.name for given in model.inputs]
    kept = list(df.columns) if keep is None else list(keep)
    _check_names(df.columns, inputs, kept, [name for names in wanted.values() for name in names])
    source = _source(df, model, os.fspath(model_dir), broadcast)
    read = list(dict.fromkeys([*kept, *inputs]))
    places = {name: f"c{i}" for i, name in enumerate(read)}  # mapInArrow would take a name with a dot for a path
    rows = df.select(*[df[_quoted(name)].alias(places[name]) for name in read])
    columns = [StructField(name, FloatType(), False) for names in wanted.values() for name in names]
    schema = StructType([*(StructField(name, rows.schema[places[name]].dataType) for name in kept), *columns])
    with warnings.catch_warnings():  # rows go as Arrow; what Spark says about pandas does not concern them
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        return rows.mapInArrow(_scorer(source, read, inputs, kept, wanted, logits), schema)


def _wanted_columns(model: manygate.Model, outputs: str | Sequence[str] | None, logits: bool) -> dict[str, list[str]]:
    """By output: its columns. InvalidInput: an unknown name."""
    there = {output.name: output for output in model.outputs}
    if outputs is None:
        return {name: list(output.columns) for name, output in there.items() if logits or not output.logits}
    names = [outputs] if isinstance(outputs, str) else list(outputs)
    for name in names:
        if name not in there:
            raise manygate.InvalidInput(f'the model has no output "{name}"; {nearest(name, there)}')
    return {name: list(there[name].columns) for name in names}


def _check_names(there: Sequence[str], inputs: Sequence[str], kept: Sequence[str], added: Sequence[str]) -> None:
    for name, what in [*((name, "the model reads") for name in inputs), *((name, "keep names") for name in kept)]:
        if name not in there:
            raise manygate.InvalidInput(f'the DataFrame has no column "{name}", which {what}; {nearest(name, there)}')
    lower = {name.lower(): name for name in added}  # Spark's names are the same in upper and lower case
    for name in kept:
        if name.lower() in lower:
            raise manygate.InvalidInput(
                f'the DataFrame has a column "{name}", as a prediction is called; choose with keep=[...] what to repeat'
            )


def _quoted(name: str) -> str:
    """A dot in it is no path then."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class _Path:
    """A model directory that every worker sees; another training run makes another one of it."""

    path: str

    def key(self) -> tuple[str, int]:
        return self.path, os.stat(os.path.join(self.path, _MANIFEST)).st_mtime_ns

    def load(self) -> manygate.Model:
        return manygate.Model.load(self.path)


@dataclass(frozen=True)
class _Bytes:
    """A model that travels: in a broadcast variable, or within the query. Equal where the model is."""

    digest: str
    content: Any = field(compare=False)  # bytes, or a Broadcast of them

    def key(self) -> str:
        return self.digest

    def load(self) -> manygate.Model:
        content = self.content if isinstance(self.content, bytes) else self.content.value
        with tempfile.TemporaryDirectory() as folder:  # not for longer: Spark kills its workers, which clean up nothing
            model_dir = os.path.join(folder, "model")
            _container.unpack(content, model_dir)
            return manygate.Model.load(model_dir)


def _source(df: DataFrame, model: manygate.Model, model_dir: str, broadcast: bool) -> _Path | _Bytes:
    if not broadcast:
        return _Path(os.path.abspath(model_dir))
    content = model.to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    try:
        context = df.sparkSession.sparkContext
    except Exception:  # Spark Connect has none, and says so by errors of several kinds
        return _Bytes(digest, content)
    return _Bytes(digest, context.broadcast(content))


@functools.lru_cache(maxsize=_MODELS_PER_WORKER)
def _load(source: _Path | _Bytes, key: object) -> manygate.Model:
    """The model, read at the first call in this process: cache_info() counts."""
    return source.load()


def _scorer(
    source: _Path | _Bytes,
    read: list[str],
    inputs: list[str],
    kept: list[str],
    wanted: dict[str, list[str]],
    logits: bool,
) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """What a task runs on its batches, of the columns `read`. threads=1: Spark gives each core a task."""

    def score(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        model = _load(source, source.key())
        for batch in batches:
            given = dict(zip(read, batch.columns))
            rows = pyarrow.table([given[name] for name in inputs], names=inputs)
            found = model.predict(rows, list(wanted), logits=logits, threads=1)
            arrays, names = [given[name] for name in kept], list(kept)
            for output, columns in wanted.items():
                numbers = found[output].reshape(batch.num_rows, len(columns))
                arrays += [pyarrow.array(numbers[:, i]) for i in range(len(columns))]
                names += columns
            yield pyarrow.RecordBatch.from_arrays(arrays, names=names)

    return score
