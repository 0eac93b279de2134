"""A JSON list of predictions as DuckDB reads it: whole columns of stated types, beside the interpreter.

Nothing heavy is imported before a list is read, so that reading may begin while the rest of the program is loaded.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qm_cli.shape_fields import SHAPE_FIELDS, found_task

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

LISTS = frozenset({"bbox", "probs", "logits"})
MASK_KEYS = ("size", "counts")
MASK = "STRUCT(size DOUBLE[], counts VARCHAR)"
IDENTIFIERS = ("image_id", "category_id", "id")
NUMBERS = frozenset({*IDENTIFIERS, "score", "area", "iscrowd"})
REQUIRED = ("image_id", "category_id", "bbox", "score")
HEAD_BYTES = 1 << 16
FORMAT = "format='array', compression='none'"
OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
ROWS_AT_ONCE = 1 << 20
Types = dict[str, str]


class RefusedError(Exception):
    """What DuckDB says of a file that it cannot read as asked."""


class JsonList:
    """One file, with a connection to DuckDB of its own from the first question on. threads: all cores for None."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import duckdb  # noqa: F401  (here: the importing thread holds the interpreter anyway)

        self.path = path
        self.settings = {**OFFLINE, **({"threads": str(threads)} if threads else {})}
        self.literal = "'" + re.sub(r"([\[*?])", r"[\1]", str(path.absolute())).replace("'", "''") + "'"
        self.cleanup = ExitStack()

    def __enter__(self) -> JsonList:
        return self

    def __exit__(self, *error: object) -> None:
        self.cleanup.close()

    @cached_property
    def connection(self) -> DuckDBPyConnection:
        import duckdb

        return self.cleanup.enter_context(duckdb.connect(config={**self.settings}))

    def table(self, types: Types) -> pa.Table:
        struct = ", ".join(f"{_quoted(name)}: '{dtype}'" for name, dtype in types.items())
        return self._answer(f"SELECT * FROM read_json({self.literal}, columns={{{struct}}}, {FORMAT})")

    def all_keys(self) -> list[str]:
        """Keys of the file's first 20,480 rows."""
        options = f"records=true, maximum_depth=2, sample_size=20480, {FORMAT}"
        names = self._answer(f"DESCRIBE SELECT * FROM read_json({self.literal}, {options})")["column_name"]
        return [str(name) for name in names.to_pylist()]

    def _answer(self, query: str) -> pa.Table:
        import duckdb

        try:
            return self.connection.sql(query).to_arrow_reader(ROWS_AT_ONCE).read_all()
        except (duckdb.Error, OSError) as error:  # the latter once Arrow has begun to take rows
            raise RefusedError(str(error)) from None


class Ahead(NamedTuple):
    """A list whose reading has begun: its file, the types it is read as, and the table to come."""

    path: Path
    types: Types
    table: Future[pa.Table]


def begun(path: Path, task: str | None) -> Ahead | None:
    """Begin to read a file of predictions of a task; None where it does not look like a list of them.

    The thread is left to itself: whoever does not want the table any more need not wait for it.
    """
    if not path.is_file() or not _is_list(path) or not (task is None or task in SHAPE_FIELDS):
        return None
    first = first_prediction(path)
    types = types_of(first, SHAPE_FIELDS[task or found_task(first)[0]])
    if types is None:
        return None
    threads = ThreadPoolExecutor(1)
    table = threads.submit(_table, JsonList(path), types)
    threads.shutdown(wait=False)
    return Ahead(path, types, table)


def _table(source: JsonList, types: Types) -> pa.Table:
    with source:
        return source.table(types)


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).lstrip()[:1] == b"["


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


def types_of(first: dict[str, object], fields: tuple[str, ...]) -> Types | None:
    """DuckDB's types for rows like the first one, whose shape is in `fields`; None where they cannot all be told."""
    required = set(REQUIRED) - ({"bbox"} if fields else set())
    if not required <= set(first) or len(distinct(list(first))) < len(first):
        return None
    return {name: _fast_type(name, value, fields) for name, value in first.items()}


def distinct(names: list[str]) -> list[str]:
    """The names that differ in more than case from those before them."""
    return list({name.casefold(): name for name in reversed(names)}.values())[::-1]


def _fast_type(name: str, value: object, fields: tuple[str, ...]) -> str:
    if name in fields and isinstance(value, dict):
        return MASK if set(value) == set(MASK_KEYS) and isinstance(value["counts"], str) else "JSON"
    flat = isinstance(value, list) and not any(isinstance(one, list | str | dict) for one in value)
    if name in LISTS or (name in fields and flat):
        return "DOUBLE[]"
    quoted = name in IDENTIFIERS and isinstance(value, str)
    return "DOUBLE" if name in NUMBERS and not quoted else "JSON"


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
