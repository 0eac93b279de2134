"""Which rows come first: by a value, ties by a second key, so that the order is the same everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

NumberArray = npt.NDArray[Any]
RowArray = npt.NDArray[np.int64]

DESCENDING = {"lower": True, "higher": False}
"""Worst first: where lower is better the highest value comes first."""


def ascending_key(values: NumberArray, descending: bool) -> NumberArray:
    """Values whose ascending order is the wanted one. Integers are complemented, which cannot overflow.

    >>> ascending_key(np.array([3, -1]), True).tolist()
    [-4, 0]
    """
    if not descending:
        return values
    return -values if values.dtype.kind == "f" else ~values


def candidates(key: NumberArray, top: int | None) -> RowArray:
    """Rows that may be among the first `top`: all that are no worse than the top-th, its ties included.

    >>> candidates(np.array([0.3, 0.1, 0.2, 0.2]), 2).tolist()
    [1, 2, 3]
    """
    if top is None or top >= len(key):
        return np.arange(len(key))
    if top == 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(key <= np.partition(key, top - 1)[top - 1])


def ranked(key: NumberArray, tie_key: NumberArray) -> RowArray:
    """Rows by ascending key, equal ones by ascending tie key.

    >>> ranked(np.array([0.5, 0.1, 0.5]), np.array([9, 5, 2])).tolist()
    [1, 2, 0]
    """
    if len(tie_key) and np.all(tie_key[:-1] <= tie_key[1:]):
        return np.argsort(key, kind="stable")
    return np.lexsort((tie_key, key))
