"""Radix orders against `sorted`, with keys and scores chosen to break them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qm_cli.kernels import order

TINY = 5e-324
KNOWN = [0.0, -0.0, TINY, 2 * TINY, 1e-310, 0.5, 1.0, 1e6, -1e6, 999999.9999999999, 1 / 3]
NEIGHBOURS = [math.nextafter(value, toward) for value in (0.5, 1.0, 1e6, 1 / 3) for toward in (-math.inf, math.inf)]
SCORES = st.one_of(st.sampled_from([*KNOWN, *NEIGHBOURS]), st.floats(0, 1), st.floats(-1e6, 1e6))


def by_score(rows: list[tuple[int, float]]) -> list[int]:
    return sorted(range(len(rows)), key=lambda row: (rows[row][0], -rows[row][1], row))


def ordered(rows: list[tuple[int, float]], groups: int) -> list[int]:
    group, score = np.array([g for g, _ in rows], np.int32), np.array([s for _, s in rows], float)
    return order.order_by_score(group, groups, score).tolist()


@given(st.lists(st.tuples(st.integers(0, 3), SCORES), max_size=40))
@example([(0, 0.0), (0, TINY), (0, 2 * TINY), (0, 0.0)])
@example([(0, 1e-310), (0, 0.0), (0, 2e-310)])
@example([(0, 0.0), (1, 1e6), (0, TINY), (0, 1e-310)])
@settings(deadline=None)
def test_order_by_score(rows: list[tuple[int, float]]) -> None:
    assert ordered(rows, 4) == by_score(rows)


@given(st.lists(SCORES, max_size=40))
@settings(deadline=None)
def test_one_group(scores: list[float]) -> None:
    rows = [(0, score) for score in scores]
    assert ordered(rows, 1) == by_score(rows)


@given(st.floats(0.001, 1e6), st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3)), max_size=40), st.booleans())
@settings(deadline=None)
def test_scores_a_bit_apart_share_a_step(base: float, rows: list[tuple[int, int]], wide: bool) -> None:
    around = [base + steps * math.ulp(base) for _, steps in rows]
    scored = [(group, score) for (group, _), score in zip(rows, around, strict=True)]
    if wide:
        scored += [(0, -1e6), (1, 1e6)]
    assert ordered(scored, 3) == by_score(scored)


@given(st.lists(st.integers(0, 2**16 + 3), max_size=40))
@settings(deadline=None)
def test_many_groups(groups: list[int]) -> None:
    rows = [(group, (group % 3) / 3) for group in groups]
    assert ordered(rows, 2**16 + 4) == by_score(rows)


def test_a_large_random_set_with_ties() -> None:
    random = np.random.default_rng(7)
    group, score = random.integers(0, 300, 100_000), random.integers(0, 5000, 100_000) / 5000
    score[::3] = np.nextafter(score[::3], 2)
    expected = np.lexsort((np.arange(100_000), -score, group))
    np.testing.assert_array_equal(order.order_by_score(group, 300, score), expected)


def test_nothing_to_order() -> None:
    assert order.order_by_score(np.zeros(0, int), 0, np.zeros(0)).tolist() == []
    assert order.stable_order(np.zeros(0, int), 0).tolist() == []


BOUNDS = [1, 2, 2**16 - 1, 2**16, 2**16 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**48 + 1, 2**62]


@given(st.data(), st.sampled_from(BOUNDS))
@settings(deadline=None)
def test_stable_order(data: st.DataObject, bound: int) -> None:
    edges = [key for key in (0, 1, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**48, bound - 1) if key < bound]
    keys = data.draw(st.lists(st.one_of(st.sampled_from(edges), st.integers(0, bound - 1)), max_size=40))
    found = order.stable_order(np.array(keys, np.int64), bound)
    assert found.tolist() == sorted(range(len(keys)), key=lambda row: keys[row])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
def test_keys_of_any_width(dtype: type) -> None:
    top = int(min(np.iinfo(dtype).max, 2**33))
    keys = np.array([top, 0, top, top // 2, 1, 0], dtype)
    for bound in (top + 1, 2**40):
        assert order.stable_order(keys, bound).tolist() == [1, 5, 4, 3, 0, 2]


def test_a_key_that_differs_in_one_digit_only() -> None:
    keys = [(1 << shift) * digit for shift in (0, 16, 32) for digit in (2, 1)]
    found = [keys[row] for row in order.stable_order(np.array(keys), 2**34 + 1)]
    assert all(one < other for one, other in pairwise(found))


VALUES = st.one_of(SCORES, st.floats(), st.sampled_from([math.nan, -math.nan, math.inf, -math.inf, 1e300, 1.1e300]))


@given(st.lists(VALUES, max_size=60))
@example([1e300, math.inf, 1e299, math.nan, -1e300, -math.inf])
@example([1 + 2e-16, 1.0, 1 + 4e-16, 1.0, -TINY, TINY, -0.0, 0.0])
@settings(deadline=None)
def test_order_by_value(values: list[float]) -> None:
    keyed = [(math.isnan(value), 0 if math.isnan(value) else value, row) for row, value in enumerate(values)]
    by_hand = [row for *_, row in sorted(keyed)]
    assert order.order_by_value(np.array(values, float)).tolist() == by_hand


def test_values_that_single_precision_cannot_tell_apart() -> None:
    values = 1 + np.random.default_rng(3).permutation(5000) * 2.0**-40
    assert order.order_by_value(values).tolist() == np.argsort(values, kind="stable").tolist()
