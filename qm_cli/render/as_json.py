"""Data → JSON text: NaN never appears, undefined is null."""

from __future__ import annotations

import json
from typing import Any


def as_json(data: Any) -> str:
    """Indented JSON with a final newline. Raises ValueError for NaN, which no report may hold."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
