"""Pearson and Spearman of a measure with a yes or no, with intervals from images drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.importance import THREADS, Binned
from qm_cli.analysis.samples import CountArray, Judged, Units
from qm_cli.kernels.segments import starts_of
from qm_cli.kernels.shuffles import resampled_weights

FloatArray = npt.NDArray[np.float64]
LEVEL = 0.95
LEAST_PAIRS = 3
LEAST_DRAWN = 2
MOST_DRAWN = 10_000
"""More images than this are drawn in this many random groups, which spreads the sums just as much."""


class Interval(Struct, frozen=True):
    """A number with its 95 % interval; None where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def terms(units: Units, order: npt.NDArray[np.integer], place: npt.NDArray[np.int64], count: int) -> FloatArray:
    """Per group of units (`place`) the sums that both correlations are made of: float64[groups, 7].

    Rows and hits with a value; x, x², x·hit; and for the ranks `pairs`, the share of rows below each hit and that of
    hits above each row, and `ties`, the squared share of rows with the same value. Units without a value add nothing.
    """
    there = np.isfinite(units.values)
    x = _standard(np.where(there, units.values, np.nan))
    total, hits = (counts * there for counts in (units.total, units.hits))
    pairs, ties = _rank_terms(units.values, order, total, hits)
    columns = (total, hits, x * total, x * x * total, x * hits, pairs, ties)
    return np.stack([np.bincount(place, column, count) for column in columns], 1)


def _rank_terms(
    values: FloatArray, order: npt.NDArray[np.integer], total: CountArray, hits: CountArray
) -> tuple[FloatArray, FloatArray]:
    """The terms of the ranks, of each unit."""
    ordered = values[order]
    low, high = int(np.searchsorted(ordered, -np.inf, "right")), int(np.searchsorted(ordered, np.inf, "left"))
    order = order[low:high]
    starts = starts_of(ordered[low:high])
    own_total, own_hits = total[order], hits[order]
    group_total, group_hits = _group_sums(own_total, starts), _group_sums(own_hits, starts)
    number = max(float(group_total.sum()), 1.0)
    rank = (np.cumsum(group_total) - group_total / 2) / number
    above = (group_hits.sum() - np.cumsum(group_hits) + group_hits / 2) / number
    share = group_total / number
    if len(starts) < len(order):
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
        share, rank, above = share[group], rank[group], above[group]
    pairs, ties = np.zeros(len(values)), np.zeros(len(values))
    pairs[order] = own_hits * rank + own_total * above
    if 0 < len(starts) == len(order) == len(total) and total.min() == total.max():
        ties[:] = total / number**2 * total[0] ** 2
    else:
        ties[order] = share * share * own_total
    return pairs, ties


def _group_sums(counts: CountArray, starts: npt.NDArray[np.intp]) -> FloatArray:
    if len(starts) == len(counts):
        return counts.astype(np.float64)
    sums: FloatArray = np.add.reduceat(counts, starts, dtype=np.float64)
    return sums


def _standard(values: FloatArray) -> FloatArray:
    """Values less their mean over their spread, so that sums of squares never overflow; 0 for NaN."""
    there = ~np.isnan(values)
    number = np.count_nonzero(there)
    scaled = np.where(there, values, 0.0)
    scaled /= max(float(scaled.max(initial=0.0)), -float(scaled.min(initial=0.0)), 1e-300)
    scaled -= scaled.sum() / max(number, 1)
    scaled[~there] = 0.0
    spread = float(np.sqrt(scaled @ scaled / max(number, 1)))
    return scaled / spread if spread > 1e-14 else np.zeros(len(values))


def both(sums: FloatArray, whole: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pearson and Spearman from the terms' sums (last axis) of samples drawn from a whole whose sums are `whole`.

    A sample's pairs are a product of its rows with themselves; here they are taken linear in how often a row is drawn,
    around the whole. NaN where the values or the outcome do not vary.
    """
    number, hits, x, xx, xy, pairs, ties = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, mean = hits / number, x / number
        pearson = _ratio(xy / number - mean * rate, xx / number - mean * mean, rate)
        drawn = number / whole[0]
        below = (pairs - drawn * whole[5] / 2) / number
        share3 = (3 * ties - 2 * drawn * whole[6]) / number
        spearman = _ratio(below - rate / 2, (1 - share3) / 12, rate)
    return pearson, spearman


def _ratio(covariance: FloatArray, spread: FloatArray, rate: FloatArray) -> FloatArray:
    variance = spread * rate * (1 - rate)
    found = covariance / np.sqrt(np.maximum(variance, 0))
    return np.where(variance > 1e-14, np.clip(found, -1, 1), np.nan)


def correlations(judged: Judged, found: Sequence[Binned], samples: int, seed: int) -> list[tuple[Interval, Interval]]:
    """Pearson and Spearman of each measured number, with percentile intervals over images (or clusters) drawn anew."""
    place, count = _drawn_units(judged, seed)
    weights = resampled_weights(count, samples, np.random.default_rng([seed, 3])).T.astype(np.float64)

    def one_measure(one: Binned) -> tuple[Interval, Interval]:
        if one.measure.coded:
            return Interval(), Interval()
        of = place if one.units.of == "image" else place[judged.image]
        grouped = terms(one.units, one.order, of, count)
        whole = grouped.sum(0)
        if whole[0] < LEAST_PAIRS:
            return Interval(), Interval()
        exact = both(whole, whole)
        drawn = both(weights @ grouped, whole) if count >= LEAST_DRAWN else (np.zeros(0), np.zeros(0))
        return _interval(exact[0], drawn[0]), _interval(exact[1], drawn[1])

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one_measure, found))


def _drawn_units(judged: Judged, seed: int) -> tuple[npt.NDArray[np.int64], int]:
    """For each image with a row what it is drawn with: its cluster, or a random group where there are very many."""
    count = int(judged.clusters.max(initial=-1)) + 1
    if count <= MOST_DRAWN:
        return judged.clusters, count
    group = np.random.default_rng([seed, 4]).permutation(np.arange(count) % MOST_DRAWN)
    return group[judged.clusters], MOST_DRAWN


def _interval(value: Any, drawn: FloatArray) -> Interval:
    if np.isnan(value):
        return Interval()
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) == 0:
        return Interval(float(value))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))
