"""Data → JSON text: NaN never appears, undefined is null."""

from __future__ import annotations

import json
from typing import Any

import msgspec

LONE_SURROGATES = "surrogatepass"


def as_json(data: Any) -> str:
    """Indented JSON with a final newline. Raises ValueError for NaN, which no report may hold."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", LONE_SURROGATES)
    indented: bytes = msgspec.json.format(text, indent=2)  # json's own indenting takes ten times as long
    return indented.decode("utf-8", LONE_SURROGATES) + "\n"
