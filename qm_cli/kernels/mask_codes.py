"""A mask as labelling tools write it: its runs row by row, and Label Studio's packed bits.

Reference: label_studio_sdk.converter.brush (after thi.ng/rle-pack), cvat_sdk.masks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.runs import decoded

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

CHANNELS = 4
WORD_BITS, LENGTH_BITS, SIZE_FIELD = 8, 16, 4
LENGTH_SIZES = (3, 4, 8, LENGTH_BITS)
IS_RUN_OF_LAST_SIZE = 0b111
RECORD_BITS = 3 + LENGTH_BITS + WORD_BITS
OBJECT = 255


def decoded_mask(counts: str, size: list[float]) -> BoolArray:
    """A mask from COCO's compressed run lengths: bool[height, width]. size: height, width."""
    text = np.frombuffer(counts.encode(), np.uint8)
    runs = decoded(text, np.array([0, len(text)]), np.array([size], np.int64))
    lengths = np.diff(runs.end, prepend=0)
    columns = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(int(size[1]), int(size[0]))
    return np.ascontiguousarray(columns.T)


def row_runs(mask: BoolArray) -> RowArray:
    """Lengths of background and object in turn, row by row, background first (0 where the object begins): int64[n].

    >>> row_runs(np.array([[False, True], [True, False]])).tolist()
    [1, 2, 1]
    """
    flat = mask.ravel()
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], turns, [len(flat)]]))
    return np.append(0, runs) if len(flat) and flat[0] else runs


def tight_window(mask: BoolArray) -> tuple[int, int, int, int]:
    """left, top, width and height of the smallest box around a mask that holds a pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def in_place(mask: BoolArray, window: tuple[int, int, int, int], whole: tuple[int, int]) -> BoolArray:
    """The whole mask, bool[height, width], of which `mask` is a window: left, top, width, height."""
    left, top, width, height = window
    canvas = np.zeros(whole, bool)
    canvas[top : top + height, left : left + width] = mask
    return canvas


def brush_bytes(mask: BoolArray) -> Bytes:
    """Label Studio's rle of a mask: an RGBA picture of 0 and 255, run by run, as packed bits: uint8[n].

    A head of 53 bits (count of values, their width, four widths of lengths), then 27 bits a run: a run, whose length
    has the last of the widths; the length less 1; the value. Longer runs are cut at 65,536.
    """
    runs = row_runs(mask) * CHANNELS
    value = np.where(np.arange(len(runs)) % 2, OBJECT, 0)
    pieces = -(-runs // (1 << LENGTH_BITS))
    value = np.repeat(value, pieces)
    length = np.full(len(value), 1 << LENGTH_BITS, np.int64)
    last = np.cumsum(pieces)[pieces > 0] - 1
    length[last] = (runs - (pieces - 1) * (1 << LENGTH_BITS))[pieces > 0]
    records = (IS_RUN_OF_LAST_SIZE << LENGTH_BITS | (length - 1)) << WORD_BITS | value
    head = mask.size * CHANNELS << 5 | (WORD_BITS - 1)
    for size in LENGTH_SIZES:
        head = head << SIZE_FIELD | (size - 1)
    bits = _bits(np.array([head], np.int64), 32 + 5 + SIZE_FIELD * len(LENGTH_SIZES))
    return np.packbits(np.concatenate([bits, _bits(records, RECORD_BITS)]))


def _bits(numbers: RowArray, width: int) -> Bytes:
    """Each number as `width` bits, the highest first, one after another."""
    places = np.arange(width - 1, -1, -1)
    return ((numbers[:, None] >> places) & 1).astype(np.uint8).ravel()


def as_png(mask: BoolArray) -> bytes:
    """A PNG file of one channel, 1 where the object is."""
    import cv2

    done, content = cv2.imencode(".png", mask.astype(np.uint8))
    if not done:
        raise ValueError("a mask without pixels is no picture")
    return content.tobytes()
