"""What is kept and found as the confidence falls, as its convention matches at each: changes by falling score.

Where predictions are matched by falling score a lower one changes nothing that was before. Where the larger overlap
goes first it may take another's label: then that one's true positive is taken back at the score of the newcomer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.best_label import BestLabels
from qm_cli.analysis.counts import Outcomes
from qm_cli.kernels.arriving import taken_on_arrival
from qm_cli.kernels.order import order_by_score
from qm_cli.kernels.segments import numbered
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrivals:
    """Changes by (category, −score): their sums down to a score are the counts of a category at that confidence.

    score: float64[n]; image, category: int64[n]; found: change of the true positives, kept: of the predictions that
    count, int64[n]. label_counts: labels that are to be found, bool[labels].
    """

    score: FloatArray
    image: RowArray
    category: RowArray
    found: RowArray
    kept: RowArray
    label_counts: BoolArray


def settled(tables: Tables, every: Outcomes, order: RowArray) -> Arrivals:
    """Of matches that lower-scored predictions never change. every: outcomes at any confidence.

    order: prediction rows by (category, −score).
    """
    rows = order[(every.counted & ~every.ignored)[order]]
    image, category, score = (
        tables.values("prediction", name)[rows] for name in ("image_row", "category_row", "score")
    )
    found = every.true_positive[rows].astype(np.int64)
    return Arrivals(
        score, image.astype(np.int64), category.astype(np.int64), found, np.ones_like(found), every.label_counts
    )


def by_overlap(
    tables: Tables, prediction: RowArray, label: RowArray, group: RowArray, excused: BoolArray, counts: BoolArray
) -> Arrivals:
    """Of pairs matched one-to-one, the best first, among the predictions of at least a confidence.

    prediction, label: rows of the pairs above the threshold, best first: int64[pairs]. group: int64[predictions], what
    no pair reaches across. excused: predictions that do not count while they are unmatched, bool[predictions]. counts:
    bool[labels].
    """
    score = tables.values("prediction", "score")
    there = np.unique(prediction)
    there = there[np.lexsort((there, -score[there], group[there]))]
    number = np.empty(len(score), np.int64)
    number[there] = np.arange(len(there))
    changes = taken_on_arrival(number[prediction], numbered(label)[1], group[there])
    rows, other = prediction[changes.pair], label[changes.pair]
    return _arrivals(tables, rows, other, score[there[changes.cause]], changes.sign, excused, counts)


def by_best_label(
    tables: Tables, best: BestLabels, passes: BoolArray, excused: BoolArray, counts: BoolArray
) -> Arrivals:
    """Of predictions that want one label each; of those of at least a confidence the largest overlap has it.

    passes: predictions whose overlap is enough, bool[predictions]. Ties: higher score, then input order.
    """
    score = tables.values("prediction", "score")
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
    return _arrivals(tables, affected, best.label[affected], at, sign, excused, counts)


def _arrivals(
    tables: Tables,
    prediction: RowArray,
    label: RowArray,
    score: FloatArray,
    sign: RowArray,
    excused: BoolArray,
    counts: BoolArray,
) -> Arrivals:
    """Every prediction when it arrives, but for the excused, and the pairs taken (1) or given up (−1) at a score."""
    own = np.flatnonzero(~excused)
    category = tables.values("prediction", "category_row").astype(np.int64)
    same = tables.values("label", "category_row")[label] == category[prediction]
    rows = np.concatenate([own, prediction])
    scores = np.concatenate([tables.values("prediction", "score")[own], score])
    found = np.concatenate([np.zeros(len(own), np.int64), sign * same])
    kept = np.concatenate([np.ones(len(own), np.int64), sign * excused[prediction]])
    order = order_by_score(category[rows], tables.count("category"), scores)
    rows = rows[order]
    image = tables.values("prediction", "image_row").astype(np.int64)
    return Arrivals(scores[order], image[rows], category[rows], found[order], kept[order], counts)
