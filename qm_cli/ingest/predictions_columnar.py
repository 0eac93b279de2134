"""Predictions as Parquet or Arrow IPC, with the fields of a COCO results list → raw columns."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import all_finite, flat_values, one_chunk, strings_to_arrow, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.raw import Columns, RawPredictions, typed_identifiers, with_shape

REQUIRED = ("image_id", "category_id", "bbox", "score")
IDENTIFIERS = ("image_id", "category_id", "id")
LISTS = ("bbox", "probs", "logits")
HINT = "write image_id, category_id, bbox (list of 4 numbers) and score"


def read(path: Path, metadata: bool, shown: str | None = None, fields: tuple[str, ...] = ()) -> RawPredictions:
    """Columns of the file; with `metadata` also its unknown scalar columns. Messages call the file `shown`.

    fields: of these the first that any row has is kept as the column `shape`: a struct of size (list of two) and counts
    (text), a list of numbers, or anything a JSON file would have, as text.

    Raises InputError for a damaged file, a column of the wrong type and a number that is NaN or infinite, with its row.
    """
    where = shown or str(path)
    known = (*REQUIRED, "id", "probs", "logits", "file_name", "category_name", "category", *fields)
    try:
        table, there = _table(path, None if metadata else known)
    except (pa.ArrowException, OSError) as error:
        message = f"{where}: damaged Parquet or Arrow file: {' '.join(str(error).split())[:120]}"
        raise InputError(message, "write the file again; it may be cut off") from None
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{where}: the column {repeated[0]!r} stands twice", "keep one of the two")
    columns: Columns = {}
    for name in names:
        given = one_chunk(table.column(name))
        column = _shape(given) if name in fields and name != "bbox" else _converted(given, where, name)
        if column is not None:
            columns[name] = column
    for name in REQUIRED:
        if name not in columns:
            empty = pa.list_(pa.float64()) if name == "bbox" else pa.float64() if name == "score" else pa.int64()
            columns[name] = pa.nulls(table.num_rows, empty)
    if fields:
        columns = with_shape(columns, fields, table.num_rows)
    return RawPredictions(where, columns, tuple(there))


def first_prediction(path: Path) -> dict[str, object]:
    """The first row, or nothing where there is none or it cannot be read."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == b"PAR1":
            from pyarrow.parquet import ParquetFile

            with ParquetFile(path) as parquet:
                batches = parquet.iter_batches(batch_size=1)
                rows: list[dict[str, object]] = next(batches).to_pylist()
        else:
            rows = _table(path, None)[0].slice(0, 1).to_pylist()
    except (pa.ArrowException, OSError, StopIteration):
        return {}
    return rows[0] if rows else {}


def _shape(column: pa.Array) -> pa.Array:
    """A column of shapes in one of the types that linking takes: texts, lists of doubles, structs as they are."""
    dtype = column.type
    if pa.types.is_dictionary(dtype):
        return _shape(column.dictionary_decode())
    if pa.types.is_large_string(dtype):
        return column.cast(pa.string())
    number = hasattr(dtype, "value_type") and not pa.types.is_nested(dtype.value_type)
    if number and column.null_count == 0:
        return column.cast(pa.list_(pa.float64()))
    if pa.types.is_struct(dtype) and column.null_count == 0 and {"size", "counts"} <= {one.name for one in dtype}:
        size, counts = column.field("size"), column.field("counts")
        if counts.type in (pa.string(), pa.large_string(), pa.binary()) and not pa.types.is_null(size.type):
            parts = [size.cast(pa.list_(pa.float64())), counts.cast(pa.string())]
            return pa.StructArray.from_arrays(parts, ["size", "counts"])
    if pa.types.is_nested(dtype):
        return strings_to_arrow([None if one is None else _text(one) for one in column.to_pylist()])
    return column.cast(pa.string())


def _text(value: object) -> str:
    if isinstance(value, dict) and isinstance(value.get("counts"), bytes):
        value = {**value, "counts": value["counts"].decode("ascii", "replace")}
    return msgspec.json.encode(value).decode()


def _table(path: Path, names: tuple[str, ...] | None) -> tuple[pa.Table, list[str]]:
    """The columns wanted, and the names of all there are."""
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"PAR1"):
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as parquet:
            there = parquet.schema_arrow.names
            wanted = there if names is None else list(dict.fromkeys(n for n in there if n in names))
            return parquet.read(wanted), there
    from pyarrow import ipc

    with pa.memory_map(str(path)) as source:
        table = (ipc.open_file(source) if magic == b"ARROW1" else ipc.open_stream(source)).read_all()
        there = table.column_names
        return table if names is None else table.select(dict.fromkeys(n for n in there if n in names)), there


def _converted(column: pa.Array, where: str, name: str) -> pa.Array | None:
    """The column as the JSON reader gives it, or None for metadata that is no scalar."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    dtype = column.type
    if pa.types.is_null(dtype) and name not in REQUIRED:
        return None
    if name in IDENTIFIERS:
        return typed_identifiers(column, where, name, HINT)
    if name == "score":
        return _score(column, where)
    if name in LISTS:
        return _number_lists(column, where, name)
    if pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        return column.cast(pa.string())
    return None if pa.types.is_nested(dtype) else column


def _score(column: pa.Array, where: str) -> pa.Array:
    dtype = column.type
    if pa.types.is_null(dtype):
        return column.cast(pa.float64())
    if not (pa.types.is_floating(dtype) or pa.types.is_integer(dtype)):
        raise InputError(f"{where}: score: expected a column of numbers, got {dtype}", HINT)
    column = column if dtype == pa.float64() else column.cast(pa.float64())
    _refuse_not_finite(column, where, "score", 1)
    return column


def _refuse_not_finite(values: pa.Array, where: str, name: str, per_row: int | None, lists: pa.Array = None) -> None:
    content = to_numpy(values)
    if values.null_count == 0 and all_finite(content):
        return
    wrong = ~np.isfinite(content) & valid(values)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        row = place // per_row if per_row else _row_of(place, lists)
        message = f"{where}: [{row}].{name}: expected a finite number, got {content[place]}"
        raise InputError(message, "mend the export")


def _row_of(place: int, lists: pa.ListArray) -> int:
    """Row of the list a flat value stands in."""
    lengths = np.nan_to_num(to_numpy(lists.value_lengths()))
    return int(np.searchsorted(np.cumsum(lengths), place, side="right"))


def _number_lists(column: pa.Array, where: str, name: str) -> pa.Array:
    """Lists of any kind → list<double>. A fixed-size list keeps its nulls. Only boxes must be finite."""
    dtype = column.type
    if pa.types.is_null(dtype):
        return column.cast(pa.list_(pa.float64()))
    is_list = pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype)
    number = is_list and (pa.types.is_floating(dtype.value_type) or pa.types.is_integer(dtype.value_type))
    if not number:
        raise InputError(f"{where}: {name}: expected a column of lists of numbers, got {dtype}", HINT)
    if pa.types.is_fixed_size_list(dtype) and column.null_count == 0:
        values = column.flatten().cast(pa.float64())
        if name == "bbox":
            _refuse_not_finite(values, where, name, dtype.list_size)
        offsets = np.arange(len(column) + 1, dtype=np.int32) * np.int32(dtype.list_size)
        return pa.ListArray.from_arrays(to_arrow(offsets), values)
    plain = pa.types.is_list(dtype) and dtype.value_type == pa.float64()
    lists = column if plain else column.cast(pa.list_(pa.float64()))
    if name == "bbox":
        _refuse_not_finite(flat_values(lists) if lists.null_count == 0 else lists.flatten(), where, name, None, lists)
    return lists
