# SPDX-License-Identifier: Apache-2.0
"""Writes sequence_reference.dump: sequence encoders and embeddings of numbers from PyTorch's own functions, in double
precision: parameters, outputs, and the gradients of loss = mean over the rows of sum (output - target)^2 / 2. Read by
manygate/models/sequence_parity_test.cc.

    python sequence_reference.py

Lines "tensor <section> <name> <dimensions>", each followed by a line of its values. Inputs and parameters lie on a grid
of 1/256, so decimal, float and double hold the same value. Weights are [in, out].
"""
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

BATCH, POSITIONS, VOCABULARY, DIM = 7, 5, 6, 3
UNITS = (6, 4)
CHANNELS, TEMPERATURE, KEEP_PROB, NUMBER_DIM = 4, 0.5, 0.75, 3
torch.set_default_dtype(torch.float64)


def grid(rng, *shape, scale=1.0):
    return np.round(rng.standard_normal(shape) * scale * 256) / 256


def attention_mlp(x, parameters, layer_norm):
    """Each position by itself: linear, layer normalisation, SiLU; then one linear unit."""
    for i in range(len(UNITS)):
        layer = f"attn_mlp.layers.{i}"
        x = x @ parameters[layer + ".weight"] + parameters[layer + ".bias"]
        if layer_norm:
            x = F.layer_norm(x, (x.shape[-1],), parameters[layer + ".norm.weight"], parameters[layer + ".norm.bias"])
        x = F.silu(x)
    return (x @ parameters["attn_mlp.output.weight"] + parameters["attn_mlp.output.bias"]).squeeze(-1)


def attend(scores, sequence, mask):
    """Masked scores are -2^31 + 1; an empty sequence weighs its zeros evenly."""
    weights = F.softmax(scores.masked_fill(~mask, -2.0**31 + 1), dim=-1)
    return (weights.unsqueeze(-1) * sequence).sum(1)


def din(query, sequence, mask, parameters, layer_norm):
    padded = F.pad(query, (0, sequence.shape[-1] - query.shape[-1])).unsqueeze(1).expand_as(sequence)
    x = torch.cat([padded, sequence, padded - sequence, padded * sequence], dim=-1)
    return attend(attention_mlp(x, parameters, layer_norm), sequence, mask)


def autodis(x, parameters):
    hidden = F.leaky_relu(x @ parameters["price.input.weight"])
    mixed = hidden @ parameters["price.channels.weight"] + KEEP_PROB * hidden
    return F.softmax(mixed / TEMPERATURE, dim=-1) @ parameters["price.meta.weight"]


def layer_parameters(rng, prefix, layer_norm):
    parameters, width = {}, 4 * (DIM + 1)
    for i, units in enumerate(UNITS):
        layer = f"{prefix}attn_mlp.layers.{i}"
        parameters[layer + ".weight"] = grid(rng, width, units, scale=0.5)
        parameters[layer + ".bias"] = grid(rng, units, scale=0.5)
        if layer_norm:
            parameters[layer + ".norm.weight"] = 1 + grid(rng, units, scale=0.25)
            parameters[layer + ".norm.bias"] = grid(rng, units, scale=0.25)
        width = units
    parameters[prefix + "attn_mlp.output.weight"] = grid(rng, width, 1)
    parameters[prefix + "attn_mlp.output.bias"] = grid(rng, 1)
    return parameters


def make_parameters(rng):
    parameters = {"embeddings.item.weight": grid(rng, VOCABULARY, DIM), "query.weight": grid(rng, DIM, DIM + 1),
                  "scores.weight": grid(rng, 3, 1, NUMBER_DIM), "age.weight": grid(rng, 1, NUMBER_DIM),
                  "price.input.weight": grid(rng, 1, CHANNELS),
                  "price.channels.weight": grid(rng, CHANNELS, CHANNELS, scale=0.5),
                  "price.meta.weight": grid(rng, CHANNELS, NUMBER_DIM)}
    parameters.update(layer_parameters(rng, "din.", False))
    parameters.update(layer_parameters(rng, "din_norm.", True))
    return {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}


