"""ROC-AUC, average precision and precision–recall per category: exact, from one sort of a category's scores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.settings import RECALL_GRID

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Matrix = npt.NDArray[Any]

BLOCK_VALUES = 1 << 24
THREADS = 2


class Curves(Struct, frozen=True):
    """roc_auc, average_precision: NaN where a category has no label (or, for AUC, nothing else): float64[categories].

    precision, confidence: at the highest threshold whose recall reaches each point of the recall grid, NaN where a
    category has no label: float64[categories, 101].
    """

    roc_auc: FloatArray
    average_precision: FloatArray
    precision: FloatArray
    confidence: FloatArray


def curves(values: Matrix, rows: RowArray, columns: RowArray, positives: Callable[[int], RowArray]) -> Curves:
    """The curves of each category over these rows of the matrix of scores.

    columns: the column of each category. positives: category → the places in `rows` that are labelled with it.
    Columns are taken a block at a time, so that a matrix larger than memory is read in stripes.
    """
    count = len(columns)
    grid = len(RECALL_GRID)
    found = Curves(*(np.full(count, np.nan) for _ in range(2)), *(np.full((count, grid), np.nan) for _ in range(2)))
    step = max(BLOCK_VALUES // max(len(rows), 1), 1)
    whole = len(rows) == len(values) and bool((rows == np.arange(len(rows))).all())
    with ThreadPoolExecutor(THREADS) as pool:
        for first in range(0, count, step):
            chosen = columns[first : first + step]
            together = bool((np.diff(chosen) == 1).all())
            stripe = values[:, chosen[0] : chosen[-1] + 1] if together else values[:, chosen]
            stripe = np.ascontiguousarray((stripe if whole else stripe[rows]).T)
            categories = range(first, first + len(chosen))
            list(pool.map(lambda one, s=stripe, f=first: _curve(s[one - f], positives(one), found, one), categories))
    return found


def _curve(scores: Matrix, positive: RowArray, found: Curves, category: int) -> None:
    """One category, from its scores in all rows; every number is read at the thresholds of its labels alone.

    AUC is the share of (label, other) pairs in the right order, ties half (Hanley, McNeil 1982). AP is the mean over
    the labels of the precision at their own threshold, which is scikit-learn's Σ (Rᵢ − Rᵢ₋₁) Pᵢ.
    """
    count, labels = len(scores), len(positive)
    if not labels:
        return
    own = np.sort(scores[positive])
    ordered = np.sort(scores)
    below, below_own = np.searchsorted(ordered, own), np.searchsorted(own, own)
    if labels < count:
        not_above = np.searchsorted(ordered, own, "right") - np.searchsorted(own, own, "right")
        doubled = int((below - below_own).sum()) + int(not_above.sum())
        found.roc_auc[category] = doubled / 2 / (labels * (count - labels))
    hits, kept = labels - below_own, count - below
    precision = hits / kept
    found.average_precision[category] = precision.mean()
    recall = (hits / labels)[::-1]
    place = np.searchsorted(recall, RECALL_GRID, "left")
    found.precision[category] = precision[::-1][place]
    found.confidence[category] = own[::-1][place]
