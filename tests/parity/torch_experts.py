# SPDX-License-Identifier: Apache-2.0
"""The mixtures with experts of each task and with selecting gates, from PyTorch's own modules: CGC, PLE, AdaTT-sp,
DSelect-k; and MMoE above cross layers and beside a wide part. Used as torch_model.TorchModel is.

    model = model_of(case)                 # None: not one of these
    loss, losses, outputs = model(batch)   # losses and outputs: of the towers and of the row losses
"""
import math

import torch
from torch import nn

from torch_funnels import FunnelModel
from torch_model import Stack, _stack_values


class Bank(nn.Module):
    """`count` networks of one shape: [B, D] -> [B, E, H]."""

    def __init__(self, width, mlp, count):
        super().__init__()
        self.experts = nn.ModuleList(Stack(width, mlp) for _ in range(count))

    def forward(self, x):
        return torch.stack([expert(x) for expert in self.experts], 1)


class ExpertModel(FunnelModel):
    """Banks and loose parameters besides FunnelModel's modules, all by Manygate's name."""

    def __init__(self, case):
        super().__init__(case)
        self.banks = nn.ModuleDict()
        self.vectors = nn.ParameterDict()

    def add_bank(self, name, width, mlp, count):
        self.banks[name.replace(".", "/")] = Bank(width, mlp, count)

    def bank(self, name, x):
        return self.banks[name.replace(".", "/")](x)

    def add_vector(self, name, *shape):
        self.vectors[name.replace(".", "/")] = nn.Parameter(torch.zeros(shape))

    def vector(self, name):
        return self.vectors[name.replace(".", "/")]

    def layer(self, name, x):
        return self.more[name.replace(".", "/")](x)

    def share(self, name, x):
        return torch.softmax(self.layer(f"{name}.output", x), -1)

    def gated(self, name, x, experts):
        return torch.einsum("be,beh->bh", self.share(name, x), experts)

    def add_towers(self, width):
        for t in self.case.towers:
            self.towers[t.name] = Stack(width, t.mlp, 1)

    def extra_values(self):
        values = super().extra_values()
        for key, module in self.more.items():
            if isinstance(module, nn.Linear) and module.bias is not None:
                values[key.replace("/", ".") + ".bias"] = (module.bias, False)
        return values | {key.replace("/", "."): (vector, False) for key, vector in self.vectors.items()}

    def bank_values(self):
        result = []
        for key, bank in self.banks.items():
            prefix = key.replace("/", ".")
            per_expert = [_stack_values(prefix, expert) for expert in bank.experts]
            for name in per_expert[0]:
                first = name.startswith(f"{prefix}.layers.0.")  # weight [D, E, H], later ones [E, H_in, H]
                axis = None if first and len(per_expert) == 1 else int(first and name.endswith("weight"))
                result.append((name, [values[name] for values in per_expert], axis))
        return result


class Extraction(ExpertModel):
    """CGC and, with several levels, PLE: every task and the shared part (`None`) carry a value from level to level."""

    def __init__(self, case):
        super().__init__(case)
        width = case.width()
        for number, level in enumerate(case.levels):
            for part in self._parts():
                mlp, count = (level.task, level.num_task) if part else (level.share, level.num_share)
                if count:
                    self.add_bank(self._name("experts", number, part), width, mlp, count)
                total = sum(level.num_task for p in self._parts() if p and part in (p, None)) + level.num_share
                if part or number + 1 < len(case.levels):
                    self.add(self._name("gates", number, part) + ".output", nn.Linear(width, total))
            width = level.share.hidden_units[-1]
        self.add_towers(width)

    def _parts(self):
        return [t.name for t in self.case.towers] + [None]

    def _name(self, kind, level, part):
        return ".".join([kind] + ([str(level)] if self.case.model == "ple" else []) + [part or "shared"])

    def outputs(self, x, batch):
        values = {part: x for part in self._parts()}
        for number, level in enumerate(self.case.levels):
            experts = {part: self.bank(self._name("experts", number, part), values[part])
                       for part in self._parts() if (level.num_task if part else level.num_share)}
            above = {}
            for part in self._parts():
                if part is None and number + 1 == len(self.case.levels):
                    continue
                read = torch.cat([bank for owner, bank in experts.items() if part is None or owner in (part, None)], 1)
                above[part] = self.gated(self._name("gates", number, part), values[part], read)
            values = above
        return {name: tower(values[name]).squeeze(1) for name, tower in self.towers.items()}, {}, {}


class AdaTt(ExpertModel):
    def __init__(self, case):
        super().__init__(case)
        width, self.count = case.width(), case.option("expert_num_per_task")
        for number, mlp in enumerate(case.levels):
            for t in case.towers:
                self.add_bank(f"experts.{number}.{t.name}", width, mlp, self.count)
                self.add(f"gates.{number}.{t.name}.output", nn.Linear(width, self.count * len(case.towers)))
                self.add_vector(f"residual.{number}.{t.name}", self.count)
            width = mlp.hidden_units[-1]
        self.add_towers(width)

    def outputs(self, x, batch):
        names = [t.name for t in self.case.towers]
        values = {name: x for name in names}
        for number in range(len(self.case.levels)):
            own = {name: self.bank(f"experts.{number}.{name}", values[name]) for name in names}
            everyone = torch.cat(list(own.values()), 1)
            values = {name: self.gated(f"gates.{number}.{name}", values[name], everyone)
                      + torch.einsum("e,beh->bh", self.vector(f"residual.{number}.{name}"), own[name])
                      for name in names}
        return {name: tower(values[name]).squeeze(1) for name, tower in self.towers.items()}, {}, {}


