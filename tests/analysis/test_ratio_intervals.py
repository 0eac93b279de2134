"""Intervals by image: worked examples, Wilson's where images hold one object each, and how often they cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qm_cli.analysis.ratio_intervals import mean_interval, share_interval_by_image

stats = pytest.importorskip("scipy.stats")


def test_one_object_an_image_is_wilsons_with_students_quantile() -> None:
    part, whole = np.array([1] * 30 + [0] * 10), np.ones(40)
    trials = 39  # (n − 1): the variance is the sample's
    quantile = stats.t.ppf(0.975, 39)
    share = 0.75
    centre = (share + quantile**2 / (2 * trials)) / (1 + quantile**2 / trials)
    reach = (
        quantile * math.sqrt(share * (1 - share) / trials + quantile**2 / (4 * trials**2)) / (1 + quantile**2 / trials)
    )
    assert share_interval_by_image(part, whole) == pytest.approx((centre - reach, centre + reach), abs=1e-4)


def test_images_that_are_all_right_or_all_wrong_count_as_one_trial_each() -> None:
    ones = share_interval_by_image(np.array([1] * 30 + [0] * 10), np.ones(40))
    tens = share_interval_by_image(np.array([10] * 30 + [0] * 10), np.full(40, 10))
    assert tens == pytest.approx(ones, abs=1e-12)


def test_images_that_agree() -> None:
    low, high = share_interval_by_image(np.full(20, 3), np.full(20, 3))
    assert (round(low, 3), high) == (0.82, 1.0)
    low, high = share_interval_by_image(np.zeros(20), np.full(20, 3))
    assert (low, round(high, 3)) == (0.0, 0.18)


def test_even_images_are_worth_no_more_than_their_objects() -> None:
    part, whole = np.full(50, 1), np.full(50, 2)
    low, high = share_interval_by_image(part, whole)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 49) * 0.05, rel=0.03)


def test_a_variance_from_elsewhere_widens_the_interval() -> None:
    part, whole = np.array([1] * 30 + [0] * 10), np.ones(40)
    own = 40 / 39 * 0.75 * 0.25 / 40
    twice, once = (share_interval_by_image(part, whole, more) for more in (own, 0.0))
    half = share_interval_by_image(np.array([1] * 15 + [0] * 5), np.ones(20))
    assert twice[1] - twice[0] == pytest.approx((once[1] - once[0]) * 2**0.5, rel=0.05)
    assert twice == pytest.approx(half, abs=0.02)
    assert mean_interval(np.arange(20.0), 3.0)[1] > mean_interval(np.arange(20.0))[1]


def test_few_images_tell_nothing() -> None:
    assert all(map(math.isnan, share_interval_by_image(np.ones(9), np.ones(9))))
    assert all(map(math.isnan, share_interval_by_image(np.zeros(30), np.append(np.ones(9), np.zeros(21)))))
    assert all(map(math.isnan, mean_interval(np.ones(9))))


def test_means_are_students() -> None:
    values = np.arange(20.0)
    expected = stats.t.interval(0.95, 19, values.mean(), stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected, abs=1e-3)


def test_coverage_with_alike_objects_in_an_image() -> None:
    """2,000 sets of 40 images whose objects are alike: 95 % to within what simulation can tell."""
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(2000):
        chance = random.beta(8, 2, 40)
        whole = random.poisson(4, 40)
        low, high = share_interval_by_image(random.binomial(whole, chance), whole)
        covered += low <= 0.8 <= high
    assert 0.935 <= covered / 2000 <= 0.975
