# SPDX-License-Identifier: Apache-2.0
"""Metrics of the trees, as manygate/metrics defines them. tests: python3 -m doctest scores.py"""
import numpy
from sklearn.metrics import log_loss, roc_auc_score


def xauc(labels, predictions):
    """Share of the pairs of rows with different labels that the predictions order alike; equal predictions count half.

    >>> xauc([0, 0, 1, 3], [0.1, 0.3, 0.2, 0.3])  # pairs: 2-0 right, 2-1 wrong, 3-0 right, 3-1 half, 3-2 right
    0.7
    """
    labels, predictions = numpy.asarray(labels, float), numpy.asarray(predictions, float)
    least = labels.min()
    right = pairs = 0
    for row in numpy.flatnonzero(labels > least):
        below = labels < labels[row]
        difference = predictions[row] - predictions[below]
        right += (difference > 0).sum() + 0.5 * (difference == 0).sum()
        pairs += below.sum()
    return float(right / pairs)


def binary(labels, predictions):
    return {"auc": float(roc_auc_score(labels, predictions)), "log_loss": float(log_loss(labels, predictions))}


def amount(labels, predictions):
    return {
        "xauc": xauc(labels, predictions),
        "root_mean_squared_error": float(numpy.sqrt(numpy.mean((predictions - labels) ** 2))),
        "calibration": float(numpy.mean(predictions) / numpy.mean(labels)),
    }
