from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.components import joined

ROWS = 12
EDGES = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)), max_size=20)


def by_flooding(edges: list[tuple[int, int]]) -> list[int]:
    """The smallest row each row reaches."""
    smallest = list(range(ROWS))
    for _ in range(ROWS):
        for one, other in edges:
            smallest[one] = smallest[other] = min(smallest[one], smallest[other])
    return smallest


@settings(deadline=None)
@given(EDGES, EDGES)
def test_equals_flooding_in_one_go_and_in_two(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    columns = [np.array([edge[end] for edge in first + second], np.int64) for end in (0, 1)]
    expected = by_flooding(first + second)
    assert joined(np.arange(ROWS), *columns).tolist() == expected
    half = joined(np.arange(ROWS), *(column[: len(first)] for column in columns))
    assert joined(half, *(column[len(first) :] for column in columns)).tolist() == expected


def test_a_long_chain_and_no_edge() -> None:
    rows = np.arange(1000)
    assert joined(rows, rows[1:], rows[:-1]).tolist() == [0] * 1000
    assert joined(rows, rows[:0], rows[:0]).tolist() == rows.tolist()
    assert rows.tolist() == list(range(1000))
