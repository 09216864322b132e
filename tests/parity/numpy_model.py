# SPDX-License-Identifier: Apache-2.0
"""The models once more in numpy, written from the formulas and on Manygate's own parameter layouts. It shares no code
with torch_model.py, so that an error of either shows as a difference.

    loss, losses, logits = forward(case, state, batch, training=True)   # updates running_* in `state` when training
"""
import math

import numpy as np

_EPS = 1e-5       # of both norms
_MOMENTUM = 0.1   # running = (1 - momentum) * running + momentum * batch
_erf = np.vectorize(math.erf, otypes=[np.float64])

_ACTIVATIONS = {
    "nn.ReLU": lambda z: np.where(z > 0, z, 0.0),
    "nn.SiLU": lambda z: z / (1 + np.exp(-z)),
    "nn.Tanh": np.tanh,
    "nn.Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "nn.GELU": lambda z: z * 0.5 * (1 + _erf(z / math.sqrt(2))),
    "nn.LeakyReLU": lambda z: np.where(z > 0, z, 0.01 * z),
    "none": lambda z: z,
}


def _norm(z, state, prefix, kind, training):
    """z: [B, ..., H]; parameters [..., H]. Batch norm: over B for each unit. Layer norm: over H for each row."""
    if kind == "ln":
        mean, var = z.mean(-1, keepdims=True), z.var(-1, keepdims=True)
    elif training:
        mean, var = z.mean(0), z.var(0)
        unbiased = var * len(z) / (len(z) - 1)
        for name, value in (("running_mean", mean), ("running_var", unbiased)):
            old = state[f"{prefix}.{name}"]
            state[f"{prefix}.{name}"] = (1 - _MOMENTUM) * old + _MOMENTUM * value
    else:
        mean, var = state[f"{prefix}.running_mean"], state[f"{prefix}.running_var"]
    return (z - mean) / np.sqrt(var + _EPS) * state[f"{prefix}.weight"] + state[f"{prefix}.bias"]


def _hidden(x, state, prefix, mlp, training):
    """prefix "experts" holds all experts at once: x [B, D] -> [B, E, H]; all others: [B, D] -> [B, H]."""
    for i in range(len(mlp.hidden_units) if mlp else 0):
        name = f"{prefix}.layers.{i}"
        product = "bi,io->bo" if prefix != "experts" else "bi,ieo->beo" if i == 0 else "bei,eio->beo"
        z = np.einsum(product, x, state[f"{name}.weight"])
        if mlp.norm != "bn":
            z = z + state[f"{name}.bias"]
        if mlp.norm:
            z = _norm(z, state, f"{name}.norm", mlp.norm, training)
        x = _ACTIVATIONS[mlp.activation](z)
    return x


def _output(x, state, prefix):
    return x @ state[f"{prefix}.output.weight"] + state[f"{prefix}.output.bias"]


def _concatenate(case, state, batch):
    parts = []
    for i in case.inputs:
        if i.kind == "numbers":
            parts.append(batch["numbers"][i.name])
        else:
            table = state[f"embeddings.{i.name}.weight"] if i.embedding_dim else np.eye(i.size)
            ids = batch["ids"][i.name]
            if i.most_values == 1:
                parts.append(table[ids])
                continue
            rows = np.vstack([table, np.zeros_like(table[:1])])[ids].sum(1)  # V, "no more values", adds nothing
            parts.append(rows / (ids < i.size).sum(1, keepdims=True) if i.pooling == "mean" else rows)
    return np.concatenate(parts, 1)


def _tower_input(case, state, x, experts, tower, training):
    if case.model == "simple_multi_task":
        return x
    if case.model == "shared_bottom":
        return experts
    prefix = "gate" if case.model == "omoe" else f"gates.{tower}"
    scores = np.exp(_output(_hidden(x, state, prefix, case.gate, training), state, prefix))
    return np.einsum("be,beh->bh", scores / scores.sum(1, keepdims=True), experts)


def _loss(tower, logits, label):
    if tower.loss == "l2_loss":
        return float(np.mean((logits - label) ** 2))
    smooth = label * (1 - tower.label_smoothing) + tower.label_smoothing / 2
    probability = 1 / (1 + np.exp(-logits))
    return float(-np.mean(smooth * np.log(probability) + (1 - smooth) * np.log(1 - probability)))


def forward(case, state, batch, training):
    """Returns the total loss, the loss of each tower (unweighted mean over rows) and the logits [B] of each tower."""
    x = _concatenate(case, state, batch)
    shared = None
    if case.model != "simple_multi_task":
        shared = _hidden(x, state, "bottom" if case.model == "shared_bottom" else "experts", case.mlp, training)
    losses, logits = {}, {}
    for tower in case.towers:
        mixed = _tower_input(case, state, x, shared, tower.name, training)
        prefix = f"towers.{tower.name}"
        logits[tower.name] = _output(_hidden(mixed, state, prefix, tower.mlp, training), state, prefix)[:, 0]
        losses[tower.name] = _loss(tower, logits[tower.name], batch["label"][tower.name])
    return sum(t.weight * losses[t.name] for t in case.towers), losses, logits
