"""Prediction JSON (a COCO results list) → raw columns, read in parallel by DuckDB.

DuckDB is lax where qm must not be: it takes "0.5" and true for numbers and NaN for a score. So a file is read as typed
numbers when a count of its bytes proves that every value is one, and strictly, half as fast, otherwise.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import all_finite, flat_values, one_chunk, to_arrow, to_numpy
from qm_cli.errors import InputError
from qm_cli.json_counts import byte_counts, expected_counts
from qm_cli.json_faults import CUT_OFF, fault, not_utf8
from qm_cli.raw import (
    Columns,
    RawPredictions,
    identifiers_of,
    number_lists_of,
    numbers_of,
    scalars_of,
    texts_of,
    with_shape,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LISTS = frozenset({"bbox", "probs", "logits"})
MASK_KEYS = ("size", "counts")
MASK = "STRUCT(size DOUBLE[], counts VARCHAR)"
IDENTIFIERS = ("image_id", "category_id", "id")
NUMBERS = frozenset({*IDENTIFIERS, "score", "area", "iscrowd"})
REQUIRED = ("image_id", "category_id", "bbox", "score")
TEXTS = ("file_name", "category_name", "category")
EXACT_INTEGERS = 2.0**53
HEAD_BYTES = 1 << 16
LIST_HINT = 'a COCO results list: [{"image_id": …, "category_id": …, "bbox": …, "score": …}, …]'
FORMAT = "format='array', compression='none'"
OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def read(
    path: Path,
    metadata: bool,
    threads: int | None = None,
    shown: str | None = None,
    fields: tuple[str, ...] = (),
) -> RawPredictions:
    """Columns of a results list; with `metadata` also its unknown scalar fields. Messages call the file `shown`.

    fields: of these the first that any prediction has is kept as the column `shape`: masks as a struct of size and
    counts, flat lists as such, anything else as JSON texts.

    Raises InputError for an empty file, what is no list of objects, broken JSON, a key twice in one object and a value
    of the wrong type, NaN or infinite, naming the place.
    """
    where = shown or str(path)
    _refuse_no_list(path, where)
    import duckdb  # here, so that it loads beside the labels, and not at all for Parquet

    config: dict[str, str | bool | int | float | list[str]] = {**OFFLINE}
    if threads:
        config["threads"] = threads
    with duckdb.connect(config=config) as connection:
        reader = _Reader(connection, path, where, duckdb.Error)
        first = first_prediction(path)
        columns = _read_typed(reader, first, metadata, fields) if first else None
        if columns is None:
            columns = _read_strictly(reader, reader.all_keys() if metadata else [], fields)
    return RawPredictions(where, columns, tuple(first))


def _refuse_no_list(path: Path, where: str) -> None:
    """What is seen at the two ends of the file: text, a list, a whole one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(max(size - HEAD_BYTES, 0))
        tail = file.read().rstrip()
    if not head and size <= HEAD_BYTES:
        raise InputError(f"{where}: the file is empty", "an empty set of predictions is written []")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{where}: the file is UTF-16 text", "save it as UTF-8")
    if b"\0" in head or "\ufffd" in head.decode("utf-8", "replace")[:12]:
        raise InputError(f"{where}: not UTF-8 text", "name a JSON file, or one whose ending says its format")
    if head[:1] != b"[":
        found = "an object" if head[:1] == b"{" else f"{head[:12].decode('utf-8', 'replace')!r}"
        raise InputError(f"{where}: expected a list of predictions, found {found}", LIST_HINT)
    if tail[-1:] != b"]":
        ending = tail[-12:].decode("utf-8", "replace")
        raise InputError(f"{where}: not a complete list: it ends with {ending!r} and not with ]", _ending_hint(path))


def _ending_hint(path: Path) -> str:
    """Only what ends too early may be cut off."""
    try:
        msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            return CUT_OFF
    return "one list must be all of the file"


def first_prediction(path: Path) -> dict[str, object]:
    """The first prediction, or nothing when it cannot be seen from the start of the file alone."""
    for size in (HEAD_BYTES, 64 * HEAD_BYTES):
        with path.open("rb") as file:
            head = file.read(size).decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")[1:].lstrip()
        try:
            first, _ = json.JSONDecoder().raw_decode(head)
        except (ValueError, RecursionError):
            continue
        return first if isinstance(first, dict) else {}
    return {}


class _Reader:
    """One file as DuckDB reads it."""

    def __init__(self, connection: DuckDBPyConnection, path: Path, where: str, error: type[Exception]) -> None:
        self.connection, self.path, self.where, self.error = connection, path, where, error
        self.literal = "'" + re.sub(r"([\[*?])", r"[\1]", str(path)).replace("'", "''") + "'"

    def table(self, types: dict[str, str]) -> pa.Table:
        struct = ", ".join(f"{_quoted(name)}: '{dtype}'" for name, dtype in types.items())
        query = f"SELECT * FROM read_json({self.literal}, columns={{{struct}}}, {FORMAT})"
        try:
            table: pa.Table = self.connection.sql(query).to_arrow_table()
        except self.error as error:
            raise _refused(str(error), self.path, self.where) from None
        return table

    def all_keys(self) -> list[str]:
        """Keys of the file's first 20,480 predictions."""
        options = f"records=true, maximum_depth=2, sample_size=20480, {FORMAT}"
        query = f"DESCRIBE SELECT * FROM read_json({self.literal}, {options})"
        try:
            return [str(row[0]) for row in self.connection.execute(query).fetchall()]
        except self.error as error:
            if "duplicate key" not in str(error):
                return []  # an empty list, or what reading the values will refuse in better words
            raise _refused(str(error), self.path, self.where) from None


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


