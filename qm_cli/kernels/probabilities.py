"""Rows of class probabilities, classes on the last axis: how uncertain each row is; and values aggregated over runs.

A row is measured as given, whether it sums to 1 or not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.errors import UsageError, nearest
from qm_cli.kernels.segments import place_in_run, reduce_runs

FloatArray = npt.NDArray[np.float64]
AGGREGATES = ("mean", "max", "sum", "top3")


def softmax(logits: FloatArray) -> FloatArray:
    """exp(z) / Σ exp(z) over the last axis."""
    with np.errstate(invalid="ignore"):
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares: FloatArray = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(−z)), without overflow at either end."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))


def binary(probabilities: FloatArray) -> FloatArray:
    """[p, 1 − p] of each value, on a new last axis."""
    return np.stack([probabilities, 1 - probabilities], axis=-1)


def entropy_of(rows: FloatArray, normalise: bool = False) -> FloatArray:
    """−Σ p log₂ p with 0·log 0 = 0, in bits; divided by log₂ K if `normalise`. NaN for a negative p.

    Reference: Shannon, A Mathematical Theory of Communication, 1948.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        bits: FloatArray = 0.0 - (rows * np.log2(np.where(rows == 0, 1.0, rows))).sum(axis=-1)
        return bits / np.log2(rows.shape[-1]) if normalise else bits


def least_confidence_of(rows: FloatArray) -> FloatArray:
    """1 − max p."""
    rest: FloatArray = 1 - rows.max(axis=-1)
    return rest


def margin_of(rows: FloatArray) -> FloatArray:
    """Largest minus second largest p; NaN for a single class."""
    classes = rows.shape[-1]
    if classes < 2:
        return np.full(rows.shape[:-1], np.nan)
    top = np.partition(rows, classes - 2, axis=-1)
    return top[..., -1] - top[..., -2]


def variance_of(rows: FloatArray) -> FloatArray:
    """Population variance over the classes."""
    spread: FloatArray = rows.var(axis=-1)
    return spread


def aggregate_runs(
    values: FloatArray, offsets: npt.NDArray[np.integer], how: str = "mean", empty: float = np.nan
) -> FloatArray:
    """One value for each run: its mean, max, sum, or top3, the mean of its three largest; `empty` without values.

    >>> aggregate_runs(np.array([1.0, 2, 3, 6]), np.array([0, 4, 4]), "top3", empty=0).round(3).tolist()
    [3.667, 0.0]
    """
    if how not in AGGREGATES:
        raise UsageError(f"aggregate: {how!r} is not one of {', '.join(AGGREGATES)}", nearest(how, list(AGGREGATES)))
    if how == "max":
        return reduce_runs(np.maximum, values, offsets, empty)
    if how == "top3":
        run = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        values = values[np.lexsort((-values, run))]
        first = place_in_run(run) < 3
        values, offsets = values[first], np.append(0, np.cumsum(first))[offsets]
    sums = reduce_runs(np.add, values, offsets, empty)
    return sums if how == "sum" else sums / np.maximum(np.diff(offsets), 1)
