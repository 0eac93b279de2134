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
    ends = np.roll(points, -1, axis=0)
    first = np.clip(np.ceil(np.minimum(points[:, 1], ends[:, 1]) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(points[:, 1], ends[:, 1]) - 0.5), 0, height).astype(np.int64)
    counts = last - first
    row, edge = expand(first, counts), np.repeat(np.arange(len(points)), counts)
    (x, y), (to_x, to_y) = points[edge].T, ends[edge].T
    crossing = x + (row + 0.5 - y) * (to_x - x) / (to_y - y)
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    counted = np.bincount(row * (width + 1) + column, minlength=height * (width + 1))
    flips = (counted & 1).astype(np.bool_).reshape(height, width + 1)
    inside: npt.NDArray[np.bool_] = np.logical_xor.accumulate(flips[:, :width], axis=1)
    return inside
