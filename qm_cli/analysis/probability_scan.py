"""One pass over rows of class probabilities, in blocks that fit the cache: the largest, the true one's, its rank."""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Matrix = npt.NDArray[Any]

STRETCH_ROWS = 1 << 12
STRETCHES_KEPT = 16
"""So many stretches of a mapped file stay in memory before they are given back."""
BLOCK_BYTES = 1 << 21
THREADS = 2
WORDS_AT_ONCE = 255
SUM_TOLERANCE = 1e-3


class Scan(Struct, frozen=True):
    """best: column of the largest probability, the first of equal ones, −1 in a row with NaN or infinity: int64[n].

    top: that probability; of_true: that of the true column, NaN where there is none: float64[n]. above: columns before
    the true one, larger or as large and further left: int64[n]. odd: rows that leave 0..1 or do not sum to 1 within
    1e-3 (float16: within 4e-3): bool[n].
    """

    best: RowArray
    top: FloatArray
    of_true: FloatArray
    above: RowArray
    odd: BoolArray

    @property
    def missing(self) -> BoolArray:
        """Rows that hold NaN or infinity: bool[n]."""
        absent: BoolArray = self.best < 0
        return absent


def scan(values: Matrix, rows: RowArray, true: RowArray, limit: int = 0) -> Scan:
    """Scan `rows` of the matrix; true: the column of each, −1 for none. limit: `above` is exact below it, and only told
    to be at least that otherwise; 0 leaves it out.

    Two threads take a stretch of rows each; a row's result depends on that row alone. Read as unsigned integers,
    numbers ≥ 0 keep their order, and NaN, infinity and what is negative come last: one search finds the largest and all
    that is wrong.
    """
    count = len(rows)
    none = np.full(count, np.nan)
    above, odd = np.zeros(count, np.int64), np.zeros(count, bool)
    result = Scan(np.full(count, -1, np.int64), none, none.copy(), above, odd)
    starts = range(0, count, STRETCH_ROWS)
    if values.shape[1]:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda first: _scan_stretch(values, rows, true, limit, result, first), starts))
    return result


def _scan_stretch(values: Matrix, rows: RowArray, true: RowArray, limit: int, result: Scan, first: int) -> None:
    place = slice(first, min(first + STRETCH_ROWS, len(rows)))
    stretch, column = _taken(values, rows[place]), np.maximum(true[place], 0)
    count, width = stretch.shape
    best, above = np.zeros(count, np.int64), np.zeros(count, np.int64)
    sums = np.zeros(count, stretch.dtype)
    bits = stretch.view(np.uint32 if stretch.itemsize == 4 else np.uint64)
    step = max(BLOCK_BYTES // (width * stretch.itemsize), 1)
    counter = _Counter(step, width)
    with np.errstate(all="ignore"):
        for begin in range(0, count, step):
            part = slice(begin, begin + step)
            block = stretch[part]
            bits[part].argmax(1, out=best[part])
            np.add.reduce(block, 1, out=sums[part])
            if limit:
                counter.above(block, column[part], best[part], limit, above[part])
        index = np.arange(count)
        negative = np.flatnonzero(np.signbit(stretch[index, best]))
        best[negative] = stretch[negative].argmax(1)
        lowest = np.zeros(count)
        lowest[negative] = stretch[negative].min(1)
        for row in negative[: len(negative) * bool(limit)]:
            own_value, before = stretch[row, column[row]], np.arange(width) < column[row]
            above[row] = ((stretch[row] > own_value) | ((stretch[row] == own_value) & before)).sum()
        top, own = stretch[index, best].astype(np.float64), stretch[index, column].astype(np.float64)
        finite = np.isfinite(sums) & np.isfinite(top)
        tolerance = SUM_TOLERANCE if values.dtype.itemsize > 2 else 4 * SUM_TOLERANCE
        result.odd[place] = finite & ((np.abs(sums.astype(np.float64) - 1) > tolerance) | (lowest < 0) | (top > 1))
    result.best[place] = np.where(finite, best, -1)
    result.top[place] = np.where(finite, top, np.nan)
    result.of_true[place] = np.where(finite & (true[place] >= 0), own, np.nan)
    result.above[place] = above
    if (place.stop // STRETCH_ROWS) % STRETCHES_KEPT == 0:
        _forget(values, rows[max(place.stop - STRETCHES_KEPT * STRETCH_ROWS, 0) : place.stop])


def _forget(values: Matrix, rows: RowArray) -> None:
    """Give back the memory of a mapped file's rows that stand together; they stay in the system's cache of files."""
    mapped: Any = values
    while isinstance(mapped, np.ndarray):
        mapped = mapped.base
    together = rows[-1] - rows[0] + 1 == len(rows) and values.flags.c_contiguous
    if not together or not isinstance(mapped, mmap.mmap) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    offset = values.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    begin = -(-(offset + int(rows[0]) * values.strides[0]) // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (offset + (int(rows[-1]) + 1) * values.strides[0]) // mmap.PAGESIZE * mmap.PAGESIZE
    if begin < end:
        mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)


def _taken(values: Matrix, rows: RowArray) -> Matrix:
    """The rows as float32 or float64, uncopied where they stand together."""
    together = len(rows) == rows[-1] - rows[0] + 1 and bool((rows[1:] > rows[:-1]).all())
    taken = values[rows[0] : rows[-1] + 1] if together else values[rows]
    return taken if taken.dtype in (np.float32, np.float64) else taken.astype(np.float32)


class _Counter:
    """Counts columns that come before the true one, with a mask that is used again and again."""

    def __init__(self, rows: int, width: int) -> None:
        self.width = width
        self.mask = np.zeros((rows, -(-width // 8) * 8), bool)

    def above(self, block: Matrix, column: RowArray, best: RowArray, limit: int, result: RowArray) -> None:
        """Columns before the true one, larger or as large and further left; exact below the limit."""
        behind = np.flatnonzero(best != column)
        if not len(behind):
            return
        chosen = block if 2 * len(behind) > len(block) else block[behind]
        if len(chosen) == len(block):
            behind = np.arange(len(block))
        true = block[behind, column[behind]][:, None]
        larger = self.counted(np.greater(chosen, true, out=self.mask[: len(chosen), : self.width]))
        near = np.flatnonzero(larger < limit)
        if len(near):
            equal = (chosen[near] == true[near]) & (np.arange(self.width) < column[behind[near], None])
            larger[near] += equal.sum(1)
        result[behind] = larger

    def counted(self, mask: BoolArray) -> RowArray:
        """True values in each row of the mask; eight are added at a time, each in a byte of its own."""
        words = self.mask[: len(mask)].view(np.uint64)
        if words.shape[1] > WORDS_AT_ONCE:
            sums = np.add.reduceat(words, np.arange(0, words.shape[1], WORDS_AT_ONCE), axis=1)
        else:
            sums = np.add.reduce(words, axis=1, keepdims=True)
        counted: RowArray = sums.view(np.uint8).sum(1, dtype=np.int64)
        return counted
