# SPDX-License-Identifier: Apache-2.0
"""What script tests share: a condition that must hold, a reason to skip, a command that must succeed.

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, run, skip, without

missing = without("polars", "torch")                # the ones that cannot be imported
if missing: skip(f"{missing[0]} is not installed")
output = run(program, "train", "--data", data, ...)
check(scores == expected, "the scores are those of predict")
"""

import importlib.util
import os
import subprocess
import sys

SKIPPED = 77


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}", flush=True)


def skip(reason):
    """Ends the test as skipped; CTest counts it as such."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def without(*modules):
    """Those of the modules that are not installed. They are not imported."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


def run(*command, timeout=300, code=0, environment=None, **options):
    """Runs to the end, which must be `code`; its standard output."""
    done = subprocess.run(
        [str(part) for part in command],
        text=True,
        capture_output=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
        **options,
    )
    if done.returncode != code:
        shown = " ".join(str(part) for part in command)
        sys.exit(f"FAILED: exit code {done.returncode}, expected {code}: {shown}\n{done.stdout}{done.stderr}")
    return done.stdout
