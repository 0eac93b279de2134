"""Sums of rows of whole numbers by a code: many columns at once, none of them spread out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[Any]
BLOCK = 8192


def blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    """Consecutive parts of 0 … count."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def small_enough(highest: int, size: int = BLOCK) -> npt.DTypeLike:
    """The unsigned type that holds the sum of a block of values up to `highest`."""
    return next(kind for kind in (np.uint16, np.uint32, np.uint64) if highest * size <= np.iinfo(kind).max)


def sums_by_code(codes: npt.NDArray[np.uint8], weights: IntArray, count: int) -> IntArray:
    """Sum of the weights' rows that have code 0, 1, …: [count, columns], in the weights' own type.

    At most a block of rows at a time, so that its sums fit the type (see `small_enough`).

    >>> sums_by_code(np.array([1, 0, 1], np.uint8), np.array([[1, 2], [3, 4], [5, 6]]), 2).tolist()
    [[3, 4], [6, 8]]
    """
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=count)).tolist()
    sorted_weights = np.take(weights, order, axis=0)
    sums = np.zeros((count, weights.shape[1]), weights.dtype)
    start = 0
    for code, end in enumerate(ends):
        if end > start:
            np.add.reduce(sorted_weights[start:end], axis=0, dtype=weights.dtype, out=sums[code])
        start = end
    return sums
