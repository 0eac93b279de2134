"""Shapes → the pixels whose centres they hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import expand


def polygon_mask(points: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Pixels whose centre lies inside a closed polygon, by the even-odd rule: bool[height, width].

    points: float64[n, 2] of x, y. Each edge flips, in the rows whose centres it passes, all pixels to its right.
    """
    height, width = shape
    ends = np.concatenate([points[1:], points[:1]])
    between = np.sort(np.stack([points[:, 1], ends[:, 1]]), axis=0)
    first, last = np.clip(np.ceil(between - 0.5), 0, height).astype(np.int64)
    counts = last - first
    row, edge = expand(first, counts), np.repeat(np.arange(len(points)), counts)
    (x, y), (to_x, to_y) = points[edge].T, ends[edge].T
    crossing = x + (row + 0.5 - y) * (to_x - x) / (to_y - y)
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    flips = np.sort(row * width + column)  # an even number in each row, so that none reaches into the next one
    lengths = np.diff(flips, prepend=0, append=height * width)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(height, width)
