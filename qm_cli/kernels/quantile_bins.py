"""Values → few bins of about equally many samples; equal values share a bin, what is missing has one of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint8]
OrderArray = npt.NDArray[np.integer]
MOST_BINS, LEAST_SAMPLES = 32, 20


@dataclass(frozen=True)
class Bins:
    """codes: each value's bin, ascending, the missing ones' last. edges: lowest value of each bin, then the highest.

    present: bins of values; count: with the one of the missing, if any are. kept: the codes with a bin to themselves.
    """

    codes: CodeArray
    edges: FloatArray
    present: int
    count: int
    kept: tuple[int, ...] = ()


def quantile_bins(
    values: FloatArray, most: int = MOST_BINS, least: int = LEAST_SAMPLES, order: OrderArray | None = None
) -> Bins:
    """At most `most` bins of at least `least` finite values each; fewer where values are equal or few.

    order: the values' ascending order, where it is known already.

    >>> quantile_bins(np.array([3.0, 1, 2, 4, np.nan]), 2, 2).codes.tolist()
    [1, 0, 0, 1, 2]
    """
    if order is None:
        order = np.argsort(values)
    ordered = values[order]
    first = int(np.searchsorted(ordered, -np.inf, "right"))
    last = int(np.searchsorted(ordered, np.inf, "left"))
    number = last - first
    ordered = ordered[first:last]
    wanted = max(1, min(most, number // max(least, 1)))
    starts = _merged(_cuts(ordered, wanted), number, least)
    sorted_codes = np.full(len(values), len(starts), np.uint8)
    sorted_codes[first:last] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, number)))
    codes = np.empty(len(values), np.uint8)
    codes[order] = sorted_codes
    edges = np.append(ordered[starts], ordered[-1:])
    return Bins(codes, edges, len(starts), len(starts) + (number < len(values)))


def _cuts(ordered: FloatArray, wanted: int) -> npt.NDArray[np.intp]:
    """Where each bin starts among sorted values: the place k·n/bins, moved to the nearer end of its run of equals."""
    number = len(ordered)
    if number == 0:
        return np.zeros(0, np.intp)
    places = (np.arange(1, wanted) * number) // wanted
    low = np.searchsorted(ordered, ordered[places], "left")
    high = np.searchsorted(ordered, ordered[places], "right")
    nearer = np.where(places - low <= high - places, low, high)
    return np.unique(np.concatenate([[0], nearer[nearer < number]]))


def _merged(starts: npt.NDArray[np.intp], number: int, least: int) -> npt.NDArray[np.intp]:
    """The starts less those whose bin would hold too few values."""
    kept: list[int] = []
    for start in starts.tolist():
        if not kept or start - kept[-1] >= least:
            kept.append(start)
    while len(kept) > 1 and number - kept[-1] < least:
        kept.pop()
    return np.array(kept, np.intp)


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
