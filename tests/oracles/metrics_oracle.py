# SPDX-License-Identifier: Apache-2.0
"""Writes metrics_oracle.txt: scored rows and what scikit-learn says about them, compared by metrics/oracle_test.cc.

    python tests/oracles/metrics_oracle.py        # needs numpy and scikit-learn; the output is in the repository

Each case is "case NAME WIDTH", lines "METRIC VALUE", then "row SCORE ... LABEL WEIGHT GROUP" lines with WIDTH scores.
Scores, labels and weights are float32 values. auc_N is the area over N thresholds as torchmetrics'
binary_auroc(thresholds=N) defines it, here with weights too. What scikit-learn does not have is written out by its
definition, over all pairs of rows where it is about pairs. A metric that a case does not define is left out.
"""
import pathlib

import numpy as np
from sklearn import metrics

random = np.random.RandomState(11)
other = np.random.RandomState(12)  # groups, and what is no binary case


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


def order(values):
    """[n, n]: 1 where row i is above row j, 0 where it is below, one half where they are equal."""
    difference = values[:, None] - values[None, :]
    return (np.sign(difference) + 1) / 2


def delong(scores, labels, weights):
    """The 95 % interval of the area by its placements; row weights as sampling weights."""
    positive, negative = labels == 1, labels == 0
    if min(positive.sum(), negative.sum()) < 2:
        return None
    wins = order(scores)[positive][:, negative]
    w, v = weights[positive], weights[negative]
    area = w @ wins @ v / (w.sum() * v.sum())
    variance = 0
    for weight, placement in ((w, wins @ v / v.sum()), (v, w @ wins / w.sum())):
        rows = weight.sum() ** 2 / (weight ** 2).sum()
        variance += rows / (rows - 1) * (weight ** 2 * (placement - area) ** 2).sum() / weight.sum() ** 2
    margin = 1.959963984540054 * np.sqrt(variance)
    return max(0, area - margin), min(1, area + margin)


def xauc(scores, labels, weights):
    pairs = np.outer(weights, weights) * (labels[:, None] > labels[None, :])
    return (pairs * order(scores)).sum() / pairs.sum()


def grouped_auc(scores, labels, weights, groups):
    areas, rows = [], []
    for group in np.unique(groups):
        own = groups == group
        if len(np.unique(labels[own])) == 2:
            areas.append(metrics.roc_auc_score(labels[own], scores[own], sample_weight=weights[own]))
            rows.append(weights[own].sum())
    return np.average(areas, weights=rows) if rows else None


def grouped_xauc(scores, labels, weights, groups):
    """The groups' mean, weighted by the pairs of each."""
    values, pairs = [], []
    for group in np.unique(groups):
        own = groups == group
        of_group = (np.outer(weights[own], weights[own]) * (labels[own][:, None] > labels[own][None, :])).sum()
        if of_group > 0:
            values.append(xauc(scores[own], labels[own], weights[own]))
            pairs.append(of_group)
    return np.average(values, weights=pairs) if values else None


def flattened_auc(p, labels, w):
    """p: [n, classes]."""
    truth = labels[:, None] == np.arange(p.shape[1])[None, :]
    return metrics.roc_auc_score(truth.ravel(), p.ravel(), sample_weight=np.repeat(w, p.shape[1]))


def normalized_entropy(scores, labels, weights, eta=1e-12):
    p = np.clip(scores, eta, 1 - eta)
    mean = np.average(labels, weights=weights)
    loss = np.average(-labels * np.log(p) - (1 - labels) * np.log(1 - p), weights=weights)
    return loss / (-mean * np.log(mean) - (1 - mean) * np.log(1 - mean))


def calibration_error(scores, labels, weights, bins):
    bin_of = np.clip(np.floor(scores * bins), 0, bins - 1)
    error = 0
    for one in np.unique(bin_of):
        own = bin_of == one
        distance = np.average(scores[own], weights=weights[own]) - np.average(labels[own], weights=weights[own])
        error += weights[own].sum() / weights.sum() * abs(distance)
    return error


def binary_metrics(scores, labels, weights, groups):
    s, w = scores.astype(np.float64), weights.astype(np.float64)
    margin = np.finfo(np.float32).eps
    low, high = delong(s, labels, w) or (None, None)
    return {
        "auc": metrics.roc_auc_score(labels, s, sample_weight=w),
        "auc_low": low,
        "auc_high": high,
        "auc_200": binned_auc(scores, labels, w, 200),
        "auc_7": binned_auc(scores, labels, w, 7),
        "grouped_auc": grouped_auc(s, labels, w, groups),
        "grouped_xauc": grouped_xauc(s, labels, w, groups),
        "flattened_auc": flattened_auc(np.stack([np.float32(1) - scores, scores], 1), labels, w),
        "pr_auc": metrics.average_precision_score(labels, s, sample_weight=w),
        "log_loss": metrics.log_loss(labels, np.clip(s, margin, 1 - margin), sample_weight=w),
        "normalized_entropy": normalized_entropy(s, labels, w),
        "accuracy": metrics.accuracy_score(labels, s > 0.5, sample_weight=w),
        "expected_calibration_error": calibration_error(s, labels, w, 15),
        "expected_calibration_error_4": calibration_error(s, labels, w, 4),
        **number_metrics(s, labels, w),
    }


