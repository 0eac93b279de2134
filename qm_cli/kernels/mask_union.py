"""Overlap of groups of run-length masks, each group taken for one mask: pixels are counted, not estimated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.runs import Runs
from qm_cli.kernels.segments import bounded_stretches, expand, numbered, offsets_of

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
RUNS_AT_ONCE = 1 << 20


def union_iou(labels: Runs, predictions: Runs, label_group: RowArray, prediction_group: RowArray) -> FloatArray:
    """IoU of the union of a group's label masks with the union of its prediction masks: float64[groups], 0..1.

    label_group, prediction_group: number ≥ 0 of each mask's group, one of each mask. 0 where there is no pixel on
    either side, or nothing is shared; masks of different height share nothing.
    """
    groups = int(max(label_group.max(initial=-1), prediction_group.max(initial=-1))) + 1
    height = np.concatenate([labels.height, predictions.height])
    tallest = int(height.max(initial=0)) + 1
    keys, key = numbered(np.concatenate([label_group, prediction_group]) * tallest + height)
    order = np.argsort(key, kind="stable")
    offsets = offsets_of(key[order], len(keys))
    counts = np.append(np.diff(labels.start), np.diff(predictions.start))
    shared, either = np.zeros(groups), np.zeros(groups)
    group = keys // tallest
    for part in bounded_stretches(np.diff(np.append(0, np.cumsum(counts[order]))[offsets]), RUNS_AT_ONCE):
        rows = order[offsets[part[0]] : offsets[part[-1] + 1]] if len(part) else order[:0]
        own, other = rows[rows < len(label_group)], rows[rows >= len(label_group)] - len(label_group)
        events = [_events(labels, own, key), _events(predictions, other, key[len(label_group) :])]
        pixels = _covered(events, len(keys))
        shared += np.bincount(group, pixels[0], groups)
        either += np.bincount(group, pixels[1], groups)
    return shared / np.where(either > 0, either, 1.0)


def _events(masks: Runs, rows: RowArray, key: RowArray) -> tuple[RowArray, RowArray, RowArray]:
    """Where the object runs of masks begin (+1) and end (−1): key, pixel and change, int64[n] each."""
    count = np.diff(masks.start)[rows] // 2
    last = np.repeat(masks.start[:-1][rows], count) + 2 * expand(np.zeros(len(rows), np.int64), count) + 1
    begin, end = masks.end[last - 1], masks.end[last]
    owner = np.repeat(key[rows], count)
    change = np.repeat(np.array([1, -1]), len(owner))
    return np.tile(owner, 2), np.concatenate([begin, end]).astype(np.int64), change


def _covered(events: list[tuple[RowArray, RowArray, RowArray]], keys: int) -> FloatArray:
    """Pixels of each key that both sides cover, and that either does: float64[2, keys]."""
    key, pixel, _ = (np.concatenate([side[column] for side in events]) for column in range(3))
    label, prediction = events[0][2], events[1][2]
    order = np.lexsort((pixel, key))
    key, pixel = key[order], pixel[order]
    sides = [
        np.append(label, np.zeros(len(prediction), np.int64)),
        np.append(np.zeros(len(label), np.int64), prediction),
    ]
    covered = [np.cumsum(side[order])[:-1] > 0 for side in sides]
    length = np.diff(pixel)
    both, either = covered[0] & covered[1], covered[0] | covered[1]
    return np.stack([np.bincount(key[:-1][there], length[there], keys) for there in (both, either)])
