"""A folder of image files → raw columns of images, for a dataset without labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qm_cli import storage
from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.errors import InputError
from qm_cli.raw import RawLabels

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2", ".avif"}
)


def read(folder: Path) -> RawLabels:
    """Images by their path below the folder, sorted; the path is the id. Sizes are not read here."""
    if not storage.is_folder(folder):
        raise InputError(f"{storage.shown(folder)}: no such folder of images", "check --images")
    names = sorted(_image_names(folder))
    if not names:
        raise InputError(f"{storage.shown(folder)}: no image files", f"looked for {', '.join(sorted(SUFFIXES))}")
    column, unknown = strings_to_arrow(names), to_arrow(np.full(len(names), np.nan))
    image = {"id": column, "file_name": column, "width": unknown, "height": unknown}
    return RawLabels(str(folder), image, {"id": strings_to_arrow([]), "name": strings_to_arrow([])}, {})


def holds_images(folder: Path) -> bool:
    """Whether there is any image file below the folder."""
    return next(_image_names(folder), None) is not None


def _image_names(folder: Path) -> Iterator[str]:
    """Image files below the folder, hidden files and folders left out."""
    if storage.uri_of(folder):
        for name in storage.names_below(str(folder)):
            if Path(name).suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in name.split("/")):
                yield name
        return
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield (Path(root) / name).relative_to(folder).as_posix()
