# SPDX-License-Identifier: Apache-2.0
"""The models of funnels and of towers that read each other, from PyTorch's own modules: ESMM, ESCM², AITM, DBMTL,
DC2VR, PEPNet. Used as torch_model.TorchModel is. Products of probabilities are products of probabilities here, not sums
of logits.

    model = MODELS["esmm"](case)
    loss, losses, outputs = model(batch)   # losses and outputs: of the towers, the row loss, and outputs of the extras
"""
import torch
from torch import nn
from torch.nn import functional as F

from cases import Mlp
from torch_model import Stack, TorchModel, _stack_values, embedding_of


class Rotation(nn.Module):
    """Orthonormal rows by torch.linalg.qr, the diagonal of its triangle made positive."""

    def __init__(self, rank, width):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(rank, width))

    def forward(self):
        q, r = torch.linalg.qr(self.rows.T)
        return (q * torch.sign(torch.diagonal(r))).T


class FunnelModel(nn.Module):
    """Embeddings, towers, losses. A model fills `towers` and the like and says what its outputs are."""
    _concatenate = TorchModel._concatenate

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.embeddings = nn.ModuleDict({i.name: embedding_of(i) for i in case.inputs if i.embedding_dim})
        self.bottom = Stack(case.width(), case.bottom) if case.bottom else None
        self.width = case.bottom.hidden_units[-1] if case.bottom else case.width()
        self.experts, self.gate, self.gates, self.towers = nn.ModuleList(), None, nn.ModuleDict(), nn.ModuleDict()
        self.more = nn.ModuleDict()  # by Manygate's name with "/" for "."

    def add(self, name, module):
        self.more[name.replace(".", "/")] = module
        return module

    def extra_values(self):
        values = {}
        for key, module in self.more.items():
            name = key.replace("/", ".")
            values |= {f"{name}.weight": (module.weight, True)} if isinstance(module, nn.Linear) else {}
            values |= _stack_values(name, module) if isinstance(module, Stack) else {}
            values |= {name: (module.rows, False)} if isinstance(module, Rotation) else {}
        return values

    def add_experts(self):
        case = self.case
        self.experts.extend(Stack(self.width, case.mlp) for _ in range(case.num_expert))
        for t in case.towers:
            self.gates[t.name] = Stack(self.width, case.gate, case.num_expert)

    def mixture(self, x, gate):
        experts = torch.stack([expert(x) for expert in self.experts], 1)
        return (torch.softmax(gate(x), -1).unsqueeze(-1) * experts).sum(1)

    def groups(self, batch, name):
        """The features of that group side by side."""
        parts, start = {}, 0
        x = self._concatenate(batch)
        for i in self.case.inputs:
            parts[i.name] = x[:, start:start + i.width()]
            start += i.width()
        return torch.cat([parts[feature] for feature in dict(self.case.groups)[name]], 1)

    def forward(self, batch):
        """total loss, {name: mean loss}, {name: logits, or the rows of the row loss}"""
        x = self._concatenate(batch)
        outputs, extras, row_losses = self.outputs(self.bottom(x) if self.bottom is not None else x, batch)
        losses, total = {}, 0
        for t in self.case.towers:
            label = batch["label"][t.name]
            if t.loss == "l2_loss":
                losses[t.name] = F.mse_loss(outputs[t.name], label)
            else:
                losses[t.name] = F.binary_cross_entropy(torch.sigmoid(outputs[t.name]), label)
            total = total + t.weight * self.tower_factor(t) * losses[t.name]
        for name, (rows, weight) in row_losses.items():
            losses[name] = rows.mean()
            total = total + weight * losses[name]
        rows = {name: rows for name, (rows, _) in row_losses.items()}
        return total, losses, {**outputs, **rows, **extras}

    def tower_factor(self, tower):
        return 1.0

    def binary(self):
        return [t.name for t in self.case.towers if t.loss == "binary_cross_entropy"]


def _product(a, b):
    return torch.logit(torch.sigmoid(a) * torch.sigmoid(b))


class Esmm(FunnelModel):
    def __init__(self, case):
        super().__init__(case)
        for t in case.towers:
            self.towers[t.name] = Stack(self.width, t.mlp, 1)

    def outputs(self, x, batch):
        outputs = {name: tower(x).squeeze(1) for name, tower in self.towers.items()}
        extras, funnel = {}, self.binary()
        for before, name in zip(funnel, funnel[1:]):
            extras[f"{name}_given_{before}"] = outputs[name]
            outputs[name] = _product(outputs[before], outputs[name])
        return outputs, extras, {}


