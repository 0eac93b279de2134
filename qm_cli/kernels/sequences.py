"""Frames of videos in their order, boxes against those of another frame, and running means along tracks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.segments import bounded_stretches, expand, offsets_of, place_in_run, reduce_runs, starts_of

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
PAIRS_AT_ONCE = 1 << 22


class Runs(NamedTuple):
    """Unbroken runs of frames: run, place: int64[n], −1 for what is in none; repeated: bool[n], a frame met twice."""

    run: RowArray
    place: RowArray
    repeated: BoolArray


def codes_of(values: npt.NDArray[Any]) -> RowArray:
    """A number for each distinct value, −1 for None and NaN: int64[n]. Objects are told apart by their text.

    >>> codes_of(np.array(["b", None, "a", "b"], object)).tolist()
    [1, -1, 0, 1]
    """
    known = known_values(values)
    codes = np.full(len(values), -1, np.int64)
    there = values[known]
    codes[known] = np.unique(there.astype(str) if there.dtype == object else there, return_inverse=True)[1]
    return codes


def known_values(values: npt.NDArray[Any]) -> BoolArray:
    """Which values are neither None nor NaN: bool[n]."""
    itself: BoolArray = np.asarray(values == values, bool)
    return itself & np.not_equal(values, np.array(None, object)).astype(bool) if values.dtype == object else itself


def frame_runs(video: RowArray, frame: npt.NDArray[Any], known: BoolArray, max_step: float) -> Runs:
    """Images by video and frame number, cut where the next frame is more than `max_step` away.

    video: int64[n], −1 for none; frame: numbers; known: which of them are. Runs are numbered by video and frame; a
    place counts from 0. Images that share video and frame have no order: they are in no run.

    >>> frame_runs(np.zeros(4, np.int64), np.array([3, 1, 2, 9]), np.ones(4, bool), 1).place.tolist()
    [2, 0, 1, 0]
    """
    run, place = np.full(len(video), -1, np.int64), np.full(len(video), -1, np.int64)
    repeated = np.zeros(len(video), bool)
    order = np.flatnonzero(known & (video >= 0))
    order = order[np.lexsort((frame[order], video[order]))]
    same = (video[order][1:] == video[order][:-1]) & (frame[order][1:] == frame[order][:-1])
    repeated[order[1:][same]] = repeated[order[:-1][same]] = True
    order = order[~repeated[order]]
    first = np.ones(len(order), bool)
    first[1:] = (video[order][1:] != video[order][:-1]) | (np.diff(frame[order]) > max_step)
    run[order] = np.cumsum(first) - 1
    place[order] = place_in_run(run[order])
    return Runs(run, place, repeated)


def frame_keys(run: RowArray, place: RowArray, distance: int) -> RowArray:
    """A number for the frame `distance` places further in each one's run: int64[n], −1 where there can be none.

    run, place: int64[n], −1 for none. Beyond the end of a run it is a number that no frame has at distance 0.
    """
    reach, further = int(place.max(initial=0)) + 1, place + distance
    keys: RowArray = np.where((run >= 0) & (further >= 0) & (further < reach), run * reach + further, -1)
    return keys


def best_overlaps(boxes: FloatArray, key: RowArray, sought: RowArray) -> tuple[FloatArray, RowArray]:
    """Largest IoU of each box with one whose `key` is what this one has `sought`, and its row: float64[n], int64[n].

    The earlier row wins a tie; 0 and −1 where none overlaps. Keys and what is sought below 0 stand for nothing.

    >>> boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    >>> best_overlaps(boxes, np.array([0, 1]), np.array([-1, 0]))
    (array([0. , 0.5]), array([-1,  0]))
    """
    best, partner = np.zeros(len(boxes)), np.full(len(boxes), -1, np.int64)
    whole = ~np.isnan(boxes).any(axis=1)
    others, own = np.flatnonzero(whole & (key >= 0)), np.flatnonzero(whole & (sought >= 0))
    others = others[np.argsort(key[others], kind="stable")]
    start = np.searchsorted(key[others], sought[own], "left")
    count = np.searchsorted(key[others], sought[own], "right") - start
    for stretch in bounded_stretches(count, PAIRS_AT_ONCE):
        rows = own[stretch]
        other = others[expand(start[stretch], count[stretch])]
        mine = np.repeat(rows, count[stretch])
        with np.errstate(over="ignore", invalid="ignore"):
            iou = box_iou(boxes[other], boxes[mine], np.zeros(len(mine), bool))
        iou[~(iou > 0)] = 0.0
        best[rows] = reduce_runs(np.maximum, iou, np.append(0, np.cumsum(count[stretch])), 0.0)
        hits = np.flatnonzero((iou > 0) & (iou == best[mine]))[::-1]
        partner[mine[hits]] = other[hits]
    return best, partner


def scaled_differences(values: FloatArray, group: RowArray) -> FloatArray:
    """How far each row is from its group's mean, every column scaled to the group's 0..1 (0 where all are equal).

    values: float64[n, d] without NaN; group: int64[n], ascending. float64[n, d], −1..1.

    >>> scaled_differences(np.array([[1.0], [3], [2]]), np.zeros(3, np.int64)).ravel().tolist()
    [-0.5, 0.5, 0.0]
    """
    starts = starts_of(group)
    if not len(starts):
        return values.copy()
    lengths = np.diff(np.append(starts, len(group)))
    low, high = (np.repeat(ufunc.reduceat(values, starts), lengths, axis=0) for ufunc in (np.minimum, np.maximum))
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    mean = np.add.reduceat(scaled, starts) / lengths[:, None]
    differences: FloatArray = scaled - np.repeat(mean, lengths, axis=0)
    return differences


def running_cosines(vectors: FloatArray, track: RowArray, decay: float) -> FloatArray:
    """Cosine of each vector with the running mean of those before it in its track, NaN for the first: float64[n].

    vectors: float64[n, d], none of length 0; track: int64[n], ascending, each track in its order. The mean starts at
    the first vector and then is decay · mean + (1 − decay) · vector.

    >>> running_cosines(np.array([[1.0, 0], [0, 1], [1, 1]]), np.zeros(3, np.int64), 0.5).round(3).tolist()
    [nan, 0.0, 1.0]
    """
    cosine = np.full(len(vectors), np.nan)
    starts = starts_of(track)
    mean = vectors[starts]
    number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(track))))
    place = place_in_run(track)
    order = np.argsort(place, kind="stable")
    offsets = offsets_of(place[order], int(place.max(initial=-1)) + 1)
    for position in range(1, len(offsets) - 1):
        rows = order[offsets[position] : offsets[position + 1]]
        of, vector = number[rows], vectors[rows]
        lengths = np.sqrt((mean[of] ** 2).sum(axis=1)) * np.sqrt((vector**2).sum(axis=1))
        cosine[rows] = np.clip((mean[of] * vector).sum(axis=1) / lengths, -1.0, 1.0)
        mean[of] = decay * mean[of] + (1 - decay) * vector
    return cosine
