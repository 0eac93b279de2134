"""Accuracy, precision, recall and F1 under integer weights per image: counts alone, which resampling leaves exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.bootstrap import Numbers
from qm_cli.analysis.counts import Counts
from qm_cli.kernels.weighted import Runs, run_totals

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int32]
RATES = ("precision", "recall", "f1")
OVERALL = ("accuracy", *RATES, *(f"{name}_macro" for name in RATES))
"""Precision, recall and F1 over all answers, and the means of the categories' own that are defined."""


class Countable(Struct, frozen=True):
    """True positives, false positives and false negatives by category.

    right, judged: how many of each image's answers are right, and how many there are, int64[images]; None where there
    is no accuracy.
    """

    hit: Runs
    false: Runs
    missed: Runs
    right: RowArray | None = None
    judged: RowArray | None = None


def counted(model: Countable, weights: Weights) -> Counts:
    """The counts of each category, every image as often as its weight says."""
    return Counts(*(run_totals(weights, runs) for runs in (model.hit, model.false, model.missed)))


def rates(model: Countable, weights: Weights) -> Numbers:
    """Values of OVERALL, float64[7], and of RATES by category, float64[3, categories]; NaN where undefined."""
    counts = counted(model, weights)
    total = counts.total()
    category = np.stack([getattr(counts, name) for name in RATES])
    overall = [_accuracy(model, weights), *(getattr(total, name)[0] for name in RATES), *mean_of_rows(category)]
    return Numbers(np.array(overall, np.float64), category)


def mean_rates(models: Sequence[Countable], weights: Weights) -> Numbers:
    """As `rates`, the mean over several questions of the numbers that each has; the categories of all in a row."""
    parts = [rates(model, weights) for model in models]
    overall = mean_of_rows(np.stack([part.overall for part in parts], 1))
    return Numbers(overall, np.concatenate([part.category for part in parts], 1))


def mean_of_rows(values: FloatArray) -> FloatArray:
    """Mean of the defined values of each row, NaN where there are none.

    >>> mean_of_rows(np.array([[1.0, np.nan, 0.5], [np.nan] * 3])).tolist()
    [0.75, nan]
    """
    defined = ~np.isnan(values)
    count = defined.sum(1)
    sums = np.where(defined, values, 0.0).sum(1)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _accuracy(model: Countable, weights: Weights) -> float:
    if model.right is None or model.judged is None:
        return np.nan
    judged = int(weights @ model.judged)
    return int(weights @ model.right) / judged if judged else np.nan