class Escm2(FunnelModel):
    def __init__(self, case):
        super().__init__(case)
        self.add_experts()
        for t in case.towers:
            self.towers[t.name] = Stack(case.mlp.hidden_units[-1], t.mlp, 1)
        self.click, self.conversion = self.binary()[:2]
        if case.option("counterfact_mode") == "DR":
            mlp = next(t.mlp for t in case.towers if t.name == self.conversion)
            self.add("imputation.gate", Stack(self.width, case.gate, case.num_expert))
            self.add("imputation.tower", Stack(case.mlp.hidden_units[-1], mlp, 1))

    def tower_factor(self, tower):
        return self.case.option("global_w") if tower.name == self.conversion else 1.0

    def outputs(self, x, batch):
        outputs = {name: tower(self.mixture(x, self.gates[name])).squeeze(1) for name, tower in self.towers.items()}
        click, conversion = outputs[self.click], outputs[self.conversion]
        o, y = batch["label"][self.click], batch["label"][self.conversion]
        propensity = torch.sigmoid(click).detach()
        weight = o * (1 / propensity).clamp(max=self.case.option("max_inverse_propensity"))
        error = F.binary_cross_entropy_with_logits(conversion, y, reduction="none")
        if self.case.option("counterfact_mode") == "DR":
            mixed = self.mixture(x, self.more["imputation/gate"])
            imputed = F.softplus(self.more["imputation/tower"](mixed).squeeze(1))
            rows = imputed + weight * (error - imputed) + weight * (error - imputed) ** 2
        else:
            rows = weight * error
        outputs[self.conversion] = _product(click, conversion)
        return (outputs, {f"{self.conversion}_given_{self.click}": conversion},
                {"counterfactual": (rows, self.case.option("counterfactual_w"))})


class Aitm(FunnelModel):
    def __init__(self, case):
        super().__init__(case)
        width = case.mlp.hidden_units[-1]
        for i, t in enumerate(case.towers):
            self.add(f"bottoms.{t.name}", Stack(case.width(), case.mlp))
            if i > 0:
                self.add(f"transfer.{t.name}.information", Stack(width, Mlp((width,), case.mlp.activation)))
                for h in ("h1", "h2", "h3"):
                    self.add(f"transfer.{t.name}.{h}", nn.Linear(width, width, bias=False))
            self.towers[t.name] = Stack(width, t.mlp, 1)

    def outputs(self, x, batch):
        outputs, q = {}, None
        for t in self.case.towers:
            own = self.more[f"bottoms/{t.name}"](x)
            if q is not None:
                both = torch.stack([self.more[f"transfer/{t.name}/information"](q), own], 1)  # [B, 2, H]
                h1, h2, h3 = (self.more[f"transfer/{t.name}/{h}"](both) for h in ("h1", "h2", "h3"))
                share = torch.softmax((h1 * h2).sum(-1) / own.shape[1] ** 0.5, 1)
                own = (share.unsqueeze(-1) * h3).sum(1)
            q = own
            outputs[t.name] = self.towers[t.name](q).squeeze(1)
        p = [torch.sigmoid(outputs[name]) for name in self.binary()]
        rows = sum(F.relu(after - before) for before, after in zip(p, p[1:]))
        return outputs, {}, {"calibrator": (rows, self.case.option("calibrator_weight"))}


class MaskedFeatures(nn.Module):
    def __init__(self, width, mask_net):
        super().__init__()
        self.mask_net = mask_net
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList()
        inner = width
        for units in mask_net.units:
            self.blocks.append(nn.ModuleDict({
                "first": nn.Linear(width, units), "second": nn.Linear(units, inner),
                "layer": nn.Linear(inner, mask_net.hidden), "norm": nn.LayerNorm(mask_net.hidden)}))
            inner = width if mask_net.parallel else mask_net.hidden
        self.width = mask_net.hidden * (mask_net.num_blocks if mask_net.parallel else 1)
        self.top = Stack(self.width, mask_net.top)
        self.width = mask_net.top.hidden_units[-1] if mask_net.top else self.width

    def forward(self, x):
        outputs, hidden = [], self.norm(x)
        for block in self.blocks:
            mask = block["second"](F.relu(block["first"](x)))
            out = F.relu(block["norm"](block["layer"](hidden * mask)))
            outputs.append(out)
            hidden = hidden if self.mask_net.parallel else out
        return self.top(torch.cat(outputs, 1) if self.mask_net.parallel else hidden)

    def values(self):
        values = {"mask_net.norm.weight": (self.norm.weight, False), "mask_net.norm.bias": (self.norm.bias, False)}
        names = {"first": "mask.0", "second": "mask.1", "layer": "layer", "norm": "layer.norm"}
        for i, block in enumerate(self.blocks):
            for key, name in names.items():
                values[f"mask_net.blocks.{i}.{name}.weight"] = (block[key].weight, key != "norm")
                values[f"mask_net.blocks.{i}.{name}.bias"] = (block[key].bias, False)
        return values | _stack_values("mask_net.top", self.top)


