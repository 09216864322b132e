# SPDX-License-Identifier: Apache-2.0
"""CGC, PLE, AdaTT-sp, DSelect-k and MMoE with cross layers, a wide part and gating once more in numpy, from the formulas and on
Manygate's own parameter layouts; no code of torch_experts.py.

    loss, losses, outputs = forward(case, state, batch)
"""
import numpy as np

from numpy_model import _ACTIVATIONS, _concatenate, _hidden, _loss, _output


def _bank(x, state, name, mlp):
    for i in range(len(mlp.hidden_units)):
        weight, bias = state[f"{name}.layers.{i}.weight"], state[f"{name}.layers.{i}.bias"]
        if i == 0:  # a bank of one expert has no axis for it here
            bias = bias.reshape(-1, mlp.hidden_units[0])
            weight = weight.reshape((len(weight),) + bias.shape)
        x = _ACTIVATIONS[mlp.activation](np.einsum("bi,ieo->beo" if i == 0 else "bei,eio->beo", x, weight) + bias)
    return x


def _softmax(z):
    e = np.exp(z)
    return e / e.sum(-1, keepdims=True)


def _mix(x, state, gate, *banks):
    experts = np.concatenate(banks, 1)
    return np.einsum("be,beh->bh", _softmax(_output(x, state, gate)), experts)


def _towers(case, state, values):
    return {t.name: _output(_hidden(values[t.name], state, f"towers.{t.name}", t.mlp, True), state,
                            f"towers.{t.name}")[:, 0] for t in case.towers}


def _extraction(case, state, x, batch):
    names = [t.name for t in case.towers]
    task, shared = {name: x for name in names}, x
    for number, level in enumerate(case.levels):
        dot = f".{number}." if case.model == "ple" else "."
        own = {name: _bank(task[name], state, f"experts{dot}{name}", level.task) for name in names if level.num_task}
        common = [_bank(shared, state, f"experts{dot}shared", level.share)] if level.num_share else []
        if number + 1 < len(case.levels):
            shared = _mix(shared, state, f"gates{dot}shared", *own.values(), *common)
        task = {name: _mix(task[name], state, f"gates{dot}{name}", *([own[name]] if own else []), *common)
                for name in names}
    return _towers(case, state, task), {}


def _adatt(case, state, x, batch):
    names = [t.name for t in case.towers]
    task = {name: x for name in names}
    for number, mlp in enumerate(case.levels):
        own = {name: _bank(task[name], state, f"experts.{number}.{name}", mlp) for name in names}
        task = {name: _mix(task[name], state, f"gates.{number}.{name}", *own.values())
                + np.tensordot(state[f"residual.{number}.{name}"], own[name], (0, 1)) for name in names}
    return _towers(case, state, task), {}


def _dselect_k(case, state, x, batch):
    options = dict(case.options)
    gamma, count = options["gamma"], case.num_expert
    experts = _bank(x, state, "experts", case.mlp)
    values, row_losses = {}, {}
    for t in case.towers:
        parts = []
        for name in ("codes", "selectors"):
            logits = np.broadcast_to(state[f"gates.{t.name}.{name}.bias"],
                                     (len(x),) + state[f"gates.{t.name}.{name}.bias"].shape)
            if options.get("per_example", True):
                logits = logits + np.tensordot(x, state[f"gates.{t.name}.{name}.weight"], 1)
            parts.append(logits)
        u = np.clip(parts[0] / gamma, -0.5, 0.5)
        step = 0.5 + 1.5 * u - 2 * u ** 3
        selectors = np.ones(step.shape[:2] + (count,))
        for e in range(count):
            for m, digit in enumerate(format(e, f"0{step.shape[2]}b")):
                selectors[:, :, e] *= step[:, :, m] if digit == "1" else 1 - step[:, :, m]
        gate = np.einsum("bk,bke->be", _softmax(parts[1]), selectors)
        values[t.name] = np.einsum("be,beh->bh", gate, experts)
        row_losses[f"entropy.{t.name}"] = (-np.sum(selectors * np.log(selectors + 1e-6), (1, 2)),
                                           options["entropy_weight"])
        if count & (count - 1):
            total = selectors.sum(2)
            inverse = np.where(total >= 0.05, 1 / np.maximum(total, 0.05), 40 - 400 * total)
            row_losses[f"out_of_reach.{t.name}"] = (np.sum(inverse - 1, 1), 1.0)
    return _towers(case, state, values), row_losses


def _mmoe(case, state, x, batch):
    wide, start = [], 0
    for i in case.inputs:
        wide += [x[:, start:start + i.width()]] if i.name in case.wide else []
        start += i.width()
    below = x
    for i in range(case.cross[0] if case.cross else 0):
        name = f"cross.layers.{i}"
        if case.cross[1]:
            factor = below @ (state[f"{name}.down.weight"] @ state[f"{name}.up.weight"]) + state[f"{name}.up.bias"]
        else:
            factor = below @ state[f"{name}.weight"] + state[f"{name}.bias"]
        below = x * factor + below
    experts = _bank(below, state, "experts", case.mlp)
    gating, values, row_losses = dict(case.gating), {}, {}
    for t in case.towers:
        share = _softmax(_output(below, state, f"gates.{t.name}") / gating.get("temperature", 1.0))
        values[t.name] = np.einsum("be,beh->bh", share, experts)
        if "load_balance_weight" in gating:
            use = share.sum(0)
            balance = len(use) * np.sum(use ** 2) / np.sum(use) ** 2 - 1
            row_losses[f"gates.{t.name}.load_balance"] = (np.full(len(x), balance), gating["load_balance_weight"])
    outputs = _towers(case, state, values)
    for t in case.towers if wide else ():
        outputs[t.name] = outputs[t.name] + (np.hstack(wide) @ state[f"wide.{t.name}.weight"])[:, 0]
    return outputs, row_losses


_MODELS = {"cgc": _extraction, "ple": _extraction, "adatt": _adatt, "dselect_k": _dselect_k}


def knows(case):
    return case.model in _MODELS or bool(case.cross or case.wide or case.gating)


def forward(case, state, batch):
    """As numpy_model.forward, with the row losses among the losses and outputs."""
    model = _mmoe if case.model == "mmoe" else _MODELS[case.model]
    outputs, row_losses = model(case, state, _concatenate(case, state, batch), batch)
    losses = {t.name: _loss(t, outputs[t.name], batch["label"][t.name]) for t in case.towers}
    total = sum(t.weight * losses[t.name] for t in case.towers)
    for name, (rows, weight) in row_losses.items():
        outputs[name], losses[name] = rows, float(np.mean(rows))
        total += weight * losses[name]
    return total, losses, outputs
