"""Columns get what they need, and together no more than there is room for while nothing has to be cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qm_cli.table_widths import fitted, total

COLUMNS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def test_what_fits_stays_as_it_is() -> None:
    assert fitted([10, 20], [1, 1], 32) == [10, 20]


def test_the_widest_gives_first() -> None:
    assert fitted([10, 40], [1, 1], 32) == [10, 20]
    assert fitted([10, 40], [1, 30], 40) == [8, 30]


def test_nothing_is_no_table() -> None:
    assert fitted([], [], 10) == []
    assert total([]) == 0


@given(COLUMNS, st.integers(1, 200))
def test_never_below_the_least_and_never_wider_than_needed(columns: list[tuple[int, int]], room: int) -> None:
    natural, least = [max(pair) for pair in columns], [min(pair) for pair in columns]
    widths = fitted(natural, least, room)
    assert all(low <= width <= high for low, width, high in zip(least, widths, natural, strict=True))
    assert total(widths) == min(total(natural), max(room, total(least)))
