"""Two models compared on slices: the same images and labels for both, each model's own predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from qm_cli.analysis.bootstrap import Weighable
from qm_cli.analysis.comparison import NumbersOf, compared_parts, compared_sets
from qm_cli.analysis.corrections import holm
from qm_cli.analysis.slices import Matched, Members
from qm_cli.arrays import to_arrow
from qm_cli.comparison_rows import comparison_rows, named_rows
from qm_cli.slice_language import OBJECT, Slice
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
MEMBER = "qm_slice_{place}"


def with_members(tables: Tables, slices: Sequence[Slice]) -> Tables:
    """The tables with a column of labels and of predictions per slice that has such members."""
    parts = {"label": tables.label, "prediction": tables.prediction}
    for place, one in enumerate(slices):
        for level, mask in (("label", one.labels), ("prediction", one.predictions)):
            if one.level == OBJECT and mask is not None:
                parts[level] = parts[level].append_column(MEMBER.format(place=place), to_arrow(mask))
    return replace(tables, **parts, _views={})


def slice_members(slices: Sequence[Slice], sides: Sequence[Matched]) -> list[tuple[str, list[Members]]]:
    """Name and members of every slice, in the rows of each side's tables."""
    return [(one.name, [_members(one, place, side.tables) for side in sides]) for place, one in enumerate(slices)]


def _members(one: Slice, place: int, tables: Tables) -> Members:
    name = MEMBER.format(place=place)
    labels, predictions = (
        tables.values(level, name) if name in tables.table(level).column_names else None
        for level in ("label", "prediction")
    )
    return Members(one.level != OBJECT, one.images, labels, predictions)


def compared_slices(
    slices: Sequence[Slice],
    sides: Sequence[Matched],
    wholes: Sequence[Weighable],
    unit: RowArray,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Every slice's numbers of both models and their differences; p with Holm's correction over the slices."""
    parts = [members for _, members in slice_members(slices, sides)]
    found = compared_parts(parts, sides, wholes, unit, resamples, seed)
    rows = [
        {**said(one), "units": units, "metrics": comparison_rows(compared, sides[0].settings)}
        for one, (compared, units) in zip(slices, found, strict=True)
    ]
    return corrected(rows)


def compared_images(
    slices: Sequence[Slice],
    numbers: tuple[NumbersOf, NumbersOf],
    names: Sequence[str],
    unit: RowArray,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """As `compared_slices`, of whole images and any numbers, which are called so: the members are `Slice.images`."""
    found = compared_sets([one.images for one in slices], numbers, unit, resamples, seed)
    return corrected(
        [
            {**said(one), "units": units, "metrics": named_rows(compared, names)}
            for one, (compared, units) in zip(slices, found, strict=True)
        ]
    )


def said(one: Slice) -> dict[str, Any]:
    """What a slice is, as data."""
    return {
        "name": one.name,
        "definition": one.definition,
        "level": one.level,
        "images": int(np.count_nonzero(one.images)),
    }


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with Holm's correction of each metric's p over the slices."""
    for cells in zip(*(row["metrics"] for row in rows), strict=True):
        for cell, p in zip(cells, holm([cell["p"] for cell in cells]), strict=True):
            cell["p_corrected"] = p
    return rows
