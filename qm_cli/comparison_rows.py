"""The numbers of two models beside each other, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qm_cli.analysis.bootstrap import metric_names
from qm_cli.analysis.comparison import Compared
from qm_cli.settings import Settings


def comparison_rows(compared: Compared, settings: Settings, place: int | None = None) -> list[dict[str, Any]]:
    """One row per metric; place: of one category."""
    return named_rows(compared, metric_names(settings), place)


def named_rows(compared: Compared, names: Sequence[str], place: int | None = None) -> list[dict[str, Any]]:
    """As `comparison_rows`, of numbers that are called so."""
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
    return {"metric": name, **{key: _number(float(array[place])) for key, array in values.items()}}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
