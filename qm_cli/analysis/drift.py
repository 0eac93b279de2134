"""Whether numbers and categories are distributed in a second set as in a first, beside what chance alone would show.

The noise floor is measured: the first set is cut into random halves of its images many times, the halves are compared
as the two sets are, and the floor is the distance that 95 % of the halves stay below. Objects of one image stay
together, so their likeness is part of the floor. Where the second set is so small that halves show less noise than it
must, the floor is raised accordingly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.distances import (
    apart,
    bin_count,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    pooled,
    stability_bins,
    stability_edges,
    stability_index,
    total_variation,
    wasserstein,
)

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FLOOR_QUANTILE = 0.95
LEAST_VALUES = 10


class Halves(Struct, frozen=True):
    """Random halves of the first set's images. in_half: bool[halves, images].

    noise: how much more two sets of the real sizes differ by chance than two halves do, at least 1.
    """

    in_half: BoolArray
    noise: float


class Distance(Struct, frozen=True):
    """A distance and its noise floor; NaN where undefined."""

    value: float
    floor: float

    @property
    def above(self) -> bool:
        return bool(self.value > self.floor)


class Drift(Struct, frozen=True):
    """How one number moved: distances, the p-value of `ks` (which takes values for independent)."""

    ks: Distance
    p: float
    wasserstein: Distance
    psi: Distance


class Mix(Struct, frozen=True):
    """How the shares of the categories moved."""

    psi: Distance
    variation: Distance


def halves(images: int, second_images: int, count: int, seed: int) -> Halves:
    """`count` random halves of the first set's images."""
    random = np.random.default_rng(seed)
    in_half = np.zeros((count, images), bool)
    for row in in_half:
        row[random.permutation(images)[: images // 2]] = True
    noise = np.sqrt((1 / max(images, 1) + 1 / max(second_images, 1)) / (4 / max(images, 1)))
    return Halves(in_half, max(float(noise), 1.0))


def drift(first: FloatArray, image: RowArray, second: FloatArray, cuts: Halves) -> Drift:
    """Distances of two columns; image: image row of each value of the first. NaN is missing: a bin of its own in PSI.

    Undefined where a set has fewer than 10 values.
    """
    edges, single = stability_edges(first[~np.isnan(first)])
    bins = bin_count(edges, single)
    bin_first, bin_second = (stability_bins(values, edges, single) for values in (first, second))
    psi = _counted(stability_index, bin_first, image, bin_second, bins, cuts)
    held = ~np.isnan(first)
    numbers, others = first[held], second[~np.isnan(second)]
    if min(len(numbers), len(others)) < LEAST_VALUES:
        unknown = Distance(np.nan, np.nan)
        return Drift(unknown, np.nan, unknown, psi if min(len(first), len(second)) >= LEAST_VALUES else unknown)
    both = pooled(np.concatenate([numbers, others]))
    shares = apart(both, np.arange(len(both.values)) < len(numbers))
    own = pooled(numbers)
    noise_ks, noise_area = [], []
    for half in cuts.in_half:
        mask = half[image[held]]
        if mask.any() and not mask.all():
            between = apart(own, mask)
            noise_ks.append(kolmogorov_smirnov(between))
            noise_area.append(wasserstein(own, between))
    distance = kolmogorov_smirnov(shares)
    return Drift(
        Distance(distance, _floor(noise_ks, cuts.noise)),
        kolmogorov_smirnov_p(distance, len(numbers), len(others)),
        Distance(wasserstein(both, shares), _floor(noise_area, cuts.noise)),
        psi,
    )


def mix(first: RowArray, image: RowArray, second: RowArray, categories: int, cuts: Halves) -> Mix:
    """Distances of the category shares of two sets of objects; undefined where one has fewer than 10."""
    if min(len(first), len(second)) < LEAST_VALUES:
        return Mix(Distance(np.nan, np.nan), Distance(np.nan, np.nan))
    return Mix(
        _counted(stability_index, first, image, second, categories, cuts),
        _counted(total_variation, first, image, second, categories, cuts, power=1),
    )


def _counted(
    measure: Callable[[RowArray, RowArray], float],
    first: RowArray,
    image: RowArray,
    second: RowArray,
    bins: int,
    cuts: Halves,
    power: int = 2,
) -> Distance:
    """A distance of two histograms; power: how it grows with the noise of the shares."""
    whole = np.bincount(first, minlength=bins)
    noise = []
    for half in cuts.in_half:
        part = np.bincount(first[half[image]], minlength=bins)
        if 0 < part.sum() < len(first):
            noise.append(measure(part, whole - part))
    return Distance(measure(whole, np.bincount(second, minlength=bins)), _floor(noise, cuts.noise**power))


def _floor(noise: list[float], raised: float) -> float:
    return float(np.quantile(noise, FLOOR_QUANTILE, method="higher")) * raised if noise else np.nan
