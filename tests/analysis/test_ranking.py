"""The order: by value, ties by the second key; the first N of it are the same as of the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.analysis.ranking import DESCENDING, ascending_key, candidates, ranked

VALUES = st.lists(st.sampled_from([-1.5, 0.0, -0.0, 0.25, 2.0, float("inf")]), max_size=30)


def _first(values: np.ndarray, ties: np.ndarray, descending: bool, top: int | None) -> list[int]:
    key = ascending_key(values, descending)
    close = candidates(key, top)
    return close[ranked(key[close], ties[close])][:top].tolist()


@given(values=VALUES, descending=st.booleans(), top=st.none() | st.integers(0, 35), seed=st.integers(0, 9))
def test_the_order_is_that_of_a_plain_sort(values: list[float], descending: bool, top: int | None, seed: int) -> None:
    ties = np.random.default_rng(seed).permutation(len(values))
    expected = sorted(range(len(values)), key=lambda row: (-values[row] if descending else values[row], ties[row]))
    assert _first(np.array(values, float), ties, descending, top) == expected[:top]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_integers_at_the_ends_of_their_range(values: list[int]) -> None:
    ties = np.arange(len(values))
    expected = sorted(range(len(values)), key=lambda row: (-values[row], row))
    assert _first(np.array(values, np.int64), ties, True, None) == expected


def test_worst_first() -> None:
    assert DESCENDING == {"lower": True, "higher": False}