def make_inputs(rng):
    """Lengths 0, 1, some and all. ids: the item in question, then the clicked ones; numbers: the price of each click,
    NaN past the end, then a weight of each click, 0 past the end, then three numbers of the row."""
    lengths = np.array([0, 1, 3, POSITIONS, 2, 0, 4])
    mask = np.arange(POSITIONS)[None, :] < lengths[:, None]
    clicks = np.where(mask, rng.integers(0, VOCABULARY - 1, (BATCH, POSITIONS)), VOCABULARY)
    items = rng.integers(0, VOCABULARY - 1, (BATCH, 1))
    prices = np.where(mask, grid(rng, BATCH, POSITIONS), np.nan)
    weights = np.where(mask, grid(rng, BATCH, POSITIONS), 0)
    return np.concatenate([items, clicks], 1), np.concatenate([prices, weights, grid(rng, BATCH, 3)], 1)


def forward(ids, numbers, parameters):
    ids, numbers = torch.tensor(ids), torch.tensor(numbers)
    prices, weights, rest = numbers[:, :POSITIONS], numbers[:, POSITIONS:2 * POSITIONS], numbers[:, 2 * POSITIONS:]
    table = torch.cat([parameters["embeddings.item.weight"], torch.zeros(1, DIM)])  # the last row: past the end
    item, mask = table[ids[:, 0]], ids[:, 1:] < VOCABULARY
    clicks = table[ids[:, 1:]]
    sequence = torch.cat([clicks, torch.nan_to_num(prices).unsqueeze(-1)], dim=-1)

    def below(prefix):
        return {name[len(prefix):]: value for name, value in parameters.items() if name.startswith(prefix)}

    query = item @ parameters["query.weight"]
    lengths = mask.sum(1, keepdim=True).clamp(min=1)
    return {
        "din": din(item, sequence, mask, below("din."), False),
        "din_norm": din(query, sequence, mask, below("din_norm."), True),
        "attention": attend((sequence @ query.unsqueeze(-1)).squeeze(-1), sequence, mask),
        "sum": sequence.sum(1),
        "mean": sequence.sum(1) / lengths,
        "weighted": (clicks * weights.unsqueeze(-1)).sum(1),
        "scores": torch.einsum("bn,nod->bnd", rest, parameters["scores.weight"]).flatten(1),
        "age": rest[:, :1] @ parameters["age.weight"],
        "price": autodis(rest[:, :1], parameters),
    }


def total_loss(outputs, targets):
    return sum(((outputs[name] - torch.tensor(targets[name])) ** 2).sum() / 2 for name in outputs) / BATCH


def check_gradients(ids, numbers, parameters, targets):
    """Four entries of each gradient against central differences."""
    for name, parameter in parameters.items():
        flat, step = parameter.data.view(-1), 1e-6
        for j in range(0, flat.numel(), max(1, flat.numel() // 4)):
            old = flat[j].item()
            losses = []
            for value in (old + step, old - step):
                flat[j] = value
                losses.append(total_loss(forward(ids, numbers, parameters), targets).item())
            flat[j] = old
            want = (losses[0] - losses[1]) / (2 * step)
            assert abs(parameter.grad.view(-1)[j].item() - want) < 1e-7, (name, j)


def write(file, section, name, values):
    values = np.asarray(values, dtype=np.float64)
    print("tensor", section, name, *values.shape, file=file)
    print(*(repr(float(v)) if v != int(v) else int(v) for v in np.nan_to_num(values, nan=1e9).ravel()), file=file)


def main():
    rng = np.random.default_rng(7)
    ids, numbers = make_inputs(rng)
    parameters = make_parameters(rng)
    outputs = forward(ids, numbers, parameters)
    targets = {name: grid(rng, *value.shape) for name, value in outputs.items()}
    total_loss(outputs, targets).backward()
    check_gradients(ids, numbers, parameters, targets)
    with open(pathlib.Path(__file__).parent / "sequence_reference.dump", "w") as file:
        write(file, "input", "ids", ids)
        write(file, "input", "numbers", numbers)  # NaN is written as 1000000000
        for name, value in parameters.items():
            write(file, "initial", name, value.detach())
        for name, value in targets.items():
            write(file, "target", name, value)
        for name, value in outputs.items():
            write(file, "output", name, value.detach())
        for name, value in parameters.items():
            write(file, "gradient", name, value.grad)


if __name__ == "__main__":
    main()
