"""Choosing points far from each other: farthest first (k-center), and by chance in proportion to distance (k-means++).

Both keep, for every point, the squared distance to its nearest chosen one as it was at the last look at all points.
It can only have shrunk since. So a choice needs to look again at few points, and all are looked at for many choices
at once, as one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float32]
RowArray = npt.NDArray[np.int64]

POOL = 4096
LOOK_AFTER = 64
ROWS_AT_ONCE = 1 << 14
REJECTED_MOST = 200


class Points(Struct, frozen=True):
    """n points: float32[n, d], or the outer products of two or more such vectors, which are never written out."""

    factors: tuple[FloatArray, ...]

    def __len__(self) -> int:
        return len(self.factors[0])

    def lengths(self) -> FloatArray:
        """Squared distance of each point to 0: float32[n]."""
        squares = [np.einsum("nd,nd->n", factor, factor) for factor in self.factors]
        whole: FloatArray = np.prod(squares, axis=0)
        return whole

    def squared(self, rows: RowArray | slice, others: RowArray) -> FloatArray:
        """Squared distances of rows to others: float32[rows, others], ≥ 0."""
        product: FloatArray = np.ones((1, 1), np.float32)
        own: FloatArray = np.ones(1, np.float32)
        other = own
        for factor in self.factors:
            left, right = factor[rows], factor[others]
            product = product * (left @ right.T)
            own = own * np.einsum("nd,nd->n", left, left)
            other = other * np.einsum("nd,nd->n", right, right)
        apart: FloatArray = np.maximum(own[:, None] + other - 2 * product, np.float32(0))
        return apart


class _Nearest:
    """Squared distance of every point to its nearest chosen one at the last look; infinite before the first."""

    def __init__(self, points: Points, chosen: RowArray) -> None:
        self.points = points
        self.distance = np.full(len(points), np.inf, np.float32)
        self.pending: list[int] = []
        self.look(chosen)

    def look(self, chosen: RowArray | None = None) -> None:
        """Bring all distances up to date."""
        others = np.array(self.pending, np.int64) if chosen is None else chosen
        for first in range(0, len(self.points), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            for block in range(0, len(others), POOL):
                near = self.points.squared(rows, others[block : block + POOL]).min(axis=1)
                self.distance[rows] = np.minimum(self.distance[rows], near)
        self.distance[others] = 0
        self.pending = []

    def now(self, rows: RowArray) -> FloatArray:
        """Their distances with what was chosen since the last look."""
        if not self.pending:
            return self.distance[rows]
        since = self.points.squared(rows, np.array(self.pending)).min(axis=1)
        nearest: FloatArray = np.minimum(self.distance[rows], since)
        return nearest


def k_center(points: Points, weight: FloatArray, centres: RowArray) -> Iterator[int]:
    """All points in the order of farthest first: each is the one with the largest weight × distance to those before.

    centres: rows taken as chosen already and not given again; without one the first is that of the largest weight.
    Greedy k-center (Gonzalez 1985; Sener, Savarese, Active learning for CNNs: a core-set approach, 2018), at most
    twice the best radius where all weights are equal. Of equal ones the earlier row comes first; what lies on a chosen
    point, or has no weight, comes last.
    """
    left = np.ones(len(points), bool)
    left[centres] = False
    nearest = _Nearest(points, centres)
    square = weight.astype(np.float32) ** 2
    while left.any():
        key = np.where(left, np.where(np.isinf(nearest.distance), 1, nearest.distance) * square, -1)
        first = int(key.argmax())
        if key[first] <= 0:
            yield from np.flatnonzero(left).tolist()
            return
        yield first
        left[first] = False
        nearest.pending.append(first)
        if np.isinf(nearest.distance[first]):
            nearest.look()
            continue
        key = np.where(left, nearest.distance * square, -1)
        pool, beyond = _pool(key)
        far = np.minimum(nearest.distance[pool], nearest.points.squared(pool, np.array([first]))[:, 0]) * square[pool]
        far = np.where(left[pool], far, -1)
        while len(pool) and (best := int(far.argmax())) >= 0 and far[best] > beyond:
            row = int(pool[best])
            yield row
            left[row] = False
            nearest.pending.append(row)
            far = np.minimum(far, nearest.points.squared(pool, np.array([row]))[:, 0] * square[pool])
            far[best] = -1
        nearest.look()


def _pool(key: FloatArray) -> tuple[RowArray, float]:
    """The rows with the largest keys, ascending, and the largest key among the others; −0.5 where there are none."""
    if len(key) <= POOL:
        return np.flatnonzero(key >= 0), -0.5
    place = np.argpartition(key, len(key) - POOL - 1)
    return np.sort(place[-POOL:]), max(float(key[place[len(key) - POOL - 1]]), -0.5)


def k_means_plus_plus(points: Points, weight: FloatArray, centres: RowArray, seed: int) -> Iterator[int]:
    """All points in a random order: each is drawn by weight × squared distance to the nearest of those before.

    The first, where there is no centre, by weight alone (Arthur, Vassilvitskii, k-means++, 2007). Points that lie on
    one that is chosen come last, in the order of the rows. A draw by the distances of the last look is kept with the
    chance that the true distance has of it, which gives the same odds as looking at all points each time.
    """
    random = np.random.default_rng(seed)
    left = np.ones(len(points), bool)
    left[centres] = False
    nearest = _Nearest(points, centres)
    while left.any():
        stale = np.where(left, np.where(np.isinf(nearest.distance), 1, nearest.distance) * weight, 0).astype(np.float64)
        total = np.cumsum(stale)
        if total[-1] <= 0:
            yield from np.flatnonzero(left).tolist()
            return
        rejected = 0
        while len(nearest.pending) < LOOK_AFTER and rejected < REJECTED_MOST:
            row = int(np.searchsorted(total, random.random() * total[-1], side="right"))
            row = min(row, len(total) - 1)
            chance = random.random() * stale[row]
            if not left[row] or chance >= _true(nearest, row, weight):
                rejected += 1
                continue
            yield row
            left[row] = False
            nearest.pending.append(row)
            if np.isinf(nearest.distance[row]):
                break
        nearest.look()


def _true(nearest: _Nearest, row: int, weight: FloatArray) -> float:
    distance = float(nearest.now(np.array([row]))[0])
    return float(weight[row]) * (1.0 if np.isinf(distance) else distance)
