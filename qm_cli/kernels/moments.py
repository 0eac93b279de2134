"""Hu's seven moments of a shape, which no shift, scale or turn changes, from its corners: exact, no pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

LEAST = 1e-6
ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))


def ring_moments(points: FloatArray, ring: RowArray, count: int) -> FloatArray:
    """∫ xᵖ yᵠ over each ring's inside, p + q ≤ 3 in the order of ORDERS: float64[10, count], < 0 for a clockwise ring.

    points: float64[m, 2], ring after ring, each closed; ring: int64[m], ascending. By Green's theorem; the corners
    should lie about the origin, as powers of far ones lose digits.

    >>> square = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [0, 0.0]])
    >>> ring_moments(square, np.zeros(5, np.int64), 1)[:4, 0].round(6).tolist()
    [4.0, 4.0, 4.0, 5.333333]
    """
    edge = np.flatnonzero(ring[1:] == ring[:-1]) if len(ring) else np.zeros(0, np.int64)
    (x, y), (u, v) = points[edge].T, points[edge + 1].T
    cross = x * v - u * y
    sums = {
        (0, 0): cross / 2,
        (1, 0): cross * (x + u) / 6,
        (0, 1): cross * (y + v) / 6,
        (2, 0): cross * (x * x + x * u + u * u) / 12,
        (1, 1): cross * (x * (2 * y + v) + u * (y + 2 * v)) / 24,
        (0, 2): cross * (y * y + y * v + v * v) / 12,
        (3, 0): cross * (x + u) * (x * x + u * u) / 20,
        (2, 1): cross * (x * x * (3 * y + v) + 2 * x * u * (y + v) + u * u * (y + 3 * v)) / 60,
        (1, 2): cross * (y * y * (3 * x + u) + 2 * y * v * (x + u) + v * v * (x + 3 * u)) / 60,
        (0, 3): cross * (y + v) * (y * y + v * v) / 20,
    }
    return np.stack([np.bincount(ring[edge], sums[order], count) for order in ORDERS])


def shape_moments(geometry: npt.NDArray[np.object_]) -> FloatArray:
    """The same of shapely (multi-)polygons, holes taken away, about the middle of their bounds: float64[10, n]."""
    import shapely

    polygons, owner = shapely.get_parts(geometry, return_index=True)
    rings, part = shapely.get_rings(polygons, return_index=True)
    owner = owner[part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    x0, y0, x1, y1 = shapely.bounds(geometry).T
    middle = np.stack([x0 + x1, y0 + y1], axis=1) / 2
    moments = ring_moments(points - middle[owner[ring]], ring, len(rings))
    hole = np.append(False, part[1:] == part[:-1])[: len(part)]
    moments *= np.sign(moments[0]) * np.where(hole, -1, 1)
    return np.stack([np.bincount(owner, one, len(geometry)) for one in moments])


def log_hu(moments: FloatArray) -> FloatArray:
    """Hu's seven moments on a logarithmic scale: float64[n, 7], NaN for a shape without area.

    moments: float64[10, n] as `ring_moments` gives them, of shapes with area > 0. Each h becomes sign(h) ·
    log₁₀(1 + |h| / 10⁻⁶), which is smooth where h is 0, as for symmetric shapes; of the seventh, whose sign tells a
    shape from its mirror image, the size alone (Hu, Visual pattern recognition by moment invariants, 1962).

    >>> square = np.array([4, 4, 4, 16 / 3, 4, 16 / 3, 8, 16 / 3, 16 / 3, 8.0])[:, None]
    >>> log_hu(square)[0, :2].round(4).tolist()
    [5.2219, 0.0]
    """
    area, x, y, xx, xy, yy, xxx, xxy, xyy, yyy = moments
    area = np.where(area > 0, area, np.nan)
    cx, cy = x / area, y / area
    n20, n11, n02 = ((xx - cx * x) / area**2, (xy - cx * y) / area**2, (yy - cy * y) / area**2)
    scale = area**2.5
    n30 = (xxx - 3 * cx * xx + 2 * cx**2 * x) / scale
    n21 = (xxy - 2 * cx * xy - cy * xx + 2 * cx**2 * y) / scale
    n12 = (xyy - 2 * cy * xy - cx * yy + 2 * cy**2 * x) / scale
    n03 = (yyy - 3 * cy * yy + 2 * cy**2 * y) / scale
    a, b, c, d = n30 + n12, n21 + n03, n30 - 3 * n12, 3 * n21 - n03
    hu = (
        n20 + n02,
        (n20 - n02) ** 2 + 4 * n11**2,
        c**2 + d**2,
        a**2 + b**2,
        c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
        (n20 - n02) * (a**2 - b**2) + 4 * n11 * a * b,
        np.abs(d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2)),
    )
    values = np.stack(hu, axis=1)
    logs: FloatArray = np.sign(values) * np.log10(1 + np.abs(values) / LEAST)
    return logs
