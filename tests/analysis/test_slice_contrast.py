"""A slice against the rest: by hand, against plain loops, and p-values under no effect."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.slice_contrast import Sums, contrast


def sums(unit: np.ndarray, hit: np.ndarray, units: int) -> Sums:
    return Sums(np.bincount(unit, minlength=units) * 1.0, np.bincount(unit, hit * 1.0, units))


def test_by_hand() -> None:
    unit, hit = np.array([0, 0, 1, 1, 2, 3]), np.array([1, 0, 1, 1, 0, 1])
    inside = np.array([True, True, False, True, False, False])
    found = contrast(sums(unit[inside], hit[inside], 4), sums(unit, hit, 4))
    assert found is not None
    assert (found.count, found.units) == (3, 2)
    assert (found.rate, found.rest) == pytest.approx((2 / 3, 2 / 3))
    assert found.effect == pytest.approx(0)
    assert found.p == pytest.approx(0.5)
    low, high = found.interval
    assert low == pytest.approx(-high)


def test_without_a_slice_or_a_rest() -> None:
    everything = sums(np.array([0, 1]), np.array([1, 0]), 2)
    assert contrast(Sums(np.zeros(2), np.zeros(2)), everything) is None
    assert contrast(everything, everything) is None


def test_where_nothing_varies() -> None:
    everything = sums(np.arange(20), np.ones(20), 20)
    found = contrast(sums(np.arange(5), np.ones(5), 20), everything)
    assert found is not None
    assert (found.effect, found.error, found.z, found.p) == (0, 0, 0, 0.5)


def test_variance_of_images_own_sums_by_a_plain_loop() -> None:
    random = np.random.default_rng(4)
    unit = np.sort(random.integers(0, 30, 400))
    luck = random.random(30)
    hit = (random.random(400) < luck[unit]).astype(float)
    inside = random.random(30)[unit] < 0.5
    found = contrast(sums(unit[inside], hit[inside], 30), sums(unit, hit, 30))
    assert found is not None
    share, mean = inside.mean(), hit.mean()
    total = 0.0
    for image in range(30):
        own = 0.0
        for row in np.flatnonzero(unit == image):
            own += (inside[row] - share) * (hit[row] - mean)
        total += own**2
    scale = inside.sum() * (~inside).sum() / 400
    assert found.effect == pytest.approx(hit[inside].mean() - hit[~inside].mean())
    assert abs(found.effect / found.z) >= np.sqrt(total * 30 / 29) / scale - 1e-12


@pytest.mark.parametrize("base", [-3.0, 0.0, 3.0])
def test_p_is_not_too_small_under_no_effect(base: float) -> None:
    """Of rare hits, rare misses and neither, alike within images; a slice of images and one of single samples."""
    random = np.random.default_rng(11)
    wrong = {"image": 0, "sample": 0}
    for _ in range(400):
        unit = np.repeat(np.arange(60), random.integers(1, 9, 60))
        hit = random.random(len(unit)) < 1 / (1 + np.exp(-base - random.normal(0, 1.3, 60)[unit]))
        picks = {"image": (random.random(60) < 0.25)[unit], "sample": random.random(len(unit)) < 0.2}
        for name, inside in picks.items():
            found = contrast(sums(unit[inside], hit[inside], 60), sums(unit, hit, 60))
            wrong[name] += found is not None and found.p <= 0.05
    assert max(wrong.values()) <= 0.065 * 400
