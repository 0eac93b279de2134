"""A file that maps a model's category ids to the labels': JSON object, or CSV of two columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from qm_cli.errors import InputError, UsageError

HINT = 'JSON {"0": 1, "1": "bicycle"} or CSV lines 0,1: prediction id, then label id or name'


def chosen(option: str | Path | Mapping[str, str] | None) -> str | Mapping[str, str] | None:
    """What --map-categories names: nothing, `name`, `contiguous`, a mapping, or a file with one, read."""
    if option is None or isinstance(option, Mapping) or option in ("name", "contiguous"):
        return str(option) if isinstance(option, Path) else option
    path = Path(option)
    if not path.is_file():
        raise UsageError(f"--map-categories: {str(option)!r} is neither name, contiguous nor a file", "check the path")
    return read(path)


def read(path: Path) -> dict[str, str]:
    """Prediction id → label id or name, all as text."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "see --map-categories") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text", HINT) from None
    mapping = _from_json(text, path) if text.lstrip()[:1] in ("{", "[") else _from_csv(text, path)
    if not mapping:
        raise InputError(f"{path}: the mapping is empty", HINT)
    return mapping


def _from_json(text: str, path: Path) -> dict[str, str]:
    try:
        content = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}", HINT) from None
    pairs = content if text.lstrip()[:1] == "{" else [tuple(row) if isinstance(row, list) else row for row in content]
    mapping: dict[str, str] = {}
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(type(part) in (int, str) for part in pair):
            raise InputError(f"{path}: expected ids and names, got {pair!r:.60}", HINT)
        _add(mapping, str(pair[0]), str(pair[1]), path)
    return mapping


def _from_csv(text: str, path: Path) -> dict[str, str]:
    mapping: dict[str, str] = {}
    rows = [row for row in csv.reader(text.splitlines()) if row]
    for number, row in enumerate(rows):
        if len(row) != 2:
            raise InputError(f"{path}: line {number + 1}: expected 2 values, got {len(row)}", HINT)
        if number == 0 and row[0].strip().lower() in ("prediction", "prediction_id", "from", "source", "category_id"):
            continue
        _add(mapping, row[0].strip(), row[1].strip(), path)
    return mapping


def _add(mapping: dict[str, str], key: str, value: str, path: Path) -> None:
    if mapping.setdefault(key, value) != value:
        raise InputError(f"{path}: {key!r} is mapped twice", "keep one of the two")
