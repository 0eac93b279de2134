"""The numbers of two models beside each other, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.analysis.bootstrap import metric_names
from qm_cli.analysis.comparison import Compared
from qm_cli.arrays import number_or_none
from qm_cli.settings import Settings


def comparison_rows(compared: Compared, settings: Settings) -> list[dict[str, Any]]:
    """One row per metric."""
    return named_rows(compared, metric_names(settings))


def named_rows(compared: Compared, names: Sequence[str], place: int | None = None) -> list[dict[str, Any]]:
    """As `comparison_rows`, of numbers that are called so; place: of one category."""
    cells = [(row,) if place is None else (row, place) for row in range(len(compared.first))]
    return [_row(name, compared, cell) for name, cell in zip(names, cells, strict=True)]


def _row(name: str, compared: Compared, place: tuple[int, ...]) -> dict[str, Any]:
    first, second, difference = compared.first_interval, compared.second_interval, compared.difference
    values = {
        "a": compared.first,
        "a_low": first.low,
        "a_high": first.high,
        "b": compared.second,
        "b_low": second.low,
        "b_high": second.high,
        "difference": compared.second - compared.first,
        "low": difference.low,
        "high": difference.high,
        "error": difference.error,
        "p": compared.p,
        "smallest_difference": compared.smallest,
    }
    return {"metric": name, **{key: number_or_none(float(array[place])) for key, array in values.items()}}
