"""What predictions say about labels: the evidence ObjectLab scores and a review queue are made of.

A prediction of score ≥ .95 that overlaps no label may be an overlooked object; one above .5 that overlaps a label of
its category tells where that should be; one above .95 of another category tells what it should be. Crowd regions
overlap predictions like any label and have no score of their own; neither have labels without a visible keypoint.
Keypoints are never wholly apart: there a prediction overlaps a label where their boxes do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.confusion import confused_pairs
from qm_cli.analysis.counts import Outcomes
from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.object_lab import similarity
from qm_cli.kernels.segments import bounded_stretches, expand, starts_of
from qm_cli.label_flags import posed_labels
from qm_cli.overlap import overlap
from qm_cli.pairs import PAIRS_AT_ONCE, in_stretches, of_one_category
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

HIGH_CONFIDENCE, LOW_CONFIDENCE = 0.95, 0.5
SAME_BOX = 0.95


class Evidence(Struct, frozen=True):
    """least: the smallest similarity above 0 of all labels and predictions of an image, 1 without any.

    overlooked: of each prediction, as `overlooked_score` takes it, float64[predictions]. located, swapped: of each
    label as `located_score` and `swapped_score` take them, float64[labels], and the prediction row that says so or −1,
    int64[labels]. conflicting: a label of another category has the same box (IoU ≥ .95), bool[labels].
    """

    least: float
    overlooked: FloatArray
    located: FloatArray
    located_by: RowArray
    swapped: FloatArray
    swapped_by: RowArray
    conflicting: BoolArray


class _Votes(Struct, frozen=True):
    """What predictions say about labels: rows int64[n], similarity float64[n]."""

    label: RowArray
    prediction: RowArray
    near: FloatArray


def evidence(tables: Tables, task: str = "bbox") -> Evidence:
    """What all pairs of an image say."""
    overlooked = np.where(tables.values("prediction", "score") >= HIGH_CONFIDENCE, -1.0, np.nan)
    parts = in_stretches(tables, lambda label, prediction: _said(tables, task, label, prediction, overlooked))
    located, located_by = _strongest([part[1] for part in parts], tables.count("label"))
    swapped, swapped_by = _strongest([part[2] for part in parts], tables.count("label"))
    least = min((part[0] for part in parts), default=1.0)
    return Evidence(least, overlooked, located, located_by, swapped, swapped_by, _conflicting(tables))


def _said(
    tables: Tables, task: str, label: RowArray, prediction: RowArray, overlooked: FloatArray
) -> tuple[float, _Votes, _Votes]:
    """The least similarity and the votes on place and category; `overlooked` is filled for these predictions."""
    iou = overlap(tables, task, label, prediction)
    boxes = (tables.values("label", "bbox").take(label, axis=0), tables.values("prediction", "bbox"))
    near = similarity(iou, boxes[0], boxes[1].take(prediction, axis=0))
    score = tables.values("prediction", "score").take(prediction)
    same = of_one_category(tables, label, prediction)
    real = posed_labels(tables, task).take(label)
    over = overlap(tables, "bbox", label, prediction) > 0 if task == "keypoints" else iou > 0
    _fill_overlooked(overlooked, prediction, near, same, over)
    located = np.flatnonzero(same & real & over & (score > LOW_CONFIDENCE))
    swapped = np.flatnonzero(~same & real & (score > HIGH_CONFIDENCE))
    place, other = (_Votes(label[rows], prediction[rows], near[rows]) for rows in (located, swapped))
    return float(near.min(initial=1.0, where=near > 0)), place, other


def _fill_overlooked(
    overlooked: FloatArray, prediction: RowArray, near: FloatArray, same: BoolArray, over: BoolArray
) -> None:
    """Largest similarity with a label of its category; NaN for a prediction that overlaps any label."""
    chosen = np.flatnonzero(same & (overlooked.take(prediction) < 0))
    starts = starts_of(prediction[chosen])
    if len(starts):
        overlooked[prediction[chosen][starts]] = np.maximum.reduceat(near[chosen], starts)
    overlooked[prediction[over]] = np.nan


def _strongest(parts: list[_Votes], labels: int) -> tuple[FloatArray, RowArray]:
    """Of each label the largest similarity and the prediction it is with, the first of equals; NaN and −1 for none."""
    names = ("label", "prediction", "near")
    label, prediction, near = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    order = np.lexsort((prediction, -near, label))
    first = order[starts_of(label[order])]
    strongest, by = np.full(labels, np.nan), np.full(labels, -1, np.int64)
    strongest[label[first]], by[label[first]] = near[first], prediction[first]
    return strongest, by


def _conflicting(tables: Tables) -> BoolArray:
    """Labels whose box another category's label of the image has as well: bool[labels]."""
    image, category = tables.values("label", "image_row"), tables.values("label", "category_row")
    offsets, boxes = tables.offsets("label"), tables.values("label", "bbox")
    counts = np.diff(offsets).take(image)
    found = np.zeros(len(image), bool)
    for rows in bounded_stretches(counts, PAIRS_AT_ONCE):
        other, own = expand(offsets.take(image.take(rows)), counts.take(rows)), np.repeat(rows, counts.take(rows))
        apart = np.flatnonzero(category.take(other) != category.take(own))
        other, own = other[apart], own[apart]
        iou = box_iou(boxes.take(other, axis=0), boxes.take(own, axis=0), np.zeros(len(own), bool))
        found[own[iou >= SAME_BOX]] = True
    return found


def corresponding(tables: Tables, found: Outcomes, settings: Settings) -> RowArray:
    """The prediction that sits on each label, of its category or, where none is left, of another: row or −1.

    The matches at the run's IoU and confidence, then the pairs of the confusion matrix: int64[labels].
    """
    rows = found.matched_prediction.copy()
    prediction, label = confused_pairs(tables, found, settings)
    rows[label] = prediction
    return rows
