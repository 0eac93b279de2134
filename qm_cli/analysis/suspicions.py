"""Labels that predictions speak against and objects that seem overlooked, as one list, the most suspicious first.

Suspicion is 1 − ObjectLab's score, 0..1. Of several confident predictions of one overlooked object (IoU ≥ .5) the
best-scored stands for all. A label drawn twice (it and its box overlap one of its category by ≥ .6) is as suspicious as
they overlap, and the later of the two is meant. An issue is what ObjectLab's rule calls one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.label_errors import Evidence
from qm_cli.analysis.label_issues import highest_scores
from qm_cli.kernels.boxes import largest_overlaps
from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.object_lab import located_score, overlooked_score, swapped_score
from qm_cli.label_flags import posed_labels
from qm_cli.overlap import overlap_of_labels
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

OVERLOOKED, WRONG_CATEGORY, BADLY_LOCATED, LABELLED_TWICE = REASONS = (
    "overlooked",
    "wrong category",
    "badly located",
    "labelled twice",
)
CLASS_REASONS = ("confident learning", "another class leads")
EVERY_REASON = (*REASONS, *CLASS_REASONS)
DUPLICATE_IOU, ONE_OBJECT_IOU = 0.6, 0.5


class Suspicions(Struct, frozen=True):
    """reason: place in EVERY_REASON, int64[n]. suspicion: float64[n], 0..1. label, prediction: row or −1, int64[n].

    category: the row of the one suggested, −1 for a label that is to go, int64[n]. remove: the label is to go, bool[n].
    issue: a published rule says so too, bool[n].
    """

    reason: RowArray
    suspicion: FloatArray
    label: RowArray
    prediction: RowArray
    category: RowArray
    remove: BoolArray
    issue: BoolArray


def suspicions(tables: Tables, found: Evidence, least: float, task: str = "bbox") -> Suspicions:
    """All that are at least so suspicious, the most first; ties by reason, then rows."""
    real, highest = posed_labels(tables, task), highest_scores(tables, task)
    of_label = np.where(real, highest[tables.values("label", "category_row")], -1.0)
    misplaced = located_score(found.located) <= of_label
    swapped = swapped_score(found.swapped, found.conflicting, found.least) <= of_label
    parts = [
        _overlooked(tables, found, highest),
        _spoken_against(1, np.where(real, found.swapped, np.nan), found.swapped_by, swapped),
        _spoken_against(2, 1 - np.where(real, found.located, np.nan), found.located_by, misplaced),
        _twice(tables, task, real),
    ]
    reason, suspicion, label, prediction, issue = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = np.flatnonzero(suspicion >= least)
    order = kept[np.lexsort((prediction[kept], label[kept], reason[kept], -suspicion[kept]))]
    reason, suspicion, label, prediction, issue = (
        column[order] for column in (reason, suspicion, label, prediction, issue)
    )
    doubly = np.append(found.conflicting, False)[label] & (reason == 1)
    remove = doubly | (reason == 3)
    own = np.append(tables.values("label", "category_row"), -1)[label]
    told = np.append(tables.values("prediction", "category_row"), -1)[prediction]
    category = np.where(remove, -1, np.where(reason == 2, own, told)).astype(np.int64)
    return Suspicions(reason, suspicion, label, prediction, category, remove, issue)


Part = tuple[RowArray, FloatArray, RowArray, RowArray, BoolArray]


def _overlooked(tables: Tables, found: Evidence, highest: FloatArray) -> Part:
    score = tables.values("prediction", "score")
    rows = np.flatnonzero(~np.isnan(found.overlooked))
    rows = rows[_best_of_object(tables, rows)]
    quality = overlooked_score(found.overlooked[rows], score[rows], found.least)
    issue = quality <= highest[tables.values("prediction", "category_row")[rows]]
    return np.zeros(len(rows), np.int64), 1 - quality, np.full(len(rows), -1), rows, issue


def _best_of_object(tables: Tables, rows: RowArray) -> npt.NDArray[np.bool_]:
    """Which of these predictions no better-scored one of the same image lies upon; ties by row."""
    image, boxes = tables.values("prediction", "image_row")[rows], tables.values("prediction", "bbox")[rows]
    score = tables.values("prediction", "score")[rows]
    first, last = np.searchsorted(image, image, "left"), np.searchsorted(image, image, "right")
    best = np.ones(len(rows), bool)
    for place in np.flatnonzero(last - first > 1):
        others = np.arange(first[place], last[place])
        better = others[(score[others] > score[place]) | ((score[others] == score[place]) & (others < place))]
        own = np.broadcast_to(boxes[place], (len(better), 4))
        best[place] = not (box_iou(boxes[better], own, np.zeros(len(better), bool)) >= ONE_OBJECT_IOU).any()
    return best


def _spoken_against(reason: int, suspicion: FloatArray, by: RowArray, issue: BoolArray) -> Part:
    rows = np.flatnonzero((by >= 0) & ~np.isnan(suspicion))
    return np.full(len(rows), reason), suspicion[rows], rows, by[rows], issue[rows]


def _twice(tables: Tables, task: str, real: BoolArray) -> Part:
    """The later of two labels of one category with nearly the same box and shape."""
    image, category = tables.values("label", "image_row"), tables.values("label", "category_row")
    group = image.astype(np.int64) * max(tables.count("category"), 1) + category
    iou, partner = largest_overlaps(tables.values("label", "bbox"), group)
    source = tables.values("label", "source_row")
    later = (partner >= 0) & (source > source[partner]) & real & real[partner]
    rows = np.flatnonzero(later & (iou >= DUPLICATE_IOU))
    if task != "bbox":
        iou[rows] = overlap_of_labels(tables, task, rows, partner[rows])
        rows = rows[iou[rows] >= DUPLICATE_IOU]
    return np.full(len(rows), 3), iou[rows], rows, np.full(len(rows), -1), np.zeros(len(rows), bool)
