"""Which samples of a run, in which order: filtered, ranked by one column, ties by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.ranking import DESCENDING, ascending_key, candidates, ranked
from qm_cli.arrays import to_arrow, to_numpy, valid
from qm_cli.batch import Batch, Candidates, Picks, pick
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.row_fields import Mask, Reader, RowArray, Source, fields_of, image_rows, labeled_images, values_of

LEVELS = ("image", "label", "prediction")
FIRST, LAST, DROP = "first", "last", "drop"
ASCENDING, FALLING = "asc", "desc"


class Choice(Struct, frozen=True):
    """What is asked for. column: what to rank by, None for the order of the ids. limit: only the first images count.

    rows: only these, as another filter found them. fields: the columns that are given back; empty for the usual ones.
    descending: None for worst first.
    """

    level: str = "image"
    column: str | None = None
    descending: bool | None = None
    no_values: str = LAST
    top: int | None = None
    limit: int | None = None
    rows: RowArray | None = None
    unlabeled_only: bool = False
    reviewed: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Ranked(Struct, frozen=True):
    """The chosen rows in their order. unknown: names in --exclude or --reviewed that are no sample's.

    rows: where they stand in the level's table. picks: how a batch was chosen.
    """

    table: pa.Table
    choice: Choice
    descending: bool
    better: str
    considered: int
    without_value: int
    unknown: tuple[str, ...]
    rows: RowArray
    picks: Picks | None = None


def named_metric(name: str | None, level: str | None) -> tuple[str, str | None]:
    """Level and column of `entropy`, `image.entropy` or a plain column; the level is `image` unless it is named.

    >>> named_metric("label.area_relative", None), named_metric("entropy", None)
    (('label', 'area_relative'), ('image', 'entropy'))
    """
    if name is None:
        return level or LEVELS[0], None
    prefix, dot, column = name.partition(".")
    if not dot or prefix not in LEVELS:
        return level or LEVELS[0], name
    if level not in (None, prefix):
        raise UsageError(f"{name}: is of level {prefix}, not {level}", f"leave out --level or say --level {prefix}")
    return prefix, column


def select(source: Source, choice: Choice, batch: Batch | None = None) -> Ranked:
    """Filter, then rank; then choose a batch where one is asked for. Only the columns that are named are read."""
    level = choice.level
    reader = Reader(source)
    fields = fields_of(reader, level, choice.fields, choice.column)
    descending, better = _direction(_field(reader, choice), choice)
    rows, unknown = _kept_rows(reader, choice)
    ids = reader.column(level, "id")
    considered, without_value, ranked_by = len(rows), 0, None
    whole = choice if batch is None else replace(choice, top=None)
    if choice.column is None:
        rows = rows[_by_id(np.zeros(len(rows), np.int8), rows, ids, whole.top)]
    else:
        values, missing = _numbers(reader.column(level, choice.column), choice.column)
        values, missing = values[rows], missing[rows]
        without_value = int(np.count_nonzero(missing))
        order = _ordered(values, missing, rows, ids, descending, whole)
        ranked_by = None if batch is None else np.where(missing, np.nan, values)[np.searchsorted(rows, order)]
        rows = order
    rows, picks = rows[: whole.top], None
    if batch is not None:
        candidates = Candidates(level, rows, ranked_by, descending)
        picks = pick(reader, candidates, replace(batch, top=choice.top, unlabeled_only=choice.unlabeled_only))
        rows = rows[picks.places]
    table = pa.table({name: values_of(reader, level, name, rows) for name in fields})
    return Ranked(table, choice, descending, better, considered, without_value, unknown, rows, picks)


def _field(source: Reader, choice: Choice) -> pa.Field | None:
    """The field to rank by. Raises UsageError with the nearest names, or the level that has it."""
    if choice.column is None:
        return None
    known = source.columns(choice.level)
    if choice.column in known:
        return known[choice.column]
    others = [level for level in LEVELS if level != choice.level and choice.column in source.columns(level)]
    rankable = [name for name, field in known.items() if _rankable(field.type)]
    hint = f"it is a column of {others[0]}: --level {others[0]}" if others else nearest(choice.column, rankable)
    raise UsageError(f"{choice.level} has no column {choice.column!r}", hint or f"it has {', '.join(rankable)}")


def _direction(field: pa.Field | None, choice: Choice) -> tuple[bool, str]:
    """Whether the highest comes first, and which end is better as the column's notes say."""
    notes = {key.decode(): value.decode() for key, value in ((field.metadata if field else None) or {}).items()}
    better = notes.get("better", "")
    if field is None:
        return False, better
    if choice.descending is not None:
        return choice.descending, better
    if better not in DESCENDING:
        known = "neither end is better" if better else "no better end is known"
        raise UsageError(f"{choice.column}: {known}", "say --order asc (lowest first) or --order desc")
    return DESCENDING[better], better


