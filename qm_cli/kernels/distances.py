"""How far two samples of one number lie apart: Kolmogorov–Smirnov, Wasserstein, population stability.

Both samples are pooled and sorted once; which of the values belong to the first is a mask, so other divisions of the
same values cost no sorting.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

EXACT_BELOW = 10_000
NEGLIGIBLE = 1e-12
SCALED_EVERY = 8
SMALL = 1e-50
LEAST_SHARE = 1e-4
BINS = 10


class Pooled(Struct, frozen=True):
    """Values ascending. order: the row each came from; ends: last place of each run of equal values."""

    values: FloatArray
    order: RowArray
    ends: RowArray


def pooled(values: FloatArray) -> Pooled:
    """Sort once. Values are numbers, none of them NaN."""
    order = np.argsort(values, kind="stable")
    ascending = values.take(order)
    ends = np.flatnonzero(np.append(ascending[1:] != ascending[:-1], True)) if len(values) else np.zeros(0, np.int64)
    return Pooled(ascending, order, ends)


def apart(pool: Pooled, first: BoolArray) -> FloatArray:
    """Share of the first sample at or below each distinct value less that of the second: float64[distinct].

    first: which rows (in their own order) belong to the first sample; both samples hold values.
    """
    below = np.cumsum(first.take(pool.order))
    size = int(below[-1])
    shares: FloatArray = below[pool.ends] / size - (pool.ends + 1 - below[pool.ends]) / (len(first) - size)
    return shares


def kolmogorov_smirnov(shares: FloatArray) -> float:
    """Largest distance of the two distribution functions, 0..1.

    >>> pool = pooled(np.array([1.0, 2.0, 2.0, 3.0]))
    >>> kolmogorov_smirnov(apart(pool, np.array([True, True, False, False])))
    0.5
    """
    return float(np.abs(shares).max(initial=0.0))


def wasserstein(pool: Pooled, shares: FloatArray) -> float:
    """Area between the two distribution functions: how far values were moved on average, in their own unit.

    >>> pool = pooled(np.array([1.0, 2.0, 4.0, 5.0]))
    >>> wasserstein(pool, apart(pool, np.array([True, True, False, False])))
    3.0
    """
    distinct = pool.values[pool.ends]
    return float(np.abs(shares[:-1]) @ np.diff(distinct)) if len(distinct) else 0.0


def kolmogorov_smirnov_p(distance: float, first: int, second: int) -> float:
    """Chance of a distance as large when both samples of these sizes are of one continuous distribution; two-sided.

    Exact (lattice paths) up to 10,000 values each unless it is negligible, else the limit law with Vrbik's correction.
    """
    effective = first * second / (first + second)
    limit = _kolmogorov_tail(distance, effective)
    if max(first, second) > EXACT_BELOW or limit < NEGLIGIBLE:
        return limit
    return float(np.clip(1 - _paths_inside(distance, first, second), 0.0, 1.0))


def _kolmogorov_tail(distance: float, size: float) -> float:
    root = math.sqrt(size)
    x = distance * root
    x += 1 / (6 * root) + (x - 1) / (4 * size)
    if x < 0.2:
        return 1.0
    total = 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))
    return min(max(total, 0.0), 1.0)


def _paths_inside(distance: float, first: int, second: int) -> float:
    """Share of the orders of the pooled values in which the distance stays smaller: a walk over one sample's places.

    Counts are scaled towards shares at each step and, before they vanish or overflow, by powers of two, exactly.
    """
    wide, high = max(first, second), min(first, second)
    common = math.gcd(wide, high)
    column, row = wide // common, high // common
    bound = round(distance * (wide * high // common))
    if bound == 0:
        return 0.0
    low, top = 0, min(-(-bound // column), high + 1)
    counts, exponent = np.ones(top), 0
    for place in range(1, wide + 1):
        before, before_top = low, top
        low = min(max((row * place - bound) // column + 1, 0), high)
        top = min(-(-(row * place + bound) // column), high + 1)
        if top <= low:
            return 0.0
        kept = np.zeros(top - low)
        kept[: before_top - low] = counts[low - before :]
        counts = np.cumsum(kept) * (place / (high + place))
        if place % SCALED_EVERY == 0 and not SMALL < counts[-1] < 1 / SMALL:
            step = -math.frexp(float(counts[-1]))[1]
            counts, exponent = np.ldexp(counts, step), exponent + step
    return math.ldexp(float(counts[-1]), -exponent)


def stability_edges(values: FloatArray) -> tuple[FloatArray, bool]:
    """Where bins of a reference end: at its deciles, or at each of its values where these are few (second: True)."""
    distinct = np.unique(values)
    if len(distinct) <= BINS:
        return distinct, True
    return np.unique(np.quantile(values, np.arange(1, BINS) / BINS)), False


def stability_bins(values: FloatArray, edges: FloatArray, single: bool) -> RowArray:
    """Bin of each value, the last one for NaN: int64[n]. single: each edge is a bin of its own between its neighbours.

    >>> stability_bins(np.array([1.0, 2.0, 5.0, np.nan]), np.array([2.0]), True).tolist()
    [0, 1, 2, 3]
    """
    bins = np.searchsorted(edges, values, side="left")
    if single:
        bins = bins + np.searchsorted(edges, values, side="right")
    bins[np.isnan(values)] = bin_count(edges, single) - 1
    return bins


def bin_count(edges: FloatArray, single: bool) -> int:
    """How many bins there are, the one for NaN included."""
    return (2 * len(edges) if single else len(edges)) + 2


def stability_index(first: npt.NDArray[np.integer], second: npt.NDArray[np.integer]) -> float:
    """Population stability index of two histograms: Σ (p − q)·ln(p / q), empty bins counting as a share of 1e-4.

    >>> round(stability_index(np.array([50, 50]), np.array([80, 20])), 4)
    0.4159
    """
    p, q = (np.maximum(counts / max(counts.sum(), 1), LEAST_SHARE) for counts in (first, second))
    both_empty = (first == 0) & (second == 0)
    return float(np.where(both_empty, 0.0, (p - q) * np.log(p / q)).sum())


def total_variation(first: npt.NDArray[np.integer], second: npt.NDArray[np.integer]) -> float:
    """Share of one histogram that would have to move to make it the other, 0..1.

    >>> round(total_variation(np.array([50, 50]), np.array([80, 20])), 4)
    0.3
    """
    p, q = (counts / max(counts.sum(), 1) for counts in (first, second))
    return float(np.abs(p - q).sum() / 2)
