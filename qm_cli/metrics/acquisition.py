"""How unsure the model is of an image: acquisition functions over the class probabilities of its predictions.

The rows are `probs`, or `logits` after an activation; a prediction that has neither but a score s counts as [s, 1 − s].
Options, the same for all: aggregate: how the rows of an image become one value: mean | max | sum | top3 (the mean of
the three largest), of the measure as it is named, so the max of `margin` is its most certain row. min_confidence:
predictions with a lower score are left out; 0 keeps all. activation: what the head gave: none (probs are used as they
are, logits go through a softmax) | softmax | sigmoid (one yes-or-no per category: the mean over the categories of the
measure of [p, 1 − p]).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from qm_cli.errors import UsageError, nearest
from qm_cli.kernels.probabilities import (
    aggregate_runs,
    binary,
    entropy_of,
    least_confidence_of,
    margin_of,
    sigmoid,
    softmax,
    variance_of,
)
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Aggregate = Literal["mean", "max", "sum", "top3"]
Activation = Literal["none", "softmax", "sigmoid"]
ACTIVATIONS = ("none", "softmax", "sigmoid")
VALUES_AT_ONCE = 1 << 17


@metric(level="image", kind="model", unit="bit", range=(0, None), better="lower")
def entropy(
    prediction_score: FloatArray,
    prediction_offsets: RowArray,
    prediction_probs: FloatArray | None = None,
    prediction_logits: FloatArray | None = None,
    *,
    aggregate: Aggregate = "mean",
    min_confidence: float = 0.0,
    normalise: bool = False,
    activation: Activation = "none",
) -> FloatArray:
    """Entropy of the class probabilities, mean over the image's predictions; 0 = certain, log₂ K = no idea.

    −Σ p log₂ p (Shannon 1948; Settles, Active Learning Literature Survey, 2009). Null without predictions.
    normalise: divided by log₂ K, so that 1 = no idea whatever the number of categories.

    >>> entropy(np.array([0.5, 1.0]), np.array([0, 2, 2])).tolist()
    [0.5, nan]
    """
    rows = _rows(prediction_probs, prediction_logits, activation)
    values = _measured(partial(entropy_of, normalise=normalise), prediction_score, rows, activation)
    return _per_image(values, prediction_score, prediction_offsets, aggregate, min_confidence)


@metric(level="image", kind="model", unit="share", range=(0, 1), better="lower")
def least_confidence(
    prediction_score: FloatArray,
    prediction_offsets: RowArray,
    prediction_probs: FloatArray | None = None,
    prediction_logits: FloatArray | None = None,
    *,
    aggregate: Aggregate = "mean",
    min_confidence: float = 0.0,
    activation: Activation = "none",
) -> FloatArray:
    """1 − the largest class probability, mean over the image's predictions; 0..1, 0 = certain.

    1 − max p (Lewis, Gale 1994; Settles 2009). Null without predictions.

    >>> least_confidence(np.array([0.75, 0.1]), np.array([0, 2, 2])).round(3).tolist()
    [0.175, nan]
    """
    rows = _rows(prediction_probs, prediction_logits, activation)
    values = _measured(least_confidence_of, prediction_score, rows, activation)
    return _per_image(values, prediction_score, prediction_offsets, aggregate, min_confidence)


@metric(level="image", kind="model", unit="share", range=(0, 1), better="higher")
def margin(
    prediction_score: FloatArray,
    prediction_offsets: RowArray,
    prediction_probs: FloatArray | None = None,
    prediction_logits: FloatArray | None = None,
    *,
    aggregate: Aggregate = "mean",
    min_confidence: float = 0.0,
    activation: Activation = "none",
) -> FloatArray:
    """Largest minus second largest class probability, mean over the image's predictions; 0..1, 0 = torn between two.

    p₍₁₎ − p₍₂₎ (Scheffer, Decomain, Wrobel 2001; Settles 2009). Null without predictions and for a single category.

    >>> margin(np.array([0.9, 0.9]), np.array([0, 2]), np.array([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0]])).tolist()
    [0.125]
    """
    rows = _rows(prediction_probs, prediction_logits, activation)
    values = _measured(margin_of, prediction_score, rows, activation)
    return _per_image(values, prediction_score, prediction_offsets, aggregate, min_confidence)


@metric(level="image", kind="model", unit="", range=(0, 0.25), better="higher")
def variance(
    prediction_score: FloatArray,
    prediction_offsets: RowArray,
    prediction_probs: FloatArray | None = None,
    prediction_logits: FloatArray | None = None,
    *,
    aggregate: Aggregate = "mean",
    min_confidence: float = 0.0,
    activation: Activation = "none",
) -> FloatArray:
    """Population variance over the class probabilities, mean over the image's predictions; 0 = all equally likely.

    Σ (p − mean p)² / K, at most 0.25 (as in Encord Active). Null without predictions.

    >>> variance(np.array([1.0, 0.5]), np.array([0, 1, 2])).tolist()
    [0.25, 0.0]
    """
    rows = _rows(prediction_probs, prediction_logits, activation)
    values = _measured(variance_of, prediction_score, rows, activation)
    return _per_image(values, prediction_score, prediction_offsets, aggregate, min_confidence)


@metric(level="image", kind="model", unit="share", range=(0, 1), better="higher")
def mean_object_score(
    prediction_score: FloatArray,
    prediction_offsets: RowArray,
    prediction_bbox: FloatArray,
    prediction_probs: FloatArray | None = None,
    prediction_logits: FloatArray | None = None,
    *,
    aggregate: Aggregate = "mean",
    min_confidence: float = 0.0,
    activation: Activation = "none",
) -> FloatArray:
    """Largest class probability, else the score, mean over the image's detected objects; 0..1, 0 = found nothing.

    As in Encord Active. 0 without predictions; null where the image's predictions have no box (classification).

    >>> mean_object_score(np.array([0.75, 0.25]), np.array([0, 2, 2]), np.array([[0, 0, 9, 9.0]] * 2)).tolist()
    [0.5, 0.0]
    """
    rows = _rows(prediction_probs, prediction_logits, activation)
    values = prediction_score
    if rows is not None:
        values = np.where(_missing(rows), prediction_score, rows.max(axis=-1))
    result = _per_image(values, prediction_score, prediction_offsets, aggregate, min_confidence, empty=0.0)
    with_box = (~np.isnan(prediction_bbox)).all(axis=1)
    boxes = np.diff(np.append(0, np.cumsum(with_box))[prediction_offsets])
    result[(boxes == 0) & (np.diff(prediction_offsets) > 0)] = np.nan
    return result


def _rows(probs: FloatArray | None, logits: FloatArray | None, activation: str) -> FloatArray | None:
    """Probabilities float64[n, K], classes next to each other in memory; None where only scores are given."""
    if activation not in ACTIVATIONS:
        raise UsageError(
            f"activation: {activation!r} is not one of {', '.join(ACTIVATIONS)}", nearest(activation, [*ACTIVATIONS])
        )
    given = logits if probs is None else probs
    if given is None or given.shape[1] == 0:
        return None
    rows = np.ascontiguousarray(given, np.float64)
    if probs is not None:
        return rows
    return sigmoid(rows) if activation == "sigmoid" else softmax(rows)


def _missing(rows: FloatArray) -> npt.NDArray[np.bool_]:
    """Rows that are not given, among rows that are."""
    return np.asarray(np.isnan(rows).all(axis=1))


def _measured(
    measure: Callable[[FloatArray], FloatArray], score: FloatArray, rows: FloatArray | None, activation: str
) -> FloatArray:
    """The measure of each prediction: of its row, or of [s, 1 − s] where it has none; in blocks that fit the cache."""
    if rows is None:
        return measure(binary(score))
    values = np.empty(len(rows))
    step = max(VALUES_AT_ONCE // rows.shape[1], 1)
    for first in range(0, len(rows), step):
        block = rows[first : first + step]
        of_block = measure(binary(block)).mean(axis=-1) if activation == "sigmoid" else measure(block)
        values[first : first + step] = of_block
    absent = _missing(rows)
    values[absent] = measure(binary(score[absent]))
    return values


def _per_image(
    values: FloatArray,
    score: FloatArray,
    offsets: RowArray,
    aggregate: str,
    min_confidence: float,
    empty: float = np.nan,
) -> FloatArray:
    """The values of each image's predictions with score ≥ min_confidence as one; `empty` where there is none."""
    if min_confidence > 0:
        kept = score >= min_confidence
        values, offsets = values[kept], np.append(0, np.cumsum(kept))[offsets]
    return aggregate_runs(values, offsets, aggregate, empty)
