# SPDX-License-Identifier: Apache-2.0
# The compiled part (python/src). The package's own modules wrap it; users do not call it.
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class InvalidInput(ValueError):
    """The user's input is wrong: arguments, configuration, data, model directory."""

class Failed(RuntimeError):
    """The run failed: disk, divergence, memory."""

class MemoryTable:
    """Columns that lie in memory, which the program reads like a file named `path` while this object lives."""

    def __init__(self, name: str) -> None: ...
    path: str  # "memory:1/name"
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    # An object with __arrow_c_stream__; its batches are kept, nothing is copied.
    def add_stream(self, stream: object) -> None: ...
    # Numbers [rows], kept where they lie if they are contiguous and of a type that Arrow has; or texts (None: missing).
    def add_numbers(self, name: str, values: NDArray[Any]) -> None: ...
    def add_texts(self, name: str, values: Sequence[str | None]) -> None: ...

class Input:
    name: str
    number: bool

class Output:
    name: str
    width: int
    logits: bool
    classes: list[str]
    columns: list[str]  # [width]: their names where each number has a column of its own, as in `manygate predict`

class Predictor:
    """A loaded model directory. May be called by several threads at once, and after a fork."""

    def __init__(self, model_dir: str) -> None: ...
    model_name: str
    inputs: list[Input]
    outputs: list[Output]
    # source: an object with __arrow_c_stream__, read batch by batch, or a MemoryTable. wanted: names of outputs.
    # -> by output: float32 [rows], or [rows, width] of several numbers. threads: 0 = all cores.
    def predict(self, source: object, wanted: Sequence[str], threads: int) -> dict[str, NDArray[np.float32]]: ...

# One verb of the program, in this process: -> what it writes to standard output. log(text) is called on this thread with
# what it writes to standard error: lines, and with columns > 0 a progress bar of that many characters that is drawn over
# ("\r"). Ctrl-C ends training in good order. Errors: InvalidInput, Failed, KeyboardInterrupt.
def run(arguments: Sequence[str], log: Callable[[str], None] | None = None, columns: int = 0) -> str: ...

# The whole program, as from a shell: -> its exit code.
def main(arguments: Sequence[str]) -> int: ...
