"""Connected components: which rows hang together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def joined(root: Rows, one: Rows, other: Rows) -> Rows:
    """The components after row one[i] has been connected with row other[i], for each i.

    root: int64[n], the smallest row of each row's component so far; at the start `arange(n)`.

    >>> joined(np.arange(5), np.array([3, 4]), np.array([4, 1])).tolist()
    [0, 1, 2, 1, 1]
    """
    root = root.copy()
    one, other = root[one], root[other]
    while len(one):
        low, high = np.minimum(one, other), np.maximum(one, other)
        np.minimum.at(root, high, low)
        while not np.array_equal(above := root[root], root):
            root = above
        one, other = root[low], root[high]
        apart = one != other
        one, other = one[apart], other[apart]
    return root
