"""Which JSON files of a folder may be its labels, for when none is where labels are looked for."""

from __future__ import annotations

import mmap
from collections.abc import Collection
from pathlib import Path

from qm_cli.storage import file_names, uri_of


def json_files(folder: Path, left_out: Collection[str]) -> list[Path]:
    """JSON files of a folder of this machine and of those in it, by name; hidden ones and folders `left_out` apart."""
    if uri_of(folder):
        return []
    below = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    places = [folder, *(path for path in below if path.name not in left_out)]
    return [place / name for place in places for name in _names(place)]


def _names(place: Path) -> list[str]:
    """Of a folder's JSON files; none of a folder that may not be read."""
    try:
        return sorted(name for name in file_names(place) if _is_json(name))
    except PermissionError:
        return []


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json") and not name.startswith(".")


def names_annotations(path: Path) -> bool:
    """Whether a JSON file has the key of COCO's labels anywhere."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(b'"annotations"') >= 0
    except (OSError, ValueError):  # not to be read, or empty
        return False
