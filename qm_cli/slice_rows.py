"""What slices are told from: the rows of images, labels and predictions, of a run or of tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field

from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import UsageError, nearest, some
from qm_cli.query import ROW, Source, quoted
from qm_cli.run_columns import KEYS, coded_values
from qm_cli.run_folder import Run
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]

CATEGORY = "category"
OBJECTS = ("label", "prediction")
LEVELS = ("image", *OBJECTS)
EITHER = "object"


class SliceRows(Struct, frozen=True):
    """What every slice of a source needs: its counts and links, each read once."""

    source: Source
    columns: dict[str, list[str]]
    count: dict[str, int]
    image_row: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def objects(self) -> list[str]:
        return [level for level in OBJECTS if level in self.image_row]


def rows_of_source(source: Source) -> SliceRows:
    names = source.table_names() if isinstance(source, Run) else list(source)
    columns = {level: columns_of(source, level) for level in LEVELS if level in names}
    objects = [level for level in OBJECTS if "image_row" in columns.get(level, ())]
    links = {level: image_rows(source, level) for level in objects}
    images = len(column_of(source, "image", "id"))
    counts = {"image": images, **{level: len(rows) for level, rows in links.items()}}
    return SliceRows(source, columns, counts, links)


def columns_of(source: Source, level: str) -> list[str]:
    return list(source.columns(level)) if isinstance(source, Run) else source[level].column_names


def column_of(source: Source, level: str, name: str) -> pa.Array:
    table = source.table(level, [name]) if isinstance(source, Run) else source[level]
    return one_chunk(table[name])


def image_rows(source: Source, level: str) -> npt.NDArray[np.int64]:
    return to_numpy(column_of(source, level, "image_row")).astype(np.int64)


def all_columns(rows: SliceRows) -> list[str]:
    plain = [name for level in rows.columns for name in rows.columns[level]]
    return [*dict.fromkeys(plain), *(f"{level}.{name}" for level, own in rows.columns.items() for name in own)]


def joined(rows: SliceRows, level: str) -> str:
    """SQL: a level's numbered rows with their image's columns and, where they have other names, their own.

    Each is there under its level's name as well, `label.width`, and what is not the image's as `object.width`.
    """
    numbered = "(SELECT *, row_number() OVER () - 1 AS {row} FROM {table})"
    own, images = numbered.format(row=ROW, table=quoted(level)), rows.columns["image"]
    if level == "image":
        return f"(SELECT {', '.join([ROW, *_selected('own', level, images, ())])} FROM {own} own)"
    chosen = [ROW, *_selected("parent", "image", images, ()), *_selected("own", level, rows.columns[level], images)]
    chosen += [f"own.{quoted(name)} AS {quoted(f'{EITHER}.{name}')}" for name in rows.columns[level]]
    parent = numbered.format(row="qm_image_row", table=quoted("image"))
    return f"(SELECT {', '.join(chosen)} FROM {own} own LEFT JOIN {parent} parent ON own.image_row = qm_image_row)"


def _selected(alias: str, level: str, names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Columns under their own name, unless it is taken, and under their level's."""
    hidden = {name.lower() for name in taken}
    plain = [f"{alias}.{quoted(name)} AS {quoted(name)}" for name in names if name.lower() not in hidden]
    return [*plain, *(f"{alias}.{quoted(name)} AS {quoted(f'{level}.{name}')}" for name in names)]


def shared_names(rows: SliceRows) -> list[str]:
    """Columns that images have and labels or predictions have too."""
    objects = {name.lower() for level in rows.objects() for name in rows.columns[level]} - set(KEYS)
    return [name for name in rows.columns["image"] if name.lower() in objects]


def levels_of(rows: SliceRows, column: str) -> tuple[list[str], str]:
    """The levels whose rows a column sorts into slices, and its name there."""
    prefix, dot, name = column.partition(".")
    if not dot or prefix not in LEVELS:
        prefix, name = "", column
    having = [level for level in LEVELS if name in rows.columns.get(level, ())]
    if prefix:
        levels = [prefix] if prefix in having else []
    else:
        levels = ["image"] if "image" in having else [level for level in rows.objects() if level in having]
    if not levels:
        known = [one for one in all_columns(rows) if one.rpartition(".")[2] not in KEYS]
        hint = nearest(column, known) or f"there are {some([one for one in known if '.' not in one])}"
        raise UsageError(f"no column {column!r}", hint)
    return levels, name


def coded_column(
    source: Source, levels: Sequence[str], name: str
) -> tuple[dict[str, npt.NDArray[np.int64]], tuple[str, ...]]:
    """The place of every row's value among the different ones, −1 for none: the same values at every level."""
    arrays = {level: column_of(source, level, name) for level in levels}
    for level, array in arrays.items():
        if pa.types.is_nested(array.type):
            raise UsageError(f"{level}.{name}: holds {array.type}", "name a column of few values")
    together: Any = pa.concat_arrays([array.cast(pa.string()) for array in arrays.values()])
    codes, names = coded_values(together)
    whole = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    ends = np.cumsum([len(array) for array in arrays.values()])[:-1]
    return dict(zip(arrays, np.split(whole, ends), strict=True)), names


def named_tables(tables: Tables) -> dict[str, pa.Table]:
    """Tables in memory as the language wants them: with each object's image id and the name of its category."""
    result = {"image": tables.image, "category": tables.category}
    for level in OBJECTS:
        table = tables.table(level)
        for name, parent, column in (("image_id", "image", "id"), (CATEGORY, "category", "name")):
            linked = pa.array(tables.values(level, f"{parent}_row"))
            if name not in table.column_names:
                table = table.append_column(name, tables.table(parent)[column].take(linked))
        result[level] = table
    return result
