"""A file that names slices: by the images they hold, by SQL, or by the attributes of each image."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from qm_cli.errors import InputError, nearest

FORMS = (
    'JSON: {"dark": [image ids or file names], "small": "area_relative < 0.01"}, or'
    ' {"key_kind": "image_id", "rows": [{"key": 1, "weather": "fog"}]};'
    " CSV with the header slice,image or key,weather,…"
)
SLICE_HEADERS = ("slice", "name")
IMAGE_HEADERS = ("image", "image_id", "file_name", "id")
KEY, ROWS, KEY_KIND = "key", "rows", "key_kind"
NONE = "(none)"


class Definition(Struct, frozen=True):
    """A named slice. Either condition, in SQL; or images, by id or file name as text.

    rest: the slice is every image that none of these names, which is how a table of attributes leaves images out.
    """

    name: str
    condition: str | None = None
    images: tuple[str, ...] = ()
    rest: bool = False

    @property
    def text(self) -> str:
        """What defines it, in words."""
        return self.condition if self.condition is not None else "images by name"


def read_manifest(path: Path) -> list[Definition]:
    """The slices of a manifest, in its order; those of a table of attributes by attribute, then value.

    Raises InputError for what is no manifest, with the forms there are.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "name a JSON or CSV file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: it is no UTF-8 text", "name a JSON or CSV file") from error
    found = _from_csv(path, text) if path.suffix.lower() == ".csv" else _from_json(path, text)
    if not found:
        raise InputError(f"{path}: names no slice", FORMS)
    return found


def _from_json(path: Path, text: str) -> list[Definition]:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise InputError(f"{path}: {twice!r} is there twice", "give every slice its own name")
        return dict(items)

    try:
        content = json.loads(text, object_pairs_hook=pairs)
    except ValueError as error:
        raise InputError(f"{path}: is no JSON: {error}", "write JSON, or name the file .csv") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no object", FORMS)
    if isinstance(content.get(ROWS), list) and (KEY_KIND in content or "manifest_version" in content):
        kind = content.get(KEY_KIND, "image_id")
        if kind != "image_id":
            raise InputError(f"{path}: key_kind is {kind!r}", 'write "key_kind": "image_id"')
        return _of_attributes(path, [_row(path, place, row) for place, row in enumerate(content[ROWS])])
    return [_named(path, name, value) for name, value in content.items()]


def _row(path: Path, place: int, row: Any) -> Mapping[str, Any]:
    if not isinstance(row, dict) or not _is_name(row.get(KEY)):
        raise InputError(f"{path}: rows[{place}] has no `key`", 'write {"key": 1, "weather": "fog"}')
    return row


def _named(path: Path, name: str, value: Any) -> Definition:
    """A slice by its images, or by a condition."""
    if isinstance(value, str):
        if not value.strip():
            raise InputError(f"{path}: slice {name!r} is an empty condition", "write SQL: brightness < 0.2")
        return Definition(name, condition=value)
    if isinstance(value, list) and all(_is_name(one) for one in value):
        return Definition(name, images=tuple(str(one) for one in value))
    raise InputError(f"{path}: slice {name!r} is neither a list of images nor a condition", FORMS)


def _is_name(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _from_csv(path: Path, text: str) -> list[Definition]:
    reader = csv.reader(text.splitlines())
    lines = [[cell.strip() for cell in line] for line in reader if any(cell.strip() for cell in line)]
    header, *rows = lines or [[]]
    short = next((place for place, row in enumerate(rows) if len(row) != len(header)), None)
    if short is not None:
        found = len(rows[short])
        raise InputError(f"{path}: row {short + 1} has {found} cells, the header {len(header)}", FORMS)
    if len(header) > 1 and header[0].lower() == KEY:
        return _of_attributes(path, [dict(zip([KEY, *header[1:]], row, strict=True)) for row in rows])
    lower = [name.lower() for name in header]
    name = next((lower.index(one) for one in SLICE_HEADERS if one in lower), None)
    image = next((lower.index(one) for one in IMAGE_HEADERS if one in lower), None)
    if name is None or image is None:
        hint = nearest(header[0] if header else "", [*SLICE_HEADERS, *IMAGE_HEADERS, KEY])
        raise InputError(f"{path}: the header {','.join(header)!r} names no slice and image", hint or FORMS)
    images: dict[str, list[str]] = {}
    for row in rows:
        images.setdefault(row[name], []).append(row[image])
    return [Definition(one, images=tuple(members)) for one, members in images.items()]


def _of_attributes(path: Path, rows: list[Mapping[str, Any]]) -> list[Definition]:
    """A slice for each value of each attribute, and one for the images without, by attribute and value."""
    keys = [str(row[KEY]) for row in rows]
    if len(set(keys)) < len(keys):
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise InputError(f"{path}: the key {twice} is there twice", "give every image one row")
    found = []
    for attribute in sorted({name for row in rows for name in row if name != KEY}):
        values = {key: row.get(attribute) for key, row in zip(keys, rows, strict=True)}
        told = {key: str(value) for key, value in values.items() if value not in (None, "")}
        for value in sorted(set(told.values())):
            members = tuple(key for key, own in told.items() if own == value)
            found.append(Definition(f"{attribute}={value}", images=members))
        found.append(Definition(f"{attribute}={NONE}", images=tuple(told), rest=True))
    return found
