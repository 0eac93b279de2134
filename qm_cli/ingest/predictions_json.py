"""Prediction JSON (a COCO results list) → raw columns, read in parallel by DuckDB.

DuckDB is lax where qm must not be: it takes "0.5" and true for numbers and NaN for a score. So a file is read twice as
fast as JSON text allows when a count of its bytes proves that every value is a number, and strictly otherwise.
"""

from __future__ import annotations

import json
import mmap
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qm_cli.errors import InputError
from qm_cli.raw import Columns, RawPredictions

LISTS = frozenset({"bbox", "probs", "logits"})
NUMBERS = frozenset({"image_id", "category_id", "score", "id", "area", "iscrowd"})
REQUIRED = ("image_id", "category_id", "bbox", "score")
EXACT_INTEGERS = 2.0**53
HEAD_BYTES = 1 << 16
BLOCK_BYTES = 1 << 18


def read(path: Path, metadata: bool, threads: int | None = None) -> RawPredictions:
    """Columns of a results list; with `metadata` also its unknown scalar fields.

    Raises InputError for an empty file, what is no list of objects, broken JSON, a key twice in one object and a value
    of the wrong type, NaN or infinite, naming the place.
    """
    _refuse_no_list(path)
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    names = _first_keys(path)
    columns = _read_numbers(connection, path, names) if names and names <= LISTS | NUMBERS else None
    if columns is None:
        columns = _read_strictly(connection, path, _all_keys(connection, path) if metadata else None)
    return RawPredictions(path.name, columns)


