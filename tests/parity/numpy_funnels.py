# SPDX-License-Identifier: Apache-2.0
"""ESMM, ESCM², AITM, DBMTL, DC2VR and PEPNet once more in numpy, from the formulas and on Manygate's own parameter
layouts; no code of torch_funnels.py.

    loss, losses, outputs = forward(case, state, batch, training=True)
"""
import numpy as np

from numpy_model import _concatenate, _hidden, _loss, _norm, _output


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _product(a, b):
    return -np.log(np.exp(-a) + np.exp(-b) + np.exp(-(a + b)))


def _tower(x, state, tower, name=None):
    name = name or f"towers.{tower.name}"
    return _output(_hidden(x, state, name, tower.mlp, True), state, name)[:, 0]


def _mixture(case, x, state, gate):
    scores = np.exp(_output(_hidden(x, state, gate, case.gate, True), state, gate))
    return np.einsum("be,beh->bh", scores / scores.sum(1, keepdims=True), _hidden(x, state, "experts", case.mlp, True))


def _binary(case):
    return [t.name for t in case.towers if t.loss == "binary_cross_entropy"]


def _esmm(case, state, x, batch, stopped):
    outputs = {t.name: _tower(x, state, t) for t in case.towers}
    extras, reached, before = {}, None, None
    for name in _binary(case):
        if before:
            extras[f"{name}_given_{before}"] = outputs[name]
            outputs[name] = _product(reached, outputs[name])
        reached, before = outputs[name], name
    return outputs, extras, {}


def _escm2(case, state, x, batch, stopped):
    outputs = {t.name: _tower(_mixture(case, x, state, f"gates.{t.name}"), state, t) for t in case.towers}
    click, conversion = _binary(case)[:2]
    p = stopped.setdefault("propensity", _sigmoid(outputs[click]))
    o, y, q = batch["label"][click], batch["label"][conversion], _sigmoid(outputs[conversion])
    weight = o * np.minimum(1 / p, case.option("max_inverse_propensity"))
    rows = -weight * (y * np.log(q) + (1 - y) * np.log(1 - q))
    if case.option("counterfact_mode") == "DR":
        tower = next(t for t in case.towers if t.name == conversion)
        z = _tower(_mixture(case, x, state, "imputation.gate"), state, tower, "imputation.tower")
        imputed = np.log(1 + np.exp(z))
        error = -(y * np.log(q) + (1 - y) * np.log(1 - q))
        rows = imputed + weight * (error - imputed) * (1 + error - imputed)
    extras = {f"{conversion}_given_{click}": outputs[conversion]}
    outputs[conversion] = _product(outputs[click], outputs[conversion])
    return outputs, extras, {"counterfactual": (rows, case.option("counterfactual_w"))}


def _aitm(case, state, x, batch, stopped):
    outputs, q, p = {}, None, []
    for t in case.towers:
        own = _hidden(x, state, f"bottoms.{t.name}", case.mlp, True)
        if q is not None:
            name = f"transfer.{t.name}"
            last = type(case.mlp)(case.mlp.hidden_units[-1:], case.mlp.activation)
            vectors = (_hidden(q, state, f"{name}.information", last, True), own)
            scores, values = [], []
            for u in vectors:
                h1, h2, h3 = (u @ state[f"{name}.h{i}.weight"] for i in (1, 2, 3))
                scores.append(np.exp(np.sum(h1 * h2, 1) / np.sqrt(h1.shape[1])))
                values.append(h3)
            own = sum(s[:, None] * v for s, v in zip(scores, values)) / sum(scores)[:, None]
        q = own
        outputs[t.name] = _tower(q, state, t)
        if t.name in _binary(case):
            p.append(_sigmoid(outputs[t.name]))
    rows = sum(np.maximum(p[i] - p[i - 1], 0) for i in range(1, len(p)))
    return outputs, {}, {"calibrator": (rows, case.option("calibrator_weight"))}


def _linear(x, state, name):
    return x @ state[f"{name}.weight"] + state[f"{name}.bias"]


def _masked(case, state, x):
    hidden, outputs = _norm(x, state, "mask_net.norm", "ln", True), []
    for i in range(case.mask_net.num_blocks):
        name = f"mask_net.blocks.{i}"
        mask = _linear(np.maximum(_linear(x, state, f"{name}.mask.0"), 0), state, f"{name}.mask.1")
        layer = _linear(hidden * mask, state, f"{name}.layer")
        out = np.maximum(_norm(layer, state, f"{name}.layer.norm", "ln", True), 0)
        outputs.append(out)
        hidden = hidden if case.mask_net.parallel else out
    last = np.hstack(outputs) if case.mask_net.parallel else hidden
    return _hidden(last, state, "mask_net.top", case.mask_net.top, True)


