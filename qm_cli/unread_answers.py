"""Answers below objects, in `classifications` as Labelbox writes them: a box or a mask is read without them, and they
are counted."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import msgspec

FIELD = "classifications"
KEY = f'"{FIELD}"'.encode()
NOTHING = (b"null", b"[]", b"{}")


class Row(msgspec.Struct, gc=False):
    """What of an object tells that answers are below it."""

    id: msgspec.Raw = msgspec.Raw(b"null")
    classifications: msgspec.Raw = msgspec.Raw(b"null")


class Document(msgspec.Struct):
    annotations: list[Row | None] | None = None


def unread_in(path: Path) -> list[str]:
    """As `unread_answers`, of a plain file that may be large."""
    if not path.stat().st_size:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return unread_answers(whole[:]) if whole.find(KEY) >= 0 else []


def unread_answers(content: bytes) -> list[str]:
    """Ids of the objects with answers below them, their 0-based places where they have none; none of what is no JSON.

    content: a COCO label file, or a list of predictions.
    """
    rows = _rows(content.removeprefix(b"\xef\xbb\xbf")) if KEY in content else []
    return [
        str(number if bytes(row.id) == b"null" else msgspec.json.decode(row.id))
        for number, row in enumerate(rows)
        if row is not None and bytes(row.classifications).replace(b" ", b"") not in NOTHING
    ]


def _rows(content: bytes) -> list[Row | None]:
    kind: Any = list[Row | None] if content.lstrip()[:1] == b"[" else Document
    try:
        found = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return found if isinstance(found, list) else found.annotations or []
