"""COCO label JSON → raw columns: a typed decode that names the place of a wrong value."""

from __future__ import annotations

import gc
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import strings_to_arrow, to_arrow
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding
from qm_cli.json_counts import key_count
from qm_cli.json_faults import fault, repeated_key
from qm_cli.raw import Columns, RawLabels, identifiers, lists_of, numbers, scalars
from qm_cli.raw_shapes import add_shape, is_bad_mask, masked, with_fields, with_masks
from qm_cli.unread_answers import unread_answers

Identifier = int | str | None
HINT = "expected a COCO label file: images, annotations, categories"
DATA_ROWS = re.compile(rb'"data_rows"\s*:')


class Image(msgspec.Struct, gc=False):
    id: Identifier = None
    file_name: str | None = None
    width: float | None = None
    height: float | None = None


class Category(msgspec.Struct, gc=False):
    id: Identifier = None
    name: str | None = None
    supercategory: str | None = None


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
    images: list[Image | None]
    categories: list[Category | None]
    annotations: list[Annotation | None] | None = None
    licenses: msgspec.Raw = msgspec.Raw(b"[]")


class ShapedDocument(msgspec.Struct):
    images: list[Image | None]
    categories: list[Category | None]
    annotations: list[ShapedAnnotation | None] | None = None
    licenses: msgspec.Raw = msgspec.Raw(b"[]")


class Extras(msgspec.Struct):
    images: list[dict[str, msgspec.Raw] | None]
    categories: list[dict[str, msgspec.Raw] | None]
    annotations: list[dict[str, msgspec.Raw] | None] = []


def read(
    path: Path,
    shapes: bool,
    metadata: bool | None = None,
    shown: str | None = None,
    fields: tuple[str, ...] = (),
) -> RawLabels:
    """Columns of the label file. With `shapes` also polygons; with `metadata` (as `shapes` if not said) also the
    unknown scalar fields. Messages call the file `shown`. fields: of these the first that any annotation has is kept
    as the column `shape`, JSON texts (`bbox`: the boxes themselves).

    Raises InputError for what is no COCO label file: not JSON, cut off, wrong types (with the position), keys twice.
    """
    where = shown or str(path)
    content = _content(path, where)
    with _no_garbage_collection():
        document = None
        if fields == ("segmentation",) and not shapes:
            document = masked(content, with_masks(Annotation, Image))
        if document is None:
            own = ShapedDocument if shapes else Document
            row, kind = with_fields(Annotation, Image, fields) if fields else (None, own)
            document = _decode(content, where, kind, row)
        categories = _categories(document, where) if fields else b""
        label = {} if document.annotations is None else _label_columns(document.annotations, where)
        raw = RawLabels(where, _image_columns(document, where), _category_columns(document, where), label)
        if shapes if metadata is None else metadata:
            _add_metadata(raw, msgspec.json.decode(content, type=Extras))
        name, inner = add_shape(raw, document.annotations, fields) if fields and label else ("", {})
        if _unknown_keys(content, raw, bytes(document.licenses), where, name, inner, categories):
            raw.unread = unread_answers(content)
        if shapes and label:
            label["segmentation"] = _polygons(document.annotations)
            raw.findings += _mask_findings(document.images, document.annotations)
        del document  # before collecting goes on: its entries count as new objects
    return raw


def _content(path: Path, where: str) -> bytes:
    content = path.read_bytes()
    if not content[:65536].strip() and not content.strip():
        raise InputError(f"{where}: the file is empty", HINT)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{where}: the file is UTF-16 text", "save it as UTF-8")
    return with_images(content)


def with_images(content: bytes) -> bytes:
    """The content from its first character on, its `data_rows` called `images` where it has none.

    >>> with_images(b'{"data_rows": []}')
    b'{"images": []}'
    """
    content = content.removeprefix(b"\xef\xbb\xbf")
    return content if b'"images"' in content else DATA_ROWS.sub(b'"images":', content, count=1)


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


def _decode(content: bytes, where: str, kind: type[Any], row: Any = None) -> Any:
    try:
        document = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {_place(str(error))}", HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, hint = fault(content, error)
        raise InputError(f"{where}: {reason}", hint) from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply to be a COCO label file", "write the file again") from None
    row = row or (ShapedAnnotation if kind is ShapedDocument else Annotation)
    for name, empty in (("images", Image), ("categories", Category), ("annotations", row)):
        entries = getattr(document, name)
        if isinstance(entries, list) and None in entries:
            setattr(document, name, [empty() if entry is None else entry for entry in entries])
    return document


def _categories(document: Any, where: str) -> bytes:
    """Decode the categories of a document that has them as text, and the text."""
    text = bytes(document.categories)
    try:
        found = msgspec.json.decode(text, type=list[Category | None])
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise InputError(f"{where}: {_place(f'{reason} - at `$.categories{place}')}", HINT) from None
    document.categories = [entry or Category() for entry in found]
    return text


def _place(message: str) -> str:
    """msgspec's 'Expected `int`, got `str` - at `$.images[3].id`' → 'images[3].id: expected `int`, got `str`'."""
    text, _, place = message.partition(" - at `")
    text = text.replace("`object | null`", "`object`")
    return f"{place.rstrip('`').removeprefix('$.')}: {text[0].lower()}{text[1:]}" if place else text


