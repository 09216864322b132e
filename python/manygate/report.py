# SPDX-License-Identifier: Apache-2.0
"""The page about a trained model: Model.report."""

from __future__ import annotations

import html
import os
import pathlib

from manygate._data import Path


class Report:
    """One self-contained HTML page: curves, ROC and calibration, gates and experts, transfer, data, the network.

    A notebook shows it where it is the last expression of a cell.

    Attributes:
        html: The page, a text of a few hundred kilobytes.
        rows: How many rows its figures rest on.

    Example:
        >>> import manygate
        >>> rows = manygate.generate(500)
        >>> report = manygate.train(rows, "click", progress=False).report()
        >>> report.html[:15], report.rows
        ('<!DOCTYPE html>', 50)
    """

    def __init__(self, page: str, rows: int) -> None:
        self.html = page
        self.rows = rows

    def save(self, path: Path) -> None:
        """Writes the page to a file.

        Args:
            path: The file, which is replaced if it exists.

        Raises:
            OSError: It cannot be written.

        Example:
            >>> import manygate, os, tempfile
            >>> report = manygate.train(manygate.generate(500), "click", progress=False).report()
            >>> path = os.path.join(tempfile.mkdtemp(), "report.html")
            >>> report.save(path)
            >>> os.path.getsize(path) == len(report.html.encode())
            True
        """
        pathlib.Path(os.fspath(path)).write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return f"Report(rows={self.rows}, characters={len(self.html)})"

    def _repr_html_(self) -> str:
        # Without a base, links within the page lead to the notebook's own. Without its origin, Chromium shows no page that
        # has one; scripts stay forbidden.
        page = self.html.replace("<head>", '<head><base href="about:srcdoc">', 1)
        return (
            f'<iframe srcdoc="{html.escape(page)}" title="Report" sandbox="allow-same-origin" '
            'style="width:100%;height:720px;border:0"></iframe>'
        )
