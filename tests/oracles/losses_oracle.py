# SPDX-License-Identifier: Apache-2.0
"""Writes losses_oracle.txt: rows and what PyTorch says about them, compared by losses/oracle_test.cc.

    python tests/oracles/losses_oracle.py        # needs torch; the output is in the repository

Each case is "case NAME", "loss LOSS", lines "PARAMETER VALUE", "sum VALUE" (what Loss::Compute returns), then
"row LABEL WEIGHT SESSION | LOGIT ... | GRADIENT ... | PREDICTION ..." lines. Labels, weights and logits are float32
values; everything else is computed in float64, gradients by autograd. Rows of weight 0 have the label nan.
"""
import math
import pathlib

import torch
import torch.nn.functional as F

random = torch.Generator().manual_seed(23)


def normal(*shape, scale=1.0):
    return scale * torch.randn(*shape, generator=random, dtype=torch.float64)


def integers(high, count):
    return torch.randint(high, (count,), generator=random).double()


def elementwise(loss):
    """A loss per row as the sum that Compute returns."""
    return lambda z, y, w, sessions: (w * loss(z, y)).sum()


def binary_cross_entropy(smoothing):
    def loss(z, y):
        smoothed = y * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(z[:, 0], smoothed, reduction="none")

    return elementwise(loss)


def focal(gamma, alpha):
    def loss(z, y):
        p = torch.sigmoid(z[:, 0])
        factor = alpha * y * (1 - p) ** gamma + (1 - alpha) * (1 - y) * p**gamma
        return factor * F.binary_cross_entropy_with_logits(z[:, 0], y, reduction="none")

    return elementwise(loss)


def softmax(smoothing):
    return elementwise(lambda z, y: F.cross_entropy(z, y.long(), label_smoothing=smoothing, reduction="none"))


def jrc(alpha):
    """Each row against the rows of the other label in its session, by a matrix of all pairs."""

    def value(z, y, w, sessions):
        same = sessions[:, None] == sessions[None, :]
        rivals = same & (y[:, None] != y[None, :])
        itself = torch.eye(len(y), dtype=torch.bool)
        own = z.gather(1, y.long()[:, None])
        table = z.T[y.long()]  # [i, j]: logit of j for the class of i
        table = table.masked_fill(~(rivals | itself), -math.inf)
        generative = torch.logsumexp(table, 1) - own[:, 0]
        return (w * (alpha * F.cross_entropy(z, y.long(), reduction="none") + (1 - alpha) * generative)).sum()

    return value


def pairwise(z, y, w, sessions):
    total, weight = 0.0, 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            if y[i] > y[j]:
                total = total + w[i] * w[j] * F.softplus(-(z[i, 0] - z[j, 0]), threshold=1e3)
                weight = weight + w[i] * w[j]
    return total / weight * w.sum() if weight else 0.0 * z.sum()


def standard(y, mean, deviation):
    return (y - mean) / deviation


def ziln(z, y):
    positive = (y > 0).double()
    deviation = torch.clamp(F.softplus(z[:, 2], threshold=1e3), min=math.sqrt(1e-7))
    safe = torch.where(y > 0, y, torch.ones_like(y))
    amount = torch.distributions.LogNormal(z[:, 1], deviation).log_prob(safe)
    return F.binary_cross_entropy_with_logits(z[:, 0], positive, reduction="none") - positive * amount


def expected_amount(z):
    deviation = F.softplus(z[:, 2], threshold=1e3)
    return torch.sigmoid(z[:, :1]) * torch.exp(z[:, 1] + deviation**2 / 2)[:, None]


