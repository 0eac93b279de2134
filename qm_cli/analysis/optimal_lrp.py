"""Optimal LRP: one error that weighs how well boxes sit, what is predicted wrongly and what is missed.

Reference: Oksuz et al., Localization Recall Precision (LRP): A New Performance Metric for Object Detection, 2018, and
One Metric to Measure Them All, 2021. With the predictions of a category that reach a confidence s, at IoU τ:

    LRP(s) = (Σ over TP of (1 − IoU) / (1 − τ) + FP + FN) / (TP + FP + FN)

The optimal LRP is the least over all s, exactly: every score of the category is tried, and keeping nothing (LRP 1). Of
equal ones the highest confidence counts. Lower is better. Its components at that confidence: localisation, mean of
1 − IoU over the TP; false positives, FP / (TP + FP); false negatives, FN / (TP + FN).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import Outcomes
from qm_cli.arrays import number_or_none
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
COMPONENTS = ("oLRP", "localisation", "false_positives", "false_negatives", "confidence")


class OptimalLRP(Struct, frozen=True):
    """float64[categories] each; NaN where the category has no label, or nothing worth keeping to tell it from."""

    oLRP: FloatArray  # noqa: N815 (its name in the papers)
    localisation: FloatArray
    false_positives: FloatArray
    false_negatives: FloatArray
    confidence: FloatArray


def optimal_lrp(
    tables: Tables, order: npt.NDArray[np.int64], every: Outcomes, iou: FloatArray, threshold: float
) -> OptimalLRP:
    """The optimal LRP of each category.

    order: prediction rows by (category, −score). every: outcomes at any confidence. iou: with the label each prediction
    took, float64[predictions]. threshold: τ.
    """
    rows = order[(every.counted & ~every.ignored).take(order)]
    category = tables.values("prediction", "category_row").take(rows)
    categories = tables.count("category")
    start = np.searchsorted(category, np.arange(categories + 1, dtype=category.dtype))
    labels = np.bincount(tables.values("label", "category_row")[every.label_counts], minlength=categories)
    score, true, iou = tables.values("prediction", "score").take(rows), every.true_positive.take(rows), iou.take(rows)
    best = np.full((len(COMPONENTS), categories), np.nan)
    for one in np.flatnonzero(labels):
        own = slice(start[one], start[one + 1])
        best[:, one] = optimum(score[own], true[own], iou[own], int(labels[one]), threshold)
    return OptimalLRP(*best)


def optimum(score: FloatArray, true: BoolArray, iou: FloatArray, labels: int, threshold: float) -> tuple[float, ...]:
    """The components of one category with labels, from its predictions by falling score; NaN where undefined.

    >>> optimum(np.array([0.9, 0.8]), np.array([True, False]), np.array([0.75, np.nan]), 1, 0.5)
    (0.5, 0.25, 0.0, 0.0, 0.9)
    """
    found = np.cumsum(true)
    off = np.cumsum(np.where(true, 1.0 - iou, 0.0))
    scale = 1.0 - threshold if threshold < 1.0 else 1.0
    kept = np.arange(1, len(score) + 1)
    whole = kept - found + labels
    error = (off / scale + whole - found) / whole
    ends = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if len(score) else np.zeros(0, np.int64)
    least = int(ends[np.argmin(error[ends])]) if len(ends) else -1
    if least < 0 or not error[least] < 1.0:
        return 1.0, float("nan"), float("nan"), 1.0, float("nan")
    hits, count = float(found[least]), float(kept[least])
    parts = (off[least] / hits, (count - hits) / count, (labels - hits) / labels)
    return float(error[least]), float(parts[0]), parts[1], parts[2], float(score[least])


def lrp_report(tables: Tables, found: OptimalLRP, settings: Settings) -> dict[str, Any]:
    """Means over the categories where each is defined, and every category's own with its optimal confidence."""
    identity = zip(tables.category["id"].to_pylist(), tables.category["name"].to_pylist(), strict=True)
    columns = {name: getattr(found, name) for name in COMPONENTS}
    return {
        "iou": settings.iou,
        **{name: _mean(values) for name, values in columns.items() if name != "confidence"},
        "categories": [
            {
                "id": identifier,
                "name": name,
                **{column: number_or_none(values[row]) for column, values in columns.items()},
            }
            for row, (identifier, name) in enumerate(identity)
        ],
    }


def _mean(values: FloatArray) -> float | None:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None
