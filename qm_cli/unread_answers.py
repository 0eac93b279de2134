"""Answers below objects: a box or a mask is read without them, and so they are counted and told of."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from qm_cli import dataset, storage
from qm_cli.answer_task import beginning
from qm_cli.findings import Finding, finding
from qm_cli.ingest import archives
from qm_cli.json_lines import SEAM, as_list
from qm_cli.tables import Tables

KEY = b'"classifications"'
NOTHING = (b"null", b"[]", b"{}")


class Row(msgspec.Struct, gc=False):
    """What of an object tells that answers are below it."""

    id: msgspec.Raw = msgspec.Raw(b"null")
    classifications: msgspec.Raw = msgspec.Raw(b"null")


class Document(msgspec.Struct):
    annotations: list[Row | None] | None = None
    predictions: list[Row | None] | None = None


def telling_unread(read: Callable[[], Tables], labels: Path, predictions: Path) -> Callable[[], Tables]:
    """What reads the tables of two files, with a finding for answers below their objects; looked for at once."""
    found = unread_answers(labels, predictions)
    return lambda: read().with_findings(found)


def unread_answers(labels: Path | None, predictions: Path | None) -> list[Finding]:
    """How many objects of JSON files have answers below them, in `classifications` as Labelbox writes them.

    A file that is not there or no JSON says nothing: whoever reads it has the words for it.
    """
    return [
        one
        for level, path in (("label", labels), ("prediction", predictions))
        if path is not None
        for one in finding(f"{level}-unread-answers", _objects_with_answers(path))
    ]


def _objects_with_answers(path: Path) -> list[str]:
    """Ids of the objects, their 0-based places where they have none."""
    if path != dataset.STDIN and not storage.is_file(path):
        return []
    place = dataset.on_disk(path)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        if not _names_answers(beginning(place, Path(folder))):
            return []
        content = archives.plain(place, Path(folder), storage.shown(path)).read_bytes()
    rows = _rows(content.removeprefix(b"\xef\xbb\xbf"))
    return [
        str(number if bytes(row.id) == b"null" else msgspec.json.decode(row.id))
        for number, row in enumerate(rows)
        if row is not None and bytes(row.classifications).replace(b" ", b"") not in NOTHING
    ]


def _names_answers(path: Path) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return whole.find(KEY) >= 0


def _rows(content: bytes) -> list[Row | None]:
    if SEAM.search(content):
        content = as_list(content)
    kind: Any = list[Row | None] if content.lstrip()[:1] == b"[" else Document
    try:
        found = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return found if isinstance(found, list) else [*(found.annotations or []), *(found.predictions or [])]
