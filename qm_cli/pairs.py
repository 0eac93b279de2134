"""Every label–prediction pair of an image that overlaps, whatever the categories: the `pair` table."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import bounded_stretches, expand
from qm_cli.overlap import overlap
from qm_cli.tables import Tables

LOWEST_IOU = 0.1
PAIRS_AT_ONCE = 1 << 21
NEAR_AT_ONCE = 1 << 17
"""Pairs of a stretch: few enough for a processor's cache."""


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


def pairs_above(
    tables: Tables,
    task: str,
    lowest: float,
    labels: npt.NDArray[np.bool_],
    predictions: npt.NDArray[np.bool_] | None = None,
    *,
    same_category: bool = False,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Pairs of an image with IoU > lowest, by (prediction row, label row): prediction, label int64[n], iou float64[n].

    labels, predictions: which take part, bool of each; all predictions by default. No label is taken for a crowd.
    """
    offsets = tables.offsets("label")
    rows = np.arange(tables.count("prediction")) if predictions is None else np.flatnonzero(predictions)
    image = tables.values("prediction", "image_row")[rows]
    counts, first = np.diff(offsets)[image], offsets[:-1][image]

    def near(part: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
        label, prediction = expand(first[part], counts[part]), np.repeat(rows[part], counts[part])
        kept = labels.take(label)
        if same_category:
            own = tables.values("prediction", "category_row").take(prediction)
            kept &= tables.values("label", "category_row").take(label) == own
        label, prediction = label[kept], prediction[kept]
        iou = overlap(tables, task, label, prediction)
        above = iou > lowest
        return prediction[above], label[above], iou[above]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = list(threads.map(near, bounded_stretches(counts, NEAR_AT_ONCE)))
    prediction, label, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    return prediction, label, iou


def overlapping_pairs(tables: Tables, task: str = "bbox") -> Pairs:
    """All pairs of an image, a stretch of predictions at a time, so memory stays bounded."""
    offsets = tables.offsets("label")
    image = tables.values("prediction", "image_row")
    counts = np.diff(offsets)[image]
    best = np.full(len(image), np.nan)
    first_label = offsets[:-1][image]
    stretches = bounded_stretches(counts, PAIRS_AT_ONCE)
    parts = [_stretch(tables, task, rows, counts[rows], first_label[rows], best) for rows in stretches]
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
    crowd = tables.values("label", "iscrowd")[label]
    iou = overlap(tables, task, label, prediction, crowd)
    same = tables.values("label", "category_row")[label] == tables.values("prediction", "category_row")[prediction]
    comparable = same & ~crowd
    np.fmax.at(best, prediction[comparable], iou[comparable])
    near = iou >= LOWEST_IOU
    return label[near], prediction[near], iou[near]