def number_metrics(s, labels, w):
    return {
        "xauc": xauc(s, labels, w),
        "calibration": np.average(s, weights=w) / np.average(labels, weights=w),
        "mean_absolute_error": metrics.mean_absolute_error(labels, s, sample_weight=w),
        "mean_squared_error": metrics.mean_squared_error(labels, s, sample_weight=w),
        "root_mean_squared_error": np.sqrt(metrics.mean_squared_error(labels, s, sample_weight=w)),
        "r2": metrics.r2_score(labels, s, sample_weight=w),
    }


def class_metrics(probabilities, labels, w):
    p = probabilities.astype(np.float64)
    classes = np.arange(p.shape[1])
    seen = [c for c in classes if (labels == c).any()]
    areas = [metrics.roc_auc_score(labels == c, p[:, c], sample_weight=w) for c in seen]
    binned = [binned_auc(probabilities[:, c], (labels == c).astype(np.float64), w, 7) for c in seen]
    of_label = p[np.arange(len(p)), labels.astype(int)]
    ahead = (p > of_label[:, None]) | ((p == of_label[:, None]) & (classes[None, :] < labels[:, None]))
    margin = np.finfo(np.float32).eps
    return {
        "multiclass_auc_macro": np.mean(areas),
        "multiclass_auc_weighted": np.average(areas, weights=[w[labels == c].sum() for c in seen]),
        "log_loss": np.average(-np.log(np.clip(of_label, margin, 1 - margin)), weights=w),
        "accuracy": np.average(ahead.sum(1) < 1, weights=w),
        "multiclass_auc_macro_7": np.mean(binned),
        "multiclass_auc_weighted_7": np.average(binned, weights=[w[labels == c].sum() for c in seen]),
        "flattened_auc": flattened_auc(probabilities, labels, w),
        "recall_at_k_3": np.average(ahead.sum(1) < 3, weights=w),
        "accuracy_top_2": np.average(ahead.sum(1) < 2, weights=w),
    }


def write_case(out, name, scores, labels, weights, groups, values):
    out.write(f"case {name} {scores.shape[1]}\n")
    for metric, value in values.items():
        if value is not None:
            out.write(f"{metric} {value:.17g}\n")
    for score, label, weight, group in zip(scores, labels, weights, groups):
        text = " ".join(f"{one:.9g}" for one in score)
        out.write(f"row {text} {label:.9g} {weight:.9g} {group}\n")


def write(out, name, scores, labels, weights):
    """A case of binary labels."""
    scores, weights = scores.astype(np.float32), weights.astype(np.float32)
    labels = labels.astype(np.float64)
    groups = other.randint(0, 20, len(labels)) if len(labels) > 2 else np.zeros(2, int)
    values = binary_metrics(scores, labels, weights, groups)
    write_case(out, name, scores[:, None], labels, weights, groups, values)


def write_numbers(out, name, scores, labels, weights):
    scores, labels, weights = (a.astype(np.float32) for a in (scores, labels, weights))
    groups = np.arange(len(labels)) * 7 % 13
    in_double = [a.astype(np.float64) for a in (scores, labels, weights)]
    values = {**number_metrics(*in_double), "grouped_xauc": grouped_xauc(*in_double, groups)}
    write_case(out, name, scores[:, None], labels, weights, groups, values)


def write_classes(out, name, probabilities, labels, weights):
    probabilities, weights = probabilities.astype(np.float32), weights.astype(np.float32)
    values = class_metrics(probabilities, labels, weights.astype(np.float64))
    write_case(out, name, probabilities, labels, weights, np.zeros(len(labels), int), values)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


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

        amounts = np.where(other.rand(n) < 0.4, 0, np.exp(other.randn(n)))
        uneven = other.gamma(0.5, 2.0, n) + 1e-3
        write_numbers(out, "amounts", amounts * 0.6 + other.rand(n), amounts, one)
        write_numbers(out, "amounts_with_uneven_weights", amounts * 0.6 + other.rand(n), amounts, uneven)
        write_numbers(out, "counts_with_ties", other.randint(0, 5, n) / 2, other.poisson(1.5, n), other.randint(1, 4, n))
        write_numbers(out, "far_from_zero", 1e6 + 3 * other.rand(n), 1e6 + 3 * other.rand(n), one)

        classes = other.randint(0, 4, n)
        logits = other.randn(n, 4) + 1.5 * np.eye(4)[classes]
        write_classes(out, "classes", softmax(logits), classes, one)
        write_classes(out, "classes_with_uneven_weights", softmax(logits), classes, uneven)
        write_classes(out, "classes_with_ties", np.round(softmax(logits) * 4) / 4, classes, other.randint(1, 5, n) / 4)
        write_classes(out, "a_class_that_does_not_occur", softmax(logits), np.where(classes == 2, 3, classes), one)
        write_classes(out, "two_classes", softmax(logits[:, :2]), classes % 2, one)


if __name__ == "__main__":
    main()
