"""Answers without geometry as JSON → raw columns: a COCO-style document, a list of rows, or a row a line (JSONL)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.answer_rows import Category, Document, Entry, Row, first_name, is_folded, is_located, unfolded
from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.errors import InputError
from qm_cli.json_faults import fault, repeated_key
from qm_cli.raw import Columns, RawLabels, identifiers, lists_of, numbers, scalars

HINT = "expected data_rows (or images), categories and annotations, or a list of rows; see qm evaluate --help"
LARGEST_OFFSET = 1 << 53


class Entries(msgspec.Struct):
    images: list[dict[str, Any] | None] | None = None
    data_rows: list[dict[str, Any] | None] | None = None


def read(path: Path, kind: str, where: str) -> tuple[RawLabels, dict[str, str]]:
    """What the file holds as labels, and the declared type of each question; messages call the file `where`.

    kind: "object", "list" or "lines". A list, or a document without data rows, is `derived`: no data rows, no
    categories. Raises InputError for what is no such JSON, wrong types (with the place) and a key twice in one object.
    """
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    document = _decoded(content, kind, where)
    rows = [Row() if row is None else row for row in document.annotations or document.predictions or []]
    kinds = {question.name: question.type for question in document.questions or []}
    rows = unfolded(rows, kinds)
    columns = row_columns(rows, where)
    _refuse_repeated_keys(content, columns, kind, where)
    entries = document.images if document.images is not None else document.data_rows
    given = [Entry() if one is None else one for one in entries or []]
    categories = [Category() if one is None else one for one in document.categories or []]
    image = _entry_columns(given, where) if entries is not None else {}
    raw = RawLabels(where, image, _category_columns(categories, where), columns, derived=entries is None)
    return raw, kinds


def entry_columns(path: Path) -> Columns:
    """The further scalar fields of a document's data rows, in their order; of what `read` has read already."""
    entries = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=Entries)
    rows = [one or {} for one in (entries.images if entries.images is not None else entries.data_rows) or []]
    names = dict.fromkeys(name for row in rows for name in row if name not in Entry.__struct_fields__)
    found = {name: scalars([row.get(name) for row in rows]) for name in names}
    for name in ("width", "height"):
        if name in found and not (found[name] is not None and _is_number(found[name])):
            del found[name]
    return {
        name: column.cast(pa.float64()) if name in ("width", "height") else column
        for name, column in found.items()
        if column is not None
    }


def further_columns(path: Path, kind: str) -> Columns:
    """The further scalar fields of the rows, in their order; none where a row stands for several answers.

    Of what `read` has read already; kind: as there.
    """
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    given = _decoded(content, kind, str(path))
    if any(is_folded(row) for row in given.annotations or given.predictions or [] if row is not None):
        return {}
    rows = [row or {} for row in _fields(content, kind)]
    own = {*Row.__struct_fields__} - {"location"}
    names = dict.fromkeys(name for row in rows for name in row if name not in own)
    found = {name: scalars([row.get(name) for row in rows]) for name in names if name}
    return {name: column for name, column in found.items() if column is not None}


def _fields(content: bytes, kind: str) -> Sequence[dict[str, Any] | None]:
    """The rows with all their fields."""
    if kind == "list":
        return msgspec.json.decode(content, type=list[dict[str, Any] | None])
    if kind == "lines":
        return msgspec.json.Decoder(dict[str, Any]).decode_lines(content)
    document = msgspec.json.decode(content, type=dict[str, Any])
    return document.get("annotations") or document.get("predictions") or [document]


def _is_number(column: pa.Array) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _decoded(content: bytes, kind: str, where: str) -> Document:
    if not content.strip():
        if kind == "lines":
            return Document()
        raise InputError(f"{where}: the file is empty", "an empty set of rows is written []")
    try:
        if kind == "object":
            return _document(content, where)
        if kind == "list":
            return Document(annotations=msgspec.json.decode(content, type=list[Row | None]))
        return Document(annotations=list(msgspec.json.Decoder(Row).decode_lines(content)))
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {_place(str(error))}", HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        lines = kind == "lines"
        reason, hint = (_bad_line(content, error), "one JSON object a line") if lines else fault(content, error)
        raise InputError(f"{where}: {reason}", hint) from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply", HINT) from None


def _bad_line(content: bytes, error: Exception) -> str:
    """The first line that cannot be read, and why."""
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            msgspec.json.decode(line or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError) as found:
            return f"line {number:,}: {found}"
    return str(error)


