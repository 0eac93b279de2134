"""Drift beside its noise floor: nothing where nothing moved, found where it did."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.drift import drift, halves, mix

IMAGE = np.repeat(np.arange(200), 5)


def sample(seed: int, shift: float = 0.0, images: int = 200) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Five objects an image that are much alike."""
    random = np.random.default_rng(seed)
    return np.asarray(np.repeat(random.normal(shift, 1, images), 5) + random.normal(0, 0.1, images * 5))


def test_alike_objects_of_an_image_are_no_drift() -> None:
    """By its p-value nearly every pair of these sets has drifted; by the floor few have."""
    cuts = halves(200, 200, 50, 0)
    found = [drift(sample(2 * seed), IMAGE, sample(2 * seed + 1), cuts) for seed in range(30)]
    assert sum(one.ks.above for one in found) <= 2
    assert sum(one.psi.above for one in found) <= 2
    assert sum(one.p < 0.05 for one in found) >= 10


def test_a_shift_is_found_in_its_own_unit() -> None:
    found = drift(sample(0), IMAGE, sample(0, 0.7), halves(200, 200, 50, 0))
    assert found.ks.above
    assert found.psi.above
    assert abs(found.wasserstein.value - 0.7) < 1e-9


def test_a_small_second_set_raises_the_floor() -> None:
    assert halves(1000, 1000, 2, 0).noise == 1
    assert halves(1000, 10, 2, 0).noise > 5
    cuts = halves(200, 10, 50, 0)
    found = [drift(sample(2 * seed), IMAGE, sample(2 * seed + 1, images=10), cuts) for seed in range(30)]
    assert sum(one.ks.above for one in found) <= 4


def test_missing_values_are_drift_of_their_own() -> None:
    first, second = sample(0), sample(1)
    second[::2] = np.nan
    found = drift(first, IMAGE, second, halves(200, 200, 50, 0))
    assert found.psi.above
    assert not found.ks.above


def test_constant_and_too_few_and_none() -> None:
    cuts = halves(200, 200, 20, 0)
    same = drift(np.ones(1000), IMAGE, np.ones(900), cuts)
    assert (same.ks.value, same.wasserstein.value, same.psi.value, same.p) == (0, 0, 0, 1)
    assert not same.ks.above
    moved = drift(np.ones(1000), IMAGE, np.zeros(900), cuts)
    assert moved.ks.value == 1
    assert moved.psi.above
    for one in (drift(np.ones(1000), IMAGE, np.ones(3), cuts), drift(np.ones(0), IMAGE[:0], np.ones(0), cuts)):
        assert np.isnan(one.ks.value)
        assert np.isnan(one.psi.value)
        assert not one.ks.above
    assert np.isnan(drift(np.full(1000, np.nan), IMAGE, np.ones(900), cuts).p)


def test_category_mix() -> None:
    random = np.random.default_rng(0)
    first, second = (random.choice(3, 1000, p=[0.6, 0.3, 0.1]) for _ in range(2))
    cuts = halves(200, 200, 50, 0)
    assert not mix(first, IMAGE, second, 3, cuts).psi.above
    other = random.choice(3, 1000, p=[0.3, 0.6, 0.1])
    found = mix(first, IMAGE, other, 3, cuts)
    assert found.psi.above
    assert found.variation.above
    assert np.isnan(mix(first[:0], IMAGE[:0], other, 3, cuts).psi.value)
