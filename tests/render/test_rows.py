"""Rows as lines, CSV, JSON lines and Parquet; NaN never appears."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.errors import UsageError
from qm_cli.render.rows import as_csv, as_json_lines, as_lines, as_parquet, as_records, plain

TABLE = pa.table(
    [
        pa.array([1, None, 3]),
        pa.array([0.1, float("nan"), float("-inf")]),
        pa.array(['a,"b"', "c\nd", None]),
        pa.array([[1.0, None], [], None]),
        pa.array([Decimal("6"), None, Decimal("99999999999999999999")], pa.decimal128(38, 0)),
        pa.array([True, None, False]),
    ],
    names=["id", "value", "text", "list", "big", "flag"],
)


def test_csv() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(TABLE).decode(), newline="")))
    assert rows == [
        ["id", "value", "text", "list", "big", "flag"],
        ["1", "0.1", 'a,"b"', "[1.0,null]", "6", "true"],
        ["", "", "c\nd", "[]", "", ""],
        ["3", "", "", "", "1e+20", "false"],
    ]


def test_csv_is_bare_where_it_can_be() -> None:
    assert as_csv(pa.table({"id": [1], "na,me": ["x y"]})) == b'id,"na,me"\n1,x y\n'
    assert as_csv(pa.table({"id": pa.array([], pa.int64())})) == b"id\n"


def test_json_lines_and_records() -> None:
    expected = [
        {"id": 1, "value": 0.1, "text": 'a,"b"', "list": [1.0, None], "big": 6.0, "flag": True},
        {"id": None, "value": None, "text": "c\nd", "list": [], "big": None, "flag": None},
        {"id": 3, "value": None, "text": None, "list": None, "big": 1e20, "flag": False},
    ]
    assert as_records(TABLE) == expected
    assert [json.loads(line) for line in as_json_lines(TABLE).splitlines()] == expected
    assert as_records(pa.table({"l": pa.array([[float("nan")]])})) == [{"l": [None]}]


def test_times() -> None:
    """Of nanoseconds as of others; an interval is months, days and nanoseconds; no Python date is infinite."""
    nano = pa.array([1_577_836_800_123_456_789, None], pa.timestamp("ns"))
    day, length = pa.array([18_262, -719_162], pa.date32()), pa.array([(1, 2, 3), None], pa.month_day_nano_interval())
    table = pa.table({"nano": nano, "day": day, "length": length})
    expected = {"nano": "2020-01-01T00:00:00.123456", "day": "2020-01-01", "length": [1, 2, 3]}
    assert as_records(table)[0] == expected
    assert as_csv(table).decode().splitlines()[1:] == [
        '2020-01-01 00:00:00.123456,2020-01-01,"[1,2,3]"',
        ",0001-01-01,",
    ]
    for dtype, value in ((pa.date32(), 2**31 - 1), (pa.timestamp("us"), 2**63 - 1), (pa.date32(), -719_163)):
        for write in (as_csv, as_records, as_json_lines):
            with pytest.raises(UsageError, match="when: holds dates outside of the years 1 to 9999"):
                write(pa.table({"when": pa.array([0, value], dtype)}))
    with pytest.raises(UsageError, match="Parquet has no type for the column length: month_day_nano_interval"):
        as_parquet(table)


def test_equal_names_are_told_apart() -> None:
    table = pa.table([pa.array([1])] * 4, names=["id", "id", "id_1", "id"])
    assert plain(table).column_names == ["id", "id_1", "id_1_1", "id_2"]
    assert pq.read_table(io.BytesIO(as_parquet(table))).num_columns == 4


def test_lines() -> None:
    assert as_lines(pa.chunked_array([[3, 1]])) == "3\n1\n"
    assert as_lines(pa.chunked_array([["a b", "é"]])) == "a b\né\n"
    assert as_lines(pa.chunked_array([[0.5]])) == "0.5\n"
    assert as_lines(pa.chunked_array([], pa.int64())) == ""


def test_parquet_keeps_the_notes() -> None:
    noted = pa.table([pa.array([1])], schema=pa.schema([pa.field("x", pa.int64(), metadata={"unit": "px"})]))
    assert pq.read_table(io.BytesIO(as_parquet(noted))).schema.field("x").metadata[b"unit"] == b"px"
