"""Every label–prediction pair of an image that overlaps, whatever the categories: the `pair` table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.segments import expand
from qm_cli.tables import Tables

LOWEST_IOU = 0.1
PAIRS_AT_ONCE = 1 << 21


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


def overlapping_pairs(tables: Tables) -> Pairs:
    """All pairs of an image, a stretch of predictions at a time, so memory stays bounded."""
    offsets = tables.offsets("label")
    image = tables.values("prediction", "image_row")
    counts = np.diff(offsets)[image]
    best = np.full(len(image), np.nan)
    parts = [_stretch(tables, rows, counts[rows], offsets[:-1][image[rows]], best) for rows in _stretches(counts)]
    label, prediction, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pairs(label, prediction, iou, best)


def _stretches(counts: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Prediction rows in stretches of at most PAIRS_AT_ONCE pairs (or one prediction), at least one stretch."""
    total = np.cumsum(counts)
    ends = np.searchsorted(total, np.arange(PAIRS_AT_ONCE, int(total[-1]) if len(total) else 0, PAIRS_AT_ONCE))
    bounds = np.unique(np.concatenate([[0], ends, [len(counts)]]))
    return [np.arange(begin, end) for begin, end in pairwise(bounds)] or [np.zeros(0, np.int64)]


def _stretch(
    tables: Tables,
    rows: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    first_label: npt.NDArray[np.int64],
    best: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    label, prediction = expand(first_label, counts), np.repeat(rows, counts)
    crowd = tables.values("label", "iscrowd")[label]
    iou = box_iou(
        tables.values("label", "bbox").take(label, axis=0),
        tables.values("prediction", "bbox").take(prediction, axis=0),
        crowd,
    )
    same = tables.values("label", "category_row")[label] == tables.values("prediction", "category_row")[prediction]
    comparable = same & ~crowd
    np.fmax.at(best, prediction[comparable], iou[comparable])
    near = iou >= LOWEST_IOU
    return label[near], prediction[near], iou[near]
