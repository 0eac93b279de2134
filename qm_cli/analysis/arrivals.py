"""What is kept and found as the confidence falls, as its convention matches at each: changes by falling score.

Where predictions are matched by falling score a lower one changes nothing that was before. Where the larger overlap
goes first it may take another's label: then that one's true positive is taken back at the score of the newcomer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.best_label import BestLabels
from qm_cli.analysis.counts import Outcomes
from qm_cli.kernels.arriving import taken_on_arrival
from qm_cli.kernels.order import order_by_score
from qm_cli.kernels.segments import numbered
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Arrivals(Struct, frozen=True):
    """Changes by (category, −score): their sums down to a score are the counts of a category at that confidence.

    score: float64[n]; image, category: int64[n]; found: change of the true positives, kept: of the predictions that
    count, int64[n]. label_image, label_category: of the labels that are to be found, int64[labels that count]. sought:
    labels that are to be found from a score down and not before, int64[n]; None where all are, whatever the confidence.
    """

    score: FloatArray
    image: RowArray
    category: RowArray
    found: RowArray
    kept: RowArray
    label_image: RowArray
    label_category: RowArray
    sought: RowArray | None = None


class Sides(Struct, frozen=True):
    """Predictions: score float64[n], image and category int64[n]; labels: image and category int64[labels].

    groups: how many categories there are.
    """

    score: FloatArray
    image: RowArray
    category: RowArray
    label_image: RowArray
    label_category: RowArray
    groups: int


def sides_of(tables: Tables) -> Sides:
    """The two sides of detections."""
    image, category, label_image, label_category = (
        tables.values(level, name).astype(np.int64)
        for level in ("prediction", "label")
        for name in ("image_row", "category_row")
    )
    score = tables.values("prediction", "score")
    return Sides(score, image, category, label_image, label_category, tables.count("category"))


def settled(sides: Sides, every: Outcomes, order: RowArray) -> Arrivals:
    """Of matches that lower-scored predictions never change. every: outcomes at any confidence.

    order: prediction rows by (category, −score).
    """
    rows = order[(every.counted & ~every.ignored)[order]]
    found = every.true_positive[rows].astype(np.int64)
    changes = sides.score[rows], sides.image[rows], sides.category[rows], found, np.ones_like(found)
    return Arrivals(*changes, *_labels(sides, every.label_counts))


def _labels(sides: Sides, counts: BoolArray) -> tuple[RowArray, RowArray]:
    return sides.label_image[counts], sides.label_category[counts]


def by_overlap(
    sides: Sides, prediction: RowArray, label: RowArray, group: RowArray, excused: BoolArray, counts: BoolArray
) -> Arrivals:
    """Of pairs matched one-to-one, the best first, among the predictions of at least a confidence.

    prediction, label: rows of the pairs above the threshold, best first: int64[pairs]. group: int64[predictions], what
    no pair reaches across. excused: predictions that do not count while they are unmatched, bool[predictions]. counts:
    bool[labels].
    """
    score = sides.score
    there = np.unique(prediction)
    there = there[np.lexsort((there, -score[there], group[there]))]
    number = np.empty(len(score), np.int64)
    number[there] = np.arange(len(there))
    changes = taken_on_arrival(number[prediction], numbered(label)[1], group[there])
    rows, other = prediction[changes.pair], label[changes.pair]
    return _arrivals(sides, rows, other, score[there[changes.cause]], changes.sign, excused, counts)


def by_best_label(sides: Sides, best: BestLabels, passes: BoolArray, excused: BoolArray, counts: BoolArray) -> Arrivals:
    """Of predictions that want one label each; of those of at least a confidence the largest overlap has it.

    passes: predictions whose overlap is enough, bool[predictions]. Ties: higher score, then input order.
    """
    score = sides.score
    rows = np.flatnonzero(passes & (best.label >= 0))
    rows = rows[np.lexsort((rows, -score[rows], best.label[rows]))]
    label = best.label[rows]
    levels, level = np.unique(best.iou[rows], return_inverse=True)
    height = numbered(label)[1] * (len(levels) + 1) + level + 1
    takes = np.flatnonzero(height > np.append(0, np.maximum.accumulate(height))[:-1])
    displaced = np.flatnonzero(label[takes[1:]] == label[takes[:-1]])
    newcomer, former = takes[displaced + 1], takes[displaced]
    affected = rows[np.concatenate([takes, former])]
    at = score[rows[np.concatenate([takes, newcomer])]]
    sign = np.repeat([1, -1], [len(takes), len(former)])
    return _arrivals(sides, affected, best.label[affected], at, sign, excused, counts)


def _arrivals(
    sides: Sides,
    prediction: RowArray,
    label: RowArray,
    score: FloatArray,
    sign: RowArray,
    excused: BoolArray,
    counts: BoolArray,
) -> Arrivals:
    """Every prediction when it arrives, but for the excused, and the pairs taken (1) or given up (−1) at a score."""
    own = np.flatnonzero(~excused)
    same = sides.label_category[label] == sides.category[prediction]
    rows = np.concatenate([own, prediction])
    scores = np.concatenate([sides.score[own], score])
    found = np.concatenate([np.zeros(len(own), np.int64), sign * same])
    kept = np.concatenate([np.ones(len(own), np.int64), sign * excused[prediction]])
    order = order_by_score(sides.category[rows], sides.groups, scores)
    rows = rows[order]
    changes = scores[order], sides.image[rows], sides.category[rows], found[order], kept[order]
    return Arrivals(*changes, *_labels(sides, counts))
