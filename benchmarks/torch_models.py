# SPDX-License-Identifier: Apache-2.0
"""MMoE of two tasks, written several ways in PyTorch. Configuration C1 reads one-hot columns:
    Library    one module for each expert, gate and tower, as the multi-task libraries write it
    Fused      all experts and gates are one product; towers are batched products; x is the one-hot matrix
    FusedIds   the same, but the one-hot part of the product is a sum of weight rows picked by id
and C2 embeddings:
    LibraryEmbeddings    Library over one nn.Embedding per column
    FusedEmbeddings      Fused over one table for all columns
    TabulatedEmbeddings  the product of every embedding with its part of the weight first, 503 rows, then a sum of those
All return logits [B, T].
"""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Shape:
    inputs: int
    numbers: int
    experts: int
    expert_width: int
    tasks: int
    tower_width: int
    embedding_dim: int = 0

    @property
    def wide(self):
        return self.experts * self.expert_width + self.tasks * self.experts


C1 = Shape(inputs=498, numbers=10, experts=8, expert_width=16, tasks=2, tower_width=8)
C2 = Shape(inputs=271, numbers=7, experts=8, expert_width=64, tasks=2, tower_width=32, embedding_dim=8)
EMBEDDING_DEVIATION = 0.05  # as embeddings.config


class Library(nn.Module):
    def __init__(self, shape=C1):
        super().__init__()
        self.experts = nn.ModuleList(
            [nn.Sequential(nn.Linear(shape.inputs, shape.expert_width), nn.ReLU()) for _ in range(shape.experts)])
        self.gates = nn.ModuleList(
            [nn.Sequential(nn.Linear(shape.inputs, shape.experts), nn.Softmax(dim=1)) for _ in range(shape.tasks)])
        self.towers = nn.ModuleList(
            [nn.Sequential(nn.Linear(shape.expert_width, shape.tower_width), nn.ReLU(), nn.Linear(shape.tower_width, 1))
             for _ in range(shape.tasks)])

    def forward(self, x):
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        logits = []
        for gate, tower in zip(self.gates, self.towers):
            mixed = torch.bmm(gate(x).unsqueeze(1), experts).squeeze(1)
            logits.append(tower(mixed))
        return torch.cat(logits, dim=1)


class LibraryEmbeddings(nn.Module):
    def __init__(self, first):
        super().__init__()
        self.first = first
        self.embeddings = nn.ModuleList(
            [nn.Embedding(end - begin, C2.embedding_dim) for begin, end in zip(first, first[1:])])
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, 0, EMBEDDING_DEVIATION)
        self.top = Library(C2)

    def forward(self, ids, numbers):
        parts = [embedding(ids[:, k] - self.first[k]) for k, embedding in enumerate(self.embeddings)]
        return self.top(torch.cat(parts + [numbers], dim=1))


def _uniform(*shape, fan_in):
    bound = fan_in ** -0.5  # the bound that nn.Linear starts from
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))


class _FusedTop(nn.Module):
    """Everything above the wide product z [B, E * H + T * E]. mix: "bmm", or "multiply" for compilers that fuse it."""

    def __init__(self, mix, shape):
        super().__init__()
        self.mix, self.shape = mix, shape
        self.hidden_weight = _uniform(shape.tasks, shape.expert_width, shape.tower_width, fan_in=shape.expert_width)
        self.hidden_bias = _uniform(shape.tasks, 1, shape.tower_width, fan_in=shape.expert_width)
        self.output_weight = _uniform(shape.tasks, shape.tower_width, 1, fan_in=shape.tower_width)
        self.output_bias = _uniform(shape.tasks, 1, 1, fan_in=shape.tower_width)

    def top(self, z):
        shape = self.shape
        split = shape.experts * shape.expert_width
        experts = torch.relu(z[:, :split]).view(-1, shape.experts, shape.expert_width)
        gates = torch.softmax(z[:, split:].view(-1, shape.tasks, shape.experts), dim=-1)
        if self.mix == "bmm":
            mixed = torch.bmm(gates, experts)
        else:
            mixed = (gates.unsqueeze(-1) * experts.unsqueeze(1)).sum(2)
        hidden = torch.relu(torch.baddbmm(self.hidden_bias, mixed.transpose(0, 1), self.hidden_weight))
        return torch.baddbmm(self.output_bias, hidden, self.output_weight).squeeze(-1).t()


class Fused(_FusedTop):
    def __init__(self, mix):
        super().__init__(mix, C1)
        self.first = nn.Linear(C1.inputs, C1.wide)

    def forward(self, x):
        return self.top(self.first(x))


class FusedIds(_FusedTop):
    def __init__(self, mix):
        super().__init__(mix, C1)
        self.rows = nn.EmbeddingBag(C1.inputs - C1.numbers, C1.wide, mode="sum")
        self.numbers = nn.Linear(C1.numbers, C1.wide)
        for parameter in (self.rows.weight, self.numbers.weight, self.numbers.bias):
            nn.init.uniform_(parameter, -C1.inputs ** -0.5, C1.inputs ** -0.5)

    def forward(self, ids, numbers):
        return self.top(self.rows(ids) + self.numbers(numbers))


class FusedEmbeddings(_FusedTop):
    def __init__(self, mix, first):
        super().__init__(mix, C2)
        self.embedding = nn.Embedding(first[-1], C2.embedding_dim)
        nn.init.normal_(self.embedding.weight, 0, EMBEDDING_DEVIATION)
        self.first = nn.Linear(C2.inputs, C2.wide)

    def forward(self, ids, numbers):
        return self.top(self.first(torch.cat([self.embedding(ids).flatten(1), numbers], dim=1)))


class TabulatedEmbeddings(_FusedTop):
    def __init__(self, mix, first):
        super().__init__(mix, C2)
        self.sizes = [end - begin for begin, end in zip(first, first[1:])]
        self.embedding = nn.Parameter(torch.empty(first[-1], C2.embedding_dim).normal_(0, EMBEDDING_DEVIATION))
        self.weight = _uniform(len(self.sizes), C2.embedding_dim, C2.wide, fan_in=C2.inputs)
        self.numbers = nn.Linear(C2.numbers, C2.wide)
        for parameter in (self.numbers.weight, self.numbers.bias):
            nn.init.uniform_(parameter, -C2.inputs ** -0.5, C2.inputs ** -0.5)

    def forward(self, ids, numbers):
        products = torch.cat([e @ w for e, w in zip(self.embedding.split(self.sizes), self.weight)])
        return self.top(nn.functional.embedding_bag(ids, products, mode="sum") + self.numbers(numbers))
