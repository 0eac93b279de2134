"""Integer weights per image: random halves, and sums over objects that stand in runs of one category each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

IntArray = npt.NDArray[np.integer]
RowArray = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int32]
Counting = npt.NDArray[np.integer] | npt.NDArray[np.bool_]
"""Weights, or which count."""


class Runs(Struct, frozen=True):
    """Objects by group. image: image row of each, intp[n]; start: where each group begins, int64[groups + 1]."""

    image: npt.NDArray[np.intp]
    start: RowArray


def runs_by_group(image: IntArray, group: IntArray, groups: int) -> Runs:
    """Objects in any order as runs; the order within a group is kept."""
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=groups)
    return Runs(image[order].astype(np.intp), np.append(0, np.cumsum(counts)))


def running_totals(weights: Counting, runs: Runs) -> RowArray:
    """Sum of the weights of the first 0, 1, 2 … objects, exact: int64[objects + 1].

    >>> running_totals(np.array([1, 0, 5]), runs_by_group(np.array([0, 2]), np.array([0, 0]), 1)).tolist()
    [0, 1, 6]
    """
    total = np.zeros(len(runs.image) + 1, np.int64)
    np.cumsum(weights.take(runs.image), out=total[1:])
    return total


def run_totals(weights: Counting, runs: Runs) -> RowArray:
    """Sum of the weights of each group's objects, exact: int64[groups].

    >>> run_totals(np.array([1, 0, 5]), runs_by_group(np.array([0, 2, 2, 1]), np.array([1, 0, 1, 2]), 4)).tolist()
    [5, 6, 0, 0]
    """
    totals: RowArray = np.diff(running_totals(weights, runs).take(runs.start))
    return totals


def half_weights(seed: int, cut: int, unit: IntArray, units: int) -> tuple[Weights, Weights]:
    """1 for the images of a random half of the units and 0 for the others, and the other way round: int32[images] each.

    unit: the unit of each image, 0 … units − 1: the image itself, or the cluster it belongs to. The halves depend on
    seed and cut alone, so they are the same for every model and whatever the threads.
    """
    first = np.zeros(units, np.int32)
    first[np.random.default_rng((seed, cut)).permutation(units)[: units // 2]] = 1
    return first.take(unit), (1 - first).take(unit)
