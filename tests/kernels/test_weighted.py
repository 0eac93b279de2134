"""Random halves and weighted sums."""

from __future__ import annotations

import numpy as np

from qm_cli.kernels.weighted import half_weights, run_totals, runs_by_group


def test_totals_are_those_of_a_loop() -> None:
    random = np.random.default_rng(0)
    image, group = random.integers(0, 20, 300), random.integers(0, 7, 300)
    weights = random.integers(0, 4, 20).astype(np.int32)
    expected = [sum(int(weights[i]) for i, g in zip(image, group, strict=True) if g == one) for one in range(9)]
    assert run_totals(weights, runs_by_group(image, group, 9)).tolist() == expected


def test_halves_complete_each_other_and_follow_the_seed() -> None:
    unit = np.arange(11)
    first, second = half_weights(3, 0, unit, 11)
    assert (first + second).tolist() == [1] * 11
    assert first.sum() == 5
    assert half_weights(3, 0, unit, 11)[0].tolist() == first.tolist()
    assert half_weights(3, 1, unit, 11)[0].tolist() != first.tolist()
    assert half_weights(4, 0, unit, 11)[0].tolist() != first.tolist()


def test_images_of_a_cluster_stay_together() -> None:
    unit = np.array([0, 1, 0, 2, 1, 3])
    for cut in range(10):
        weights, _ = half_weights(0, cut, unit, 4)
        assert weights[0] == weights[2]
        assert weights[1] == weights[4]
        assert len({(unit[row], weights[row]) for row in range(6)}) == 4
