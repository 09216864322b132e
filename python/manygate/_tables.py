# SPDX-License-Identifier: Apache-2.0
"""Small tables as the program prints them, and as HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence


class Table:
    """Rows of texts under titles; columns are aligned to the right but the first `left` ones."""

    def __init__(self, titles: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> None:
        self.titles = titles
        self.rows = rows
        self._left = left

    def __str__(self) -> str:
        widths = [max(len(cell) for cell in column) for column in zip(self.titles, *self.rows)]
        rule = ["-" * width for width in widths]
        return "".join(self._line(cells, widths) + "\n" for cells in (self.titles, rule, *self.rows))

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        placed = [
            cell.ljust(width) if place < self._left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "  ".join(placed).rstrip()

    def html(self) -> str:
        def row(tag: str, cells: Sequence[str]) -> str:
            aligned = ("left" if place < self._left else "right" for place in range(len(cells)))
            return (
                "<tr>"
                + "".join(
                    f'<{tag} style="text-align:{align}">{html.escape(cell)}</{tag}>'
                    for cell, align in zip(cells, aligned)
                )
                + "</tr>"
            )

        body = "".join(row("td", cells) for cells in self.rows)
        return f"<table><thead>{row('th', self.titles)}</thead><tbody>{body}</tbody></table>"


def number(value: float) -> str:
    """Five decimals; large numbers seven digits, at least all those before the point."""
    if math.isnan(value):
        return "n/a"
    size = abs(value)
    return f"{value:.{5 if size < 100 or math.isinf(size) else max(0, 6 - int(math.log10(size)))}f}"


def signed(value: float) -> str:
    return number(value) if math.isnan(value) or value < 0 else "+" + number(value)
