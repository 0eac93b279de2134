"""Counts of answers per category and what follows from them; scikit-learn's definitions, undefined instead of 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.classification_outcome import Answered, Ticked
from qm_cli.analysis.counts import Counts
from qm_cli.arrays import number_or_none

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
DENSE_CELLS = 1 << 24
RATES = ("precision", "recall", "f1")


class ClassCounts(Counts, frozen=True):
    """Counts per category with its true negatives: int64[categories]."""

    true_negatives: RowArray

    @property
    def support(self) -> RowArray:
        """Labels of each category."""
        return self.true_positives + self.false_negatives


class Cells(Struct, frozen=True):
    """The filled cells of a confusion matrix: int64[cells]. predicted: the number of categories stands for None."""

    true: RowArray
    predicted: RowArray
    count: RowArray


def of_answers(found: Answered, categories: int) -> tuple[ClassCounts, Cells]:
    """Counts of one answer a data row, and the confusion: cells of a category sum to its support, those predicted as it
    to the answers given."""
    width = categories + 1
    cell = found.true * width + np.where(found.predicted < 0, categories, found.predicted)
    if categories * width <= DENSE_CELLS:
        counted = np.bincount(cell, minlength=categories * width)
        filled = np.flatnonzero(counted)
        counted = counted[filled]
    else:
        filled, counted = np.unique(cell, return_counts=True)
    hits = np.bincount(found.true[found.correct], minlength=categories)
    support = np.bincount(found.true, minlength=categories)
    predicted = np.bincount(found.predicted[found.predicted >= 0], minlength=categories)
    wrong, missed = predicted - hits, support - hits
    counts = ClassCounts(hits, wrong, missed, len(found.true) - hits - wrong - missed)
    return counts, Cells(filled // width, filled % width, counted)


def of_ticks(found: Ticked, rows: int, categories: int) -> ClassCounts:
    """Counts of all that is ticked: int64[categories]."""
    size = max(categories, 1)
    hits = np.bincount(np.intersect1d(found.true, found.predicted, True) % size, minlength=categories)
    support = np.bincount(found.true % size, minlength=categories)
    predicted = np.bincount(found.predicted % size, minlength=categories)
    wrong, missed = predicted - hits, support - hits
    return ClassCounts(hits, wrong, missed, rows - hits - wrong - missed)


def wrong_ticks(found: Ticked, rows: int, categories: int) -> RowArray:
    """Categories that each data row is wrong in, ticked or not: int64[rows]."""
    size = max(categories, 1)
    return np.bincount(np.setxor1d(found.true, found.predicted, True) // size, minlength=rows)


def averages(counts: ClassCounts) -> dict[str, float | None]:
    """precision, recall and F1 over all answers (micro), and their means over categories: plain and by support.

    As scikit-learn's precision_recall_fscore_support with zero_division=nan: undefined ones leave the means.
    """
    total = counts.total()
    means = {name: getattr(counts, name) for name in RATES}
    return {
        **{name: number_or_none(getattr(total, name)[0]) for name in RATES},
        **{f"{name}_macro": mean(values) for name, values in means.items()},
        **{f"{name}_weighted": mean(values, counts.support) for name, values in means.items()},
    }


def mean(values: FloatArray, weights: RowArray | None = None) -> float | None:
    """Mean of the defined values, None when there are none or they weigh nothing.

    >>> mean(np.array([1.0, np.nan, 0.0]), np.array([3, 5, 1]))
    0.75
    """
    defined = ~np.isnan(values)
    if weights is None:
        return float(values[defined].mean()) if defined.any() else None
    total = weights[defined].sum()
    return float((values[defined] * weights[defined]).sum() / total) if total else None
