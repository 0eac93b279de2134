"""95 % intervals of ratios of sums over images, from how the images differ."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.intervals import LEAST_UNITS, student_quantile

FloatArray = npt.NDArray[np.float64]
NOTHING = (math.nan, math.nan)


def share_interval_by_image(
    part: npt.NDArray[np.number], whole: npt.NDArray[np.number], more: float = 0.0
) -> tuple[float, float]:
    """Wilson's interval of Σ part / Σ whole with the number of trials that the images are worth: low, high.

    part, whole: of each image, 0 ≤ part ≤ whole. Objects of one image are alike, so the trials are those with which a
    share would vary as the linearised ratio varies from image to image, at most Σ whole; where all images agree on 0 or
    1, their number. more: variance of the share from elsewhere, added to that of the images. Student's quantile by the
    number of images with any; NaN below 10 of them.
    Reference: Dean and Pagano, Evaluating confidence interval methods for binomial proportions in clustered surveys,
    2015 (the Wilson interval with effective sample size).
    """
    filled = whole > 0
    part, whole = part[filled], whole[filled]
    images, total = len(whole), float(whole.sum())
    if images < LEAST_UNITS:
        return NOTHING
    share = float(part.sum()) / total
    variance = images / (images - 1) * float(((part - share * whole) ** 2).sum()) / total**2 + more
    trials = float(images)
    if 0 < share < 1:
        trials = min(share * (1 - share) / variance, total) if variance > 0 else total
    square = float(student_quantile(images)) ** 2
    centre = share + square / (2 * trials)
    reach = math.sqrt(square * (share * (1 - share) / trials + square / (4 * trials**2)))
    low, high = ((centre + sign * reach) / (1 + square / trials) for sign in (-1, 1))
    return (low if share > 0 else 0.0), (high if share < 1 else 1.0)


def mean_interval(values: FloatArray, more: float = 0.0) -> tuple[float, float]:
    """Student's interval of the mean of values ≥ 0, one an image: low, high; NaN for fewer than 10. more: as above."""
    if len(values) < LEAST_UNITS:
        return NOTHING
    centre, error = float(values.mean()), math.sqrt(float(values.var(ddof=1)) / len(values) + more)
    reach = float(student_quantile(len(values))) * error
    return max(centre - reach, 0.0), centre + reach
