"""Data → JSON text: NaN never appears, undefined is null."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from qm_cli.console import FOREIGN

LONG = 1 << 16
LONE_SURROGATES = "surrogatepass"


def as_json(data: Any) -> str:
    """Indented JSON with a final newline. Raises ValueError for NaN, which no report may hold."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if len(text) < LONG:
        return _escaped(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    import msgspec

    # json's own indenting takes ten times as long
    indented: bytes = msgspec.json.format(text.encode("utf-8", LONE_SURROGATES), indent=2)
    return _escaped(indented.decode("utf-8", LONE_SURROGATES) + "\n")


def _escaped(text: str) -> str:
    """The text as UTF-8 holds it."""
    return text.encode(errors=FOREIGN).decode()


def as_json_list(rows: Iterable[Any]) -> Iterator[str]:
    """The same text as `as_json` of the list, a piece for each row.

    >>> "".join(as_json_list(iter([{"a": 1}, 2]))) == as_json([{"a": 1}, 2])
    True
    """
    before = "[\n  "
    for row in rows:
        yield before + as_json(row).removesuffix("\n").replace("\n", "\n  ")
        before = ",\n  "
    yield "[]\n" if before.startswith("[") else "\n]\n"
