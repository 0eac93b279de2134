"""Labels that predictions speak against and objects that seem overlooked, as one list, the most suspicious first.

Suspicion is 1 − ObjectLab's score, 0..1. Of several confident predictions of one overlooked object (IoU ≥ .5) the
best-scored stands for all. A label drawn twice (IoU ≥ .6 with one of its category) is as suspicious as its IoU, and the
later of the two is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.label_errors import Evidence
from qm_cli.kernels.boxes import largest_overlaps
from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.object_lab import overlooked_score
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

OVERLOOKED, WRONG_CATEGORY, BADLY_LOCATED, LABELLED_TWICE = REASONS = (
    "overlooked",
    "wrong category",
    "badly located",
    "labelled twice",
)
DUPLICATE_IOU, ONE_OBJECT_IOU = 0.6, 0.5


@dataclass(frozen=True)
class Suspicions:
    """reason: place in REASONS, int64[n]. suspicion: float64[n], 0..1. label, prediction: row or −1, int64[n].

    remove: the label is to go, bool[n].
    """

    reason: RowArray
    suspicion: FloatArray
    label: RowArray
    prediction: RowArray
    remove: npt.NDArray[np.bool_]


def suspicions(tables: Tables, found: Evidence, least: float) -> Suspicions:
    """All that are at least so suspicious, the most first; ties by reason, then rows."""
    real = ~tables.values("label", "iscrowd")
    parts = [
        _overlooked(tables, found),
        _spoken_against(1, np.where(real, found.swapped, np.nan), found.swapped_by),
        _spoken_against(2, 1 - np.where(real, found.located, np.nan), found.located_by),
        _twice(tables),
    ]
    reason, suspicion, label, prediction = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = np.flatnonzero(suspicion >= least)
    order = kept[np.lexsort((prediction[kept], label[kept], reason[kept], -suspicion[kept]))]
    reason, suspicion, label, prediction = (column[order] for column in (reason, suspicion, label, prediction))
    doubly = np.append(found.conflicting, False)[label] & (reason == 1)
    return Suspicions(reason, suspicion, label, prediction, doubly | (reason == 3))


Part = tuple[RowArray, FloatArray, RowArray, RowArray]


def _overlooked(tables: Tables, found: Evidence) -> Part:
    score = tables.values("prediction", "score")
    rows = np.flatnonzero(~np.isnan(found.overlooked))
    rows = rows[_best_of_object(tables, rows)]
    suspicion = 1 - overlooked_score(found.overlooked[rows], score[rows], found.least)
    return np.zeros(len(rows), np.int64), suspicion, np.full(len(rows), -1), rows


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


def _spoken_against(reason: int, suspicion: FloatArray, by: RowArray) -> Part:
    rows = np.flatnonzero((by >= 0) & ~np.isnan(suspicion))
    return np.full(len(rows), reason), suspicion[rows], rows, by[rows]


def _twice(tables: Tables) -> Part:
    """The later of two labels of one category with nearly the same box."""
    image, category = tables.values("label", "image_row"), tables.values("label", "category_row")
    group = image.astype(np.int64) * max(tables.count("category"), 1) + category
    iou, partner = largest_overlaps(tables.values("label", "bbox"), group)
    source, crowd = tables.values("label", "source_row"), tables.values("label", "iscrowd")
    later = (partner >= 0) & (source > source[partner]) & ~crowd & ~crowd[partner]
    rows = np.flatnonzero(later & (iou >= DUPLICATE_IOU))
    return np.full(len(rows), 3), iou[rows], rows, np.full(len(rows), -1)
