"""One-to-one at many levels against trying one pair after the other, a level at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.level_assignment import MOST_LEVELS, level_masks, one_to_one_at_levels

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 15)), max_size=30)


@given(PAIRS)
@settings(max_examples=100, deadline=None)
def test_equal_to_trying_one_after_the_other(drawn: list[tuple[int, int, int]]) -> None:
    expected = [0] * len(drawn)
    for level in range(4):
        used_left, used_right = set(), set()
        for place, (left, right, mask) in enumerate(drawn):
            if mask >> level & 1 and left not in used_left and right not in used_right:
                used_left.add(left)
                used_right.add(right)
                expected[place] |= 1 << level
    columns = np.array(drawn, np.int64).reshape(-1, 3)
    found = one_to_one_at_levels(columns[:, 0], columns[:, 1] * 100_000, columns[:, 2].astype(np.uint64))
    assert found.tolist() == expected


@given(PAIRS)
@settings(max_examples=50, deadline=None)
def test_at_one_level_it_is_greedy_one_to_one(drawn: list[tuple[int, int, int]]) -> None:
    columns = np.array(drawn, np.int64).reshape(-1, 3)
    found = one_to_one_at_levels(columns[:, 0], columns[:, 1], np.ones(len(drawn), np.uint64))
    assert found.astype(bool).tolist() == greedy_one_to_one(columns[:, 0], columns[:, 1]).tolist()


@given(st.integers(0, MOST_LEVELS), st.integers(0, MOST_LEVELS))
def test_masks_hold_the_levels_between(first: int, end: int) -> None:
    expected = sum(1 << level for level in range(first, end))
    assert level_masks(np.array([first]), np.array([end])).tolist() == [expected]


def test_no_pairs() -> None:
    nothing = np.zeros(0, np.int64)
    assert len(one_to_one_at_levels(nothing, nothing, nothing.astype(np.uint64))) == 0
