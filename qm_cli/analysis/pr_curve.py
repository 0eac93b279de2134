"""Precision and recall at every confidence that occurs, at one IoU: not interpolated, not cut to 101 points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import ratio
from qm_cli.kernels.order import order_by_score
from qm_cli.matching import Matches
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
MOST_POINTS = 1 << 20
OVERALL = -1


class CurvePoints(Struct, frozen=True):
    """Points by category and falling confidence, −1 for all categories together, those last: [points] each.

    Of what is kept from a confidence up: true and false positives, precision, and recall (NaN without labels).
    """

    category: RowArray
    confidence: FloatArray
    true_positives: RowArray
    false_positives: RowArray
    precision: FloatArray
    recall: FloatArray


def counted_rows(tables: Tables, matches: Matches, settings: Settings) -> tuple[RowArray, npt.NDArray[np.bool_]]:
    """Prediction rows that did not take an ignored label, by (category, −score), and which of them found a label.

    At the settings' IoU, whatever the score and however many an image holds.
    """
    taken = np.full(tables.count("prediction"), -1, np.int64)
    taken[matches.row] = matches.label[matches.lane(settings.iou)]
    true = (taken >= 0) & ~np.append(matches.ignored[0], True)[taken]
    rows = matches.order[(true | (taken < 0))[matches.order]]
    return rows, true[rows]


def precision_recall_points(
    tables: Tables, matches: Matches, settings: Settings, most: int = MOST_POINTS
) -> CurvePoints:
    """A point for every distinct score of a category and of all together.

    Where those are more than `most`, only the points that find another label, and each curve's last: the others lie
    between two of them at the recall of the first.
    """
    rows, true = counted_rows(tables, matches, settings)
    category = tables.values("prediction", "category_row")[rows].astype(np.int64)
    score = tables.values("prediction", "score")[rows]
    labels = np.bincount(
        tables.values("label", "category_row")[~matches.ignored[0]], minlength=tables.count("category")
    )
    together = order_by_score(np.zeros(len(rows), np.int8), 1, score)
    apart = _points(category, score, true, labels)
    overall = _points(np.zeros(len(rows), np.int64), score[together], true[together], labels.sum(keepdims=True))
    overall[0][:] = OVERALL
    columns = [np.concatenate(pair) for pair in zip(apart, overall, strict=True)]
    if len(columns[0]) > most:
        kept = _steps(columns[0], columns[2])
        columns = [column[kept] for column in columns]
    return CurvePoints(*columns)


def _points(
    group: RowArray, score: FloatArray, true: npt.NDArray[np.bool_], labels: RowArray
) -> list[npt.NDArray[Any]]:
    """Columns of the points, predictions given by (group, −score)."""
    last = np.flatnonzero(np.append((group[1:] != group[:-1]) | (score[1:] != score[:-1]), True)[: len(group)])
    first = np.searchsorted(group, np.arange(len(labels)))
    total = np.append(0, np.cumsum(true))
    own = group[last]
    found = total[last + 1] - total[first[own]]
    kept = last + 1 - first[own]
    return [own, score[last], found, kept - found, ratio(found, kept), ratio(found, labels[own])]


def _steps(category: RowArray, found: RowArray) -> RowArray:
    """Points at which a curve's true positives rise, and where it ends."""
    starts = np.append(True, category[1:] != category[:-1])
    rises = np.where(starts, found > 0, found > np.append(0, found[:-1]))
    return np.flatnonzero(rises | np.append(starts[1:], True))
