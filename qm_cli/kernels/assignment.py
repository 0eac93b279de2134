"""One-to-one assignment of pairs taken in a given order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import numbered

IntArray = npt.NDArray[np.integer]


def greedy_one_to_one(left: IntArray, right: IntArray) -> npt.NDArray[np.bool_]:
    """Which pairs are taken when each is taken in turn if both its ends are still free: bool[n].

    Pairs stand in the order in which they are tried. Each round takes every pair that is the first left for both of its
    ends, which is what trying one after the other would take.

    >>> greedy_one_to_one(np.array([0, 0, 1]), np.array([5, 6, 5])).tolist()
    [True, False, False]
    """
    taken = np.zeros(len(left), bool)
    left, right = numbered(left)[1], numbered(right)[1]
    waiting = np.arange(len(left))
    while len(waiting):
        firsts = waiting[_first(left[waiting]) & _first(right[waiting])]
        taken[firsts] = True
        free_left, free_right = np.ones(len(taken), bool), np.ones(len(taken), bool)
        free_left[left[firsts]] = False
        free_right[right[firsts]] = False
        waiting = waiting[free_left[left[waiting]] & free_right[right[waiting]]]
    return taken


def _first(values: IntArray) -> npt.NDArray[np.bool_]:
    places = np.arange(len(values))
    first = np.empty(int(values.max(initial=-1)) + 1, np.int64)
    first[values[::-1]] = places[::-1]
    return np.asarray(first[values] == places)
