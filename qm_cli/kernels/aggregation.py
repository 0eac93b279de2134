"""Values of a metric put together over data rows, as Labelbox puts together custom metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CONFUSION = "confusion_matrix"
COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def arithmetic_mean(values: FloatArray) -> float:
    """Sum over count.

    >>> arithmetic_mean(np.array([1.0, 3.0]))
    2.0
    """
    return float(values.mean())


def geometric_mean(values: FloatArray) -> float:
    """The count-th root of the product, 0 where a value is 0.

    >>> geometric_mean(np.array([2.0, 8.0])), geometric_mean(np.array([0.0, 8.0]))
    (4.0, 0.0)
    """
    return float(np.exp(np.log(values).mean())) if (values > 0).all() else 0.0


def harmonic_mean(values: FloatArray) -> float:
    """The count over the sum of 1 / value, 0 where a value is 0.

    >>> harmonic_mean(np.array([1.0, 3.0])), harmonic_mean(np.array([0.0, 3.0]))
    (1.5, 0.0)
    """
    with np.errstate(over="ignore"):
        return float(len(values) / (1 / values).sum()) if (values > 0).all() else 0.0


def total(values: FloatArray) -> float:
    """Sum."""
    return float(values.sum())


AGGREGATIONS: dict[str, Callable[[FloatArray], float]] = {
    "arithmetic_mean": arithmetic_mean,
    "geometric_mean": geometric_mean,
    "harmonic_mean": harmonic_mean,
    "sum": total,
}


def aggregated(values: FloatArray, how: str) -> float | None:
    """Values ≥ 0 as one, by a name of `AGGREGATIONS`; NaN is left out, None where nothing is left."""
    defined = values[~np.isnan(values)]
    return AGGREGATIONS[how](defined) if len(defined) else None


def rates(counts: FloatArray) -> dict[str, float | int | None]:
    """Counts [TP, FP, TN, FN] and what follows from them; None where a denominator is 0.

    >>> rates(np.array([1.0, 1.0, 0.0, 0.0]))["precision"], rates(np.zeros(4))["f1"]
    (0.5, None)
    """
    positives, wrong, _, missed = (float(count) for count in counts)
    parts = {
        "precision": (positives, positives + wrong),
        "recall": (positives, positives + missed),
        "f1": (2 * positives, 2 * positives + wrong + missed),
    }
    sums = {name: int(count) for name, count in zip(COUNTS, counts, strict=True)}
    return {**sums, **{name: part / whole if whole else None for name, (part, whole) in parts.items()}}
