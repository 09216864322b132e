# SPDX-License-Identifier: Apache-2.0
"""The models built from PyTorch's own modules, and the translation of their state into Manygate's names and layouts.

    model = TorchModel(case)
    load_state(model, initial)            # Manygate's names -> PyTorch
    loss, losses, logits = model(batch)   # batch: {"ids": {...}, "numbers": {...}, "label": {...}}
    state = read_state(model)             # PyTorch -> Manygate's names; also read_gradient(model)
"""
import torch
from torch import nn
from torch.nn import functional as F

_ACTIVATIONS = {"nn.ReLU": nn.ReLU, "nn.SiLU": nn.SiLU, "nn.Tanh": nn.Tanh, "nn.Sigmoid": nn.Sigmoid,
                "nn.GELU": nn.GELU, "nn.LeakyReLU": nn.LeakyReLU, "none": nn.Identity}


class Layer(nn.Module):
    """linear -> norm -> activation."""

    def __init__(self, width_in, width_out, mlp):
        super().__init__()
        self.linear = nn.Linear(width_in, width_out, bias=mlp.norm != "bn")
        self.norm = {"": nn.Identity, "bn": nn.BatchNorm1d, "ln": nn.LayerNorm}[mlp.norm](width_out)
        self.activation = _ACTIVATIONS[mlp.activation]()

    def forward(self, x):
        return self.activation(self.norm(self.linear(x)))


class Stack(nn.Module):
    """Hidden layers of an MLP, and an output layer when `out` is given."""

    def __init__(self, width_in, mlp, out=None):
        super().__init__()
        widths = [width_in] + list(mlp.hidden_units if mlp else ())
        self.layers = nn.ModuleList([Layer(a, b, mlp) for a, b in zip(widths, widths[1:])])
        self.output = nn.Linear(widths[-1], out) if out else None

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.output(x) if self.output is not None else x


def embedding_of(i):
    if i.most_values == 1:
        return nn.Embedding(i.size, i.embedding_dim)
    return nn.EmbeddingBag(i.size, i.embedding_dim, mode=i.pooling)


def look_up(embedding, i, ids):
    if i.most_values == 1:
        return embedding(ids)
    lengths = (ids < i.size).sum(1)
    return embedding(ids[ids < i.size], torch.cumsum(lengths, 0) - lengths)


