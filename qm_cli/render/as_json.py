"""Data → JSON text: NaN never appears, undefined is null."""

from __future__ import annotations

import json
from typing import Any

LONG = 1 << 16
LONE_SURROGATES = "surrogatepass"


def as_json(data: Any) -> str:
    """Indented JSON with a final newline. Raises ValueError for NaN, which no report may hold."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if len(text) < LONG:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    import msgspec

    # json's own indenting takes ten times as long
    indented: bytes = msgspec.json.format(text.encode("utf-8", LONE_SURROGATES), indent=2)
    return indented.decode("utf-8", LONE_SURROGATES) + "\n"
