"""What each kind of error costs: the average precision if it alone were mended.

Reference: tidecv. Per label nobody took the best-scored localisation or classification error becomes a true positive
and the kind's other errors go; errors of the kinds duplicate, background and both go; missed labels are not asked for.
Average precision is taken at one IoU over 101 points of recall; that of a category with predictions and no label is 0.
Of equal scores the earlier image's comes first (by id), then the input's order; once errors are mended, what is left of
them stands before the true positives, as in the reference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.average_precision import recall_steps
from qm_cli.analysis.error_kinds import ErrorKinds
from qm_cli.error_names import CLASSIFICATION, KINDS, LOCALISATION, MISSED
from qm_cli.kernels.order import order_by_score, stable_order
from qm_cli.kernels.segments import place_in_run
from qm_cli.label_flags import posed_labels
from qm_cli.matching import image_rank
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
RECALLS: FloatArray = np.arange(101) / 100


class ErrorImpact(Struct, frozen=True):
    """precision: AP of each category, float64[categories], NaN for one without labels and predictions.

    mended: AP once the errors of a kind are mended, float64[kinds, categories]. `mean` and `gain` are over categories.
    """

    precision: FloatArray
    mended: FloatArray

    @property
    def mean(self) -> float:
        return _mean(self.precision)

    @property
    def gains(self) -> FloatArray:
        """How much the mean AP grows by each kind, at least 0: float64[kinds]."""
        return np.maximum(np.array([_mean(row) for row in self.mended]) - self.mean, 0.0)

    @property
    def category_gains(self) -> FloatArray:
        """How much each category's own AP grows, at least 0; NaN where it is undefined: float64[kinds, categories]."""
        return np.maximum(self.mended - self.precision, 0.0)


def _mean(values: FloatArray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


class _Points(Struct, frozen=True):
    """What curves are drawn from, by (category, −score); an array of one value a point each.

    true: a true positive as it is. kind: of the error, else −1. best: the best-scored error aimed at its label.
    moved: what mending a best error adds to a category; no point before that. first: int64[categories + 1].
    """

    category: npt.NDArray[np.integer]
    true: BoolArray
    kind: npt.NDArray[np.int8]
    best: BoolArray
    moved: BoolArray
    first: RowArray


def error_impact(tables: Tables, kinds: ErrorKinds) -> ErrorImpact:
    """The AP as it is, and with the errors of each kind mended alone."""
    categories = tables.count("category")
    labelled = tables.values("label", "category_row")
    positives = np.bincount(labelled[posed_labels(tables, tables.measure.task)], minlength=categories)
    missed = np.bincount(labelled[kinds.label_kind == MISSED], minlength=categories)
    before, after = _points(tables, kinds, mended=False), _points(tables, kinds, mended=True)
    precision = _precision(before, np.ones(len(before.true), bool), before.true, positives)
    mended = []
    for kind in range(len(KINDS)):
        wrong = after.kind == kind
        best = wrong & after.best
        in_place = best & ~after.moved & (kind == LOCALISATION)
        kept = np.where(after.moved, best, ~wrong | in_place)
        asked = positives - missed if kind == MISSED else positives
        mended.append(_precision(after, kept, after.true | best, asked))
    return ErrorImpact(precision, np.stack(mended))


def _points(tables: Tables, kinds: ErrorKinds, mended: bool) -> _Points:
    """The predictions in the order of the curves; `mended`: errors first among equals, and what mending moves."""
    row = np.flatnonzero(kinds.taking_part & ~kinds.suppressed)
    category = tables.values("prediction", "category_row").take(row)
    moved = np.zeros(len(row), bool)
    if mended:
        elsewhere = kinds.suppressed | (kinds.prediction_kind == CLASSIFICATION)
        more = np.flatnonzero(kinds.best_error & elsewhere)
        target = tables.values("label", "category_row").take(kinds.aimed_at.take(more))
        row, category = np.append(row, more), np.append(category, target)
        moved = np.append(moved, np.ones(len(more), bool))
    order = _input_order(tables, row)
    if mended:
        wrong = kinds.taken.take(row.take(order)) < 0
        order = np.concatenate([order[wrong], order[~wrong]])
    score = tables.values("prediction", "score").take(row.take(order))
    order = order.take(order_by_score(category.take(order), tables.count("category"), score))
    row, category = row.take(order), category.take(order)
    first = np.searchsorted(category, np.arange(tables.count("category") + 1, dtype=category.dtype))
    true, kind, best = kinds.taken.take(row) >= 0, kinds.prediction_kind.take(row), kinds.best_error.take(row)
    return _Points(category, true, kind, best, moved.take(order), first)


def _input_order(tables: Tables, row: RowArray) -> RowArray:
    """Places of prediction rows by (image id, row)."""
    order = np.argsort(row, kind="stable")
    rank = image_rank(tables)
    if (rank[1:] > rank[:-1]).all():
        return order
    image = tables.values("prediction", "image_row").take(row.take(order))
    return order.take(stable_order(rank.take(image), tables.count("image")))


def _precision(points: _Points, kept: BoolArray, true: BoolArray, positives: RowArray) -> FloatArray:
    """AP of each category from the points that are kept; NaN for one without points and positives."""
    seen = np.append(0, np.cumsum(kept, dtype=np.int32))
    hits = np.flatnonzero(kept & true)
    of_hit = points.category.take(hits)
    found = place_in_run(of_hit) + 1
    precision = found / (seen.take(hits + 1) - seen.take(points.first).take(of_hit))
    start = np.searchsorted(of_hit, np.arange(len(positives) + 1, dtype=of_hit.dtype))
    count = np.diff(start)[:, None]
    steps = recall_steps(positives, RECALLS)
    place = start[:-1, None] + np.minimum(steps, np.maximum(count - 1, 0))
    stretches = np.maximum.reduceat(np.append(precision, 0.0), place.ravel()).reshape(place.shape)
    envelope = np.maximum.accumulate(stretches[:, ::-1], axis=1)[:, ::-1]
    curve = np.where((steps < count) & (positives[:, None] > 0), envelope, 0.0)
    there = (np.diff(seen.take(points.first)) > 0) | (positives > 0)
    return np.where(there, curve.sum(axis=1) / len(RECALLS), np.nan)
