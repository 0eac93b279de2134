"""Average precision of a data set in which images count several times, without matching or sorting anew.

An image of weight w stands for w copies of it. Copies of one detection rank side by side: detections stand by falling
score, then image, then input order, then copy. The w copies of a true positive follow each other, precision does not
fall along them, so the one after the last copy is all that the envelope needs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.weighted import Runs, running_totals

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
GRID_STEPS = 100
GRID = np.append(np.linspace(0.0, 1.0, GRID_STEPS + 1), np.inf)


class RankedLane(Struct, frozen=True):
    """True positives of one lane, by (category, rank).

    hits: their images, by category. before: ranked detections at or before each, in all categories, int64[hits].
    shift: detections that this lane ranks otherwise: images, by category; sign: −1 for one that is ignored here and +1
    for one that only counts here, int8[shifts]; shifted: shifts at or before each hit, int64[hits].
    """

    hits: Runs
    before: RowArray
    shift: Runs
    sign: npt.NDArray[np.int8]
    shifted: RowArray


def ranked_totals(weights: npt.NDArray[np.int32], ranked: Runs) -> RowArray:
    """Weight of the first 0, 1, 2 … ranked detections: int64[detections + 1]."""
    return running_totals(weights, ranked)


def weighted_average_precision(
    weights: npt.NDArray[np.int32], lane: RankedLane, ranked: Runs, totals: RowArray, positives: RowArray
) -> tuple[FloatArray, RowArray]:
    """Average precision on the 101 recalls (NaN without labels) and true positives: float64, int64[categories].

    ranked: all detections that rank, by category, and `totals` their `ranked_totals`; positives: weight of the labels.
    """
    start = lane.hits.start
    counts = np.diff(start)
    cumulated = np.zeros(len(lane.before) + 1, np.int64)
    np.cumsum(weights.take(lane.hits.image), out=cumulated[1:])
    first = cumulated.take(start)
    found = cumulated[1:] - np.repeat(first[:-1], counts)
    base = totals.take(ranked.start[:-1])
    rank = totals.take(lane.before)
    if len(lane.sign):
        shifts = np.append(0, np.cumsum(weights.take(lane.shift.image) * lane.sign, dtype=np.int64))
        base = base + shifts.take(lane.shift.start[:-1])
        rank += shifts.take(lane.shifted)
    rank -= np.repeat(base, counts)
    precision = found / (rank + np.spacing(1))
    points = _points_reached(found, np.repeat(positives, counts))
    filled = np.flatnonzero(counts)
    gained = np.diff(points, prepend=0)
    gained[start[filled]] = points[start[filled]]
    area = np.zeros(len(counts))
    if len(filled):
        area[filled] = np.add.reduceat(_envelope(precision, counts) * gained, start[filled])
    result = np.where(positives > 0, area / (GRID_STEPS + 1), np.nan)
    return result, np.diff(first)


def _points_reached(found: RowArray, positives: RowArray) -> RowArray:
    """How many recalls of the grid found / positives reaches, compared as exact floats; 0 where nothing is found.

    >>> _points_reached(np.array([0, 1, 2, 100]), np.array([3, 100, 2, 100])).tolist()
    [0, 2, 101, 101]
    """
    recall = found / np.maximum(positives, 1)
    point = (recall * GRID_STEPS).astype(np.int64)
    point += GRID.take(point + 1) <= recall
    point -= GRID.take(point) > recall
    reached: RowArray = (point + 1) * (found > 0)
    return reached


def _envelope(precision: FloatArray, counts: RowArray) -> FloatArray:
    """Largest precision from each true positive to the last of its category.

    Precisions lie in 0..1: categories are kept apart by adding 2 for each that is still to come, which costs at most
    2⁻⁵² · twice the categories of a value.
    """
    lift = np.repeat(2.0 * np.arange(len(counts))[::-1], counts)
    highest = np.maximum.accumulate((precision + lift)[::-1])[::-1]
    envelope: FloatArray = highest - lift
    return envelope
