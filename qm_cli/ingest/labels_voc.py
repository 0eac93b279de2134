"""A folder of Pascal VOC XML files, one an image → raw columns of labels.

A box is [xmin, ymin, xmax − xmin, ymax − ymin] as the file has them; images are called by their file's name without its
ending, categories are numbered from 1 in the order of their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from msgspec import Struct, field

from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.errors import InputError
from qm_cli.raw import Columns, RawLabels, numbers, scalars

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENDING = ".xml"
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = ("difficult", "truncated", "occluded")
HINT = "expected Pascal VOC: <annotation> with <filename>, <size> and <object> entries"


class _Rows(Struct):
    """What the files hold, in their order; a box that is none is None."""

    image: list[tuple[str, str, float | None, float | None]] = field(default_factory=list)
    owner: list[str] = field(default_factory=list)
    category: list[str | None] = field(default_factory=list)
    box: list[list[float] | None] = field(default_factory=list)
    extra: list[dict[str, Any]] = field(default_factory=list)


def read(folder: Path, shown: str | None = None) -> RawLabels:
    """The labels of all XML files of a folder, by name. Raises InputError, naming the file, for what is no VOC file."""
    where = shown or str(folder)
    rows = _Rows()
    files = sorted(folder.glob(f"*{ENDING}"))
    if not files:
        raise InputError(f"{where}: a folder, not a file, and without VOC XML files in it", "name the label file")
    for path in files:
        _add(path, rows)
    names = sorted({name for name in rows.category if name is not None})
    number = {name: place for place, name in enumerate(names, 1)}
    category = {
        "id": to_arrow(np.arange(1, len(names) + 1)),
        "name": strings_to_arrow(names),
        "supercategory": strings_to_arrow([None] * len(names)),
    }
    return RawLabels(where, _images(rows), category, _labels(rows, number))


def _add(path: Path, rows: _Rows) -> None:
    from xml.etree.ElementTree import ParseError, parse

    try:
        root = parse(path).getroot()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", HINT) from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not valid XML: {error}", HINT) from error
    if root is None or root.tag != "annotation":
        raise InputError(f"{path}: the root is <{'' if root is None else root.tag}>, not <annotation>", HINT)
    size = root.find("size")
    sides = (None, None) if size is None else (_number(path, size, "width"), _number(path, size, "height"))
    rows.image.append((path.stem, _text(root, "filename") or f"{path.stem}.jpg", *sides))
    for entry in root.iter("object"):
        rows.owner.append(path.stem)
        rows.category.append(_text(entry, "name"))
        box = entry.find("bndbox")
        corners = None if box is None else [_number(path, box, corner) for corner in CORNERS]
        rows.box.append(_box(corners))
        rows.extra.append({name: _flag(entry, name) for name in FLAGS} | {"pose": _text(entry, "pose")})


def _text(parent: Element, name: str) -> str | None:
    """What an entry holds, without the line breaks and blanks that editors put around it."""
    text = parent.findtext(name)
    return None if text is None else text.strip()


def _number(path: Path, parent: Element, name: str) -> float | None:
    text = parent.findtext(name)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise InputError(f"{path}: <{parent.tag}> <{name}>: {text!r} is no number", "mend the export") from None


def _box(corners: list[float | None] | None) -> list[float] | None:
    if corners is None or None in corners:
        return None
    left, top, right, bottom = (value for value in corners if value is not None)
    return [left, top, right - left, bottom - top]


def _flag(entry: Element, name: str) -> bool | None:
    text = _text(entry, name)
    return None if text is None else text not in ("", "0")


def _images(rows: _Rows) -> Columns:
    ids, files, widths, heights = ([row[place] for row in rows.image] for place in range(4))
    sides = {"width": numbers(widths), "height": numbers(heights)}  # type: ignore[arg-type]
    return {"id": strings_to_arrow(ids), "file_name": strings_to_arrow(files), **sides}  # type: ignore[arg-type]


def _labels(rows: _Rows, number: dict[str, int]) -> Columns:
    categories = [number.get(name or "") for name in rows.category]
    areas = [None if box is None else box[2] * box[3] for box in rows.box]
    columns: Columns = {
        "id": to_arrow(np.arange(1, len(rows.owner) + 1)),
        "image_id": strings_to_arrow(rows.owner),
        "category_id": pa.array(categories, pa.int64()),
        "bbox": pa.array(rows.box, pa.list_(pa.float64())),
        "area": numbers(areas),
        "iscrowd": to_arrow(np.zeros(len(rows.owner), bool)),
    }
    for name in (*FLAGS, "pose"):
        column = scalars([extra[name] for extra in rows.extra])
        if column is not None:
            columns[name] = column
    return columns
