"""COCO label JSON → raw columns: a typed decode that names the place of a wrong value."""

from __future__ import annotations

import gc
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.errors import InputError
from qm_cli.raw import Columns, RawLabels, identifiers

Identifier = int | str | None


class Image(msgspec.Struct, gc=False):
    id: Identifier = None
    file_name: str | None = None
    width: float | None = None
    height: float | None = None


class Category(msgspec.Struct, gc=False):
    id: Identifier = None
    name: str | None = None


class Annotation(msgspec.Struct, gc=False):
    id: Identifier = None
    image_id: Identifier = None
    category_id: Identifier = None
    bbox: list[float | None] | None = None
    area: float | None = None
    iscrowd: int | bool | None = None


class ShapedAnnotation(Annotation, gc=False):
    segmentation: msgspec.Raw = msgspec.Raw(b"null")


class Document(msgspec.Struct):
    images: list[Image]
    categories: list[Category]
    annotations: list[Annotation] | None = None
    licenses: msgspec.Raw = msgspec.Raw(b"[]")


class ShapedDocument(msgspec.Struct):
    images: list[Image]
    categories: list[Category]
    annotations: list[ShapedAnnotation] | None = None
    licenses: msgspec.Raw = msgspec.Raw(b"[]")


class Extras(msgspec.Struct):
    images: list[dict[str, msgspec.Raw]]
    categories: list[dict[str, msgspec.Raw]]
    annotations: list[dict[str, msgspec.Raw]] = []


def read(path: Path, shapes: bool) -> RawLabels:
    """Columns of the label file. With `shapes` also polygons and the unknown scalar fields as metadata.

    Raises InputError for what is no COCO label file: not JSON, cut off, wrong types (with the position), keys twice.
    """
    content = _content(path)
    with _no_garbage_collection():
        document = _decode(content, path, ShapedDocument if shapes else Document)
        _refuse_repeated_keys(content, document, path)
        raw = RawLabels(
            path.name, _image_columns(document, path), _category_columns(document, path), _label_columns(document, path)
        )
        if shapes:
            raw.label["segmentation"] = _polygons(document.annotations or [])
            _add_metadata(raw, msgspec.json.decode(content, type=Extras))
    return raw


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.strip():
        raise InputError(f"{path}: the file is empty", "expected a COCO label file: images, annotations, categories")
    return content.removeprefix(b"\xef\xbb\xbf")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Decoding makes many small objects and no cycles; collecting in between only costs time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _decode(content: bytes, path: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"{path}: {_place(str(error))}", "expected a COCO label file: images, annotations, categories"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON: {error}", "write the file again; it may be cut off") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply to be a COCO label file", "write the file again") from None


def _place(message: str) -> str:
    """msgspec's 'Expected `int`, got `str` - at `$.images[3].id`' → 'images[3].id: expected `int`, got `str`'."""
    text, _, place = message.partition(" - at `")
    return f"{place.rstrip('`').removeprefix('$.')}: {text[0].lower()}{text[1:]}" if place else text


def _refuse_repeated_keys(content: bytes, document: Any, path: Path) -> None:
    """A key written twice in one object makes the file ambiguous. Counting a key is cheap; only a surplus is looked into."""
    expected = {b'"image_id"': len(document.annotations or []), b'"bbox"': len(document.annotations or [])}
    expected |= {b'"annotations"': 1, b'"images"': 1, b'"categories"': 1, b'"file_name"': len(document.images)}
    expected |= {b'"category_id"': expected[b'"image_id"']}
    expected |= {b'"id"': expected[b'"image_id"'] + len(document.images) + len(document.categories)}
    if any(content.count(key) > count for key, count in expected.items()):
        json.loads(content, object_pairs_hook=_refusing_pairs(path))


def _refusing_pairs(path: Path) -> Callable[[list[tuple[str, Any]]], None]:
    def check(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f'{path}: the key "{key}" stands twice in one object', "keep one of the two values")
            seen.add(key)

    return check


def _image_columns(document: Any, path: Path) -> Columns:
    images = document.images
    return {
        "id": identifiers([image.id for image in images], f"{path}: images"),
        "file_name": pa.array([image.file_name for image in images], pa.string()),
        "width": pa.array([image.width for image in images], pa.float64()),
        "height": pa.array([image.height for image in images], pa.float64()),
    }


def _category_columns(document: Any, path: Path) -> Columns:
    return {
        "id": identifiers([category.id for category in document.categories], f"{path}: categories"),
        "name": pa.array([category.name for category in document.categories], pa.string()),
    }


def _label_columns(document: Any, path: Path) -> Columns:
    rows = document.annotations or []
    return {
        "id": identifiers([row.id for row in rows], f"{path}: annotations"),
        "image_id": identifiers([row.image_id for row in rows], f"{path}: annotations.image_id"),
        "category_id": identifiers([row.category_id for row in rows], f"{path}: annotations.category_id"),
        "bbox": _box_lists([row.bbox for row in rows]),
        "area": pa.array([row.area for row in rows], pa.float64()),
        "iscrowd": pa.array([None if row.iscrowd is None else row.iscrowd != 0 for row in rows], pa.bool_()),
    }


def _box_lists(boxes: list[list[float | None] | None]) -> pa.ListArray:
    """Boxes as a list column; the usual case, all of 4 numbers, goes through one flat array."""
    try:
        if all(len(box) == 4 for box in boxes):  # type: ignore[arg-type]
            flat = np.fromiter(itertools.chain.from_iterable(boxes), np.float64, 4 * len(boxes))  # type: ignore[arg-type]
            return pa.ListArray.from_arrays(
                pa.array(np.arange(0, 4 * len(boxes) + 1, 4, dtype=np.int32)), pa.array(flat)
            )
    except TypeError:
        pass
    return pa.array(boxes, pa.list_(pa.float64()))


def _polygons(rows: list[ShapedAnnotation]) -> pa.Array:
    """Polygon parts per annotation; null where there is no segmentation or it is a mask."""
    decoder = msgspec.json.Decoder(list[list[float]])
    shapes: list[list[list[float]] | None] = []
    for row in rows:
        content = bytes(row.segmentation)
        if content[:1] != b"[":
            shapes.append(None)
            continue
        try:
            shapes.append(decoder.decode(content) or None)
        except msgspec.DecodeError:
            shapes.append([])
    return pa.array(shapes, pa.list_(pa.list_(pa.float64())))


def _add_metadata(raw: RawLabels, extras: Extras) -> None:
    """Unknown scalar fields become columns; what is no scalar (lists, objects) is passed over."""
    known = {"image": Image, "category": Category, "label": ShapedAnnotation}
    rows = {"image": extras.images, "category": extras.categories, "label": extras.annotations}
    for level, columns in (("image", raw.image), ("category", raw.category), ("label", raw.label)):
        fields = known[level].__struct_fields__
        names = {name: None for row in rows[level] for name in row if name not in fields}
        for name in names:
            column = _scalar_column([row.get(name) for row in rows[level]])
            if column is not None:
                columns[name] = column


def _scalar_column(values: list[msgspec.Raw | None]) -> pa.Array | None:
    """A typed column of decoded scalars: boolean, integer, float or string; mixed ones as their JSON text."""
    texts = [None if value is None else bytes(value) for value in values]
    if all(text is None or text[:1] in (b"[", b"{") or text == b"null" for text in texts):
        return None
    decoded = [None if text is None or text[:1] in (b"[", b"{") else msgspec.json.decode(text) for text in texts]
    try:
        return pa.array(decoded)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in decoded], pa.string())
