"""Every label–prediction pair of an image: a stretch at a time, those above an IoU, and the `pair` table."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import bounded_stretches, expand, starts_of
from qm_cli.label_flags import posed_labels
from qm_cli.overlap import overlap
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Found = TypeVar("Found")

LOWEST_IOU = 0.1
PAIRS_AT_ONCE = 1 << 16
"""Pairs of a stretch: few enough for a processor's cache."""


class Overlaps(Struct, frozen=True):
    """Pairs by (prediction row, label row): rows int32[n], iou float64[n]."""

    label_row: npt.NDArray[np.int32]
    prediction_row: npt.NDArray[np.int32]
    iou: FloatArray


class Pairs(Struct, frozen=True):
    """Pairs with IoU ≥ .1 by (prediction row, label row): rows int64[n], iou float64[n].

    best_iou: largest IoU of each prediction with a label of its own category that is no crowd (and, of keypoints, has
    one), however small; 0 without overlap, NaN where the image has no such label: float64[predictions].
    across: pairs of two categories that overlap, however little, with such labels.
    """

    label_row: RowArray
    prediction_row: RowArray
    iou: FloatArray
    best_iou: FloatArray
    across: Overlaps


def in_stretches(
    tables: Tables, look: Callable[[RowArray, RowArray], Found], predictions: RowArray | None = None
) -> list[Found]:
    """What `look` finds in the label and prediction rows of all pairs of an image, by (prediction row, label row).

    Stretches of predictions are looked at side by side, so that memory stays bounded; those of one prediction are
    together. predictions: the rows that take part, all by default. At least one stretch.
    """
    rows = np.arange(tables.count("prediction")) if predictions is None else predictions
    offsets = tables.offsets("label")
    image = tables.values("prediction", "image_row")[rows]
    counts, first = np.diff(offsets)[image], offsets[:-1][image]

    def stretch(places: RowArray) -> Found:
        return look(expand(first[places], counts[places]), np.repeat(rows[places], counts[places]))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(stretch, bounded_stretches(counts, PAIRS_AT_ONCE)))


def of_one_category(tables: Tables, label: RowArray, prediction: RowArray) -> BoolArray:
    """Whether label and prediction of each pair have the same category: bool[n]."""
    own = tables.values("prediction", "category_row").take(prediction)
    return np.asarray(tables.values("label", "category_row").take(label) == own)


def pairs_above(
    tables: Tables,
    task: str,
    lowest: float,
    labels: BoolArray,
    predictions: BoolArray | None = None,
    *,
    same_category: bool = False,
) -> tuple[RowArray, RowArray, FloatArray]:
    """Pairs of an image with IoU > lowest, by (prediction row, label row): prediction, label int64[n], iou float64[n].

    labels, predictions: which take part, bool of each; all predictions by default. No label is taken for a crowd.
    """

    def near(label: RowArray, prediction: RowArray) -> tuple[RowArray, RowArray, FloatArray]:
        kept = labels.take(label)
        if same_category:
            kept &= of_one_category(tables, label, prediction)
        label, prediction = label[kept], prediction[kept]
        iou = overlap(tables, task, label, prediction)
        above = iou > lowest
        return prediction[above], label[above], iou[above]

    parts = in_stretches(tables, near, None if predictions is None else np.flatnonzero(predictions))
    prediction, label, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    return prediction, label, iou


def overlapping_pairs(tables: Tables, task: str = "bbox") -> Pairs:
    """The `pair` table, the best IoU of each prediction and the overlaps across categories."""
    best, real = np.full(tables.count("prediction"), np.nan), posed_labels(tables, task)

    def near(label: RowArray, prediction: RowArray) -> tuple[npt.NDArray[np.generic], ...]:
        crowd = tables.values("label", "iscrowd").take(label)
        iou = overlap(tables, task, label, prediction, crowd)
        same = of_one_category(tables, label, prediction)
        posed = real.take(label)
        comparable = np.flatnonzero(same & posed)
        compared = prediction[comparable]
        starts = starts_of(compared)
        if len(starts):
            best[compared[starts]] = np.maximum.reduceat(iou[comparable], starts)
        above = np.flatnonzero(iou >= LOWEST_IOU)
        across = np.flatnonzero((iou > 0) & ~same & posed)
        other = label[across].astype(np.int32), prediction[across].astype(np.int32), iou[across]
        return label[above], prediction[above], iou[above], *other

    columns: Any = [np.concatenate(column) for column in zip(*in_stretches(tables, near), strict=True)]
    label, prediction, iou, *across = columns
    return Pairs(label, prediction, iou, best, Overlaps(*across))
