"""The five acquisition functions, one image at a time, with ``math``.

A prediction is a row of K class probabilities, or a bare score s that stands for [s, 1 − s].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Prediction = float | Sequence[float]


def entropy_of(row: Sequence[float]) -> float | None:
    """−Σ p log₂ p with 0·log 0 = 0; 0..log₂ K. A negative p has no logarithm: None."""
    if any(p < 0 for p in row):
        return None
    return -math.fsum(p * math.log2(p) for p in row if p > 0)


def least_confidence_of(row: Sequence[float]) -> float:
    """1 − max p; 0..1."""
    return 1 - max(row)


def margin_of(row: Sequence[float]) -> float | None:
    """Largest minus second largest p; 0..1; None for a single class."""
    if len(row) < 2:
        return None
    first, second = sorted(row, reverse=True)[:2]
    return first - second


def variance_of(row: Sequence[float]) -> float:
    """Population variance over the classes; 0..0.25."""
    mean = math.fsum(row) / len(row)
    return math.fsum((p - mean) ** 2 for p in row) / len(row)


ROW_MEASURES: dict[str, Callable[[Sequence[float]], float | None]] = {
    "entropy": entropy_of,
    "least_confidence": least_confidence_of,
    "margin": margin_of,
    "variance": variance_of,
}


def confidence_of(prediction: Prediction) -> float:
    """The score of a bare score, the largest probability of a row."""
    return float(prediction) if isinstance(prediction, int | float) else max(prediction)


def row_of(prediction: Prediction) -> list[float]:
    """The probabilities: a row as it is, [s, 1 − s] for a bare score."""
    return [prediction, 1 - prediction] if isinstance(prediction, int | float) else list(prediction)


def aggregate_values(values: Sequence[float], how: str) -> float:
    """mean, max, sum, or top3: the mean of the three largest (of all, if fewer)."""
    if how == "max":
        return max(values)
    if how == "sum":
        return math.fsum(values)
    if how == "top3":
        values = sorted(values, reverse=True)[:3]
    elif how != "mean":
        raise ValueError(f"unknown aggregate {how!r}")
    return math.fsum(values) / len(values)


def acquisition(
    metric: str,
    predictions: Sequence[Prediction],
    aggregate: str = "mean",
    min_confidence: float | None = None,
    scores: Sequence[float] | None = None,
    classification: bool = False,
    normalise: bool = False,
) -> float | None:
    """One of entropy, least_confidence, margin, variance, mean_object_score for one image.

    ``min_confidence`` keeps predictions whose confidence is ≥ it: their ``scores`` where given beside the rows, else
    the bare score or the largest probability. ``normalise`` divides the entropy by log₂ K.
    None without predictions, but 0 for mean_object_score; None for that one under classification.
    """
    confidences = [confidence_of(p) for p in predictions] if scores is None else list(scores)
    kept = [
        p
        for p, confidence in zip(predictions, confidences, strict=True)
        if min_confidence is None or confidence >= min_confidence
    ]
    if metric == "mean_object_score":
        if classification:
            return None
        return aggregate_values([confidence_of(p) for p in kept], aggregate) if kept else 0.0
    values: list[float] = []
    for prediction in kept:
        row = row_of(prediction)
        value = ROW_MEASURES[metric](row)
        if value is not None and normalise and metric == "entropy":
            value = value / math.log2(len(row)) if len(row) > 1 else None
        if value is None:
            return None
        values.append(value)
    return aggregate_values(values, aggregate) if values else None


def sigmoid_measure(metric: str, row: Sequence[float]) -> float:
    """One of the first four for independent per-category probabilities: the mean of the binary measures [p, 1 − p]."""
    values = [ROW_MEASURES[metric]([p, 1 - p]) for p in row]
    return math.fsum(value for value in values if value is not None) / len(values)
