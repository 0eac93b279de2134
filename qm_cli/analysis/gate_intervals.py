"""How sure the numbers of a gate are: one interval per check, and drops tested as a family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qm_cli.analysis import corrections, intervals
from qm_cli.analysis.gating import Interval
from qm_cli.analysis.intervals import difference_interval, difference_p, share_interval, smallest_difference
from qm_cli.arrays import number_or_none

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
            _interval(level, one, int(count), of, number_or_none(value))
            for level, one, count, value in zip(levels, found, units, p, strict=True)
        ]
    corrected = np.array(corrections.holm([number_or_none(value) for value in p]), np.float64)
    apart = (error == 0) | (corrected <= 1 - np.array(levels))
    return [
        _interval(level, found[place], int(units[place]), of, number_or_none(corrected[place]), bool(apart[place]))
        for place, level in enumerate(levels)
    ]


def _interval(
    level: float, found: intervals.Interval, units: int, of: str, p: float | None = None, conclusive: bool | None = None
) -> Interval:
    smallest = smallest_difference(found.error, (1 - level) / 2)
    low, high, least = (number_or_none(float(values[0])) for values in (found.low, found.high, smallest))
    return Interval(level, low, high, least, units, of, p, conclusive)