def write(out, name, loss, parameters, value, link, logits, labels, sessions=None):
    rows = len(labels)
    sessions = torch.zeros(rows) if sessions is None else sessions
    weights = (0.25 * integers(9, rows)).float()
    weights[0] = 0
    counts = weights > 0
    z = logits.float().double().requires_grad_()
    y = labels.float().double()
    total = value(z[counts], y[counts], weights[counts].double(), sessions[counts])
    total.backward()
    out.write(f"case {name}\nloss {loss}\n")
    for parameter, setting in parameters.items():
        out.write(f"{parameter} {setting:.9g}\n")
    out.write(f"sum {total.item():.17g}\n")
    predictions = link(z.detach())
    for i in range(rows):
        label = f"{y[i].item():.9g}" if counts[i] else "nan"
        parts = [
            f"row {label} {weights[i].item():g} {int(sessions[i])}",
            " ".join(f"{v:.9g}" for v in z[i].tolist()),
            " ".join(f"{v:.12g}" for v in z.grad[i].tolist()),
            " ".join(f"{v:.12g}" for v in predictions[i].tolist()),
        ]
        out.write(" | ".join(parts) + "\n")


def write_all(out):
    n = 24

    def same(z):
        return z

    def second(z):
        return torch.softmax(z, 1)[:, 1:]

    def classes(z):
        return torch.softmax(z, 1)

    for smoothing in 0.0, 0.125:
        write(out, f"binary_{smoothing}", "binary_cross_entropy", {"label_smoothing": smoothing},
              binary_cross_entropy(smoothing), torch.sigmoid, normal(n, 1, scale=3), integers(2, n))
    for gamma, alpha in (2.0, 0.5), (0.0, 0.5), (0.5, 0.25), (3.0, 0.75):
        write(out, f"focal_{gamma}_{alpha}", "binary_focal_loss", {"gamma": gamma, "alpha": alpha}, focal(gamma, alpha),
              torch.sigmoid, normal(n, 1, scale=3), integers(2, n))
    for count, smoothing in (2, 0.0), (3, 0.0), (5, 0.125), (8, 0.25), (21, 0.125):
        write(out, f"softmax_{count}_{smoothing}", "softmax_cross_entropy",
              {"num_class": count, "label_smoothing": smoothing}, softmax(smoothing), classes,
              normal(n, count, scale=3), integers(count, n))
    for alpha, sessions in (0.5, 4), (1.0, 4), (0.0, 1), (0.25, 9):
        write(out, f"jrc_{alpha}_{sessions}", "jrc_loss", {"alpha": alpha}, jrc(alpha), second, normal(n, 2, scale=2),
              integers(2, n), integers(sessions, n))
    for levels in 1, 2, 5, 1000:
        write(out, f"pairwise_{levels}", "pairwise_loss", {}, pairwise, torch.sigmoid, normal(n, 1, scale=3),
              integers(levels, n))
    for mean, deviation in (0.0, 1.0), (2.5, 4.0):
        standardised = {"standardise": float(deviation != 1), "mean": mean, "deviation": deviation}

        def back(z):
            return mean + deviation * z

        def squared(z, y):
            return F.mse_loss(z[:, 0], standard(y, mean, deviation), reduction="none")

        write(out, f"l2_{mean}", "l2_loss", standardised, elementwise(squared), back, normal(n, 1, scale=2),
              normal(n, scale=4))
        for delta in 0.5, 2.0:

            def huber(z, y):
                return F.huber_loss(z[:, 0], standard(y, mean, deviation), delta=delta, reduction="none")

            write(out, f"huber_{mean}_{delta}", "huber_loss", standardised | {"delta": delta}, elementwise(huber), back,
                  normal(n, 1, scale=2), normal(n, scale=4))

    def poisson(z, y):
        return F.poisson_nll_loss(z[:, 0], y, log_input=True, full=False, reduction="none")

    write(out, "poisson", "poisson_loss", {}, elementwise(poisson), torch.exp, normal(n, 1, scale=2), integers(7, n))
    amounts = integers(2, n) * torch.exp(normal(n, scale=2) + 3)
    write(out, "ziln", "ziln_loss", {}, elementwise(ziln), expected_amount, normal(n, 3, scale=1.5), amounts)


with open(pathlib.Path(__file__).with_suffix(".txt"), "w") as file:
    write_all(file)