def _tower_hidden(case, state, x, t):
    hidden = _mixture(case, x, state, f"gates.{t.name}") if case.mlp else x
    return _hidden(hidden, state, f"towers.{t.name}", t.mlp, True)


def _dbmtl(case, state, x, batch, stopped):
    before, outputs = {}, {}
    for t in case.towers:
        hidden = _tower_hidden(case, state, x, t)
        for other in t.relations:
            hidden = np.hstack([hidden, before[other]])
        before[t.name] = _hidden(hidden, state, f"relations.{t.name}", t.relation_mlp, True)
        outputs[t.name] = _output(before[t.name], state, f"towers.{t.name}")[:, 0]
    return outputs, {}, {}


def _orthonormal(w):
    rows = []
    for row in w:
        for other in rows:
            row = row - (row @ other) * other
        rows.append(row / np.sqrt(row @ row))
    return np.array(rows)


def _dc2vr(case, state, x, batch, stopped):
    before, outputs = {}, {}
    for t in case.towers:
        hidden = _tower_hidden(case, state, x, t)
        if t.interventions:
            name = f"interventions.{t.name}"
            others = stopped.setdefault(name, np.hstack([before[other] for other in t.interventions]))
            base, source = _orthonormal(state[f"{name}.base"]), _orthonormal(state[f"{name}.source"])
            hidden = hidden + (hidden @ base.T - others @ source.T) @ base
        before[t.name] = hidden
        outputs[t.name] = _output(hidden, state, f"towers.{t.name}")[:, 0]
    return outputs, {}, {}


def _gate(state, name, condition):
    hidden = np.maximum(condition @ state[f"{name}.layers.0.weight"] + state[f"{name}.layers.0.bias"], 0)
    return _sigmoid(_output(hidden, state, name))


def _pepnet(case, state, x, batch, stopped):
    parts, start = {}, 0
    for i in case.inputs:
        parts[i.name] = x[:, start:start + i.width()]
        start += i.width()
    group = {name: np.hstack([parts[feature] for feature in features]) for name, features in case.groups}
    condition = np.hstack([group["domain"], stopped.setdefault("epnet", x)])
    x = case.option("epnet_gamma") * _gate(state, "epnet", condition) * x
    condition = np.hstack([group["uia"], stopped.setdefault("ppnet", x)])
    outputs = {}
    for t in case.towers:
        hidden = x
        for i, units in enumerate(case.option("ppnet_hidden_units")):
            layer = type(case.towers[0].mlp)((units,), case.option("ppnet_activation"))
            # _hidden counts layers from 0 under its prefix.
            one = {f"one.layers.0.{part}": state[f"ppnet.{t.name}.layers.{i}.{part}"] for part in ("weight", "bias")}
            hidden = _hidden(hidden, one, "one", layer, True)
            hidden = case.option("ppnet_gamma") * _gate(state, f"ppnet.{t.name}.gates.{i}", condition) * hidden
        outputs[t.name] = _tower(hidden, state, t)
    return outputs, {}, {}


MODELS = {"esmm": _esmm, "escm2": _escm2, "aitm": _aitm, "dbmtl": _dbmtl, "dc2vr": _dc2vr, "pepnet": _pepnet}


def _run(case, state, batch, stopped):
    x = _concatenate(case, state, batch)
    x = _masked(case, state, x) if case.mask_net else x
    return MODELS[case.model](case, state, _hidden(x, state, "bottom", case.bottom, True), batch, stopped)


def forward(case, state, batch, training, frozen=None):
    """As numpy_model.forward, with the row loss among the losses and outputs and the extras among the outputs. frozen:
    the state by which what no gradient reaches is computed, for differences by `state`; default: the same."""
    stopped = {}
    if frozen is not None:
        _run(case, frozen, batch, stopped)
    outputs, extras, row_losses = _run(case, state, batch, stopped)
    losses, total = {}, 0.0
    for tower in case.towers:
        losses[tower.name] = _loss(tower, outputs[tower.name], batch["label"][tower.name])
        second = case.model == "escm2" and tower.name == _binary(case)[1]
        total += tower.weight * (case.option("global_w") if second else 1) * losses[tower.name]
    for name, (rows, weight) in row_losses.items():
        losses[name] = float(np.mean(rows))
        total += weight * losses[name]
        outputs[name] = rows
    return total, losses, {**outputs, **extras}
