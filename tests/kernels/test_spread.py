from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels import spread
from qm_cli.kernels.spread import Points, k_center, k_means_plus_plus

NONE = np.zeros(0, np.int64)


def points(*factors: np.ndarray) -> Points:
    return Points(tuple(factor.astype(np.float32) for factor in factors))


def plain(vectors: np.ndarray, weight: np.ndarray, centres: list[int], count: int) -> list[int]:
    """Farthest first, all points looked at each time, in float64."""
    wide = vectors.astype(np.float64)
    near, left, order = np.full(len(wide), np.inf), np.ones(len(wide), bool), []
    for one in centres:
        near, left[one] = np.minimum(near, ((wide - wide[one]) ** 2).sum(axis=1)), False
    for _ in range(count):
        key = np.where(left, np.where(np.isinf(near), 1, near) * weight.astype(np.float64) ** 2, -1)
        order.append(int(key.argmax()))
        left[order[-1]] = False
        near = np.minimum(near, ((wide - wide[order[-1]]) ** 2).sum(axis=1))
    return order


@pytest.mark.parametrize("pool", [4096, 50])
@pytest.mark.parametrize("centres", [[], [3, 4, 700]])
def test_farthest_first_as_in_a_plain_loop(pool: int, centres: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "POOL", pool)
    random = np.random.default_rng(len(centres))
    vectors, weight = random.normal(size=(1000, 6)).astype(np.float32), random.random(1000).astype(np.float32)
    found = list(islice(k_center(points(vectors), weight, np.array(centres, np.int64)), 200))
    assert found == plain(vectors, weight, centres, 200)


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), max_size=30), st.booleans())
def test_all_points_come_once(vectors: list[tuple[int, int]], by_chance: bool) -> None:
    given = points(np.array(vectors).reshape(-1, 2))
    weight = np.ones(len(vectors), np.float32)
    order = list(k_means_plus_plus(given, weight, NONE, 1) if by_chance else k_center(given, weight, NONE))
    assert sorted(order) == list(range(len(vectors)))
    different = len(set(vectors))
    assert len({vectors[row] for row in order[:different]}) == different


def test_products_are_the_outer_products() -> None:
    random = np.random.default_rng(2)
    left, right = random.normal(size=(40, 3)), random.normal(size=(40, 5))
    whole = np.einsum("na,nb->nab", left, right).reshape(40, 15)
    rows = np.arange(40)
    np.testing.assert_allclose(points(left, right).squared(rows, rows), points(whole).squared(rows, rows), atol=1e-4)
    np.testing.assert_allclose(points(left, right).lengths(), (whole**2).sum(axis=1), rtol=1e-4)


def test_draws_have_the_odds_of_squared_distance() -> None:
    """Second point after row 0: 1, 4 and 9 in 14; the third among the two that are left, by their nearest."""
    line = points(np.array([[0.0], [1], [2], [3]]))
    draws = [list(k_means_plus_plus(line, np.ones(4, np.float32), np.array([0]), seed)) for seed in range(1500)]
    second = np.bincount([one[0] for one in draws], minlength=4) / len(draws)
    np.testing.assert_allclose(second, [0, 1 / 14, 4 / 14, 9 / 14], atol=0.05)
    after_three = [one[1] for one in draws if one[0] == 3]
    assert np.mean(np.array(after_three) == 1) == pytest.approx(0.5, abs=0.06)
    weighted = [
        next(k_means_plus_plus(line, np.array([1, 9, 0, 1], np.float32), np.array([0]), seed)) for seed in range(800)
    ]
    assert np.mean(np.array(weighted) == 1) == pytest.approx(0.5, abs=0.07)


def test_the_same_seed_draws_the_same() -> None:
    vectors = np.random.default_rng(3).normal(size=(500, 4))
    weight = np.ones(500, np.float32)
    first, again, other = (
        list(islice(k_means_plus_plus(points(vectors), weight, NONE, seed), 150)) for seed in (5, 5, 6)
    )
    assert first == again != other
