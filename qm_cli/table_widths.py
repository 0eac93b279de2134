"""How wide the columns of a table on the screen are."""

from __future__ import annotations

from collections.abc import Sequence

GAP, NARROW_GAP = 2, 1
"""Blanks between columns; the narrow one where no folding makes them fit."""
PIPE_COLUMNS = 100
"""Where the screen has no width of its own, tables and notes keep to this one as far as nothing has to be cut."""


def total(widths: Sequence[int], gap: int = GAP) -> int:
    """The width of a table whose columns are so wide.

    >>> total([3, 4]), total([3, 4], NARROW_GAP)
    (9, 8)
    """
    return sum(widths) + gap * max(len(widths) - 1, 0)


def fitted(natural: Sequence[int], least: Sequence[int], room: int, gap: int = GAP) -> list[int]:
    """Widths of columns that together take at most `room`, the widest narrowed first, none below its least.

    natural: the widths at which nothing is wrapped. Where even the least ones take more, those are the answer.

    >>> fitted([10, 30, 20], [10, 5, 5], 50), fitted([10, 30], [10, 20], 5)
    ([10, 18, 18], [10, 20])
    """
    widths = list(natural)
    for _ in range(total(widths, gap) - room):
        place = max(range(len(widths)), key=lambda column: (widths[column] > least[column], widths[column], column))
        if widths[place] <= least[place]:
            break
        widths[place] -= 1
    return widths


def next_fitting(stages: Sequence[list[int]], room: int) -> list[int]:
    """The first of these lists of widths that fits into the room, the last where none does.

    >>> next_fitting([[10, 30], [10, 20], [5, 5]], 32), next_fitting([[10, 30], [9, 9]], 5)
    ([10, 20], [9, 9])
    """
    return next((widths for widths in stages if total(widths) <= room), stages[-1])
