"""Is the input sound? What linking found, what the boxes look like as a whole, and what the image files say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import SEEK_END
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.arrays import one_chunk, to_arrow, valid
from qm_cli.findings import ERROR, INFO, WARNING, Finding, finding, flagged
from qm_cli.link_boxes import box_format, format_finding
from qm_cli.raw import leaving
from qm_cli.storage import file_names, is_folder, opened, shown, uri_of
from qm_cli.tables import Tables

SEVERITIES = (ERROR, WARNING, INFO)
ROTATED = frozenset({5, 6, 7, 8})
ORIENTATION_TAG = 0x0112
ENDING = frozenset({"JPEG", "MPO"})
WITH_EXIF = ENDING | {"TIFF", "WEBP"}
TAIL_BYTES = 1 << 16
FILES_AT_ONCE = 8
ProblemsOf = Callable[[str, Sequence[str]], list[str]]


def check(tables: Tables, images: Path | None, problems_of: ProblemsOf) -> list[Finding]:
    """All findings, errors first. With the folder `images` each image file's header is read, too.

    problems_of: decodes files of a folder whose end is not where it should be: a code for each, "" for a whole one.
    """
    found = list(tables.findings)
    for level in ("label", "prediction"):
        found += _format_findings(tables, level)
    if tables.has_labels:
        count = np.bincount(tables.values("label", "image_row"), minlength=tables.count("image"))
        found += flagged("image-without-label", one_chunk(tables.image["id"]), count == 0)
    if images is not None:
        found += image_file_findings(tables, images, problems_of)
    return sorted(found, key=lambda one: SEVERITIES.index(one.rule.severity))


def _format_findings(tables: Tables, level: str) -> list[Finding]:
    """What linking has not told already: boxes of images without a size may look normalised, too."""
    told = any(one.code.startswith("boxes-") and one.examples == (f"{level}s",) for one in tables.findings)
    count = tables.count(level)
    if told or count == 0:
        return []
    row = tables.values(level, "image_row")
    size = [tables.values("image", side)[row] for side in ("width", "height")]
    return format_finding(level, count, box_format(tables.values(level, "bbox"), *size))


class Header(Struct, frozen=True):
    """What an image file says of itself: problem is "" or the code that applies; rotated: by its EXIF orientation.

    ends: whether its end is where it should be.
    """

    problem: str
    width: int = 0
    height: int = 0
    rotated: bool = False
    ends: bool = True


def image_file_findings(tables: Tables, images: Path, problems_of: ProblemsOf) -> list[Finding]:
    """Files that are missing, unreadable or cut off, and sizes that differ from the label file's."""
    names = one_chunk(tables.image["file_name"])
    ids = one_chunk(tables.image["id"])
    looked_at = valid(names) & ~leaving(names)
    found = flagged("image-missing-file-name", ids, ~valid(names))
    headers = _headers(
        images, [name if look else None for name, look in zip(names.to_pylist(), looked_at, strict=True)]
    )
    problems = np.array([header.problem for header in headers], object)
    endless = np.array([not header.ends for header in headers], bool)
    problems[endless] = problems_of(str(images), names.filter(to_arrow(endless)).to_pylist())
    missing = problems == "image-missing-file"
    found += flagged("image-missing-file", names, missing, _elsewhere(names, missing, images))
    found += flagged("image-unreadable", names, problems == "image-unreadable")
    found += flagged("image-truncated", names, problems == "image-truncated")
    found += flagged("image-ends-worker", names, problems == "image-ends-worker")
    return found + _size_findings(tables, names, headers)


def _size_findings(tables: Tables, names: pa.Array, headers: list[Header]) -> list[Finding]:
    listed = np.stack([tables.values("image", "width"), tables.values("image", "height")], 1)
    differing = []
    for name, size, header in zip(names, listed.tolist(), headers, strict=True):
        own = [header.width, header.height]
        known = header.width > 0 and min(size) > 0
        if known and size not in (own, own[::-1] if header.rotated else own):
            differing.append(f"{name} is {own[0]}×{own[1]}, listed as {size[0]:g}×{size[1]:g}")
    return finding("image-size-differs", differing)


def _headers(images: Path, names: list[str | None]) -> list[Header]:
    """Header of each file, several read at once; of none where there is no name."""
    with _any_size(), ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return list(pool.map(lambda name: Header("") if name is None else _header(images, name), names))


@contextmanager
def _any_size() -> Iterator[None]:
    """Pillow refuses very large pictures; reading the size of one costs nothing."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _header(images: Path, name: str) -> Header:
    try:
        if uri_of(images) is None and not (images / name).is_file():
            return Header("image-missing-file")
        with opened(str(images), name) as file:
            return _header_of(file)
    except FileNotFoundError:
        return Header("image-missing-file")
    except (OSError, SyntaxError, ValueError, EOFError):
        return Header("image-unreadable")


def _header_of(file: IO[bytes]) -> Header:
    from PIL import Image

    with Image.open(file) as image:
        size, form = image.size, image.format
        rotated = form in WITH_EXIF and image.getexif().get(ORIENTATION_TAG) in ROTATED
        if form not in WITH_EXIF:
            image.verify()
    return Header("", *size, rotated, form not in ENDING or _ends(file))


def _ends(file: IO[bytes]) -> bool:
    """A JPEG's end marker stands near the end of the file."""
    file.seek(max(file.seek(0, SEEK_END) - TAIL_BYTES, 0))
    return b"\xff\xd9" in file.read()


def _elsewhere(names: pa.Array, missing: npt.NDArray[np.bool_], images: Path) -> str:
    """How many of the missing files lie directly in the folder, under the last part of their name."""
    if not missing.any() or not is_folder(images):
        return "" if is_folder(images) else f"there is no folder {shown(images)}"
    there = set(file_names(images))
    lost = [name.as_py().replace("\\", "/") for name, gone in zip(names, missing, strict=True) if gone]
    direct = sum("/" in name and name.rpartition("/")[2] in there for name in lost)
    return f"{direct} of them lie in {shown(images)} itself: file_name has a folder too many" if direct else ""
