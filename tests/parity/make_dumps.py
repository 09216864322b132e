# SPDX-License-Identifier: Apache-2.0
"""Writes <case>.txt: state, logits, losses, gradients and ten Adam steps of each parity case, computed by PyTorch in
double precision. Each number is checked inside this script before it is written:
  - logits and losses of every batch against numpy_model.py,
  - gradients against central differences of numpy_model.py,
  - the Adam steps against the formula in numpy (on PyTorch's gradients), running statistics against numpy_model.py,
  - single precision against double precision, so that a float program can meet the tolerance of the test.

    python make_dumps.py [case ...]
"""
import copy
import pathlib
import sys

import numpy as np
import torch

import numpy_experts
import numpy_funnels
import numpy_model
import torch_experts
import torch_funnels
import torch_model
from cases import CASES, config_text

STEPS = 10
LEARNING_RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
FLOAT_MARGIN = 2e-6  # largest allowed difference between the steps in float and in double


def make_model(case):
    return torch_experts.model_of(case) or torch_funnels.MODELS.get(case.model, torch_model.TorchModel)(case)


def numpy_forward(case, state, batch, training, frozen=None):
    """frozen: the state by which values that no gradient reaches are computed."""
    if numpy_experts.knows(case):
        return numpy_experts.forward(case, state, batch)
    if case.model in numpy_funnels.MODELS:
        return numpy_funnels.forward(case, state, batch, training, frozen)
    return numpy_model.forward(case, state, batch, training)


