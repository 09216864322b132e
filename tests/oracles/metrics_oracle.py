# SPDX-License-Identifier: Apache-2.0
"""Writes metrics_oracle.txt: scored rows and what scikit-learn says about them, compared by metrics/oracle_test.cc.

    python tests/oracles/metrics_oracle.py        # needs numpy and scikit-learn; the output is in the repository

Each case is "case NAME", lines "METRIC VALUE", then "row SCORE LABEL WEIGHT" lines. Scores and weights are float32 values.
auc_N is the area over N thresholds as torchmetrics' binary_auroc(thresholds=N) defines it, here with weights too.
"""
import pathlib

import numpy as np
from sklearn import metrics

random = np.random.RandomState(11)


def thresholds(count):
    """torch.linspace(0, 1, count) in float32: steps counted from the nearer end, rounded once."""
    index = np.arange(count)
    step = np.float32(1) / np.float32(count - 1)
    upward = step * index.astype(np.float32)
    downward = (1 - np.float64(step) * (count - 1 - index)).astype(np.float32)
    return np.where(index < count // 2, upward, downward).astype(np.float32)


def binned_auc(scores, labels, weights, count):
    above = scores[None, :] >= thresholds(count)[:, None]
    true_rate = (above * (weights * labels)).sum(1)[::-1] / (weights * labels).sum()
    false_rate = (above * (weights * (1 - labels))).sum(1)[::-1] / (weights * (1 - labels)).sum()
    return float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))


def write(out, name, scores, labels, weights):
    scores, weights = scores.astype(np.float32), weights.astype(np.float32)
    labels = labels.astype(np.float64)
    s, w = scores.astype(np.float64), weights.astype(np.float64)
    margin = np.finfo(np.float32).eps
    values = {
        "auc": metrics.roc_auc_score(labels, s, sample_weight=w),
        "auc_200": binned_auc(scores, labels, w, 200),
        "auc_7": binned_auc(scores, labels, w, 7),
        "log_loss": metrics.log_loss(labels, np.clip(s, margin, 1 - margin), sample_weight=w),
        "accuracy": metrics.accuracy_score(labels, s > 0.5, sample_weight=w),
        "calibration": np.average(s, weights=w) / np.average(labels, weights=w),
        "mean_absolute_error": metrics.mean_absolute_error(labels, s, sample_weight=w),
        "mean_squared_error": metrics.mean_squared_error(labels, s, sample_weight=w),
        "root_mean_squared_error": np.sqrt(metrics.mean_squared_error(labels, s, sample_weight=w)),
    }
    out.write(f"case {name}\n")
    for metric, value in values.items():
        out.write(f"{metric} {value:.17g}\n")
    for row in zip(scores, labels, weights):
        out.write("row {:.9g} {:g} {:.9g}\n".format(*row))


def labels_of(scores, noise=0.3):
    labels = (scores + noise * random.randn(len(scores)) > 0.5).astype(float)
    labels[:2] = [0, 1]
    return labels


def main():
    path = pathlib.Path(__file__).with_suffix(".txt")
    with open(path, "w", encoding="ascii") as out:
        n = 240
        one = np.ones(n)
        smooth = random.rand(n)
        write(out, "distinct_scores", smooth, labels_of(smooth), one)
        coarse = np.round(random.rand(n) * 8) / 8
        write(out, "ties", coarse, labels_of(coarse), one)
        write(out, "ties_with_weights", coarse, labels_of(coarse), random.randint(1, 5, n) / 4)
        write(out, "distinct_scores_with_uneven_weights", smooth, labels_of(smooth), random.gamma(0.5, 2.0, n) + 1e-3)
        rare = np.zeros(n)
        rare[17] = 1
        write(out, "one_positive", smooth, rare, one)
        write(out, "one_negative", smooth, 1 - rare, one)
        write(out, "one_positive_with_large_weight", coarse, rare, 1 + 9999 * rare)
        write(out, "constant_score", np.full(n, 0.25), labels_of(smooth), one)
        write(out, "perfect", (smooth > 0.5) * 0.5 + smooth / 4, (smooth > 0.5).astype(float), one)
        write(out, "inverted", 1 - smooth, (smooth > 0.5).astype(float), one)
        write(out, "tiny_scores", 10.0 ** (-44 * smooth), labels_of(smooth), one)
        ends = np.where(coarse < 0.3, 0.0, np.where(coarse > 0.7, 1.0, coarse))
        write(out, "scores_of_exactly_zero_and_one", ends, labels_of(coarse), one)
        neighbours = 0.5 + np.float32(2.0 ** -24) * random.randint(-3, 4, n)
        write(out, "neighbouring_floats", neighbours, labels_of(smooth), one)
        write(out, "two_rows", np.array([0.4, 0.6]), np.array([0, 1]), np.ones(2))


if __name__ == "__main__":
    main()
