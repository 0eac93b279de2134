"""Runs: arrays cut into consecutive segments, described by offsets or by a sorted key."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]


def offsets_of(sorted_rows: IntArray, count: int) -> npt.NDArray[np.int64]:
    """Start of each parent's run, and the end of the last: int64[count + 1], for rows sorted by parent row."""
    return np.searchsorted(sorted_rows, np.arange(count + 1)).astype(np.int64)


def starts_of(sorted_keys: IntArray) -> npt.NDArray[np.intp]:
    """Index at which each run of equal keys begins: intp[runs]."""
    if len(sorted_keys) == 0:
        return np.zeros(0, np.intp)
    return np.concatenate([[0], np.flatnonzero(sorted_keys[1:] != sorted_keys[:-1]) + 1])


def place_in_run(sorted_keys: IntArray) -> npt.NDArray[np.int64]:
    """0-based place of each element in its run of equal keys: int64[n]."""
    starts = starts_of(sorted_keys)
    lengths = np.diff(np.append(starts, len(sorted_keys)))
    return np.arange(len(sorted_keys)) - np.repeat(starts, lengths)


def numbered(values: IntArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The values ≥ 0 that occur, ascending, and the place of each value among them: int64[distinct], int64[n]."""
    there = np.zeros(int(values.max(initial=-1)) + 1, bool)
    there[values] = True
    distinct = np.flatnonzero(there)
    place = np.cumsum(there) - 1
    return distinct, place[values]


def expand(starts: IntArray, counts: IntArray) -> npt.NDArray[np.int64]:
    """start, start + 1, … for `count` values of each run, one run after another: int64[counts.sum()]."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    places: npt.NDArray[np.int64] = np.arange(total) + np.repeat(np.asarray(starts, np.int64) - (ends - counts), counts)
    return places


def bounded_stretches(counts: IntArray, most: int) -> list[npt.NDArray[np.int64]]:
    """Places 0 … n − 1 in stretches whose counts sum to about `most` (or one place); at least one stretch."""
    total = np.cumsum(counts)
    ends = np.searchsorted(total, np.arange(most, int(total[-1]) if len(total) else 0, most))
    bounds = sorted({0, *ends.tolist(), len(counts)})
    return [np.arange(begin, end) for begin, end in pairwise(bounds)] or [np.zeros(0, np.int64)]


def reduce_runs(
    ufunc: np.ufunc, values: npt.NDArray[np.generic], offsets: IntArray, empty: float
) -> npt.NDArray[np.float64]:
    """`ufunc` over each run, `empty` for a run without values: float64[len(offsets) - 1].

    Each run is reduced from its own values alone, so the result does not depend on how the runs are sharded.
    """
    result = np.full(len(offsets) - 1, empty, np.float64)
    filled = np.flatnonzero(np.diff(offsets) > 0)
    if len(filled):
        result[filled] = ufunc.reduceat(values, offsets[:-1][filled])
    return result
