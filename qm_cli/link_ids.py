"""Ids → row numbers, in whole-array operations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli import schema
from qm_cli.arrays import compute as pc
from qm_cli.arrays import to_arrow, to_numpy, valid
from qm_cli.errors import InputError, first_of
from qm_cli.findings import Finding
from qm_cli.kernels.runs import Runs

DENSE_SPAN = 1 << 24
INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
Rows = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


def rows_of(ids: pa.Array, known: pa.Array) -> Rows:
    """Row of each id among the known ids (of the same type, distinct), −1 where it is not among them: int32[n]."""
    if ids.type == known.type == pa.int64() and ids.null_count == 0 and len(known) and len(ids):
        values, entries = to_numpy(ids), to_numpy(known)
        low, high = int(entries.min()), int(entries.max())
        if high - low < DENSE_SPAN:
            return _dense_rows(values, entries, low, high)
    return with_none(pc.index_in(ids, value_set=known))


def _dense_rows(values: npt.NDArray[np.int64], entries: npt.NDArray[np.int64], low: int, high: int) -> Rows:
    table = np.full(high - low + 2, -1, np.int32)
    table[entries - low] = np.arange(len(entries), dtype=np.int32)
    if values.min() < low or values.max() > high:
        values = np.where((values < low) | (values > high), high + 1, values)
    return table[values - low]


def with_none(indices: pa.Array) -> Rows:
    """Arrow's int32 indices with −1 for null."""
    rows = to_numpy(indices)
    return np.nan_to_num(rows, nan=-1).astype(np.int32) if indices.null_count else rows.astype(np.int32)


def aligned_ids(ids: pa.Array, known: pa.Array) -> tuple[pa.Array, bool]:
    """Ids in the type of the known ones; True where one side has integers and the other strings: taken as text."""
    if ids.type == known.type or len(ids) == ids.null_count:
        return _as_type(ids, known.type), False
    if known.type == pa.string():
        return ids.cast(pa.string()), True
    return integers_in(ids), True


def _as_type(ids: pa.Array, dtype: pa.DataType) -> pa.Array:
    return ids if ids.type == dtype else pa.nulls(len(ids), dtype)


def integers_in(texts: pa.Array) -> pa.Array:
    """The integers that stand in texts, null where a text is none."""
    numeric = pc.match_substring_regex(texts, INTEGER)
    return pc.cast(pc.if_else(numeric, texts, pa.nulls(len(texts), texts.type)), pa.int64())


def linked(ids: pa.Array, known: pa.Array) -> tuple[Rows, bool]:
    """Row of each id, whatever the two types; True where they were compared as text."""
    aligned, as_text = aligned_ids(ids, known)
    return rows_of(aligned, known), as_text


def first_of_each(values: pa.Array) -> Mask:
    """True at the first occurrence of each value: bool[n]."""
    if values.type == pa.int64() and values.null_count == 0:
        numbers = to_numpy(values)
        if not (numbers[1:] > numbers[:-1]).all():
            numbers = np.sort(numbers)
        if (numbers[1:] > numbers[:-1]).all():
            return np.ones(len(values), bool)
    elif values.null_count == 0 and len(set(values.to_pylist())) == len(values):
        return np.ones(len(values), bool)
    encoded = values.dictionary_encode()
    codes = np.nan_to_num(to_numpy(encoded.indices), nan=len(encoded.dictionary)).astype(np.int64)
    places = np.arange(len(codes))
    first = np.zeros(len(encoded.dictionary) + 1, np.int64)
    first[codes[::-1]] = places[::-1]
    return np.asarray(first[codes] == places)


def distinct(names: pa.Array, mask: Mask | None = None) -> pa.Array:
    """The values that occur (under the mask), each once, in the order of their first occurrence, without null."""
    chosen = names if mask is None else names.filter(to_arrow(mask))
    return chosen.dictionary_encode().dictionary


def filled(columns: dict[str, pa.Array], names: tuple[str, ...], count: int) -> Mask:
    """Rows with a value in at least one of the named columns: bool[n]."""
    found = np.zeros(count, bool)
    for name in names:
        if name in columns:
            if columns[name].null_count == 0:
                return np.ones(count, bool)
            found |= valid(columns[name])
    return found


def shown(values: pa.Array, count: int = 3) -> str:
    """The first values in words."""
    return first_of([str(value.as_py()) for value in values[: count + 1]], count)


class Linked(Struct, frozen=True):
    """A table and what was found on the way to it; the masks of its rows, where the task compares masks.

    upright: the task compares rotated boxes, and all rows are plain ones.
    """

    table: pa.Table
    findings: list[Finding]
    runs: Runs | None = None
    upright: bool = False


def sorted_by_image(columns: dict[str, pa.Array], keep: Mask, image_row: Rows) -> pa.Table:
    """The kept rows, stably sorted by image; nothing is copied when they already are as they must be."""
    table = pa.table(columns)
    order = image_order(keep, image_row)
    return table if order is None else table.take(to_arrow(order)).combine_chunks()


def image_order(keep: Mask, image_row: Rows) -> npt.NDArray[np.int64] | None:
    """The kept rows, stably sorted by image; None when all are kept and sorted."""
    if not keep.all():
        places = np.flatnonzero(keep)
        return places[np.argsort(image_row[places], kind="stable")]
    return np.argsort(image_row, kind="stable") if (image_row[1:] < image_row[:-1]).any() else None


def empty_table(level: str) -> pa.Table:
    """A table of its contract's columns without rows."""
    types = {name: pa.int64() if c.dtype == schema.IDENTIFIER else c.dtype for name, c in schema.TABLES[level].items()}
    return pa.table({name: pa.nulls(0, dtype) for name, dtype in types.items()})


def refuse_all(where: str, count: int, what: str, findings: list[Finding]) -> None:
    """Raises InputError: none of a file's rows can be used, most of them for the reason that is told."""
    most = max((found for found in findings if found.rule.drops), key=lambda reason: reason.count)
    raise InputError(f"{where}: none of its {count:,} {what} can be used: {most.sentence()}", most.rule.hint)