def _rankable(dtype: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_temporal)
    return any(test(dtype) for test in tests)


def _numbers(column: pa.Array, name: str) -> tuple[npt.NDArray[Any], Mask]:
    """A column as numbers in its order, and which rows have none."""
    if not _rankable(column.type):
        raise UsageError(f"{name}: holds {column.type}, which has no order", "rank by a column of numbers")
    missing = np.asarray(~valid(column))
    if pa.types.is_string(column.type):
        return _letter_order(column), missing
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int64())
    values = to_numpy(column)
    if values.dtype.kind == "f":
        return values, np.isnan(values)
    return values.astype(np.int64), missing


def _letter_order(strings: pa.Array) -> npt.NDArray[np.int64]:
    """Integers in the order of the strings; equal strings share one."""
    return np.asarray(to_numpy(pc.rank(strings, tiebreaker="dense")), np.int64)


def _ordered(
    values: npt.NDArray[Any], missing: Mask, rows: RowArray, ids: pa.Array, descending: bool, choice: Choice
) -> RowArray:
    """Rows with a value by it; those without one before, behind or left out; each by id where equal."""
    filled = np.flatnonzero(~missing)
    key = ascending_key(values[filled], descending)
    with_value = rows[filled][_by_id(key, rows[filled], ids, choice.top)]
    if choice.no_values == DROP:
        return with_value
    empty = rows[missing]
    without = empty[_by_id(np.zeros(len(empty), np.int8), empty, ids, choice.top)]
    return np.concatenate((without, with_value) if choice.no_values == FIRST else (with_value, without))


def _by_id(key: npt.NDArray[Any], rows: RowArray, ids: pa.Array, top: int | None) -> RowArray:
    """Places in `rows` by key, ties by id: integers as numbers, strings letter by letter."""
    close = candidates(key, top)
    return close[ranked(key[close], _id_key(ids, rows[close]))]


def _id_key(ids: pa.Array, rows: RowArray) -> npt.NDArray[np.int64]:
    """Integers in the order of the ids."""
    own = ids if len(rows) == len(ids) and _is_range(rows) else ids.take(to_arrow(rows))
    if pa.types.is_integer(own.type):
        return np.asarray(to_numpy(own), np.int64)
    if len(own) < 2 or pc.all(pc.less_equal(own.slice(0, len(own) - 1), own.slice(1))).as_py():
        return np.arange(len(own))
    places = np.empty(len(own), np.int64)
    places[to_numpy(pc.sort_indices(own))] = np.arange(len(own))
    return places


def _is_range(rows: RowArray) -> bool:
    return bool(np.all(rows[:-1] < rows[1:]))


def _kept_rows(source: Reader, choice: Choice) -> tuple[RowArray, tuple[str, ...]]:
    """Rows that pass every filter, ascending, and the names that no sample has."""
    level = choice.level
    count = len(source.column(level, "id"))
    keep = np.ones(count, bool)
    image_row = image_rows(source, level, count)
    unknown: tuple[str, ...] = ()
    if choice.limit is not None:
        keep &= image_row < choice.limit
    if choice.rows is not None:
        keep &= np.isin(np.arange(count), choice.rows)
    if choice.unlabeled_only:
        done, unknown = _named(source, "image", choice.reviewed)
        keep &= ~(labeled_images(source, len(done)) | done)[image_row]
    if choice.exclude:
        out, strangers = _named(source, level, choice.exclude)
        keep &= ~out
        unknown += strangers
    return np.flatnonzero(keep), unknown


def _named(source: Reader, level: str, names: Sequence[str]) -> tuple[Mask, tuple[str, ...]]:
    """Rows whose id, or else whose image's file name, is one of the names; and the names that are neither."""
    ids = source.column(level, "id").cast(pa.string())
    wanted = pa.array(names, pa.string())
    mask = to_numpy(pc.is_in(ids, value_set=wanted))
    rest = wanted.filter(pc.invert(pc.is_in(wanted, value_set=ids)))
    if len(rest) and "file_name" in source.columns("image"):
        files = source.column("image", "file_name")
        hit = to_numpy(pc.is_in(files, value_set=rest))
        mask = mask | hit[image_rows(source, level, len(mask))]
        rest = rest.filter(pc.invert(pc.is_in(rest, value_set=files)))
    return mask, tuple(rest.to_pylist())


def only_field(selection: Ranked) -> pa.ChunkedArray:
    """The one field of a selection that is given line by line. Raises InputError where a row has none."""
    column = selection.table.column(0)
    if column.null_count:
        name = selection.table.column_names[0]
        raise InputError(f"{column.null_count} of {len(column)} rows have no {name}", "use --field id or --format csv")
    return column
