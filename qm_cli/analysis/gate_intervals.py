"""How sure the numbers of a gate are: one interval per check, and drops tested as a family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qm_cli.analysis import intervals
from qm_cli.analysis.gating import Interval
from qm_cli.analysis.intervals import difference_interval, difference_p, share_interval, smallest_difference

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


def value_intervals(
    levels: Sequence[float], values: FloatArray, drawn: FloatArray, units: RowArray, of: str
) -> list[Interval]:
    """Interval of each share at its own level. values: float64[checks]; drawn: float64[resamples, checks]."""
    tails = (1 - np.array(levels)) / 2
    bounds = [
        share_interval(values[[place]], drawn[:, [place]], units[[place]], tail) for place, tail in enumerate(tails)
    ]
    return [_interval(level, found, int(count), of) for level, found, count in zip(levels, bounds, units, strict=True)]


def drop_intervals(
    levels: Sequence[float],
    limits: Sequence[float],
    differences: FloatArray,
    drawn: FloatArray,
    units: RowArray,
    of: str,
    holm: bool,
) -> list[Interval]:
    """Interval of each difference, new less old; with `holm` all of them together err as seldom as one would.

    The limit is told apart where the p-value of a difference of −limit, after correction, is at most 1 − level: without
    correction that is where the interval leaves the limit out.
    """
    tails = (1 - np.array(levels)) / 2
    found = [
        difference_interval(differences[[place]], drawn[:, [place]], units[[place]], tail)
        for place, tail in enumerate(tails)
    ]
    error = np.array([one.error[0] for one in found])
    p = difference_p(differences + np.array(limits), error, units)
    if not holm:
        return [
            _interval(level, one, int(count), of, _number(value))
            for level, one, count, value in zip(levels, found, units, p, strict=True)
        ]
    corrected = holm_adjusted(p)
    apart = (error == 0) | (corrected <= 1 - np.array(levels))
    return [
        _interval(level, found[place], int(units[place]), of, _number(corrected[place]), bool(apart[place]))
        for place, level in enumerate(levels)
    ]


def holm_adjusted(p: FloatArray) -> FloatArray:
    """Holm's step-down p-values, in the order given; NaN stays and does not count.

    Reference: Holm, A simple sequentially rejective multiple test procedure, 1979.

    >>> holm_adjusted(np.array([0.01, np.nan, 0.04, 0.03])).round(3).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    count = int(np.count_nonzero(~np.isnan(p)))
    adjusted = np.full(len(p), np.nan)
    scaled = p[order[:count]] * np.arange(count, 0, -1)
    adjusted[order[:count]] = np.minimum(np.maximum.accumulate(scaled), 1) if count else scaled
    return adjusted


def _interval(
    level: float, found: intervals.Interval, units: int, of: str, p: float | None = None, conclusive: bool | None = None
) -> Interval:
    smallest = smallest_difference(found.error, (1 - level) / 2)
    low, high, least = (_number(float(values[0])) for values in (found.low, found.high, smallest))
    return Interval(level, low, high, least, units, of, p, conclusive)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
