"""Masks as COCO has them (compressed or plain run lengths, polygons) → compressed texts, one after another."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.arrays import bytes_to_arrow, flat_values, to_numpy, valid
from qm_cli.kernels.polygons import shapes_of
from qm_cli.kernels.rasters import is_polygon, painted
from qm_cli.kernels.runs import LARGEST_MASK, Runs, decoded, encoded
from qm_cli.link_ids import Mask
from qm_cli.link_texts import decoded_texts
from qm_cli.raw import Columns

Numbers = npt.NDArray[np.float64]
COMPRESSED = re.compile("[0-o]+")


class RunLengths(msgspec.Struct, gc=False):
    size: list[float]
    counts: str | list[int]


class MaskTexts(Struct, frozen=True):
    """n compressed masks: text uint8, offsets int64[n + 1], size int64[n, 2] (height, width).

    fits: there is one, of its image's size; crossing: painted from a polygon that crosses itself.
    """

    text: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    fits: Mask
    crossing: Mask

    def column(self, good: Mask) -> pa.Array:
        """The texts as a string column, null where not good."""
        strings = pa.StringArray.from_buffers(
            len(good), pa.py_buffer(self.offsets.astype(np.int32)), pa.py_buffer(self.text)
        )
        if good.all():
            return strings
        return bytes_to_arrow(
            [one.encode() if fine else None for one, fine in zip(strings.to_pylist(), good, strict=True)]
        )


def mask_texts(shape: pa.Array, size: Numbers) -> MaskTexts:
    """The masks of a column of structs or JSON texts; size: of each row's image, NaN where it is not known."""
    nothing = np.zeros(len(shape), bool)
    if pa.types.is_struct(shape.type):
        counts, given = shape.field("counts"), shape.field("size")
        return _fitting(counts, _sizes(given), size, nothing)
    texts, given, crossing = _texts(decoded_texts(shape, RunLengths | list[list[float]] | None), size)
    return _fitting(bytes_to_arrow(texts), given, size, crossing)


def masks_decoded(columns: Columns) -> Runs | None:
    """The masks of the column `shape`, each of the size it says; None where it does not hold compressed ones."""
    shape = columns.get("shape")
    if shape is None or not pa.types.is_struct(shape.type):
        return None
    own = mask_texts(shape, np.full((len(shape), 2), np.nan))
    return decoded(own.text, own.offsets, own.size)


def _sizes(lists: pa.Array) -> Numbers:
    """float64[n, 2]; rows of another length are NaN."""
    values = np.asarray(to_numpy(flat_values(lists)), np.float64)
    lengths = np.diff(to_numpy(lists.offsets))
    sizes = np.full((len(lists), 2), np.nan)
    sizes[lengths == 2] = values[np.repeat(lengths == 2, lengths)].reshape(-1, 2)
    return sizes


def _fitting(counts: pa.Array, given: Numbers, size: Numbers, crossing: Mask) -> MaskTexts:
    """Whether each mask is there and of its image's size, as far as that is known."""
    with np.errstate(invalid="ignore"):
        whole = (given == np.floor(given)).all(1) & (given > 0).all(1) & (given <= LARGEST_MASK).all(1)
    fits = valid(counts) & whole & ((given == size) | np.isnan(size)).all(1)
    offsets = np.frombuffer(counts.buffers()[1], np.int32, len(counts) + 1, counts.offset * 4).astype(np.int64)
    content = counts.buffers()[2]
    text = np.frombuffer(content if content is not None else b"", np.uint8)[offsets[0] : offsets[-1]]
    sizes = np.where(fits[:, None], given, 0.0).astype(np.int64)
    return MaskTexts(text, offsets - offsets[0], sizes, fits, crossing)


def _texts(found: list[Any], size: Numbers) -> tuple[list[bytes | None], Numbers, Mask]:
    """Compressed text and size of each mask, None and NaN where it is none; and which polygons cross themselves."""
    texts: list[bytes | None] = [None] * len(found)
    given = np.full((len(found), 2), np.nan)
    plain, polygons = [], []
    for row, mask in enumerate(found):
        if isinstance(mask, RunLengths):
            if len(mask.size) != 2:
                continue
            given[row] = mask.size
            if isinstance(mask.counts, str):
                texts[row] = mask.counts.encode() if COMPRESSED.fullmatch(mask.counts) else None
            elif mask.counts and min(mask.counts) >= 0 and max(mask.counts) <= LARGEST_MASK:
                plain.append(row)
        elif mask and all(map(is_polygon, mask)) and np.isfinite(size[row]).all():
            polygons.append(row)
    if plain:
        start = np.cumsum([0, *(len(found[row].counts) for row in plain)])
        text, offsets = encoded(np.concatenate([np.array(found[row].counts, np.int64) for row in plain]), start)
        for number, row in enumerate(plain):
            texts[row] = text[offsets[number] : offsets[number + 1]].tobytes()
    crossing = np.zeros(len(found), bool)
    if polygons:
        given[polygons] = size[polygons]
        shapes = [found[row] for row in polygons]
        for row, painting in zip(polygons, painted(shapes, size[polygons].astype(np.int64)), strict=True):
            texts[row] = painting
        column = np.empty(len(shapes), object)
        column[:] = shapes
        crossing[polygons] = shapes_of(column).crossing
    return texts, given, crossing
