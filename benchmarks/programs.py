# SPDX-License-Identifier: Apache-2.0
"""The programs that run.py compares, each pinned to one core and to one thread.

    worker = TorchWorker("C1", "library", 512, cache, core=0)
    worker.ask("time 4")["rows_per_second"]
    manygate = Manygate(build, config, core=0)
    manygate.bench(batch=512, seconds=4)["rows_per_second"]
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def one_thread_environment():
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS"):
        environment[name] = "1"
    environment["CUDA_VISIBLE_DEVICES"] = ""
    environment["PYTHONWARNINGS"] = "ignore"
    return environment


def _pin(core):
    """As `taskset -c core` does; on systems without it the program runs unpinned."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def measured_run(command, core, environment):
    """Runs a command to its end on one core: (stdout, wall seconds, peak resident MB). Ends the script if it fails."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors, env=environment,
                                   preexec_fn=lambda: _pin(core))
        _, status, usage = os.wait4(process.pid, 0)  # the usage of this child alone
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}\nended with exit code {process.returncode}:\n"
                             f"{errors.read()[-2000:]}")
        return output.read(), seconds, usage.ru_maxrss / 1024


def prepare(cache):
    """Makes the arrays and returns PyTorch's version, both in a process of their own, to keep this one small."""
    subprocess.run([sys.executable, str(HERE / "census.py"), str(cache)], check=True)
    command = [sys.executable, "-c", "import torch; print(torch.__version__)"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class TorchWorker:
    """torch_worker.py in a process of its own; it waits without using the core until it is asked."""

    def __init__(self, configuration, variant, batch, cache, core):
        self.variant = variant
        self.errors = cache / f"{configuration}.{variant.replace('/', '-')}.{batch}.log"
        command = [sys.executable, str(HERE / "torch_worker.py"), configuration, variant, str(batch), str(cache)]
        with open(self.errors, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            env=one_thread_environment(), text=True, preexec_fn=lambda: _pin(core))
        self.ready = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"PyTorch variant {self.variant} ended early, see {self.errors}")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"PyTorch variant {self.variant}: {answer['error']}")
        return answer

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Manygate:
    """manygate_bench_train: trains a configuration and reports on the steps alone (README.md, "Interface")."""

    def __init__(self, build, config, core):
        self.program, self.config, self.core = build / "manygate_bench_train", config, core
        if not self.program.exists():
            raise SystemExit(f"{self.program}: not built. Build it, or give --build FOLDER or --pytorch_only.")

    def _run(self, arguments, keys):
        command = [str(self.program), "--config", str(self.config), *map(str, arguments), "--json"]
        output, _, _ = measured_run(command, self.core, one_thread_environment())
        answer = json.loads(output)
        missing = [key for key in keys if key not in answer]
        if missing:
            raise SystemExit(f"{' '.join(command)}: its JSON lacks {', '.join(missing)}. It has: {', '.join(answer)}")
        return answer

    def bench(self, batch, seconds):
        return self._run(["--batch", batch, "--seconds", seconds], ["rows_per_second", "peak_rss_mb", "phases"])

    def loss(self, batch, steps, seed):
        return self._run(["--batch", batch, "--steps", steps, "--seed", seed], ["mean_loss_last_fifth"])
