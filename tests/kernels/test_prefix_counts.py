"""Counts at every level against one comparison per item and level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.prefix_counts import prefix_counts

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.floats(0, 1)), max_size=20)


@given(ITEMS)
@settings(max_examples=50, deadline=None)
def test_equal_to_the_loop(items: list[tuple[int, int, float]]) -> None:
    group, reach, weight = (np.array([item[part] for item in items]) for part in range(3))
    group, reach = group.astype(np.int16), reach.astype(np.int16)
    counts, sums = prefix_counts(group, reach, 4, 5), prefix_counts(group, reach, 4, 5, weight.astype(float))
    for one in range(4):
        for level in range(5):
            held = [item for item in items if item[0] == one and item[1] > level]
            assert counts[one, level] == len(held)
            assert sums[one, level] == pytest.approx(sum(item[2] for item in held), abs=1e-12)


def test_no_levels_and_no_groups() -> None:
    nothing = np.zeros(0, np.int64)
    assert prefix_counts(nothing, nothing, 2, 0).shape == (2, 0)
    assert prefix_counts(nothing, nothing, 0, 3).shape == (0, 3)
