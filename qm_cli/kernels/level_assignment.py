"""One-to-one assignment of pairs taken in a given order, at up to 64 levels side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.order import stable_order

IntArray = npt.NDArray[np.integer]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint64]
MOST_LEVELS = 64
BELOW: Levels = np.array([(1 << end) - 1 for end in range(MOST_LEVELS + 1)], np.uint64)


def level_masks(first: IntArray, end: IntArray) -> Levels:
    """Bits first … end − 1 set, none where first ≥ end: uint64[n]. Both in 0 … 64.

    >>> level_masks(np.array([0, 1, 2]), np.array([2, 3, 2])).tolist()
    [3, 6, 0]
    """
    masks: Levels = BELOW.take(end) & ~BELOW.take(first)
    return masks


def one_to_one_at_levels(left: IntArray, right: IntArray, levels: Levels) -> Levels:
    """The levels at which each pair is taken: uint64[n], a bit a level.

    At each level the pairs whose bit is set are tried in the given order; one is taken if both its ends are still free
    there. A pair is tried as soon as the pairs before it at its two ends have been, all such pairs in one step, so each
    is looked at once.

    >>> one_to_one_at_levels(np.array([0, 0, 1]), np.array([5, 6, 5]), np.array([1, 3, 3], np.uint64)).tolist()
    [1, 2, 2]
    """
    left, next_left, first_left = _chains(left)
    right, next_right, first_right = _chains(right)
    waits = np.zeros(len(left) + 1, np.int8)
    waits[:-1] += ~first_left
    waits[:-1] += ~first_right
    waits[-1] = 2  # what comes after the last pair of a chain is never tried
    taken = np.zeros(len(left), np.uint64)
    free_left, free_right = (np.full(int(ends.max(initial=-1)) + 1, ~np.uint64(0)) for ends in (left, right))
    ready = np.flatnonzero(waits[:-1] == 0)
    while len(ready):
        one, other = left.take(ready), right.take(ready)
        chosen = levels.take(ready) & free_left.take(one) & free_right.take(other)
        taken[ready] = chosen
        free_left[one] ^= chosen
        free_right[other] ^= chosen
        ready = _freed(waits, next_left.take(ready), next_right.take(ready))
    return taken


def _freed(waits: npt.NDArray[np.int8], after_left: RowArray, after_right: RowArray) -> RowArray:
    """Pairs that wait for nothing any more, now that those before them at one end or both have been tried."""
    last = len(waits) - 1
    waits[after_left] -= 1
    freed_left = after_left[waits.take(after_left) == 0]
    waits[after_right] -= 1
    freed_right = after_right[waits.take(after_right) == 0]
    waits[last] = 2
    return np.concatenate([freed_left[freed_left < last], freed_right[freed_right < last]])


def _chains(ends: IntArray) -> tuple[RowArray, RowArray, BoolArray]:
    """Ends numbered from 0, the next pair of the same end (n for none), and whether a pair is its end's first."""
    count = len(ends)
    order = stable_order(ends, int(ends.max(initial=0)) + 1)
    ordered = ends.take(order)
    same = ordered[1:] == ordered[:-1]
    numbers, following, first = np.empty(count, np.int64), np.full(count, count, np.int64), np.ones(count, bool)
    numbers[order] = np.cumsum(np.append(False, ~same))[:count]
    following[order[:-1][same]] = order[1:][same]
    first[order[1:][same]] = False
    return numbers, following, first
