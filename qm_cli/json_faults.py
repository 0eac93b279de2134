"""Why a JSON file cannot be read, in words with the place: not UTF-8, NaN, cut off, a key twice. For error paths."""

from __future__ import annotations

import json
import math
import re
from typing import Any

CUT_OFF = "write the file again; it may be cut off"


class _Twice:
    """Stands for an object in which a key is repeated."""

    def __init__(self, key: str) -> None:
        self.key = key


def fault(content: bytes, error: Exception) -> tuple[str, str]:
    """What is wrong with the text and the way out, for the error that a decoder raised."""
    reason = str(error)
    syntax = re.search(r"\(byte ([0-9]+)\)", reason)
    foreign = not_utf8(content, int(syntax[1]) if syntax else len(content))
    if foreign:
        return foreign, "save the file as UTF-8"
    if "truncated" in reason and _parses(content):
        return "not valid JSON: half of a surrogate pair (\\ud800 …) in a string", "mend the export"
    if "truncated" in reason:
        return f"not valid JSON: {reason}", CUT_OFF
    if "NaN" in reason or syntax is not None:
        number = not_finite(content)
        if number:
            return number, "JSON has no NaN or Infinity; mend the export"
    return f"not valid JSON: {reason}", "mend the file there, or write it again"


def _parses(content: bytes) -> bool:
    """Whether Python's own reader, which takes half a pair, gets through."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def not_utf8(content: bytes, before: int | None = None) -> str:
    """The first byte (of those before a place) that no UTF-8 text has there, or an empty string."""
    if content.isascii():
        return ""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if before is None or error.start <= before:
            return f"not UTF-8 text: byte 0x{content[error.start]:02x} at position {error.start}"
    return ""


def not_finite(content: bytes) -> str:
    """'annotations[3].area: expected a finite number, got NaN' for the first one there is, or an empty string."""
    if b"NaN" not in content and b"Infinity" not in content:
        return ""
    try:
        place, value = _first(json.loads(content.removeprefix(b"\xef\xbb\xbf")), "")
    except (ValueError, RecursionError):
        return ""
    shown = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return f"{place}: expected a finite number, got {shown}"


def repeated_key(content: bytes) -> str:
    """'annotations[3]: the key "id" stands twice in one object' for the first such object, or an empty string."""
    twice: list[str] = []

    def checked(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        keys = [key for key, _ in pairs]
        twice.append(next(key for place, key in enumerate(keys) if key in keys[:place]))
        return _Twice(twice[-1])

    try:
        document = json.loads(content, object_pairs_hook=checked)
        if not twice:
            return ""
        place, value = _first(document, "")
    except (ValueError, RecursionError):
        return ""
    return f"{place}: {_said(value.key)}" if place else _said(value.key)


def repeated_top_key(content: bytes, keys: list[str]) -> str:
    """The same of the outermost object alone; `keys` are those it has."""
    if not any(content.count(json.dumps(key).encode()) > 1 for key in keys):
        return ""
    try:
        pairs = json.loads(content, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return ""
    names = [key for key, _ in pairs]
    return next((_said(key) for place, key in enumerate(names) if key in names[:place]), "")


def _said(key: str) -> str:
    return f'the key "{key}" stands twice in one object'


def _first(value: Any, place: str) -> tuple[str, Any]:
    """Place and value of the first number that is not finite, or object with a key twice; ValueError for none."""
    found = _search(value, place)
    if found is None:
        raise ValueError("nothing is wrong with it")
    return found


def _search(value: Any, place: str) -> tuple[str, Any] | None:
    if isinstance(value, _Twice) or (isinstance(value, float) and not math.isfinite(value)):
        return place, value
    if isinstance(value, dict):
        inner = [(f"{place}.{key}" if place else str(key), part) for key, part in value.items()]
    elif isinstance(value, list):
        inner = [(f"{place}[{number}]", part) for number, part in enumerate(value)]
    else:
        return None
    for name, part in inner:
        found = _search(part, name)
        if found is not None:
            return found
    return None
