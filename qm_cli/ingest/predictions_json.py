"""Prediction JSON (a COCO results list) → raw columns, read in parallel by DuckDB.

DuckDB is lax where qm must not be: it takes "0.5" and true for numbers and NaN for a score. So a file is read as typed
numbers when a count of its bytes proves that every value is one, and strictly, half as fast, otherwise.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import all_finite, flat_values, one_chunk, to_arrow, to_numpy
from qm_cli.errors import InputError
from qm_cli.json_counts import byte_counts, expected_counts
from qm_cli.json_faults import CUT_OFF, fault, not_utf8
from qm_cli.json_lists import (
    HEAD_BYTES,
    IDENTIFIERS,
    LISTS,
    MASK,
    MASK_KEYS,
    REQUIRED,
    Ahead,
    JsonList,
    RefusedError,
    Types,
    distinct,
    first_prediction,
    types_of,
)
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
from qm_cli.unread_answers import FIELD, unread_in

TEXTS = ("file_name", "category_name", "category")
EXACT_INTEGERS = 2.0**53
LIST_HINT = 'a COCO results list: [{"image_id": …, "category_id": …, "bbox": …, "score": …}, …]'


def read(
    path: Path,
    metadata: bool,
    threads: int | None = None,
    shown: str | None = None,
    fields: tuple[str, ...] = (),
    ahead: Ahead | None = None,
) -> RawPredictions:
    """Columns of a results list; with `metadata` also its unknown scalar fields. Messages call the file `shown`.

    fields: of these the first that any prediction has is kept as the column `shape`: masks as a struct of size and
    counts, flat lists as such, anything else as JSON texts. ahead: the same file, where its reading has begun.

    Raises InputError for an empty file, what is no list of objects, broken JSON, a key twice in one object and a value
    of the wrong type, NaN or infinite, naming the place.
    """
    where = shown or str(path)
    _refuse_no_list(path, where)
    with JsonList(path, threads) as source:
        reader = _Reader(source, where)
        first = first_prediction(path)
        columns = _read_typed(reader, first, metadata, fields, ahead) if first else None
        alike = columns is not None
        if columns is None:
            columns = _read_strictly(reader, reader.all_keys() if metadata else [], fields)
    unread = [] if alike and FIELD not in first else unread_in(path)
    return RawPredictions(where, columns, tuple(first), unread=unread)


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


class _Reader:
    """The file, with messages that name it."""

    def __init__(self, source: JsonList, where: str) -> None:
        self.source, self.path, self.where = source, source.path, where

    def table(self, types: Types) -> pa.Table:
        try:
            return self.source.table(types)
        except RefusedError as error:
            raise _refused(str(error), self.path, self.where) from None

    def all_keys(self) -> list[str]:
        try:
            return self.source.all_keys()
        except RefusedError as error:
            if "duplicate key" not in str(error):
                return []  # an empty list, or what reading the values will refuse in better words
            raise _refused(str(error), self.path, self.where) from None


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


def _read_typed(
    reader: _Reader, first: dict[str, object], metadata: bool, fields: tuple[str, ...], ahead: Ahead | None
) -> Columns | None:
    """Columns of the types the first prediction has, or None when a value might be of another type.

    Every prediction then has the keys of the first one, and no others.
    """
    names, types = list(first), types_of(first, fields)
    if types is None:
        return None
    counted = byte_counts(reader.path)
    try:
        begun = ahead is not None and (ahead.path, ahead.types) == (reader.path, types)
        table = ahead.table.result() if ahead is not None and begun else reader.source.table(types)
    except RefusedError:
        return None
    columns = {name: one_chunk(table.column(name)) for name in table.column_names}
    if any(c.null_count or not (types[name] == "JSON" or _all_finite(c)) for name, c in columns.items()):
        return None
    texts = [columns[name] for name in columns if types[name] == "JSON"]
    masks = [columns[name].field("counts") for name in columns if types[name] == MASK]
    keys = [*names, *(key for _ in masks for key in MASK_KEYS)]
    if counted != expected_counts(keys, table.num_rows, texts, masks):
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
    wanted = distinct([*REQUIRED, "id", "probs", "logits", *TEXTS, *fields, *names])
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
