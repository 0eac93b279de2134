"""Every label–prediction pair of an image that overlaps, whatever the categories: the `pair` table."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import bounded_stretches, expand, starts_of
from qm_cli.overlap import overlap
from qm_cli.tables import Tables

LOWEST_IOU = 0.1
PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Pairs:
    """Pairs with IoU ≥ .1 by (prediction row, label row): rows int64[n], iou float64[n].

    best_iou: largest IoU of each prediction with a label of its own category that is no crowd, however small; 0 without
    overlap, NaN where the image has no such label: float64[predictions].
    """

    label_row: npt.NDArray[np.int64]
    prediction_row: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]
    best_iou: npt.NDArray[np.float64]


def overlapping_pairs(tables: Tables, task: str = "bbox") -> Pairs:
    """All pairs of an image, stretches of predictions side by side, so memory stays bounded."""
    offsets = tables.offsets("label")
    image = tables.values("prediction", "image_row")
    counts = np.diff(offsets)[image]
    best = np.full(len(image), np.nan)
    first_label = offsets[:-1][image]
    stretches = bounded_stretches(counts, PAIRS_AT_ONCE)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = list(
            threads.map(lambda rows: _stretch(tables, task, rows, counts[rows], first_label[rows], best), stretches)
        )
    label, prediction, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pairs(label, prediction, iou, best)


def _stretch(
    tables: Tables,
    task: str,
    rows: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    first_label: npt.NDArray[np.int64],
    best: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    label, prediction = expand(first_label, counts), np.repeat(rows, counts)
    crowd = tables.values("label", "iscrowd").take(label)
    iou = overlap(tables, task, label, prediction, crowd)
    category = tables.values("prediction", "category_row").take(prediction)
    comparable = np.flatnonzero((tables.values("label", "category_row").take(label) == category) & ~crowd)
    compared = prediction[comparable]
    starts = starts_of(compared)
    if len(starts):
        best[compared[starts]] = np.maximum.reduceat(iou[comparable], starts)
    near = np.flatnonzero(iou >= LOWEST_IOU)
    return label[near], prediction[near], iou[near]