class DSelectK(ExpertModel):
    def __init__(self, case):
        super().__init__(case)
        self.count, self.selected = case.num_expert, case.option("num_selected")
        self.bits = math.ceil(math.log2(self.count))
        self.per_example = dict(case.options).get("per_example", True)
        self.add_bank("experts", case.width(), case.mlp, self.count)
        for t in case.towers:
            for name, shape in (("codes", (self.selected, self.bits)), ("selectors", (self.selected,))):
                if self.per_example:  # a weight [D, ...] and a bias [...], shaped as Manygate has them
                    self.add_vector(f"gates.{t.name}.{name}.weight", case.width(), *shape)
                self.add_vector(f"gates.{t.name}.{name}.bias", *shape)
        self.add_towers(case.mlp.hidden_units[-1])
        digits = [[(e >> (self.bits - 1 - m)) & 1 for m in range(self.bits)] for e in range(self.count)]
        self.register_buffer("digits", torch.tensor(digits, dtype=torch.bool))

    def _logits(self, x, name):
        bias = self.vector(f"{name}.bias").unsqueeze(0)
        if not self.per_example:
            return bias.expand(len(x), *bias.shape[1:])
        return torch.tensordot(x, self.vector(f"{name}.weight"), 1) + bias

    def outputs(self, x, batch):
        experts, gamma = self.bank("experts", x), self.case.option("gamma")
        outputs, row_losses = {}, {}
        for name, tower in self.towers.items():
            t = self._logits(x, f"gates.{name}.codes")  # [B, k, M]
            step = torch.where(t.abs() >= gamma / 2, (t > 0).to(t.dtype),
                               -2 / gamma ** 3 * t ** 3 + 3 / (2 * gamma) * t + 0.5).unsqueeze(2)
            selectors = torch.where(self.digits, step, 1 - step).prod(3)  # [B, k, E]
            weights = torch.softmax(self._logits(x, f"gates.{name}.selectors"), 1)
            gate = (weights.unsqueeze(-1) * selectors).sum(1)
            outputs[name] = tower((gate.unsqueeze(-1) * experts).sum(1)).squeeze(1)
            entropy = -(selectors * torch.log(selectors + 1e-6)).sum((1, 2))
            row_losses[f"entropy.{name}"] = (entropy, self.case.option("entropy_weight"))
            if self.count != 2 ** self.bits:
                total = selectors.sum(2)
                inverse = torch.where(total < 0.05, 20 - 400 * (total - 0.05), 1 / total.clamp(min=0.05))
                row_losses[f"out_of_reach.{name}"] = ((inverse - 1).sum(1), 1.0)
        return outputs, {}, row_losses


class Mmoe(ExpertModel):
    """With case.cross, case.wide and case.gating."""

    def __init__(self, case):
        super().__init__(case)
        width = case.width()
        for i in range(case.cross[0] if case.cross else 0):
            if case.cross[1]:
                self.add(f"cross.layers.{i}.down", nn.Linear(width, case.cross[1], bias=False))
                self.add(f"cross.layers.{i}.up", nn.Linear(case.cross[1], width))
            else:
                self.add(f"cross.layers.{i}", nn.Linear(width, width))
        self.add_bank("experts", width, case.mlp, case.num_expert)
        for t in case.towers:
            self.add(f"gates.{t.name}.output", nn.Linear(width, case.num_expert))
            if case.wide:
                wide = sum(i.width() for i in case.inputs if i.name in case.wide)
                self.add(f"wide.{t.name}", nn.Linear(wide, 1, bias=False))
        self.add_towers(case.mlp.hidden_units[-1])
        self.gating = {"temperature": 1.0, "load_balance_weight": 0.0} | dict(case.gating)

    def share(self, name, x):
        return torch.softmax(self.layer(f"{name}.output", x) / self.gating["temperature"], -1)

    def row_losses(self, x):
        """For each gate the squared coefficient of variation of the experts' summed weights, once per row."""
        losses, weight = {}, self.gating["load_balance_weight"]
        for name in self.towers if weight else ():
            importance = self.share(f"gates.{name}", x).sum(0)
            balance = importance.var(unbiased=False) / importance.mean() ** 2
            losses[f"gates.{name}.load_balance"] = (balance.expand(len(x)), weight)
        return losses

    def outputs(self, x, batch):
        wide = self.groups(batch, "wide") if self.case.wide else None
        first = x
        for i in range(self.case.cross[0] if self.case.cross else 0):
            name = f"cross.layers.{i}"
            x = first * (self.layer(f"{name}.up", self.layer(f"{name}.down", x)) if self.case.cross[1]
                         else self.layer(name, x)) + x
        experts, outputs = self.bank("experts", x), {}
        for name, tower in self.towers.items():
            outputs[name] = tower(self.gated(f"gates.{name}", x, experts)).squeeze(1)
            if wide is not None:
                outputs[name] = outputs[name] + self.layer(f"wide.{name}", wide).squeeze(1)
        return outputs, {}, self.row_losses(x)


_MODELS = {"cgc": Extraction, "ple": Extraction, "adatt": AdaTt, "dselect_k": DSelectK}


def model_of(case):
    if case.cross or case.wide or case.gating:
        return Mmoe(case)
    return _MODELS[case.model](case) if case.model in _MODELS else None
