"""Entropy and mutual information of counts, in nats: the plug-in estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]


def entropy(counts: Counts) -> FloatArray:
    """Entropy of the shares along the last axis; 0 where nothing is counted.

    >>> entropy(np.array([[1, 1], [2, 0]])).round(3).tolist()
    [0.693, 0.0]
    """
    counts = np.asarray(counts, np.float64)
    total = counts.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(total) - _x_log_x(counts).sum(-1) / total
    return np.where(total > 0, np.maximum(found, 0.0), 0.0)


def mutual_information(hits: Counts, totals: Counts) -> FloatArray:
    """Information of the bin about a yes or no: `hits` of `totals` samples of each bin (last axis) are a yes.

    >>> mutual_information(np.array([2, 0]), np.array([2, 2])).round(3).tolist()
    0.693
    """
    hits, totals = np.asarray(hits, np.float64), np.asarray(totals, np.float64)
    misses = totals - hits
    number = totals.sum(-1)
    inner = (_x_log_x(hits) + _x_log_x(misses) - _x_log_x(totals)).sum(-1)
    outer = _x_log_x(hits.sum(-1)) + _x_log_x(misses.sum(-1)) - _x_log_x(number)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (inner - outer) / number
    return np.where(number > 0, np.maximum(found, 0.0), 0.0)


def _x_log_x(values: FloatArray) -> FloatArray:
    """x·log x, 0 at 0."""
    return values * np.log(np.maximum(values, 1e-300))
