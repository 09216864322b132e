# SPDX-License-Identifier: Apache-2.0
"""Suggestions for names that are not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, names: Iterable[str]) -> str:
    """'Did you mean "auc"?', or the names there are."""
    there = list(names)
    found = difflib.get_close_matches(str(name), there, n=1)
    return f'did you mean "{found[0]}"?' if found else f"there are: {', '.join(there) or 'none'}"
