"""Intersection over union of run-length masks, exact: pixels are counted, not estimated."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.mask_columns import shared_columns
from qm_cli.kernels.runs import Runs
from qm_cli.kernels.segments import bounded_stretches, expand, starts_of

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
RUNS_AT_ONCE = 1 << 19
SLACK = 1 - 1e-9
SMALL = 1 << 30


def mask_iou(
    labels: Runs,
    predictions: Runs,
    label: RowArray,
    prediction: RowArray,
    crowd: npt.NDArray[np.bool_],
    lowest: float = 0.0,
) -> FloatArray:
    """IoU of each label mask with the prediction mask in the same place: float64[n], 0..1.

    label, prediction: rows of the two sets. Where `crowd`, the intersection is divided by the prediction's area
    (reference: pycocotools 2.0.11 `rleIou`, equal to the last bit). Pairs that cannot reach `lowest`, going by boxes
    and areas, may be given as 0. Masks of different height do not overlap.
    """
    iou = np.zeros(len(label))
    near = _near(labels, predictions, label, prediction, crowd, lowest)
    ways = _ways(labels, predictions, label[near], prediction[near])
    near = near[np.lexsort((label[near], ways))]
    label, prediction = label[near], prediction[near]
    counts = np.diff(predictions.start)[prediction]
    bounds = np.searchsorted(np.sort(ways), np.arange(len(WAYS) + 1))
    shared = np.zeros(len(near))
    for way, (first, last) in zip(WAYS, pairwise(bounds.tolist()), strict=True):
        for rows in bounded_stretches(counts[first:last], RUNS_AT_ONCE):
            if len(rows):
                places = rows + first
                shared[places] = way(labels, predictions, label[places], prediction[places])
    area = predictions.area[prediction]
    union = np.where(crowd[near], area, area + labels.area[label] - shared)
    iou[near] = shared / np.where(shared > 0, union, 1.0)
    return iou


def _ways(labels: Runs, predictions: Runs, label: RowArray, prediction: RowArray) -> npt.NDArray[np.int8]:
    """Which of the ways serves each pair, the general one or by columns, alone where the label has one run in each."""
    within = labels.within[label] & predictions.within[prediction]
    return np.where(within, np.where(labels.single[label], np.int8(1), np.int8(2)), np.int8(0))


def _near(
    labels: Runs,
    predictions: Runs,
    label: RowArray,
    prediction: RowArray,
    crowd: npt.NDArray[np.bool_],
    lowest: float,
) -> RowArray:
    """Pairs whose boxes meet and whose areas allow the lowest IoU: places, int64[k]."""
    own, other = labels.box.take(label, axis=0), predictions.box.take(prediction, axis=0)
    width = np.minimum(own[:, 0] + own[:, 2], other[:, 0] + other[:, 2]) - np.maximum(own[:, 0], other[:, 0])
    height = np.minimum(own[:, 1] + own[:, 3], other[:, 1] + other[:, 3]) - np.maximum(own[:, 1], other[:, 1])
    meet = (width > 0) & (height > 0) & (labels.height.take(label) == predictions.height.take(prediction))
    label_area, area = labels.area.take(label), predictions.area.take(prediction)
    most = np.minimum(np.minimum(width * height, label_area), area)
    union = np.where(crowd, area, label_area + area - most)
    places: RowArray = np.flatnonzero(meet & (most >= lowest * SLACK * union) & (most > 0))
    return places


def _shared(labels: Runs, predictions: Runs, label: RowArray, prediction: RowArray) -> FloatArray:
    """Pixels that each pair has in common; pairs are sorted by label: float64[n].

    The label's pixels before a place are told by its runs; their difference between the two ends of a run of the
    prediction is what the run covers of the label.
    """
    first = starts_of(label)
    own = label[first]
    number = np.repeat(np.arange(len(own)), np.diff(np.append(first, len(label))))
    label_counts = np.diff(labels.start)[own]
    ends = labels.end.take(expand(labels.start[own], label_counts)).astype(np.int64)
    begin = np.append(0, np.cumsum(label_counts))
    last = begin[1:] - 1
    odd = _parity(label_counts)
    length = np.diff(ends, prepend=0)
    length[begin[1:-1]] = ends[begin[1:-1]]
    covered = np.cumsum(length * odd)
    total = covered[last]
    limits = ends[last] + 1
    base = np.cumsum(limits) - limits
    ends += np.repeat(base, label_counts)
    kind: type[Any] = np.int32 if int(ends[-1]) < SMALL else np.int64
    counts = np.diff(predictions.start)[prediction]
    place: npt.NDArray[Any] = predictions.end.take(expand(predictions.start[prediction], counts)).astype(
        kind, copy=False
    )
    place += np.repeat(base[number].astype(kind), counts)
    run = np.searchsorted(ends.astype(kind), place)
    before = place
    before *= odd.astype(kind).take(run)
    before += (covered - ends * odd).astype(kind).take(run)
    np.negative(before[::2], out=before[::2])
    starts = np.cumsum(counts) - counts
    sums = np.add.reduceat(before, starts).astype(np.int64)
    np.negative(sums, out=sums, where=starts % 2 == 1)
    ends_empty = counts % 2 == 1
    sums[ends_empty] += total[number[ends_empty]]
    return sums.astype(np.float64)


def _parity(counts: RowArray) -> npt.NDArray[np.int8]:
    """0, 1, 0, 1 … for each of the counts anew: int8[counts.sum()]."""
    pattern = np.zeros(int(counts.sum()), np.int8)
    pattern[1::2] = 1
    begin = np.cumsum(counts) - counts
    return pattern ^ np.repeat((begin & 1).astype(np.int8), counts)


def _by_column(labels: Runs, predictions: Runs, label: RowArray, prediction: RowArray) -> FloatArray:
    """The same of masks none of whose runs goes on in the next column."""
    return shared_columns(predictions, labels, prediction, label)


WAYS = (_shared, _by_column, _by_column)
