"""Run-length masks as COCO writes them: compressed text → the ends of the runs, areas and boxes, all masks at once.

A mask is read column by column; its runs are background and object in turn. From the third run on, the text holds the
difference to the run before the last, each in groups of five bits, lowest first (reference: pycocotools `rleFrString`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import expand, starts_of

IntArray = npt.NDArray[np.integer]
RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Values = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
FIRST_CHARACTER = 48
MORE = 32
LONGEST_VALUE = 7
LARGEST_MASK = 2**31 - 1
TEXT_AT_ONCE = 1 << 20


class Runs(Struct, frozen=True):
    """n masks. start: int64[n + 1], where the runs of each begin in `end`; end: int32, where each run ends in its mask.

    height: int64[n]; area: float64[n], pixels of the object; box: float64[n, 4], [x, y, width, height] around them.
    good: bool[n], text that is a mask of its size; of the others height, area and runs are nothing.
    within: bool[n], no run of the object goes on in the next column; single: each column of the box holds one run.
    """

    start: RowArray
    end: npt.NDArray[np.int32]
    height: RowArray
    area: FloatArray
    box: FloatArray
    good: npt.NDArray[np.bool_]
    within: npt.NDArray[np.bool_]
    single: npt.NDArray[np.bool_]

    def take(self, rows: IntArray) -> Runs:
        """The masks of these rows, in their order."""
        count = np.diff(self.start)[rows]
        end = self.end.take(expand(self.start[:-1][rows], count))
        start = np.append(0, np.cumsum(count))
        flags = (self.good[rows], self.within[rows], self.single[rows])
        return Runs(start, end, self.height[rows], self.area[rows], self.box[rows], *flags)


def encoded(runs: RowArray, start: RowArray) -> tuple[Bytes, RowArray]:
    """Compressed texts of masks given as run lengths ≥ 0, `runs[start[i] : start[i + 1]]` of each: uint8, offsets.

    >>> encoded(np.array([6, 1, 40, 4, 5]), np.array([0, 5]))[0].tobytes().decode()
    '61X13mN'
    """
    change = runs.astype(np.int64)
    late = np.arange(len(runs)) - np.repeat(start[:-1], np.diff(start)) > 2
    change[late] -= runs[np.flatnonzero(late) - 2]
    length = np.ones(len(runs), np.int64)
    for place in range(1, LONGEST_VALUE + 1):
        half = np.int64(1) << (5 * place - 1)
        length += (change < -half) | (change >= half)
    first = np.append(0, np.cumsum(length))
    text = np.empty(first[-1], np.uint8)
    for place in range(int(length.max(initial=0))):
        own = np.flatnonzero(length > place)
        more = (length[own] > place + 1) * MORE
        text[first[own] + place] = ((change[own] >> 5 * place) & 31) + more + FIRST_CHARACTER
    return text, first[start]


def decoded(text: Bytes, offsets: RowArray, size: npt.NDArray[np.integer]) -> Runs:
    """The masks whose texts stand one after another: text uint8, offsets int64[n + 1], size int[n, 2], height first."""
    pixels = np.where((size > 0).all(1), np.prod(np.maximum(size, 0), axis=1, dtype=np.float64), 0.0)
    possible = (pixels > 0) & (pixels <= LARGEST_MASK) & (np.diff(offsets) > 0)
    height = np.where(possible, size[:, 0], 1).astype(np.int64)
    pixels = np.where(possible, pixels, 0).astype(np.int64)
    bounds = _blocks(offsets)
    blocks = list(pairwise(bounds))

    area, box = np.zeros(len(height)), np.zeros((len(height), 4))
    good, within, single = np.zeros((3, len(height)), bool)
    start = np.zeros(len(height) + 1, np.int64)
    most = [np.count_nonzero(text[offsets[first] : offsets[last]] < FIRST_CHARACTER + MORE) for first, last in blocks]
    places = np.cumsum([0, *most])
    end = np.empty(places[-1], np.int32)

    def fill(number: int) -> int:
        """A block written to its place at once, so that its memory serves the next; the number of its runs."""
        part, own = slice(*blocks[number]), offsets[blocks[number][0] : blocks[number][1] + 1]
        found = _block(text[own[0] : own[-1]], own - own[0], height[part], pixels[part], possible[part])
        area[part], box[part], good[part] = found.area, found.box, found.good
        within[part], single[part] = found.within, found.single
        start[1:][part] = np.diff(found.start)
        end[places[number] : places[number] + len(found.end)] = found.end
        return len(found.end)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        lengths = list(threads.map(fill, range(len(blocks))))
    if lengths != most:
        end = np.concatenate([end[place : place + length] for place, length in zip(places, lengths, strict=False)])
    return Runs(np.cumsum(start), end, height, area, box, good, within, single)


def _blocks(offsets: RowArray) -> list[int]:
    """First rows of stretches whose text stays in the processor's cache; at least one stretch."""
    cuts = np.searchsorted(offsets, np.arange(TEXT_AT_ONCE, int(offsets[-1]), TEXT_AT_ONCE))
    last = len(offsets) - 1
    return [0, *(cut for cut in dict.fromkeys(cuts.tolist()) if 0 < cut < last), last]


