from __future__ import annotations

import math

import numpy as np
import pytest

from qm_cli.analysis.back_test import back_test, random_rows


def test_by_hand() -> None:
    found = back_test(np.array([2.0, 0, 1, 0, 5, 0, 0, 0]), np.array([4, 1, 0]), 0)
    assert (found["samples"], found["size"], found["errors"], found["found"]) == (8, 3, 8.0, 7.0)
    assert found["found_share"] == 7 / 8
    assert found["random"] == 3.0
    assert found["gain"] == pytest.approx(7 / 3)
    assert [point["found"] for point in found["curve"]] == [5.0, 5.0, 7.0]
    assert [point["random"] for point in found["curve"]] == [1.0, 2.0, 3.0]
    assert found["gain_low"] < found["gain"] < found["gain_high"]


def test_the_share_of_random_batches_that_find_as_much_is_the_hypergeometric_one() -> None:
    """20 of 100 samples have an error; ten are chosen, six of them have one."""
    errors = np.repeat([1.0, 0.0], [20, 80])
    first = np.array([0, 1, 2, 3, 4, 5, 50, 51, 52, 53])
    found = back_test(errors, first, 7)
    exact = sum(math.comb(20, k) * math.comb(80, 10 - k) for k in range(6, 11)) / math.comb(100, 10)
    assert found["p"] == pytest.approx(exact, abs=0.01)
    assert found["random_low"] == 0
    assert found["random_high"] in (4, 5)


def test_chance_gains_nothing() -> None:
    random = np.random.default_rng(0)
    errors = random.poisson(1.0, 500).astype(float)
    reports = [back_test(errors, batch, seed) for seed, batch in enumerate(random_rows(500, 60, 60, 1))]
    assert np.mean([one["gain"] for one in reports]) == pytest.approx(1, abs=0.05)
    assert np.mean([one["gain_low"] <= 1 <= one["gain_high"] for one in reports]) >= 0.85
    assert np.mean([one["p"] < 0.1 for one in reports]) < 0.25


def test_the_interval_is_that_of_weights_per_sample() -> None:
    random = np.random.default_rng(3)
    errors, first = random.poisson(1.0, 300).astype(float), np.arange(40)
    found = back_test(errors, first, 0)
    weights = random.poisson(1.0, (4000, 300)).astype(float)
    gains = (weights[:, :40] @ errors[:40] / weights[:, :40].sum(axis=1)) / (weights @ errors / weights.sum(axis=1))
    low, high = np.quantile(gains, [0.025, 0.975])
    assert (found["gain_low"], found["gain_high"]) == (pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.05))


def test_the_seed_decides() -> None:
    errors, first = np.arange(50.0), np.arange(20, 30)
    assert back_test(errors, first, 1) == back_test(errors, first, 1)
    assert back_test(errors, first, 1)["p"] != back_test(errors, first, 2)["p"]


@pytest.mark.parametrize(("errors", "first"), [([0.0, 0, 0], [1]), ([1.0, 0], []), ([], [])])
def test_undefined(errors: list[float], first: list[int]) -> None:
    found = back_test(np.array(errors), np.array(first, np.int64), 0)
    assert [found[name] for name in ("gain", "gain_low", "p", "found_share")] == [None] * 4
    assert found["found"] == 0


def test_random_rows() -> None:
    batches = random_rows(20, 5, 3, 4)
    assert all(len(set(batch.tolist())) == 5 for batch in batches)
    assert [one.tolist() for one in batches] == [one.tolist() for one in random_rows(20, 5, 3, 4)]
