"""Rows of an Arrow table → lines, CSV, JSON lines, Parquet. What is undefined is empty or null; NaN never appears."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qm_cli.arrays import to_numpy
from qm_cli.errors import UsageError

EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = date.min.toordinal() - EPOCH, date.max.toordinal() - EPOCH
"""Of Python's calendar, in days from 1970 on."""
DAY = 86_400_000_000


def plain(table: pa.Table) -> pa.Table:
    """The table with a name of its own per column, numbers as integers or floats, and null for what is not finite.

    Times are in microseconds. Raises UsageError for dates that no calendar of Python has.
    """
    names = _own_names(table.column_names)
    columns = [_plain_column(column, name) for column, name in zip(table.columns, names, strict=True)]
    return pa.table(columns, names=names)


def _own_names(names: list[str]) -> list[str]:
    """Names with _1, _2, … behind the ones that came before."""
    seen: Counter[str] = Counter()
    own: list[str] = []
    for name in names:
        fresh = name
        while fresh in own:
            seen[name] += 1
            fresh = f"{name}_{seen[name]}"
        own.append(fresh)
    return own


def _plain_column(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    dtype = column.type
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        return _dates(column, name)
    if pa.types.is_decimal(dtype):
        try:
            return column.cast(pa.int64() if dtype.scale == 0 else pa.float64())
        except pa.ArrowInvalid:
            return column.cast(pa.float64())
    if pa.types.is_floating(dtype):
        return pc.if_else(pc.is_finite(column), column, pa.scalar(None, dtype))
    return column


def _dates(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Dates and times as Python knows them, from the year 1 to 9999."""
    day = pa.types.is_date32(column.type)
    dtype = pa.date32() if day else pa.timestamp("us", getattr(column.type, "tz", None))
    column = column.cast(dtype, safe=False)
    bounds = pc.min_max(column.cast(pa.int32() if day else pa.int64()))
    first, last = FIRST_DAY, LAST_DAY + 1
    if not day:
        first, last = first * DAY, last * DAY
    if bounds["min"].is_valid and not first <= bounds["min"].as_py() <= bounds["max"].as_py() < last:
        raise UsageError(f"{name}: holds dates outside of the years 1 to 9999", "cast it to text: column::VARCHAR")
    return column


def as_lines(column: pa.ChunkedArray) -> str:
    """One value a line."""
    if pa.types.is_string(column.type):
        values = column.to_pylist()
    elif pa.types.is_integer(column.type) and not column.null_count:
        values = list(map(str, to_numpy(column).tolist()))
    else:
        values = [value if isinstance(value, str) else json.dumps(value, default=str) for value in column.to_pylist()]
    return "\n".join([*values, ""])


def as_csv(table: pa.Table) -> bytes:
    """CSV with a header; nested values as JSON, null as nothing."""
    from pyarrow.csv import WriteOptions, write_csv

    table = plain(table)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(table.column_names)
    flat = pa.table([_flat(column) for column in table.columns], names=table.column_names)
    body = io.BytesIO()
    if flat.num_columns:
        try:
            write_csv(flat, body, WriteOptions(include_header=False, quoting_style="none"))
        except pa.ArrowInvalid:  # a value holds a comma, a quote or a line end
            body = io.BytesIO()
            write_csv(flat, body, WriteOptions(include_header=False, quoting_style="needed"))
    return header.getvalue().encode() + body.getvalue()


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nested values and bytes as JSON text."""
    dtype = column.type
    simple = pa.types.is_boolean(dtype) or pa.types.is_integer(dtype) or pa.types.is_floating(dtype)
    if simple or pa.types.is_string(dtype) or (pa.types.is_temporal(dtype) and not pa.types.is_interval(dtype)):
        return column
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number")
    values = [None if value is None else encoder.encode(value).decode() for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string())])


def as_json_lines(table: pa.Table) -> bytes:
    """One JSON object a line."""
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode_lines(plain(table).to_pylist())


def as_records(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as JSON holds them: text, numbers, booleans, null, lists and objects."""
    import msgspec

    encoded = msgspec.json.Encoder(decimal_format="number").encode(plain(table).to_pylist())
    records: list[dict[str, Any]] = msgspec.json.decode(encoded)
    return records


def as_parquet(table: pa.Table) -> bytes:
    """A Parquet file; the columns keep their notes. Raises UsageError for a column of a type that Parquet lacks."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    names = _own_names(table.column_names)
    try:
        pq.write_table(table.rename_columns(names), sink, compression="zstd")
    except pa.ArrowNotImplementedError as error:
        lacking = next((f for f in table.schema if pa.types.is_interval(f.type)), None)
        named = f"{lacking.name}: {lacking.type}" if lacking else str(error)
        raise UsageError(f"Parquet has no type for the column {named}", "cast it to text: column::VARCHAR") from error
    return sink.getvalue()
