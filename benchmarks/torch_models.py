# SPDX-License-Identifier: Apache-2.0
"""MMoE for configuration C1 (8 experts of 16, towers 16 -> 8 -> 1, two tasks), written three ways in PyTorch:
    Library    one module for each expert, gate and tower, as the multi-task libraries write it
    Fused      all experts and gates are one product; towers are batched products; x is the one-hot matrix
    FusedIds   the same, but the one-hot part of the product is a sum of weight rows picked by id
All three return logits [B, T].
"""
import torch
from torch import nn

INPUTS, NUMBERS, ONE_HOT_VALUES = 498, 10, 488
EXPERTS, EXPERT_WIDTH, TASKS, TOWER_WIDTH = 8, 16, 2, 8


class Library(nn.Module):
    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList(
            [nn.Sequential(nn.Linear(INPUTS, EXPERT_WIDTH), nn.ReLU()) for _ in range(EXPERTS)])
        self.gates = nn.ModuleList(
            [nn.Sequential(nn.Linear(INPUTS, EXPERTS), nn.Softmax(dim=1)) for _ in range(TASKS)])
        self.towers = nn.ModuleList(
            [nn.Sequential(nn.Linear(EXPERT_WIDTH, TOWER_WIDTH), nn.ReLU(), nn.Linear(TOWER_WIDTH, 1))
             for _ in range(TASKS)])

    def forward(self, x):
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        logits = []
        for gate, tower in zip(self.gates, self.towers):
            mixed = torch.bmm(gate(x).unsqueeze(1), experts).squeeze(1)
            logits.append(tower(mixed))
        return torch.cat(logits, dim=1)


def _uniform(*shape, fan_in):
    bound = fan_in ** -0.5  # the bound that nn.Linear starts from
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))


class _FusedTop(nn.Module):
    """Everything above the wide product z [B, E * H + T * E]. mix: "bmm", or "multiply" for compilers that fuse it."""

    def __init__(self, mix):
        super().__init__()
        self.mix = mix
        self.hidden_weight = _uniform(TASKS, EXPERT_WIDTH, TOWER_WIDTH, fan_in=EXPERT_WIDTH)
        self.hidden_bias = _uniform(TASKS, 1, TOWER_WIDTH, fan_in=EXPERT_WIDTH)
        self.output_weight = _uniform(TASKS, TOWER_WIDTH, 1, fan_in=TOWER_WIDTH)
        self.output_bias = _uniform(TASKS, 1, 1, fan_in=TOWER_WIDTH)

    def top(self, z):
        split = EXPERTS * EXPERT_WIDTH
        experts = torch.relu(z[:, :split]).view(-1, EXPERTS, EXPERT_WIDTH)
        gates = torch.softmax(z[:, split:].view(-1, TASKS, EXPERTS), dim=-1)
        if self.mix == "bmm":
            mixed = torch.bmm(gates, experts)
        else:
            mixed = (gates.unsqueeze(-1) * experts.unsqueeze(1)).sum(2)
        hidden = torch.relu(torch.baddbmm(self.hidden_bias, mixed.transpose(0, 1), self.hidden_weight))
        return torch.baddbmm(self.output_bias, hidden, self.output_weight).squeeze(-1).t()


_WIDE = EXPERTS * EXPERT_WIDTH + TASKS * EXPERTS


class Fused(_FusedTop):
    def __init__(self, mix):
        super().__init__(mix)
        self.first = nn.Linear(INPUTS, _WIDE)

    def forward(self, x):
        return self.top(self.first(x))


class FusedIds(_FusedTop):
    def __init__(self, mix):
        super().__init__(mix)
        self.rows = nn.EmbeddingBag(ONE_HOT_VALUES, _WIDE, mode="sum")
        self.numbers = nn.Linear(NUMBERS, _WIDE)
        for parameter in (self.rows.weight, self.numbers.weight, self.numbers.bias):
            nn.init.uniform_(parameter, -INPUTS ** -0.5, INPUTS ** -0.5)

    def forward(self, ids, numbers):
        return self.top(self.rows(ids) + self.numbers(numbers))
