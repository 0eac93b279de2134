"""How many items of each group hold at each level, where an item holds at all levels below its reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]


def prefix_counts(
    group: IntArray, reach: IntArray, groups: int, levels: int, weights: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[Any]:
    """Items (or the sum of their weights) of each group at each level: int64 (or float64)[groups, levels].

    group: 0 … groups − 1; reach: how many levels an item holds at, 0 … levels. A histogram, cumulated from the top.

    >>> prefix_counts(np.array([0, 0, 1]), np.array([2, 1, 0]), 2, 3).tolist()
    [[2, 1, 0], [0, 0, 0]]
    """
    keys = group.astype(np.int64) * (levels + 1) + reach
    reached = np.bincount(keys, weights, groups * (levels + 1)).reshape(groups, levels + 1)
    counts: npt.NDArray[Any] = np.cumsum(reached[:, :0:-1], axis=1)[:, ::-1]
    return counts