def _document(content: bytes, where: str) -> Document:
    """A document, or a single row, which is a file of JSON lines with one line."""
    document = msgspec.json.decode(content, type=Document)
    if document != Document():
        return document
    row = msgspec.json.decode(content, type=Row)
    if row == Row():
        raise InputError(f"{where}: an object without data_rows, images, annotations or predictions", HINT)
    return Document(annotations=[row])


def _place(message: str) -> str:
    text, _, place = message.partition(" - at `")
    return f"{place.rstrip('`').removeprefix('$.').removeprefix('$')}: {text[0].lower()}{text[1:]}" if place else text


def _refuse_repeated_keys(content: bytes, columns: Columns, kind: str, where: str) -> None:
    """A surplus of a key over its values is looked into."""
    if kind == "lines":
        return
    for name in ("image_id", "category_id", "score", "question", "answer"):
        there = len(columns[name]) - columns[name].null_count if name in columns else 0
        if content.count(f'"{name}":'.encode()) > there and (twice := repeated_key(content)):
            raise InputError(f"{where}: {twice}", "keep one of the two values")


def _entry_columns(entries: list[Entry], where: str) -> Columns:
    return {
        "id": identifiers([one.id for one in entries], f"{where}: data rows"),
        "file_name": strings_to_arrow([one.file_name for one in entries]),
        "text": strings_to_arrow([one.text for one in entries]),
    }


def _category_columns(categories: list[Category], where: str) -> Columns:
    return {
        "id": identifiers([one.id for one in categories], f"{where}: categories"),
        "name": strings_to_arrow([one.name for one in categories]),
        "question": strings_to_arrow([one.question for one in categories]),
    }


def row_columns(rows: list[Row], where: str) -> Columns:
    """The columns that at least one row fills; image_id always.

    `id` is the data row's where no row has image_id or data_row_id, else the answer's own.
    """
    named = next((f for f in ("image_id", "data_row_id", "id") if any(getattr(r, f) is not None for r in rows)), "id")
    columns: Columns = {"image_id": identifiers([getattr(row, named) for row in rows], f"{where}: {named}")}
    if named != "id" and any(row.id is not None for row in rows):
        columns["id"] = identifiers([row.id for row in rows], f"{where}: id")
    if any(row.category_id is not None for row in rows):
        columns["category_id"] = identifiers([row.category_id for row in rows], f"{where}: category_id")
    texts: dict[str, list[str | None]] = {
        "category_name": [first_name(row) for row in rows],
        "question": [row.question for row in rows],
        "answer": [row.answer if isinstance(row.answer, str) else None for row in rows],
    }
    columns |= {name: strings_to_arrow(values) for name, values in texts.items() if any(v is not None for v in values)}
    spans = [_span(row) for row in rows]
    values: dict[str, list[float | None]] = {
        "score": [row.confidence if row.score is None else row.score for row in rows],
        "start": [start for start, _ in spans],
        "end": [end for _, end in spans],
    }
    columns |= {name: numbers(given) for name, given in values.items() if any(v is not None for v in given)}
    if any(row.probs is not None for row in rows):
        columns["probs"] = _lists([row.probs for row in rows])
    return columns


def _span(row: Row) -> tuple[float | None, float | None]:
    """Start and end of an entity; a span that is no pair is one that cannot be used: -1, which is no offset."""
    if row.span is None and is_located(row):
        first, last = (row.location.get(name) for name in ("start", "end"))
        whole = all(isinstance(place, int) and abs(place) < LARGEST_OFFSET for place in (first, last))
        return (float(first), float(last + 1)) if whole else (-1.0, -1.0)
    if row.span is None:
        return row.start, row.end
    return (row.span[0], row.span[1]) if len(row.span) == 2 else (-1.0, -1.0)


def _lists(rows: list[list[float | None] | None]) -> pa.Array:
    """Probabilities as a list column; the usual case, numbers alone, goes through one flat array."""
    if None in rows:
        return pa.array(rows, pa.list_(pa.float64()))
    lengths = np.array([len(row or ()) for row in rows], np.int64)
    try:
        flat = np.fromiter(itertools.chain.from_iterable(rows), np.float64, int(lengths.sum()))  # type: ignore[arg-type]
    except TypeError:
        return pa.array(rows, pa.list_(pa.float64()))
    return lists_of(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), to_arrow(flat))
