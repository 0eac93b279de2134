"""The shapes of a label file as they stand in it: masks as columns, anything else as JSON texts."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import bytes_to_arrow, strings_to_arrow, to_arrow
from qm_cli.number_lists import number_lists
from qm_cli.raw import RawLabels, lists_of


@cache
def with_fields(annotation: Any, image: Any, fields: tuple[str, ...]) -> tuple[Any, Any]:
    """An annotation that keeps these fields as they stand in the file, and the document of such, categories as text."""
    names = [name for name in fields if name not in annotation.__struct_fields__]
    raw = [(name, msgspec.Raw, msgspec.Raw(b"null")) for name in dict.fromkeys([*names, "segmentation"])]
    counted = [("num_keypoints", int | None, None)] if "keypoints" in fields else []
    row: Any = msgspec.defstruct("FieldAnnotation", [*raw, *counted], bases=(annotation,), gc=False)
    lists = [("images", list[image | None]), ("categories", msgspec.Raw)]
    rest = [("annotations", list[row | None] | None, None), ("licenses", msgspec.Raw, msgspec.Raw(b"[]"))]
    return row, msgspec.defstruct("FieldDocument", [*lists, *rest])


class Mask(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    size: tuple[float, float]
    counts: str


class AnyMask(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


COMPRESSED = re.compile("[0-o]+")
ANY_MASK = msgspec.json.Decoder(AnyMask)


@cache
def with_masks(annotation: Any, image: Any) -> Any:
    """A document in which every annotation has a compressed mask, categories as text."""
    row = msgspec.defstruct("MaskAnnotation", [("segmentation", Mask)], bases=(annotation,), gc=False, kw_only=True)
    lists = [("images", list[image]), ("categories", msgspec.Raw), ("annotations", list[row])]  # type: ignore[valid-type]
    return msgspec.defstruct("MaskDocument", [*lists, ("licenses", msgspec.Raw, msgspec.Raw(b"[]"))])


def masked(content: bytes, kind: Any) -> Any:
    """The document, if it is of that kind."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def add_shape(raw: RawLabels, rows: list[Any], fields: tuple[str, ...]) -> tuple[str, dict[str, int]]:
    """Add the column `shape`, and the number of keypoints; the field it is from, and how many keys stand inside it, by
    name, "" for all others."""
    if rows and isinstance(getattr(rows[0], "segmentation", None), Mask):
        raw.label["shape"] = _mask_column([row.segmentation for row in rows])
        return "segmentation", dict.fromkeys(Mask.__struct_fields__, len(rows))
    for name in fields:
        if name == "bbox":
            raw.label["shape"] = raw.label["bbox"]
            break
        texts: list[msgspec.Raw] = [getattr(row, name) for row in rows]
        if any(bytes(text) != b"null" for text in texts):
            column = _masks(texts) if name == "segmentation" else number_lists(texts)
            if column is None:
                column = bytes_to_arrow([None if text == b"null" else text for text in map(bytes, texts)])
            keyless = pa.types.is_list(column.type)
            raw.label["shape"] = column
            if name == "keypoints" and any(row.num_keypoints is not None for row in rows):
                raw.label["num_keypoints"] = _integers([row.num_keypoints for row in rows])
            return name, {} if keyless else {"": sum(bytes(text).count(b'":') for text in texts)}
    return "bbox", {}


def _integers(values: list[int | None]) -> pa.Array:
    """int64; through NumPy where none is null, because Arrow's own way imports pandas."""
    if None in values:
        return pa.array(values, pa.int64())
    return to_arrow(np.array(values, np.int64))


def _masks(texts: list[msgspec.Raw]) -> pa.Array | None:
    """A column of masks where every row is a compressed one."""
    try:
        return _mask_column(msgspec.json.decode(b"[" + b",".join(texts) + b"]", type=list[Mask]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _mask_column(masks: list[Mask]) -> pa.Array:
    """A struct of size and counts."""
    sizes = np.fromiter(chain.from_iterable(mask.size for mask in masks), np.float64, 2 * len(masks))
    offsets = np.arange(0, 2 * len(masks) + 1, 2, dtype=np.int32)
    columns = [lists_of(offsets, to_arrow(sizes)), strings_to_arrow([mask.counts for mask in masks])]
    return pa.StructArray.from_arrays(columns, ["size", "counts"])


def is_bad_mask(content: bytes, size: tuple[float | None, float | None]) -> bool:
    """Whether JSON is no run-length mask of an image of that height and width (None: not known)."""
    try:
        mask = ANY_MASK.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    if min(mask.size) <= 0 or (None not in size and mask.size != size):
        return True
    if isinstance(mask.counts, str):
        return COMPRESSED.fullmatch(mask.counts) is None
    return min(mask.counts, default=0) < 0 or sum(mask.counts) != mask.size[0] * mask.size[1]
