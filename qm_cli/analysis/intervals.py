"""Half-sample replicates → standard errors, 95 % intervals and p-values.

Average precision is biased upwards in small sets: its envelope takes the largest of noisy precisions. The bias shows
where halves are compared with the whole. That of an envelope falls as n^(−1/2) where the true curve is flat and as
n^(−2/3) where it falls, so the whole's own is 1.7 to 2.4 times the surplus of the halves. Intervals of shares are moved
by twice the surplus, and because that is a guess the move enters the standard error, squared with squared. In a
difference of two models the biases nearly cancel: nothing is taken off, what is left enters the standard error alike.
Rates of counts have no such bias.

The quantile is Student's with n − 1 degrees of freedom for n drawn units. A share's interval is laid on the logit
scale, so it stays inside 0..1 and leans the way shares do. In simulations of 100 to 400 images and 1 to 10 categories
these intervals cover 92.5–97 %, where percentiles of a bootstrap with replacement cover as little as 85 %.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
UnitCounts = int | npt.NDArray[np.int64]

NORMAL = NormalDist()
TAIL = 0.025
LEAST_UNITS = 10
EDGE = 1e-9
WHOLE_BIAS = 2.0
POWER = 0.99
"""A true difference that is stated as the smallest to be seen is missed once in a hundred times."""


class Interval(Struct, frozen=True):
    """95 % interval and standard error, any shape; NaN where fewer than 10 units speak of it or it is undefined."""

    low: FloatArray
    high: FloatArray
    error: FloatArray


def share_interval(estimate: FloatArray, replicates: FloatArray, units: UnitCounts, tail: float = TAIL) -> Interval:
    """Interval of a share in 0..1. replicates: float64[resamples, …]; units: how many drawn units speak of each.

    tail: what lies beyond each end, .025 for 95 %. Where all units agree on 0 or 1 no half can differ; the other end is
    then the share that as many units would miss with a chance of `tail`.
    """
    error, bias = _spread(estimate, replicates, units)
    centre = np.clip(estimate - bias, EDGE, 1 - EDGE)
    reach = student_quantile(units, tail) * error / (centre * (1 - centre))
    logit = np.log(centre / (1 - centre))
    low, high = (1 / (1 + np.exp(-np.clip(logit + sign * reach, -700, 700))) for sign in (-1, 1))
    unseen = 1 - tail ** (1 / np.maximum(units, 1))
    low = np.where(estimate >= 1, np.minimum(low, 1 - unseen), np.where(estimate <= 0, 0.0, low))
    high = np.where(estimate <= 0, np.maximum(high, unseen), np.where(estimate >= 1, 1.0, high))
    undefined = np.isnan(error)
    return Interval(np.where(undefined, np.nan, low), np.where(undefined, np.nan, high), error)


def difference_interval(
    estimate: FloatArray, replicates: FloatArray, units: UnitCounts, tail: float = TAIL
) -> Interval:
    """Interval of a difference of two paired numbers; tail: what lies beyond each end."""
    error, _ = _spread(estimate, replicates, units)
    reach = student_quantile(units, tail) * error
    return Interval(estimate - reach, estimate + reach, error)


class SetNumbers(Struct, frozen=True):
    """Numbers of a part of the data and their difference to those of all, float64[numbers], NaN where undefined.

    units: how many drawn units speak of the part; p: of no difference.
    """

    values: FloatArray
    interval: Interval
    difference: FloatArray
    difference_interval: Interval
    p: FloatArray
    units: int


def set_numbers(
    values: FloatArray, replicates: FloatArray, whole: FloatArray, whole_replicates: FloatArray, units: int
) -> SetNumbers:
    """A part of the data beside all of it. values, whole: float64[numbers], replicates: float64[resamples, numbers]."""
    difference = values - whole
    around = difference_interval(difference, replicates - whole_replicates, units)
    p = difference_p(difference, around.error, units)
    return SetNumbers(values, share_interval(values, replicates, units), difference, around, p, units)


def _spread(estimate: FloatArray, replicates: FloatArray, units: UnitCounts) -> tuple[FloatArray, FloatArray]:
    """Standard error, NaN where it cannot be told, and the estimate's bias as the surplus of the halves tells it."""
    defined = ~np.isnan(replicates)
    count = np.maximum(defined.sum(0), 1)
    mean = np.where(defined, replicates, 0.0).sum(0) / count
    variance = (np.where(defined, replicates - mean, 0.0) ** 2).sum(0) / count
    bias = WHOLE_BIAS * np.nan_to_num(mean - estimate)
    told = ~np.isnan(estimate) & (defined.sum(0) >= len(replicates) / 2) & (np.asarray(units) >= LEAST_UNITS)
    return np.where(told, np.sqrt(variance + bias**2), np.nan), bias


def difference_p(estimate: FloatArray, error: FloatArray, units: UnitCounts) -> FloatArray:
    """Two-sided p-value of no difference, of one mind with `difference_interval`; 1 where nothing differs at all.

    >>> difference_p(np.array([0.0, 0.1]), np.array([0.0, 0.05]), 1000).round(3).tolist()
    [1.0, 0.046]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(estimate == 0, 0.0, np.abs(estimate) / error)
    freedom = np.maximum(units, 2) - 1
    z = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(ratio**2 / freedom))
    flat = np.array([2 * NORMAL.cdf(-value) for value in np.ravel(np.nan_to_num(z, nan=0.0, posinf=40.0))])
    return np.where(np.isnan(error), np.nan, flat.reshape(np.shape(z)))


def smallest_difference(error: FloatArray, tail: float = TAIL) -> FloatArray:
    """The true difference that is told from none in 99 of 100 sets like this: (z.975 + z.99)·error for 95 %.

    tail: what the interval leaves beyond each end.
    """
    return (NORMAL.inv_cdf(1 - tail) + NORMAL.inv_cdf(POWER)) * error


def student_quantile(units: UnitCounts, tail: float = TAIL) -> FloatArray:
    """Student's quantile of 1 − tail by its expansion around the normal one; units − 1 degrees of freedom.

    >>> student_quantile(10).round(3).tolist(), student_quantile(1000).round(3).tolist()
    (2.262, 1.962)
    """
    z = NORMAL.inv_cdf(1 - tail)
    freedom = np.asarray(np.maximum(units, LEAST_UNITS), np.float64) - 1
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    quantile: FloatArray = z + first / freedom + second / freedom**2 + third / freedom**3
    return quantile
