"""What is taken after each arrival is what the greedy assignment takes of all that have arrived."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels.arriving import taken_on_arrival
from qm_cli.kernels.assignment import greedy_one_to_one

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 5)), max_size=40, unique=True)


@given(PAIRS)
def test_every_moment_is_greedy(pairs: list[tuple[int, int, int]]) -> None:
    """Pairs are (group, left, right); ends of different groups differ."""
    lefts = sorted({(group, left) for group, left, _ in pairs})
    rights = sorted({(group, right) for group, _, right in pairs})
    left = np.array([lefts.index((group, one)) for group, one, _ in pairs], np.int64)
    right = np.array([rights.index((group, one)) for group, _, one in pairs], np.int64)
    changes = taken_on_arrival(left, right, np.array([group for group, _ in lefts], np.int64))
    for moment in range(len(lefts)):
        there = np.flatnonzero(left <= moment)
        taken = there[greedy_one_to_one(left[there], right[there])]
        so_far = changes.cause <= moment
        held = np.bincount(changes.pair[so_far], changes.sign[so_far], len(pairs))
        assert held.tolist() == [float(place in taken) for place in range(len(pairs))]
    assert (left[changes.pair] >= 0).all()


def test_nothing() -> None:
    none = np.zeros(0, np.int64)
    assert [len(part) for part in taken_on_arrival(none, none, none)] == [0, 0, 0]