def make_batch(case, rng, subset):
    """Numbers lie on a grid of 1/256: exact in float, in double and in decimal. With `subset` only about half of each
    vocabulary occurs; the last value of each vocabulary never occurs at all."""
    batch = {"ids": {}, "numbers": {}, "label": {}}
    for i in case.inputs:
        if i.kind == "ids":
            values = rng.permutation(i.size - 1)[:i.size // 2] if subset else np.arange(i.size - 1)
            if i.most_values == 1:
                batch["ids"][i.name] = rng.choice(values, case.batch)
                continue
            lists = rng.choice(values, (case.batch, i.most_values))
            lengths = rng.integers(1, i.most_values + 1, case.batch)
            lists[np.arange(i.most_values)[None, :] >= lengths[:, None]] = i.size
            batch["ids"][i.name] = lists
        else:
            batch["numbers"][i.name] = np.round(rng.standard_normal((case.batch, i.size)) * 256) / 256
    for tower in case.towers:
        if tower.loss == "l2_loss":
            batch["label"][tower.name] = np.round(rng.standard_normal(case.batch) * 2 * 256) / 256
        else:
            batch["label"][tower.name] = (rng.random(case.batch) < 0.4).astype(np.float64)
    return batch


def make_initial(case, rng):
    """Weights on a grid of 1/4096. Biases and norms are not at their usual 0 and 1, so that an error in them shows."""
    torch.set_default_dtype(torch.float64)
    state = {}
    for name, value in torch_model.read_state(make_model(case)).items():
        if name.endswith("running_var"):
            value = rng.uniform(0.5, 1.5, value.shape)
        elif name.endswith("norm.weight"):
            value = 1 + 0.2 * rng.standard_normal(value.shape)
        elif name.startswith(("embeddings.", "residual.")) or name.endswith(("bias", "running_mean")):
            value = 0.3 * rng.standard_normal(value.shape)
        else:
            first_of_bank = name.startswith("experts.") and name.endswith(".layers.0.weight")
            fan_in = value.shape[0] if first_of_bank else value.shape[-2]
            value = rng.standard_normal(value.shape) * fan_in ** -0.5
        state[name] = np.round(value * 4096) / 4096
    return state


def to_torch(batch):
    dtype = torch.get_default_dtype()
    return {section: {name: torch.from_numpy(value).to(torch.int64 if section == "ids" else dtype)
                      for name, value in part.items()} for section, part in batch.items()}


def to_numpy(values):
    return {name: value.detach().numpy() for name, value in values.items()}


def build(case, initial, dtype):
    torch.set_default_dtype(dtype)
    model = make_model(case)
    torch_model.load_state(model, initial)
    return model


def check_equal(what, first, second, tolerance):
    for name in second:
        difference = np.max(np.abs(np.asarray(first[name]) - np.asarray(second[name])))
        assert difference <= tolerance, f"{what} {name}: differs by {difference:g}"


def check_gradient(case, initial, batch, gradient, rng, per_tensor=4, step=1e-6):
    """Central differences of the numpy loss at a few entries of each parameter."""
    for name, values in gradient.items():
        for flat in rng.choice(values.size, min(per_tensor, values.size), replace=False):
            index = np.unravel_index(flat, values.shape)
            losses = []
            for sign in (1, -1):
                state = copy.deepcopy(initial)
                state[name][index] += sign * step
                losses.append(numpy_forward(case, state, batch, True, initial)[0])
            numeric = (losses[0] - losses[1]) / (2 * step)
            assert abs(numeric - values[index]) < 1e-8, f"{case.name} {name}{index}: {numeric} against {values[index]}"


def first_step(case, initial, batch):
    """Loss, logits and gradients at the initial parameters, in training mode."""
    model = build(case, initial, torch.float64)
    total, losses, logits = model(to_torch(batch))
    total.backward()
    gradient = torch_model.read_gradient(model)
    numpy_total, numpy_losses, numpy_logits = numpy_forward(case, copy.deepcopy(initial), batch, training=True)
    check_equal(case.name + " logits", to_numpy(logits), numpy_logits, 1e-12)
    check_equal(case.name + " loss", to_numpy(losses), numpy_losses, 1e-12)
    assert abs(total.item() - numpy_total) < 1e-12
    check_gradient(case, initial, batch, gradient, np.random.default_rng(0))
    return total.item(), to_numpy(losses), to_numpy(logits), gradient


def adam_steps(case, initial, batches, dtype):
    """PyTorch's Adam, one step per batch; returns the model. Double precision is followed step by step in numpy."""
    model = build(case, initial, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPS)
    state, first, second = copy.deepcopy(initial), {}, {}
    for t, batch in enumerate(batches, 1):
        optimizer.zero_grad()
        total, _, logits = model(to_torch(batch))
        total.backward()
        if dtype == torch.float64:
            _, _, numpy_logits = numpy_forward(case, state, batch, training=True)
            check_equal(f"{case.name} step {t}", to_numpy(logits), numpy_logits, 1e-11)
            for name, g in torch_model.read_gradient(model).items():
                first[name] = BETA1 * first.get(name, 0) + (1 - BETA1) * g
                second[name] = BETA2 * second.get(name, 0) + (1 - BETA2) * g * g
                denominator = np.sqrt(second[name] / (1 - BETA2 ** t)) + EPS
                state[name] = state[name] - LEARNING_RATE * first[name] / (1 - BETA1 ** t) / denominator
        optimizer.step()
    if dtype == torch.float64:
        check_equal(case.name + " adam", torch_model.read_state(model), state, 1e-11)
    return model


class Writer:
    """Collects the lines of a dump; README.md draws the format."""

    def __init__(self, case):
        self.lines = ["config <<END", config_text(case), "END"]
        for i in case.inputs:
            kind = ("embedding %d" % i.embedding_dim if i.embedding_dim else "one_hot 0") if i.kind == "ids" else ""
            kind += f" {i.pooling} {i.most_values}" if i.most_values > 1 else ""
            self.lines.append(f"input {i.name} {i.kind} {i.size} {kind}".rstrip())

    def tensor(self, section, name, value):
        value = np.atleast_1d(np.asarray(value))
        self.lines.append(" ".join(["tensor", section, name] + [str(d) for d in value.shape]))
        form = "%d" if value.dtype.kind == "i" else "%.13g"
        self.lines.append(" ".join(form % v for v in value.ravel()))

    def tensors(self, section, values):
        for name, value in values.items():
            self.tensor(section, name, value)


def write_case(case, folder):
    rng = np.random.default_rng(case.seed)
    initial = make_initial(case, rng)
    batch = make_batch(case, rng, subset=False)
    batches = [make_batch(case, rng, subset=True) for _ in range(STEPS)]
    total, losses, logits, gradient = first_step(case, initial, batch)
    in_float = torch_model.read_state(adam_steps(case, initial, batches, torch.float32))
    model = adam_steps(case, initial, batches, torch.float64)
    after = torch_model.read_state(model)
    check_equal(case.name + " float against double", in_float, after, FLOAT_MARGIN)
    model.eval()
    evaluated = to_numpy(model(to_torch(batch))[2])
    check_equal(case.name + " evaluation", evaluated, numpy_forward(case, after, batch, training=False)[2], 1e-11)

    writer = Writer(case)
    for section, part in batch.items():
        writer.tensors(section, part)
    writer.tensors("initial", initial)
    writer.tensors("logits", logits)
    writer.tensor("loss", "total", total)
    writer.tensors("loss", losses)
    writer.tensors("gradient", gradient)
    for k, one in enumerate(batches):
        for section, part in one.items():
            writer.tensors(f"{section}.{k}", part)
    writer.tensors("adam10", after)
    writer.tensors("adam10_logits", evaluated)
    path = folder / f"{case.name}.txt"
    path.write_text("\n".join(writer.lines) + "\n", encoding="ascii")
    worst = max(np.max(np.abs(in_float[name] - after[name])) for name in after)
    print(f"{path.name}: {sum(v.size for v in gradient.values())} parameters, {path.stat().st_size} bytes, "
          f"float differs from double by {worst:.1e}")


def main():
    names = sys.argv[1:]
    unknown = set(names) - {case.name for case in CASES}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}. Cases: {', '.join(case.name for case in CASES)}")
    torch.set_num_threads(1)
    for case in CASES:
        if not names or case.name in names:
            write_case(case, pathlib.Path(__file__).parent)


if __name__ == "__main__":
    main()
