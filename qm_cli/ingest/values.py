"""Scores computed elsewhere, joined by id: Parquet, CSV or JSON with a column of ids and one or more of values."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from qm_cli.arrays import compute as pc
from qm_cli.errors import InputError
from qm_cli.tables import Tables

KEYS = {"image_id": ("image", "id"), "label_id": ("label", "id"), "prediction_id": ("prediction", "id")}
KEYS |= {"file_name": ("image", "file_name"), "id": ("image", "id")}


def with_values(tables: Tables, path: Path, reserved: Collection[tuple[str, str]] = ()) -> Tables:
    """The tables with the file's columns added at the level its key names; rows without a value are null.

    The key is image_id, label_id, prediction_id, file_name or id (of images). Raises InputError for a file that cannot
    be read, has no key or no value column, an id twice, ids that are none of the data's, or a name that is taken or
    reserved: (level, name) of the metrics.
    """
    values = _read(path)
    key = next((name for name in KEYS if name in values.column_names), None)
    if key is None:
        raise InputError(f"{path}: no column of ids", f"name one {', '.join(KEYS)}")
    level, column = KEYS[key]
    names = [name for name in values.column_names if name != key]
    table = tables.table(level)
    if not names:
        raise InputError(f"{path}: no column of values beside {key}", "add one")
    taken = [name for name in names if name in table.column_names or (level, name) in reserved]
    if taken:
        raise InputError(f"{path}: {level} has a column {taken[0]!r} already", "rename the column")
    rows = _rows(table[column], values[key], path)
    for name in names:
        table = table.append_column(name, values[name].take(rows))
    return replace(tables, **{level: table}, _views={})


def _rows(ids: pa.ChunkedArray, keys: pa.ChunkedArray, path: Path) -> pa.Array:
    """Row of the file for each id of the data, null for none."""
    known = keys.cast(ids.type, safe=False) if keys.type != ids.type else keys
    known = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    if pc.count_distinct(known).as_py() < len(known):
        raise InputError(f"{path}: an id stands there twice", "keep one row per id")
    rows = pc.index_in(ids, value_set=known)
    rows = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
    if len(ids) and rows.null_count == len(rows):
        raise InputError(f"{path}: none of its {len(known):,} ids is in the data", "check that both are of one set")
    return rows


def _read(path: Path) -> pa.Table:
    readers = {".parquet": _parquet, ".csv": _csv, ".json": _json, ".jsonl": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: unknown kind of file", f"give one of {', '.join(readers)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the path")
    try:
        return reader(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}", "write the file again") from error


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _csv(path: Path) -> pa.Table:
    from pyarrow import csv

    return csv.read_csv(path)


def _json(path: Path) -> pa.Table:
    """A list of objects, one object a line, or {id: value} with a score per image."""
    text = path.read_text()
    if path.suffix.lower() == ".jsonl":
        return pa.Table.from_pylist([json.loads(line) for line in text.splitlines() if line.strip()])
    document = json.loads(text)
    if isinstance(document, dict):
        keys = np.array(list(document), object).tolist()
        return pa.table({"id": pa.array(keys, pa.string()), path.stem: pa.array(list(document.values()))})
    return pa.Table.from_pylist(document)