class TowersThatRead(FunnelModel):
    """What DBMTL and DC2VR have in common. join(tower, hidden, before) is what stands in front of a tower's output."""

    def __init__(self, case):
        super().__init__(case)
        self.masked = MaskedFeatures(case.width(), case.mask_net) if case.mask_net else None
        if self.masked:
            self.bottom = Stack(self.masked.width, case.bottom)
            self.width = case.bottom.hidden_units[-1] if case.bottom else self.masked.width
        if case.mlp:
            self.add_experts()
        width = case.mlp.hidden_units[-1] if case.mlp else self.width
        self.hidden = {t.name: t.mlp.hidden_units[-1] if t.mlp else width for t in case.towers}
        for t in case.towers:
            self.towers[t.name] = Stack(width, t.mlp)

    def extra_values(self):
        return super().extra_values() | (self.masked.values() if self.masked else {})

    def _concatenate(self, batch):
        x = FunnelModel._concatenate(self, batch)
        return self.masked(x) if self.masked else x

    def outputs(self, x, batch):
        before, outputs = {}, {}
        for t in self.case.towers:
            tower = self.towers[t.name]
            hidden = self.mixture(x, self.gates[t.name]) if len(self.experts) else x
            for layer in tower.layers:
                hidden = layer(hidden)
            before[t.name] = self.join(t, hidden, before)
            outputs[t.name] = tower.output(before[t.name]).squeeze(1)
        return outputs, {}, {}


class Dbmtl(TowersThatRead):
    def __init__(self, case):
        super().__init__(case)
        before = {}  # width in front of a tower's output; the cases name towers after those that they read
        for t in case.towers:
            before[t.name] = self.hidden[t.name] + sum(before[other] for other in t.relations)
            if t.relation_mlp:
                self.add(f"relations.{t.name}", Stack(before[t.name], t.relation_mlp))
                before[t.name] = t.relation_mlp.hidden_units[-1]
            self.towers[t.name].output = nn.Linear(before[t.name], 1)

    def join(self, t, hidden, before):
        hidden = torch.cat([hidden] + [before[other] for other in t.relations], 1)
        return self.more[f"relations/{t.name}"](hidden) if t.relation_mlp else hidden


class Dc2vr(TowersThatRead):
    def __init__(self, case):
        super().__init__(case)
        for t in case.towers:
            if t.interventions:
                self.add(f"interventions.{t.name}.base", Rotation(t.rank, self.hidden[t.name]))
                self.add(f"interventions.{t.name}.source",
                         Rotation(t.rank, sum(self.hidden[other] for other in t.interventions)))
            self.towers[t.name].output = nn.Linear(self.hidden[t.name], 1)

    def join(self, t, hidden, before):
        if not t.interventions:
            return hidden
        base, source = (self.more[f"interventions/{t.name}/{part}"]() for part in ("base", "source"))
        others = torch.cat([before[other] for other in t.interventions], 1).detach()
        return hidden + (hidden @ base.T - others @ source.T) @ base


class PepNet(FunnelModel):
    def __init__(self, case):
        super().__init__(case)
        widths = {name: sum(i.width() for i in case.inputs if i.name in features) for name, features in case.groups}
        self.add("epnet", Stack(self.width + widths["domain"], Mlp((case.option("epnet_hidden_unit"),)), self.width))
        units = case.option("ppnet_hidden_units")
        for t in case.towers:
            for i, (before, after) in enumerate(zip((self.width,) + units, units)):
                layer = Stack(before, Mlp((after,), case.option("ppnet_activation"))).layers[0]
                self.add(f"ppnet.{t.name}.layers.{i}", layer)
                self.add(f"ppnet.{t.name}.gates.{i}", Stack(self.width + widths["uia"], Mlp((after,)), after))
            self.towers[t.name] = Stack(units[-1], t.mlp, 1)

    def extra_values(self):
        values = super().extra_values()
        for key, module in self.more.items():
            if hasattr(module, "linear"):
                values[key.replace("/", ".") + ".weight"] = (module.linear.weight, True)
                values[key.replace("/", ".") + ".bias"] = (module.linear.bias, False)
        return values

    def outputs(self, x, batch):
        condition = torch.cat([self.groups(batch, "domain"), x.detach()], 1)
        x = x * self.case.option("epnet_gamma") * torch.sigmoid(self.more["epnet"](condition))
        condition = torch.cat([self.groups(batch, "uia"), x.detach()], 1)
        outputs = {}
        for t in self.case.towers:
            hidden = x
            for i in range(len(self.case.option("ppnet_hidden_units"))):
                gate = torch.sigmoid(self.more[f"ppnet/{t.name}/gates/{i}"](condition))
                hidden = self.more[f"ppnet/{t.name}/layers/{i}"](hidden) * self.case.option("ppnet_gamma") * gate
            outputs[t.name] = self.towers[t.name](hidden).squeeze(1)
        return outputs, {}, {}


MODELS = {"esmm": Esmm, "escm2": Escm2, "aitm": Aitm, "dbmtl": Dbmtl, "dc2vr": Dc2vr, "pepnet": PepNet}
