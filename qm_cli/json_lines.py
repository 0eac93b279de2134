"""JSON lines, one object after another: told from one document, and joined to a list."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SEAM = re.compile(rb"\}\s*\n\s*\{")
LONGEST_LINE = 1 << 24
"""Bytes."""


def starts_a_second(path: Path) -> bool:
    """Whether the first line holds a whole object and another line follows, whatever the file is called."""
    with path.open("rb") as file:
        first = file.readline(1 << 20).strip()
        return first.endswith(b"}") and file.readline(1 << 10).lstrip()[:1] == b"{"


def first_object(path: Path) -> dict[str, Any]:
    """The object in the first line that is not blank; nothing where that holds none."""
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(LONGEST_LINE), b"")
        first = next((line for line in lines if line.strip()), b"")
    try:
        found = json.loads(first.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def as_list(content: bytes) -> bytes:
    """Objects that stand on lines of their own as a JSON list; what is none is left for its reader to refuse.

    >>> as_list(b'{"a": 1}\\n\\n{"a": 2}\\n')
    b'[{"a": 1},{"a": 2}]'
    """
    return b"[" + SEAM.sub(b"},{", content.strip()) + b"]"
