"""p-values of many tests → p-values that hold for all of them together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values: no test at or below 5 % is wrong, in 95 of 100 such families; undefined are no tests.

    Reference: Holm, A simple sequentially rejective multiple test procedure, 1979.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    places = sorted((place for place, value in enumerate(p) if value is not None), key=lambda place: p[place] or 0.0)
    adjusted: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, place in enumerate(places):
        highest = max(highest, min(1.0, (p[place] or 0.0) * (len(places) - rank)))
        adjusted[place] = highest
    return adjusted
