"""Scores computed elsewhere, joined by id: Parquet, CSV or JSON with a column of ids and one or more of values."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import InputError
from qm_cli.findings import flagged
from qm_cli.tables import Tables

KEYS = {"prediction_id": ("prediction", "id"), "label_id": ("label", "id"), "image_id": ("image", "id")}
KEYS |= {"file_name": ("image", "file_name"), "id": ("image", "id")}
"""What a file may name its samples by, the closest first: rows of predictions may tell their image as well."""


def with_values(tables: Tables, path: Path, reserved: Collection[tuple[str, str]] = ()) -> Tables:
    """The tables with the file's columns added at the level its key names; rows without a value are null, and ids that
    the data lack are a finding.

    The key is image_id, label_id, prediction_id, file_name or id (of images). Raises InputError for a file that cannot
    be read, has no key or no value column, an id twice, no id at all that is the data's, or a name that is taken or
    reserved: (level, name) of the metrics.
    """
    values = read_table(path)
    key = next((name for name in KEYS if name in values.column_names), None)
    if key is None:
        raise InputError(f"{path}: no column of ids", f"name one {', '.join(KEYS)}")
    repeated = [name for name in values.column_names if values.column_names.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: the column {repeated[0]!r} stands there twice", "keep one of the two")
    level, column = KEYS[key]
    names = [name for name in values.column_names if name and name not in KEYS]
    table = tables.table(level)
    if not names:
        raise InputError(f"{path}: no column of values beside {key}", "add one")
    taken = [name for name in names if name in table.column_names or (level, name) in reserved]
    if taken:
        raise InputError(f"{path}: {level} has a column {taken[0]!r} already", "rename the column")
    rows = rows_of_ids(table[column], values[key], path)
    for name in names:
        table = table.append_column(name, values[name].take(rows))
    unknown = np.ones(values.num_rows, bool)
    unknown[to_numpy(rows.drop_null())] = False
    found = flagged("values-unknown-id", one_chunk(values[key]), unknown)
    return replace(tables, **{level: table}, _views={}).with_findings(found)


def rows_of_ids(ids: pa.ChunkedArray, keys: pa.ChunkedArray, path: Path) -> pa.Array:
    """Row of the file for each id of the data, null for none. Ids are compared as text where their types differ."""
    if pa.types.is_nested(keys.type):
        raise InputError(f"{path}: ids that are lists or objects", "write ids as integers or strings")
    if keys.null_count:
        raise InputError(f"{path}: a row without an id", "give every row the id it is for")
    known, wanted = (one_chunk(column) for column in (keys, ids))
    if wanted.type == pa.int64() and pa.types.is_string(known.type):
        known = pc.replace_substring_regex(known, r"^(-?[0-9]+)\.0+$", r"\1")
    if known.type != wanted.type:
        known, wanted = (_as_text(column) for column in (known, wanted))
    if pc.count_distinct(known).as_py() < len(known):
        raise InputError(f"{path}: an id stands there twice", "keep one row per id")
    rows = pc.index_in(wanted, value_set=known)
    if len(ids) and rows.null_count == len(rows):
        raise InputError(f"{path}: none of its {len(known):,} ids is in the data", "check that both are of one set")
    return rows


def _as_text(ids: pa.Array) -> pa.Array:
    return ids if pa.types.is_string(ids.type) else ids.cast(pa.string())


def read_table(path: Path) -> pa.Table:
    """The rows of a file by its ending. Raises InputError for another kind and for what cannot be read."""
    readers = {".parquet": _parquet, ".csv": _csv, ".json": _json, ".jsonl": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: unknown kind of file", f"give one of {', '.join(readers)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the path")
    try:
        return reader(path)
    except RecursionError:
        raise InputError(f"{path}: cannot be read: nested too deeply", "write the file again") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"{path}: cannot be read: {str(error).splitlines()[0]}"
        raise InputError(message, "write the file again") from error


def _parquet(path: Path) -> pa.Table:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as parquet:
        return parquet.read()


def _csv(path: Path) -> pa.Table:
    """Ids stay text, so that 007 is not 7; where the data's are numbers they are compared as text."""
    from pyarrow import csv

    types = dict.fromkeys(KEYS, pa.string())
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))


def _json(path: Path) -> pa.Table:
    """A list of objects, one object a line, or {id: value} with a score per image."""
    text = path.read_text("utf-8-sig")
    if path.suffix.lower() == ".jsonl":
        return _table([json.loads(line) for line in text.splitlines() if line.strip()])
    document = json.loads(text, object_pairs_hook=_once_each)
    if isinstance(document, dict):
        return pa.table({"id": pa.array(list(document), pa.string()), path.stem: pa.array(list(document.values()))})
    return _table(document)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand there once. Raises ValueError otherwise."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands there twice")
    return found


def _table(rows: Any) -> pa.Table:
    """A table with every key of any row. Raises ValueError for what is no list of objects."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("expected a list of objects, or {id: value}")
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
