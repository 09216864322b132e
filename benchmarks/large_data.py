# SPDX-License-Identifier: Apache-2.0
"""A generated table that does not fit data_config.memory_limit_mb against the same table in memory: one epoch each,
alternating, from a column cache that exists; first the streamed run that makes the cache, for its peak memory.

    python3 benchmarks/large_data.py                      # 50 million rows: 20 minutes, 12 GB of disk, 8 GB of memory
    python3 benchmarks/large_data.py --rows 5000000 --memory_limit_mb 64

Exit code 1: a streamed run takes --most_memory_mb of resident memory or more, trains at less than 80 % of the speed in
memory, or its AUC of clicks is more than 0.005 away.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
LEAST_SPEED, MOST_AUC_DIFFERENCE = 0.8, 0.005


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=REPOSITORY / "build/release/manygate")
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--memory_limit_mb", type=int, default=256)
    parser.add_argument("--most_memory_mb", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=1, help="of each kind, alternating; medians count")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, help="for the data; kept. Default: a temporary one")
    return parser.parse_args()


def train(arguments, folder, name, memory_limit_mb):
    """One epoch: peak resident MiB, training rows per second, seconds of the whole run, AUC of click on held-out rows."""
    model = folder / name
    command = [str(arguments.program), "train", str(REPOSITORY / "examples/funnel/mmoe.config"),
               "--model_dir", str(model), "--threads", str(arguments.threads), "--set", "train_config.num_epochs=1",
               "--set", f"data_config.memory_limit_mb={memory_limit_mb}",
               "--set", f"data_config.cache_dir={folder / 'cache'}"]
    environment = dict(os.environ, FUNNEL_DATA=str(folder / "funnel.csv"))
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    last = json.loads((model / "metrics.jsonl").read_text().splitlines()[-1])
    return {"peak_mb": usage.ru_maxrss / 1024, "rows_per_second": last["rows_per_second"], "seconds": last["seconds"],
            "auc_click": last["tasks"]["click"]["auc"]}


def row(name, runs):
    median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    print(f"| {name} | {median['rows_per_second']:,.0f} | {median['seconds']:.0f} | {max(r['peak_mb'] for r in runs):,.0f} "
          f"| {median['auc_click']:.5f} |")
    return median


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "funnel.csv").exists():
            subprocess.run([arguments.program, "generate", "funnel", "--rows", str(arguments.rows), "--output",
                            folder / "funnel.csv"], check=True, stdout=subprocess.DEVNULL)
        first = train(arguments, folder, "first", arguments.memory_limit_mb)
        streamed, in_memory = [], []
        for _ in range(arguments.runs):
            in_memory.append(train(arguments, folder, "in_memory", 1 << 20))
            streamed.append(train(arguments, folder, "streamed", arguments.memory_limit_mb))
    print(f"{arguments.rows:,} rows, memory_limit_mb {arguments.memory_limit_mb}, {arguments.threads} threads\n")
    print("| run | training rows/s | seconds in all | peak resident MiB | validation AUC, click |\n|---|---|---|---|---|")
    row("streamed, cache made", [first])
    memory, stream = row("in memory", in_memory), row("streamed", streamed)
    speed = stream["rows_per_second"] / memory["rows_per_second"]
    peak = max(run["peak_mb"] for run in [first, *streamed])
    difference = abs(stream["auc_click"] - memory["auc_click"])
    print(f"\nstreamed: {100 * speed:.0f} % of the speed in memory (at least {100 * LEAST_SPEED:.0f} %), peak {peak:,.0f} MiB "
          f"(below {arguments.most_memory_mb:,}), AUC {difference:.5f} away (at most {MOST_AUC_DIFFERENCE})")
    return 0 if speed >= LEAST_SPEED and peak < arguments.most_memory_mb and difference <= MOST_AUC_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
