# SPDX-License-Identifier: Apache-2.0
"""The program, as the command `manygate` and as `python -m manygate`."""

from __future__ import annotations

import sys

from manygate import _core


def main() -> int:
    """Runs the program with this process's arguments; its exit code."""
    return _core.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