class TorchModel(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.case = case
        self.embeddings = nn.ModuleDict({i.name: embedding_of(i) for i in case.inputs if i.embedding_dim})
        width = case.width()
        mixture = case.model in ("omoe", "mmoe")
        self.bottom = Stack(width, case.mlp) if case.model == "shared_bottom" else None
        self.experts = nn.ModuleList([Stack(width, case.mlp) for _ in range(case.num_expert)] if mixture else [])
        self.gate = Stack(width, case.gate, case.num_expert) if case.model == "omoe" else None
        self.gates = nn.ModuleDict({t.name: Stack(width, case.gate, case.num_expert) for t in case.towers}
                                   if case.model == "mmoe" else {})
        width = case.mlp.hidden_units[-1] if case.mlp else width
        self.towers = nn.ModuleDict({t.name: Stack(width, t.mlp, 1) for t in case.towers})

    def _concatenate(self, batch):
        parts = []
        for i in self.case.inputs:
            if i.kind == "numbers":
                parts.append(batch["numbers"][i.name])
            elif i.embedding_dim:
                parts.append(look_up(self.embeddings[i.name], i, batch["ids"][i.name]))
            elif i.most_values > 1:
                counts = F.one_hot(batch["ids"][i.name], i.size + 1)[:, :, :i.size].sum(1)
                parts.append(counts.to(torch.get_default_dtype()))
            else:
                parts.append(F.one_hot(batch["ids"][i.name], i.size).to(torch.get_default_dtype()))
        return torch.cat(parts, 1)

    def _tower_inputs(self, x):
        if self.bottom is not None:
            x = self.bottom(x)
        if not len(self.experts):
            return {t.name: x for t in self.case.towers}
        experts = torch.stack([expert(x) for expert in self.experts], 1)  # [B, E, H]
        shares = {t.name: torch.softmax((self.gate or self.gates[t.name])(x), -1) for t in self.case.towers}
        return {name: (share.unsqueeze(-1) * experts).sum(1) for name, share in shares.items()}

    def forward(self, batch):
        inputs = self._tower_inputs(self._concatenate(batch))
        logits = {name: tower(inputs[name]).squeeze(1) for name, tower in self.towers.items()}
        losses = {}
        for t in self.case.towers:
            label = batch["label"][t.name]
            if t.loss == "l2_loss":
                losses[t.name] = nn.MSELoss()(logits[t.name], label)
            else:
                smooth = label * (1 - t.label_smoothing) + t.label_smoothing / 2
                losses[t.name] = nn.BCEWithLogitsLoss()(logits[t.name], smooth)
        return sum(t.weight * losses[t.name] for t in self.case.towers), losses, logits


def _layer_values(prefix, layer):
    """Manygate's name -> (PyTorch tensor, transposed?) for one hidden layer."""
    values = {f"{prefix}.weight": (layer.linear.weight, True)}
    if layer.linear.bias is not None:
        values[f"{prefix}.bias"] = (layer.linear.bias, False)
    if not isinstance(layer.norm, nn.Identity):
        values[f"{prefix}.norm.weight"] = (layer.norm.weight, False)
        values[f"{prefix}.norm.bias"] = (layer.norm.bias, False)
    if isinstance(layer.norm, nn.BatchNorm1d):
        values[f"{prefix}.norm.running_mean"] = (layer.norm.running_mean, False)
        values[f"{prefix}.norm.running_var"] = (layer.norm.running_var, False)
    return values


def _stack_values(prefix, stack):
    values = {}
    for i, layer in enumerate(stack.layers):
        values.update(_layer_values(f"{prefix}.layers.{i}", layer))
    if stack.output is not None:
        values[f"{prefix}.output.weight"] = (stack.output.weight, True)
        values[f"{prefix}.output.bias"] = (stack.output.bias, False)
    return values


def _named_values(model):
    """[(name, [(tensor, transposed?)] one per expert or a single one, axis to stack the experts on or None)]."""
    result = [(f"embeddings.{name}.weight", [(e.weight, False)], None) for name, e in model.embeddings.items()]
    per_expert = [_stack_values("experts", expert) for expert in model.experts]
    for name in per_expert[0] if per_expert else ():
        axis = 1 if name == "experts.layers.0.weight" else 0  # [D, E, H] for the first product, else [E, ...]
        result.append((name, [values[name] for values in per_expert], axis))
    stacks = [("bottom", model.bottom), ("gate", model.gate)]
    stacks += [(f"gates.{name}", gate) for name, gate in model.gates.items()]
    stacks += [(f"towers.{name}", tower) for name, tower in model.towers.items()]
    for prefix, stack in stacks:
        if stack is not None:
            result += [(name, [value], None) for name, value in _stack_values(prefix, stack).items()]
    if hasattr(model, "extra_values"):
        result += [(name, [value], None) for name, value in model.extra_values().items()]
    if hasattr(model, "bank_values"):
        result += model.bank_values()
    return result


def _read(model, pick):
    state = {}
    for name, values, axis in _named_values(model):
        parts = [pick(tensor) for tensor, _ in values]
        if parts[0] is None:
            continue
        parts = [part.t() if transposed else part for part, (_, transposed) in zip(parts, values)]
        joined = parts[0] if axis is None else torch.stack(parts, axis)
        state[name] = joined.detach().clone().numpy()
    return state


def read_state(model):
    return _read(model, lambda tensor: tensor)


def read_gradient(model):
    return _read(model, lambda tensor: tensor.grad if tensor.requires_grad else None)


def load_state(model, state):
    with torch.no_grad():
        for name, values, axis in _named_values(model):
            whole = torch.from_numpy(state[name])
            parts = [whole] if axis is None else whole.unbind(axis)
            for part, (tensor, transposed) in zip(parts, values, strict=True):
                tensor.copy_(part.t() if transposed else part)
