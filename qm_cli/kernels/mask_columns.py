"""Pixels that two masks have in common, found column by column; no run of either goes on in the next column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.runs import Runs
from qm_cli.kernels.segments import expand, starts_of

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]


def shared_columns(masks: Runs, others: Runs, mask: RowArray, other: RowArray) -> FloatArray:
    """Pixels that each mask and the other in the same place have in common: float64[n].

    All are `within`, each pair is of one height and neither is without an object; pairs are sorted by `other`. Each run
    of the mask is held against those that the other has in its column.
    """
    place, counts = _object_runs(masks, mask)
    low, high = masks.end.take(place), masks.end.take(place + 1)
    column = low // _tall(masks.height[mask], counts)
    if others.single[other].all():
        place = _only_runs(others, other, column, counts)
    else:
        place, several = _runs_in_column(others, other, column, counts)
        low, high = np.repeat(low, several), np.repeat(high, several)
        begin = np.cumsum(counts) - counts
        counts = np.add.reduceat(several, begin)
    np.maximum(low, others.end.take(place), out=low)
    place += 1
    np.minimum(high, others.end.take(place), out=high)
    high -= low
    np.maximum(high, 0, out=high)
    total = np.append(0, np.cumsum(high, dtype=np.int64))
    ends = np.cumsum(counts)
    shared: FloatArray = (total[ends] - total[ends - counts]).astype(np.float64)
    return shared


def _object_runs(masks: Runs, mask: RowArray) -> tuple[RowArray, RowArray]:
    """Where the background before each run of the object is told, mask by mask; and how many runs each mask has."""
    start = masks.start[mask]
    counts = (masks.start[mask + 1] - start) // 2
    place = 2 * np.arange(int(counts.sum()))
    place += np.repeat(start - 2 * (np.cumsum(counts) - counts), counts)
    return place, counts


def _only_runs(others: Runs, other: RowArray, column: Places, counts: RowArray) -> RowArray:
    """The place of the run in this column, or in the nearest: what lies in another column is not shared."""
    column -= np.repeat(others.box[other, 0].astype(np.int32), counts)
    np.clip(column, 0, np.repeat(others.box[other, 2].astype(np.int32) - 1, counts), out=column)
    column *= 2
    place = np.repeat(others.start[other], counts)
    place += column
    return place


def _runs_in_column(others: Runs, other: RowArray, column: Places, counts: RowArray) -> tuple[RowArray, RowArray]:
    """The places of all runs in these columns, and how many each column has."""
    first = starts_of(other)
    rows = other[first]
    left, width = others.box[rows, 0].astype(np.int64), others.box[rows, 2].astype(np.int64)
    base = np.cumsum(width) - width - left
    place, own = _object_runs(others, rows)
    key = others.end.take(place) // _tall(others.height[rows], own) + np.repeat(base, own)
    several = np.bincount(key, minlength=int(width.sum()) + 1)
    begin = np.cumsum(several) - several
    number = np.repeat(np.arange(len(rows)), np.diff(np.append(first, len(other))))
    inside = column - np.repeat(left[number].astype(np.int32), counts)
    there = (inside >= 0) & (inside < np.repeat(width[number].astype(np.int32), counts))
    key = np.where(there, column + np.repeat(base[number], counts), int(width.sum()))
    found = several.take(key)
    return place.take(expand(begin.take(key), found)), found


def _tall(height: RowArray, counts: RowArray) -> Any:
    """One number where all are of one height, which divides faster."""
    if (height == height[0]).all():
        return np.int32(height[0])
    return np.repeat(height.astype(np.int32), counts)
