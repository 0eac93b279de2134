"""The nearest 64-bit hash of another set, as far as it differs in few bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import bounded_stretches, expand

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
BITS = 64
PAIRS_AT_ONCE = 1 << 22
NONE = -1


def nearest_across(hashes: Hashes, others: Hashes, radius: int) -> tuple[Rows, Rows]:
    """For each hash the row of `others` that differs in fewest bits, at most `radius`, and in how many: int64[n] twice.

    The earliest row wins a tie; −1 and −1 where none is near. Hashes that differ in r bits agree in one of r + 1 parts
    of their bits, so only those are compared (Norouzi, Punjani, Fleet, 2012).

    >>> [rows.tolist() for rows in nearest_across(np.array([7, 96], np.uint64), np.array([0, 3], np.uint64), 1)]
    [[1, -1], [1, -1]]
    """
    wanted, inverse = np.unique(hashes, return_inverse=True)
    distinct, first = np.unique(others, return_index=True)
    best = np.full(len(wanted), (BITS + 1) * max(len(others), 1), np.int64)
    radius = min(max(radius, 0), BITS)
    for start in range(radius + 1):
        mask = np.uint64(sum(1 << bit for bit in range(start, BITS, radius + 1)))
        _compare(wanted, distinct, first, len(others), mask, radius, best)
    distance, row = np.divmod(best[inverse], max(len(others), 1))
    near = distance <= radius
    return np.where(near, row, NONE), np.where(near, distance, NONE)


def _compare(
    hashes: Hashes, distinct: Hashes, first: Rows, count: int, mask: np.uint64, radius: int, best: Rows
) -> None:
    """Lower `best` = distance · count + row to what the near ones of the hashes that agree under the mask give."""
    keys = distinct & mask
    order = np.argsort(keys, kind="stable")
    keys, wanted = keys[order], hashes & mask
    starts = np.searchsorted(keys, wanted, side="left")
    counts = np.searchsorted(keys, wanted, side="right") - starts
    for rows in bounded_stretches(counts, PAIRS_AT_ONCE):
        own = np.repeat(rows, counts[rows])
        other = order[expand(starts[rows], counts[rows])]
        distance = np.bitwise_count(hashes[own] ^ distinct[other])
        near = np.flatnonzero(distance <= radius)
        np.minimum.at(best, own[near], distance[near].astype(np.int64) * count + first[other[near]])
