# SPDX-License-Identifier: Apache-2.0
"""Where and when a benchmark ran, and its tables as Markdown."""
import datetime
import pathlib
import platform
import re
import statistics
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


def machine():
    """CPU model, cores and vector extensions as /proc/cpuinfo has them."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"^model name\s*: (.*)$", text, re.M)
    family = re.search(r"^cpu family\s*: (\d+)$", text, re.M)
    model = re.search(r"^model\s*: (\d+)$", text, re.M)
    flags = re.search(r"^flags\s*: (.*)$", text, re.M)
    have = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if flags and f in flags[1].split()]
    numbers = f" (family {family[1]}, model {model[1]})" if family and model else ""
    return f"{name[1] if name else platform.machine()}{numbers}, {text.count('processor')} cores, {' '.join(have)}"


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "-uno") != ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + ("+changes" if changed else "")


def thousands(rows_per_second):
    return f"{rows_per_second / 1000:,.1f}"


def phases(shares):
    """{"batch": 0.1, ...} -> "batch 10 %, ..."."""
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def spread(values):
    """Median with the smallest and largest run in brackets, in thousands."""
    return f"{thousands(statistics.median(values))} ({thousands(min(values))} to {thousands(max(values))})"


def heading(title, versions):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return [f"## {title}, {now}", "", f"{machine()} · commit {commit()} · {versions}", ""]


def insert_section(path, lines):
    """Puts the section on top of the older ones, below the file's introduction."""
    intro = ("# Benchmark results\n\nWritten by `benchmarks/run.py`, newest first. One thread, one core. "
             "What is compared: [README.md](README.md).\n")
    text = path.read_text(encoding="utf-8") if path.exists() else intro
    head, mark, rest = text.partition("\n## ")
    path.write_text(head.rstrip() + "\n\n" + "\n".join(lines).rstrip() + "\n" + mark + rest, encoding="utf-8")
