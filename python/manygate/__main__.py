# SPDX-License-Identifier: Apache-2.0
"""The program, as the command `manygate` and as `python -m manygate`."""

from __future__ import annotations

import sys

from manygate import _core


def main() -> int:
    """Runs the program with this process's arguments; its exit code."""
    if sys.argv[1:2] == ["serve"]:
        print(
            "manygate: the Python package has no server. Build the program, ./run deps serve && ./run build, or the image of "
            "deploy/Dockerfile; they serve the same model directories",
            file=sys.stderr,
        )
        return 2
    return _core.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
