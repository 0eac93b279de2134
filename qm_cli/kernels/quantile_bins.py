"""Values → few bins of about equally many samples; equal values share a bin, what is missing has one of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint8]
PlaceArray = npt.NDArray[np.intp]
MOST_BINS, LEAST_SAMPLES = 32, 20


class Bins(Struct, frozen=True):
    """codes: each value's bin, ascending, the missing ones' last. edges: lowest value of each bin, then the highest.

    present: bins of values; count: with the one of the missing, if any are. kept: the codes with a bin to themselves.
    """

    codes: CodeArray
    edges: FloatArray
    present: int
    count: int
    kept: tuple[int, ...] = ()


def quantile_bins(
    values: FloatArray, most: int = MOST_BINS, least: int = LEAST_SAMPLES, ordered: FloatArray | None = None
) -> Bins:
    """At most `most` bins of at least `least` finite values each; fewer where values are equal or few.

    ordered: the values ascending, where that is known already; without it they are only partitioned.

    >>> quantile_bins(np.array([3.0, 1, 2, 4, np.nan]), 2, 2).codes.tolist()
    [1, 0, 0, 1, 2]
    """
    finite = np.isfinite(values)
    number = int(np.count_nonzero(finite))
    wanted = max(1, min(most, number // max(least, 1)))
    if ordered is None:
        there = values if number == len(values) else values[finite]
        starts, lowest, highest = _partitioned(there, wanted)
    else:
        first = int(np.searchsorted(ordered, -np.inf, "right"))
        starts, lowest, highest = _sorted(ordered[first : first + number], wanted)
    kept = _merged(starts, number, least)
    edges = lowest[kept] + 0.0
    codes = np.zeros(len(values), np.uint8)
    for edge in edges[1:]:
        codes += values >= edge
    codes[~finite] = len(edges)
    return Bins(codes, np.append(edges, highest + 0.0), len(edges), len(edges) + (number < len(values)))


def _places(number: int, wanted: int) -> PlaceArray:
    """Where bins of equal count would start, but for the first."""
    return (np.arange(1, wanted) * number) // wanted


def _sorted(ordered: FloatArray, wanted: int) -> tuple[PlaceArray, FloatArray, FloatArray]:
    """Where each bin starts among sorted values: the place k·n/bins, moved to the nearer end of its run of equals.

    With it each bin's lowest value, and the highest of all: one, or none where there are no values.
    """
    number = len(ordered)
    if number == 0:
        return np.zeros(0, np.intp), ordered, ordered
    places = _places(number, wanted)
    low = np.searchsorted(ordered, ordered[places], "left")
    high = np.searchsorted(ordered, ordered[places], "right")
    nearer = np.where(places - low <= high - places, low, high)
    starts = np.unique(np.concatenate([[0], nearer[nearer < number]]))
    return starts, ordered[starts], ordered[-1:]


def _partitioned(values: FloatArray, wanted: int) -> tuple[PlaceArray, FloatArray, FloatArray]:
    """The same of values in any order, from a partition at those places and counts of what is below."""
    number = len(values)
    if number == 0:
        return np.zeros(0, np.intp), values, values
    places = _places(number, wanted)
    found = {0: values.min()}
    for place, value in zip(places, np.partition(values, places)[places], strict=True):
        low = int(np.count_nonzero(values < value))
        high = int(np.count_nonzero(values <= value))
        if place - low <= high - place:
            found[low] = value
        elif high < number:
            found[high] = values[values > value].min()
    return np.array(list(found), np.intp), np.array(list(found.values())), values.max(keepdims=True)


def _merged(starts: PlaceArray, number: int, least: int) -> list[int]:
    """Which bins stay, less those that would hold too few values."""
    kept: list[int] = []
    for place, start in enumerate(starts.tolist()):
        if not kept or start - starts[kept[-1]] >= least:
            kept.append(place)
    while len(kept) > 1 and number - starts[kept[-1]] < least:
        kept.pop()
    return kept


def equal_width_bins(values: FloatArray, count: int) -> Bins:
    """`count` bins between the lowest and the highest finite value; one where all are equal.

    >>> equal_width_bins(np.array([0.0, 0.4, 1.0, np.nan]), 2).codes.tolist()
    [0, 0, 1, 2]
    """
    finite = np.isfinite(values)
    there = values[finite]
    if len(there) == 0:
        return Bins(np.zeros(len(values), np.uint8), np.zeros(0), 0, int(len(values) > 0))
    low, high = float(there.min()), float(there.max())
    edges = np.linspace(low, high, (count if high > low else 1) + 1)
    present = len(edges) - 1
    codes = np.full(len(values), present, np.uint8)
    codes[finite] = np.searchsorted(edges[1:-1], there, "right")
    return Bins(codes, edges, present, present + (not finite.all()))


def code_bins(codes: FloatArray, least: int = LEAST_SAMPLES, most: int = MOST_BINS) -> Bins:
    """Codes 0, 1, … (NaN where missing) as bins: the commonest keep theirs, the rare ones share one.

    >>> code_bins(np.array([0.0, 0, 1, 2, 0, np.nan]), 2).codes.tolist()
    [0, 0, 1, 1, 0, 2]
    """
    finite = np.isfinite(codes)
    whole = codes[finite].astype(np.int64)
    counts = np.bincount(whole)
    ranked = np.argsort(-counts, kind="stable")
    common = [int(code) for code in ranked[: most - 1] if counts[code] >= least]
    bin_of = np.full(len(counts), len(common), np.int64)
    bin_of[common] = np.arange(len(common))
    present = len(common) + bool((counts > 0).sum() > len(common))
    result = np.full(len(codes), present, np.uint8)
    result[finite] = bin_of[whole]
    return Bins(result, np.zeros(0), present, present + (not finite.all()), tuple(common))