def _refuse_no_list(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head and path.stat().st_size <= HEAD_BYTES:
        raise InputError(f"{path}: the file is empty", "an empty set of predictions is written []")
    if head[:1] != b"[":
        found = "an object" if head[:1] == b"{" else "no list"
        raise InputError(
            f"{path}: expected a list of predictions, found {found}", 'a COCO results list: [{"image_id": …}, …]'
        )


def _first_keys(path: Path) -> frozenset[str]:
    """Keys of the first prediction, or none when it cannot be seen from the start of the file alone."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")[1:].lstrip()
    try:
        first, _ = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(first) if isinstance(first, dict) else frozenset()


def _all_keys(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Keys of the file's first 20,480 predictions."""
    query = "DESCRIBE SELECT * FROM read_json(?, format='array', records=true, maximum_depth=2, sample_size=20480)"
    try:
        return [row[0] for row in connection.execute(query, [str(path)]).fetchall()]
    except duckdb.Error:
        return []


def _query(connection: duckdb.DuckDBPyConnection, path: Path, types: dict[str, str]) -> pa.Table:
    connection.execute("SET autoinstall_known_extensions=false")
    struct = ", ".join(f"{_quoted(name)}: '{dtype}'" for name, dtype in types.items())
    file = str(path).replace("'", "''")
    try:
        relation = connection.sql(f"SELECT * FROM read_json('{file}', columns={{{struct}}}, format='array')")
        table: pa.Table = relation.to_arrow_table()
    except duckdb.Error as error:
        raise InputError(f"{path}: {_reason(str(error))}", "a COCO results list, complete and valid JSON") from None
    return table


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _reason(message: str) -> str:
    """The telling part of a DuckDB error: without its prefix, the file name and its advice on options."""
    text = message.partition("\n")[0].partition("Error: ")[2] or message
    head, _, tail = text.partition(" in file ")
    where = tail.partition(", ")[2] or tail.partition('" ')[2]
    place = where.partition(" Try setting")[0].partition("Try setting")[0]
    return f"{head.strip().rstrip(',')}, {place}".strip(", ")[:300]


def _read_numbers(connection: duckdb.DuckDBPyConnection, path: Path, names: frozenset[str]) -> Columns | None:
    """Columns read as numbers, or None when the file might hold anything else: then it must be read strictly."""
    types = {name: "DOUBLE[]" if name in LISTS else "DOUBLE" for name in (*REQUIRED, *sorted(names - set(REQUIRED)))}
    if not set(REQUIRED) <= names:
        return None
    try:
        table = _query(connection, path, types)
    except InputError:
        return None
    quotes = 2 * table.num_rows * len(types)
    letters = "".join(names)
    expected = {ord('"'): quotes, **{ord(letter): table.num_rows * letters.count(letter) for letter in "ulN"}}
    if _byte_counts(path, list(expected)) != list(expected.values()):
        return None
    columns = {name: _combined(table.column(name)) for name in table.column_names}
    if any(column.null_count or not _all_finite(column) for column in columns.values()):
        return None
    ids = {name: _integers(columns[name]) for name in ("image_id", "category_id", "id") if name in columns}
    if any(column is None for column in ids.values()):
        return None
    return {**columns, **{name: column for name, column in ids.items() if column is not None}}


def _byte_counts(path: Path, letters: list[int]) -> list[int]:
    """How often each byte stands in the file; read in blocks, so that memory stays flat."""
    counts = [0] * len(letters)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        bytes_ = np.frombuffer(content, np.uint8)
        for start in range(0, len(bytes_), BLOCK_BYTES):
            block = bytes_[start : start + BLOCK_BYTES]
            counts = [
                count + int(np.count_nonzero(block == letter)) for count, letter in zip(counts, letters, strict=True)
            ]
        del bytes_, block
    return counts


def _combined(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        return combined.chunk(0) if combined.num_chunks else pa.array([], column.type)
    return combined


def _all_finite(column: pa.Array) -> bool:
    numbers = column.flatten() if pa.types.is_list(column.type) else column
    return numbers.null_count == 0 and bool(np.isfinite(numbers.to_numpy(zero_copy_only=False)).all())


def _integers(column: pa.Array) -> pa.Array | None:
    """Ids read as doubles → int64, or None where one is fractional or too large to be exact."""
    values = column.to_numpy(zero_copy_only=False)
    whole = values.astype(np.int64, casting="unsafe") if len(values) and np.abs(values).max() < EXACT_INTEGERS else None
    if len(values) == 0:
        return pa.array([], pa.int64())
    return pa.array(whole) if whole is not None and bool((whole == values).all()) else None


def _read_strictly(connection: duckdb.DuckDBPyConnection, path: Path, names: list[str] | None) -> Columns:
    """Every value read as JSON text and converted by Arrow's own strict casts."""
    wanted = list(dict.fromkeys([*REQUIRED, "id", "probs", "logits", "file_name", *(names or [])]))
    types = {name: "JSON[]" if name in LISTS else "JSON" for name in wanted}
    table = _query(connection, path, types)
    columns: Columns = {}
    for name in wanted:
        column = _combined(table.column(name))
        if name not in REQUIRED and column.null_count == len(column):
            continue
        if name in LISTS:
            columns[name] = _number_lists(column, f"{path}", name)
        elif name == "score":
            columns[name] = _numbers(column, f"{path}", name)
        elif name in ("image_id", "category_id", "id"):
            columns[name] = _identifiers(column, f"{path}", name)
        else:
            metadata = _scalars(column)
            if metadata is not None:
                columns[name] = metadata
    return columns


def _numbers(texts: pa.Array, where: str, name: str) -> pa.Array:
    texts = pc.if_else(pc.equal(texts, "null"), None, texts.cast(pa.string()))
    plain = pc.match_substring_regex(texts, r"^-?[0-9]")
    if pc.all(plain).as_py() is False:
        _refuse(texts, pc.invert(plain), where, name, "a number")
    values = pc.cast(texts, pa.float64())
    finite = pc.is_finite(values)
    if pc.all(finite).as_py() is False:
        _refuse(texts, pc.invert(finite), where, name, "a finite number")
    return values


def _refuse(texts: pa.Array, wrong: pa.Array, where: str, name: str, expected: str) -> None:
    row = pc.index(pc.fill_null(wrong, False), True).as_py()
    raise InputError(f"{where}: [{row}].{name}: expected {expected}, got {texts[row].as_py()[:60]}", "mend the export")


def _number_lists(lists: pa.Array, where: str, name: str) -> pa.Array:
    """Lists of JSON texts → lists of doubles; a null inside a list stays null."""
    try:
        values = _numbers(lists.flatten(), where, name)
    except InputError:
        parents = pc.list_parent_indices(lists)
        texts = lists.flatten()
        plain = pc.match_substring_regex(texts.cast(pa.string()), r"^-?[0-9]|^null$")
        finite = pc.is_finite(pc.cast(pc.if_else(plain, texts, None), pa.float64()))
        good = pc.fill_null(pc.and_(plain, pc.or_kleene(finite, pc.equal(texts, "null"))), False)
        place = pc.index(good, False).as_py()
        message = (
            f"{where}: [{parents[place].as_py()}].{name}: expected finite numbers, got {texts[place].as_py()[:60]}"
        )
        raise InputError(message, "mend the export") from None
    offsets = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).cumsum()
    starts = pa.array([0, *offsets.tolist()], pa.int32())
    return pa.ListArray.from_arrays(starts, values, mask=lists.is_null() if lists.null_count else None)


def _identifiers(texts: pa.Array, where: str, name: str) -> pa.Array:
    """JSON texts of ids → int64, or string where they are quoted."""
    texts = pc.if_else(pc.equal(texts, "null"), None, texts.cast(pa.string()))
    quoted = pc.starts_with(texts, '"')
    if pc.any(quoted).as_py():
        if not pc.all(quoted).as_py():
            _refuse(texts, pc.invert(quoted), where, name, "a string like the other ids")
        return pa.array([None if text is None else json.loads(text) for text in texts.to_pylist()], pa.string())
    whole = pc.match_substring_regex(texts, r"^-?[0-9]{1,18}(\.0+)?$")
    if pc.all(whole).as_py() is False:
        _refuse(texts, pc.invert(whole), where, name, "an integer or a string")
    return pc.cast(pc.replace_substring_regex(texts, r"\.0+$", ""), pa.int64())


def _scalars(texts: pa.Array) -> pa.Array | None:
    """Metadata: typed where every value is of one JSON type; None for lists and objects."""
    values: list[Any] = [None if text is None else json.loads(text) for text in texts.to_pylist()]
    values = [None if isinstance(value, list | dict) else value for value in values]
    if all(value is None for value in values):
        return None
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