def _block(text: Bytes, offsets: RowArray, height: RowArray, pixels: RowArray, possible: BoolArray) -> Runs:
    """A stretch of masks; those that prove to be broken are taken out and the rest is read again."""
    lengths = np.diff(offsets)
    rows = np.flatnonzero(possible)
    while True:
        whole = len(rows) == len(lengths)
        own = text if whole else text[expand(offsets[:-1][rows], lengths[rows])]
        found, right = _whole(own, np.append(0, np.cumsum(lengths[rows])), height[rows], pixels[rows])
        if found is not None:
            break
        rows = rows[right]
    if whole:
        return found
    count, area, box = np.zeros(len(lengths), np.int64), np.zeros(len(lengths)), np.zeros((len(lengths), 4))
    count[rows], area[rows], box[rows] = np.diff(found.start), found.area, found.box
    good, within, single = np.zeros((3, len(lengths)), bool)
    good[rows], within[rows], single[rows] = True, found.within, found.single
    return Runs(np.append(0, np.cumsum(count)), found.end, height, area, box, good, within, single)


def _whole(text: Bytes, offsets: RowArray, height: RowArray, pixels: RowArray) -> tuple[Runs | None, BoolArray]:
    """The masks, none of them without text, if all are right; and which are."""
    if len(height) == 0:
        nothing = np.zeros(0)
        none = nothing > 0
        return Runs(offsets, nothing.astype(np.int32), height, nothing, np.zeros((0, 4)), none, none, none), none
    right = _complete(text, offsets)
    if not right.all():
        return None, right
    change, count, right = _changes(text, offsets)
    start = np.append(0, np.cumsum(count))
    begin = start[:-1]
    runs, balance = _lengths(change, start)
    odd_start = begin & 1 == 1
    end = runs.copy()
    end[begin[1:]] -= pixels[:-1].astype(np.int32)
    np.cumsum(end, dtype=np.int32, out=end)
    sound = (end[start[1:] - 1] == pixels).all() and min(end.min(), runs.min()) >= 0
    if not (sound and right.all()):
        right &= (np.add.reduceat(runs, begin, dtype=np.int64) == pixels) & (np.minimum.reduceat(runs, begin) >= 0)
        return None, right
    of_object = _odd(len(runs)) ^ np.repeat(odd_start.view(np.uint8), count)
    area = (pixels - np.where(odd_start, -balance, balance)) / 2
    box, within, single = _boxes(end, of_object, start, height)
    return Runs(start, end, height, area, box, right, within, single), right


def _odd(count: int) -> Bytes:
    """0, 1, 0, 1 …: uint8[count]."""
    pattern = np.zeros(count, np.uint8)
    pattern[1::2] = 1
    return pattern


def _complete(text: Bytes, offsets: RowArray) -> BoolArray:
    """Texts of the alphabet whose last character ends a value: bool[n]."""
    figures = text - np.uint8(FIRST_CHARACTER)
    right: BoolArray = figures[offsets[1:] - 1] < MORE
    if figures.max() >= 2 * MORE:
        right &= np.maximum.reduceat(figures, offsets[:-1]) < 2 * MORE
    return right


