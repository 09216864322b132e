# SPDX-License-Identifier: Apache-2.0
"""Where the program's notes and its progress bar go: terminals, notebooks, lines elsewhere.

with shown(progress) as log:
    _core.run(arguments, log, log.columns)
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Any, Callable, Protocol, Union

Progress = Union[None, bool, Callable[[str], object]]

_CLEAR_LINE = "\r\x1b[K"  # before the bar is drawn over
_NOTEBOOK_COLUMNS = 100


class Log(Protocol):
    """Takes what the program writes beside its results; columns: how wide a bar may be, 0 = lines instead."""

    columns: int

    def __call__(self, text: str) -> None: ...
    def close(self) -> None: ...


@contextlib.contextmanager
def shown(progress: Progress) -> Iterator[Log]:
    """None or True: a bar in terminals and notebooks, lines elsewhere; False: to logging; else a call per line."""
    log = _log_of(progress)
    try:
        yield log
    finally:
        log.close()


def _log_of(progress: Progress) -> Log:
    if progress is False:
        return _Lines(logging.getLogger("manygate").info)
    if callable(progress):
        return _Lines(progress)
    if _in_notebook():
        return _Notebook()
    return _Stream()


def _in_notebook() -> bool:
    """Whether this is a kernel with a front end, not a terminal of IPython."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return hasattr(shell, "kernel")


class _Stream:
    """Standard error, as the program itself writes it."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self.columns = shutil.get_terminal_size((100, 24)).columns if self._stream.isatty() else 0

    def __call__(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def close(self) -> None:
        pass


class _Lines:
    """Whole lines to a function."""

    columns = 0

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._rest = ""

    def __call__(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write(line)

    def close(self) -> None:
        if self._rest:
            self._write(self._rest)


class _Notebook:
    """One output of the cell, which is replaced: notebooks do not know how to clear a line, and keep every piece."""

    columns = _NOTEBOOK_COLUMNS

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._rest = ""  # may be the begin of _CLEAR_LINE
        self._display: Any = importlib.import_module("IPython.display").display
        self._output: Any = None

    def __call__(self, text: str) -> None:
        text = self._rest + text
        cut = re.search(r"\r(\x1b(\[)?)?$", text)
        self._rest = cut.group() if cut else ""
        for part in re.split(r"(\n|\r\x1b\[K)", text[: len(text) - len(self._rest)]):
            if part == "\n":
                self._lines.append(self._line)
            self._line = "" if part in ("\n", _CLEAR_LINE) else self._line + part
        self._show()

    def close(self) -> None:
        pass

    def _show(self) -> None:
        output = {"text/plain": "\n".join([*self._lines, self._line])}
        if self._output is None:
            self._output = self._display(output, raw=True, display_id=True)
        else:
            self._output.update(output, raw=True)
