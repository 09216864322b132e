# SPDX-License-Identifier: Apache-2.0
"""One PyTorch variant at one batch size. Reads commands from stdin and answers each with one line of JSON, so that
run.py can alternate between programs without compiling again:
    time SECONDS         train steps for so long            -> {"rows_per_second", "peak_rss_mb"}
    phases SECONDS       the same with a clock around parts -> {"phases": {"batch": share, ...}}
    loss EPOCHS SEED     new weights, train so many epochs  -> {"mean_loss_last_fifth", "steps", "rows"}
The first line it writes says that it is ready (compiled and warm).

    python torch_worker.py CONFIGURATION VARIANT BATCH CACHE_FOLDER
"""
import json
import pathlib
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

import census
import torch_models
from variants import VARIANTS

LEARNING_RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def loss_of(logits, y):
    """Sum over tasks of the mean over rows."""
    return F.binary_cross_entropy_with_logits(logits, y, reduction="sum") / y.shape[0]


class Batches:
    """Endless shuffled batches: a new permutation each epoch, the short rest of an epoch left out."""

    def __init__(self, cache, names, batch):
        data = census.load(cache, names)
        self.arrays = [torch.from_numpy(data[name]) for name in names]
        self.batch, self.rows = batch, len(data["y"])
        self.restart(0)

    def restart(self, seed):
        self.generator = np.random.default_rng(seed)
        self.position = self.rows

    def next(self):
        if self.position + self.batch > self.rows:
            self.permutation = torch.from_numpy(self.generator.permutation(self.rows))
            self.position = 0
        index = self.permutation[self.position:self.position + self.batch]
        self.position += self.batch
        return [array.index_select(0, index) for array in self.arrays]


class OptimizerSteps:
    """Eager, or forward and backward compiled; torch.optim.Adam does the update."""

    def __init__(self, build, variant):
        self.build, self.variant = build, variant
        self.model = build()
        forward = lambda *batch: loss_of(self.model(*batch[:-1]), batch[-1])
        self.forward = torch.compile(forward, dynamic=False) if variant.step == "compile" else forward
        self.reset(0)

    def reset(self, seed):
        torch.manual_seed(seed)
        self.model.load_state_dict(self.build().state_dict())
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE, fused=self.variant.tuned or None)

    def step(self, batch, clock=None):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.forward(*batch)
        if clock:
            clock("forward")
        loss.backward()
        if clock:
            clock("backward")
        self.optimizer.step()
        if clock:
            clock("optimizer")
        return loss.detach()


class WholeSteps:
    """Forward, backward and Adam in one compiled graph."""

    def __init__(self, build):
        self.build = build
        self.model = build()
        self.parameters = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.first = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.powers = torch.ones(2)  # beta1^t, beta2^t
        self.betas = torch.tensor([BETA1, BETA2])
        self.compiled = torch.compile(self._step, dynamic=False)
        self.reset(0)

    def reset(self, seed):
        torch.manual_seed(seed)
        for name, p in self.build().named_parameters():
            self.parameters[name].copy_(p.detach())
            self.first[name].zero_()
            self.second[name].zero_()
        self.powers.fill_(1)

    def _step(self, parameters, first, second, powers, betas, batch):
        def objective(values):
            return loss_of(torch.func.functional_call(self.model, values, tuple(batch[:-1])), batch[-1])
        gradients, loss = torch.func.grad_and_value(objective)(parameters)
        powers.mul_(betas)
        rate = LEARNING_RATE / (1 - powers[0])
        scale = (1 - powers[1]).rsqrt()
        for name, g in gradients.items():
            first[name].mul_(BETA1).add_(g, alpha=1 - BETA1)
            second[name].mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
            parameters[name].sub_(rate * first[name] / (second[name].sqrt() * scale + EPS))
        return loss

    def step(self, batch, clock=None):
        loss = self.compiled(self.parameters, self.first, self.second, self.powers, self.betas, batch)
        if clock:
            clock("whole step")
        return loss


def run_for(steps, batches, seconds):
    rows, start = 0, time.perf_counter()
    while True:
        steps.step(batches.next())
        rows += batches.batch
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return {"rows_per_second": rows / elapsed,
                    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def phases(steps, batches, seconds):
    total, last, start = {}, [0.0], time.perf_counter()

    def clock(name):
        now = time.perf_counter()
        total[name] = total.get(name, 0.0) + now - last[0]
        last[0] = now

    while time.perf_counter() - start < seconds:
        last[0] = time.perf_counter()
        batch = batches.next()
        clock("batch")
        steps.step(batch, clock)
    return {"phases": {name: value / sum(total.values()) for name, value in total.items()}}


def final_loss(steps, batches, epochs, seed):
    steps.reset(seed)
    batches.restart(seed)
    per_epoch = batches.rows // batches.batch
    losses = [steps.step(batches.next()) for _ in range(epochs * per_epoch)]
    last = losses[-(len(losses) // 5):]
    return {"mean_loss_last_fifth": torch.stack(last).double().mean().item(), "steps": len(losses),
            "rows": len(losses) * batches.batch}


def main():
    configuration, name, batch, cache = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    variant = VARIANTS[configuration][name]
    torch.set_num_threads(1)
    if variant.tuned:
        torch.set_flush_denormal(True)
    batches = Batches(cache, variant.arrays, batch)
    model = getattr(torch_models, variant.model)
    arguments = [variant.mix] if variant.mix else []
    if configuration == "C2":
        arguments.append(census.load(cache, ("c2_first",))["c2_first"].tolist())
    build = lambda: model(*arguments)
    start = time.perf_counter()
    steps = WholeSteps(build) if variant.step == "whole" else OptimizerSteps(build, variant)
    for _ in range(10):
        steps.step(batches.next())
    print(json.dumps({"ready": name, "torch": torch.__version__, "warm_up_seconds": time.perf_counter() - start}),
          flush=True)
    for line in sys.stdin:
        command, *values = line.split()
        if command == "time":
            answer = run_for(steps, batches, float(values[0]))
        elif command == "phases":
            answer = phases(steps, batches, float(values[0]))
        elif command == "loss":
            answer = final_loss(steps, batches, int(values[0]), int(values[1]))
        else:
            answer = {"error": f"unknown command {command}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