class _Prediction(msgspec.Struct, gc=False):
    """What DuckDB cannot read as a list is told with its place by this."""

    bbox: list[msgspec.Raw] | None = None
    probs: list[msgspec.Raw] | None = None
    logits: list[msgspec.Raw] | None = None


def _refused(message: str, path: Path, where: str) -> InputError:
    reason, hint = _reason(message, path)
    return InputError(f"{where}: {reason}", hint)


def _reason(message: str, path: Path) -> tuple[str, str]:
    """Why DuckDB could not read the file, one line; msgspec tells the place, or the exact byte of broken JSON."""
    content = path.read_bytes()
    try:
        msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=list[_Prediction | None])
    except RecursionError:
        return "nested too deeply to be a list of predictions", LIST_HINT
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        return f"{place.rstrip('`')}: {text[:1].lower()}{text[1:]}".replace("`object | null`", "`object`"), LIST_HINT
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return fault(content, error)
    text = " ".join(message.split())
    record = re.search(r"in record/value ([0-9]+): *([^.]*)", text)
    place = f"[{int(record[1]) - 1}]: " if record else ""
    repeated = re.search(r'has duplicate key "(.*?)"', text)
    if repeated:
        return f'{place}the key "{repeated[1]}" stands twice in one object', "keep one of the two values"
    foreign = not_utf8(content)
    if foreign:
        return foreign, "save the file as UTF-8"
    return f"{place}not valid JSON{f': {record[2]}' if record and record[2] else ''}", LIST_HINT


def _distinct(names: list[str]) -> list[str]:
    """The names that differ in more than case from those before them."""
    return list({name.casefold(): name for name in reversed(names)}.values())[::-1]


def _read_typed(reader: _Reader, first: dict[str, object], metadata: bool, fields: tuple[str, ...]) -> Columns | None:
    """Columns of the types the first prediction has, or None when a value might be of another type."""
    names = list(first)
    required = set(REQUIRED) - ({"bbox"} if fields else set())
    if not required <= set(names) or len(_distinct(names)) < len(names):
        return None
    types = {name: _fast_type(name, value, fields) for name, value in first.items()}
    try:
        table = reader.table(types)
    except InputError:
        return None
    columns = {name: one_chunk(table.column(name)) for name in table.column_names}
    if any(c.null_count or not (types[name] == "JSON" or _all_finite(c)) for name, c in columns.items()):
        return None
    texts = [columns[name] for name in columns if types[name] == "JSON"]
    masks = [columns[name].field("counts") for name in columns if types[name] == MASK]
    keys = [*names, *(key for _ in masks for key in MASK_KEYS)]
    if byte_counts(reader.path) != expected_counts(keys, table.num_rows, texts, masks):
        return None
    kept: Columns = {}
    for name, column in columns.items():
        converted: pa.Array | None = column
        if name in IDENTIFIERS:
            converted = identifiers_of(column, reader.where, name) if types[name] == "JSON" else _integers(column)
            if converted is None:
                return None
        elif types[name] == "JSON" and name not in fields:
            converted = scalars_of(column) if metadata or name in TEXTS else None
        if converted is not None:
            kept[name] = converted
    return with_shape(kept, fields, table.num_rows) if fields else kept


def _fast_type(name: str, value: object, fields: tuple[str, ...]) -> str:
    if name in fields and isinstance(value, dict):
        return MASK if set(value) == set(MASK_KEYS) and isinstance(value["counts"], str) else "JSON"
    flat = isinstance(value, list) and not any(isinstance(one, list | str | dict) for one in value)
    if name in LISTS or (name in fields and flat):
        return "DOUBLE[]"
    quoted = name in IDENTIFIERS and isinstance(value, str)
    return "DOUBLE" if name in NUMBERS and not quoted else "JSON"


def _all_finite(column: pa.Array) -> bool:
    """Whether no value is null, NaN or infinite."""
    if pa.types.is_struct(column.type):
        size, counts = column.field("size"), column.field("counts")
        return bool(size.null_count == counts.null_count == flat_values(size).null_count == 0)
    values = flat_values(column) if pa.types.is_list(column.type) else column
    return values.null_count == 0 and all_finite(to_numpy(values))


def _integers(column: pa.Array) -> pa.Array | None:
    """Ids read as doubles → int64, or None where one is fractional or too large to be exact."""
    values = to_numpy(column)
    if len(values) and max(values.max(), -values.min()) >= EXACT_INTEGERS:
        return None
    whole = values.astype(np.int64)
    return to_arrow(whole) if bool((whole == values).all()) else None


def _read_strictly(reader: _Reader, names: list[str], fields: tuple[str, ...]) -> Columns:
    """Every value read as JSON text and converted by Arrow's own strict casts."""
    wanted = _distinct([*REQUIRED, "id", "probs", "logits", *TEXTS, *fields, *names])
    table = reader.table({name: "JSON[]" if name in LISTS else "JSON" for name in wanted})
    columns: Columns = {}
    for name in wanted:
        column = one_chunk(table.column(name))
        if name not in REQUIRED and column.null_count == len(column):
            continue
        if name in LISTS:
            columns[name] = number_lists_of(column, reader.where, name, lenient=name != "bbox")
        elif name == "score":
            columns[name] = numbers_of(column, reader.where, name)
        elif name in IDENTIFIERS:
            columns[name] = identifiers_of(column, reader.where, name)
        elif name in fields:
            columns[name] = texts_of(column)
        else:
            metadata = scalars_of(column)
            if metadata is not None:
                columns[name] = metadata
    return with_shape(columns, fields, table.num_rows) if fields else columns