def _changes(text: Bytes, offsets: RowArray) -> tuple[Values, RowArray, BoolArray]:
    """The values of the texts one after another, int32[m]; how many each mask has; and whether all fit 32 bits."""
    figures = text - np.uint8(FIRST_CHARACTER)
    signed = ((figures & 31) ^ 16).view(np.int8) - np.int8(16)
    right = np.ones(len(offsets) - 1, bool)
    ends_value = figures < MORE
    more = np.flatnonzero(~ends_value)
    count = np.diff(offsets) - np.diff(np.searchsorted(more, offsets))
    if len(more) == 0:
        return signed.astype(np.int32), count, right
    values = signed[ends_value].astype(np.int32)
    owner = more - np.arange(len(more))
    first = starts_of(owner)
    groups = np.diff(np.append(first, len(owner)))
    place = np.arange(len(more)) - np.repeat(first, groups)
    long = owner[first]
    lower = np.add.reduceat((figures[more] & 31).astype(np.int64) << 5 * np.minimum(place, LONGEST_VALUE), first)
    exact = (values[long].astype(np.int64) << 5 * np.minimum(groups, LONGEST_VALUE)) + lower
    values[long] = exact
    odd = (groups >= LONGEST_VALUE) | (np.abs(exact) > LARGEST_MASK)
    right[np.searchsorted(np.cumsum(count), long[odd], side="right")] = False
    return values, count, right


def _lengths(change: Values, start: RowArray) -> tuple[Values, Values]:
    """Length of each run, int32[m]; and by how much each mask's background outnumbers its object, int32[n].

    The latter has the other sign where a mask starts at an odd place. From the third run on, the change is that of the
    sum of a run and the one before it: one running sum gives those sums, one of alternating sign the runs.
    """
    begin, third = start[:-1], start[:-1][np.diff(start) > 2]
    change[third + 2] -= change[third]
    total = np.add.reduceat(change, begin)
    change[begin[1:]] -= total[:-1]
    np.cumsum(change, dtype=np.int32, out=change)
    np.negative(change[1::2], out=change[1::2])
    total = np.add.reduceat(change, begin)
    change[begin[1:]] -= total[:-1]
    runs = np.cumsum(change, dtype=np.int32, out=change)
    balance = np.add.reduceat(runs, begin)
    np.negative(runs[1::2], out=runs[1::2])
    return runs, balance


def _boxes(
    end: npt.NDArray[np.int32], of_object: Bytes, start: RowArray, height: RowArray
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """[x, y, width, height] of the object's pixels, zeros without any: float64[n, 4]; which are within, which single.

    Taken from the first and last pixel of every run; one that goes on in the next column fills the height.
    """
    begin, last = start[:-1], start[1:] - 1
    ends_empty = of_object[last] == 0
    pixel = end - of_object
    pixel[last[ends_empty]] = pixel[np.maximum(last[ends_empty] - 1, 0)]
    same = bool((height == height[0]).all())
    tall = np.int32(height[0]) if same else np.repeat(height.astype(np.int32), np.diff(start))
    column = pixel // tall
    pixel -= column * tall
    top, bottom = np.minimum.reduceat(pixel, begin), np.maximum.reduceat(pixel, begin)
    steps = np.empty(len(end), np.uint8)
    np.not_equal(column[1:], column[:-1], out=steps[1:].view(bool))
    steps += of_object
    steps[begin] = steps[last[ends_empty]] = 1
    within = np.maximum.reduceat(steps, begin) < 2
    top[~within], bottom[~within] = 0, height[~within] - 1
    left, right = column[begin], column[last]
    box = np.stack([left, top, right - left + 1, bottom - top + 1], axis=1).astype(np.float64)
    box[last == begin] = 0.0
    single = within & (np.minimum.reduceat(steps, begin) == 1) & ((last - begin + 1) // 2 == box[:, 2])
    return box, within, single