def _unknown_keys(
    content: bytes, raw: RawLabels, licenses: bytes, where: str, shape: str, inner: dict[str, int], categories: bytes
) -> bool:
    """Whether there may be other keys than those that were read. Counting is cheap; only a surplus is looked into.

    Raises InputError for a key written twice in one object, which makes the file ambiguous.
    """
    expected = Counter({b'"images"': 1, b'"categories"': 1, b'"annotations"': int(bool(raw.label))})
    for columns in (raw.image, raw.category, raw.label):
        expected.update(
            {f'"{shape if name == "shape" else name}"'.encode(): len(c) - c.null_count for name, c in columns.items()}
        )
    others = inner.pop("", 0)
    expected.update({f'"{name}"'.encode(): count for name, count in inner.items()})
    if shape:
        known = sum(len(column) - column.null_count for column in raw.category.values())
        expected[f'"{shape}"'.encode()] += categories.count(f'"{shape}"'.encode())
        others += categories.count(b'":') - known - categories.count(f'"{shape}":'.encode())
    if key_count(content) == expected.total() + others:
        return False
    if any(content.count(key) > count + licenses.count(key) for key, count in expected.items()):
        twice = repeated_key(content)
        if twice:
            raise InputError(f"{where}: {twice}", "keep one of the two values")
    return True


def _image_columns(document: Any, where: str) -> Columns:
    images = document.images
    return {
        "id": identifiers([image.id for image in images], f"{where}: images"),
        "file_name": strings_to_arrow([image.file_name for image in images]),
        "width": numbers([image.width for image in images]),
        "height": numbers([image.height for image in images]),
    }


def _category_columns(document: Any, where: str) -> Columns:
    return {
        "id": identifiers([category.id for category in document.categories], f"{where}: categories"),
        "name": strings_to_arrow([category.name for category in document.categories]),
        "supercategory": strings_to_arrow([category.supercategory for category in document.categories]),
    }


def _label_columns(rows: list[Annotation], where: str) -> Columns:
    return {
        "id": identifiers([row.id for row in rows], f"{where}: annotations"),
        "image_id": identifiers([row.image_id for row in rows], f"{where}: annotations.image_id"),
        "category_id": identifiers([row.category_id for row in rows], f"{where}: annotations.category_id"),
        "bbox": _box_lists([row.bbox for row in rows]),
        "area": numbers([row.area for row in rows]),
        "iscrowd": _flags([row.iscrowd for row in rows]),
    }


def _box_lists(boxes: list[list[float | None] | None]) -> pa.ListArray:
    """Boxes as a list column; the usual case, all of 4 numbers, goes through one flat array."""
    try:
        if all(len(box) == 4 for box in boxes):  # type: ignore[arg-type]
            flat = np.fromiter(itertools.chain.from_iterable(boxes), np.float64, 4 * len(boxes))  # type: ignore[arg-type]
            return lists_of(np.arange(0, 4 * len(boxes) + 1, 4, dtype=np.int32), to_arrow(flat))
    except TypeError:
        pass
    return pa.array(boxes, pa.list_(pa.float64()))


def _flags(values: list[int | bool | None]) -> pa.Array:
    if None in values:
        return pa.array([None if value is None else value != 0 for value in values], pa.bool_())
    return to_arrow(np.fromiter((value != 0 for value in values), bool, len(values)))


def _polygons(rows: list[ShapedAnnotation]) -> pa.Array:
    """Polygon parts per annotation; null where there is none, or a mask; no part for what is neither."""
    decoder = msgspec.json.Decoder(list[list[float]])
    shapes: list[list[list[float]] | None] = []
    for row in rows:
        content = bytes(row.segmentation)
        if content == b"null" or content[:1] == b"{":
            shapes.append(None)
            continue
        try:
            shapes.append(decoder.decode(content) or None)
        except msgspec.DecodeError:
            shapes.append([])
    return pa.array(shapes, pa.list_(pa.list_(pa.float64())))


def _mask_findings(images: list[Image], rows: list[ShapedAnnotation]) -> list[Finding]:
    """Run-length masks that are malformed, or of another size than their image."""
    masks = [(place, content) for place, row in enumerate(rows) if (content := bytes(row.segmentation))[:1] == b"{"]
    if not masks:
        return []
    sizes = {image.id: (image.height, image.width) for image in images}
    bad = [place for place, content in masks if is_bad_mask(content, sizes.get(rows[place].image_id, (None, None)))]
    return finding("label-bad-mask", [place if rows[place].id is None else rows[place].id for place in bad])


def _add_metadata(raw: RawLabels, extras: Extras) -> None:
    """Unknown scalar fields become columns; what is no scalar (lists, objects) is passed over."""
    known = {"image": Image, "category": Category, "label": ShapedAnnotation}
    rows = {"image": extras.images, "category": extras.categories, "label": extras.annotations}
    for level, columns in (("image", raw.image), ("category", raw.category), ("label", raw.label)):
        fields = known[level].__struct_fields__
        entries = [row or {} for row in rows[level]]
        names = {name: None for row in entries for name in row if name not in fields}
        for name in names:
            column = _scalar_column([row.get(name) for row in entries])
            if column is not None:
                columns[name] = column


def _scalar_column(values: list[msgspec.Raw | None]) -> pa.Array | None:
    """A typed column of decoded scalars: boolean, integer, float or string; mixed ones as their JSON text."""
    texts = [None if value is None else bytes(value) for value in values]
    return scalars([None if text is None or text[:1] in (b"[", b"{") else msgspec.json.decode(text) for text in texts])
