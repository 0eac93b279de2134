"""A run's columns, each read once; and the fields that rows are given back with, their parents' among them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import one_chunk, to_arrow, to_numpy
from qm_cli.errors import UsageError, nearest, some

DEFAULT_FIELDS = ("id", "image_id", "file_name", "category", "score", "outcome")

Mask = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]


class Source(Protocol):
    """Tables to choose from: a run's, or those of a dataset just scored."""

    def table_names(self) -> list[str]: ...
    def columns(self, name: str) -> dict[str, pa.Field]: ...
    def table(self, name: str, columns: list[str] | None = None) -> pa.Table: ...


class Reader:
    """A source's columns in one piece, each read once."""

    def __init__(self, source: Source) -> None:
        self.table_names, self.columns = source.table_names, source.columns
        self._source = source
        self._read: dict[tuple[str, str], pa.Array] = {}

    def column(self, table: str, name: str) -> pa.Array:
        key = (table, name)
        if key not in self._read:
            self._read[key] = one_chunk(self._source.table(table, [name])[name])
        return self._read[key]


def fields_of(source: Reader, level: str, names: tuple[str, ...], ranked_by: str | None) -> tuple[str, ...]:
    """The columns to give back, checked before any work; the usual ones and `ranked_by` where none is named."""
    known = _known_fields(source, level)
    if not known:
        source.column(level, "id")
    if not names:
        usual = [name for name in DEFAULT_FIELDS if name in known]
        return tuple(dict.fromkeys([*usual, *([ranked_by] if ranked_by else [])]))
    for name in names:
        if name not in known:
            hint = nearest(name, list(known)) or f"there are {some(list(known))}"
            raise UsageError(f"--field {name}: {level} has no such column", hint)
    return tuple(dict.fromkeys(names))


def _known_fields(source: Reader, level: str) -> dict[str, tuple[str, str, str]]:
    """Field name → (table, column, the level's column that links to it): own ones, then the image's and category's."""
    own = {name: (level, name, "") for name in source.columns(level)}
    if level == "image" or not own:
        return own
    parents = {name: ("image", name, "image_row") for name in source.columns("image") if name != "id"}
    linked = {"image_id": ("image", "id", "image_row")}
    if "category_row" in own and "name" in source.columns("category"):
        linked["category"] = ("category", "name", "category_row")
    return {**parents, **linked, **own}


def values_of(source: Reader, level: str, name: str, rows: RowArray) -> pa.ChunkedArray:
    """A field's values for the rows, its notes aside."""
    table, column, link = _known_fields(source, level)[name]
    places = to_numpy(source.column(level, link))[rows] if link else rows
    return pa.chunked_array([source.column(table, column).take(to_arrow(places))])


def image_rows(source: Reader, level: str, count: int) -> npt.NDArray[Any]:
    """The row of each sample's image."""
    if level == "image":
        return np.arange(count)
    return to_numpy(source.column(level, "image_row"))


def labeled_images(source: Reader, images: int) -> Mask:
    """Images with at least one annotation; none when the run has no labels."""
    if "label" not in source.table_names():
        return np.zeros(images, bool)
    return np.bincount(image_rows(source, "label", 0), minlength=images) > 0
