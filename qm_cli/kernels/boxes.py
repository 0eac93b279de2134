"""Axis-aligned boxes [x, y, width, height] in pixels: clipping, the area of unions, and who overlaps whom most."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.segments import expand, reduce_runs, starts_of

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
PAIRS_AT_ONCE = 1 << 22


def clipped_corners(boxes: FloatArray, width: FloatArray, height: FloatArray) -> FloatArray:
    """[x0, y0, x1, y1] of the part of each box inside [0, width] × [0, height]: float64[n, 4].

    x0 = x1 or y0 = y1 where nothing of the box is inside; NaN where the box or the size is not known.
    """
    with np.errstate(invalid="ignore"):
        x0, y0 = boxes[:, 0], boxes[:, 1]
        x1, y1 = x0 + boxes[:, 2], y0 + boxes[:, 3]
        corners = np.stack([_between(x0, width), _between(y0, height), _between(x1, width), _between(y1, height)], 1)
    np.maximum(corners[:, 2:], corners[:, :2], out=corners[:, 2:])
    return corners


def _between(values: FloatArray, limit: FloatArray) -> FloatArray:
    clipped: FloatArray = np.minimum(np.maximum(values, 0.0), limit)
    return clipped


def corner_areas(corners: FloatArray) -> FloatArray:
    """Area of each [x0, y0, x1, y1]: float64[n]."""
    areas: FloatArray = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return areas


def union_areas(corners: FloatArray, offsets: npt.NDArray[np.integer]) -> FloatArray:
    """Area of the union of each run's boxes [x0, y0, x1, y1]: float64[runs], 0 for a run without area.

    Each run is cut into slabs at its left and right edges. The length covered in a slab is the sum of what each of its
    boxes, by rising y0, adds to those before it. NaN boxes are left out.
    """
    run = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    solid = (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    run, (x0, low, x1, high) = run[solid], corners[solid].T
    left, right, slab_width = _slabs(run, x0, x1)
    slabs = right - left
    areas = np.zeros(len(offsets) - 1)
    bounds = np.append(starts_of(run), len(run))
    for first, last in _stretches(np.diff(np.append(0, np.cumsum(slabs))[bounds])):
        begin, end = bounds[first], bounds[last]
        slab = expand(left[begin:end], slabs[begin:end])
        box = np.repeat(np.arange(begin, end), slabs[begin:end])
        order, length = _covered(slab, low[box], high[box])
        covered = length * slab_width[slab[order]]
        pair_offsets = np.append(0, np.cumsum(slabs[begin:end]))[bounds[first : last + 1] - begin]
        areas[run[bounds[first:last]]] = reduce_runs(np.add, covered, pair_offsets, 0.0)
    return areas


def _slabs(run: RowArray, x0: FloatArray, x1: FloatArray) -> tuple[RowArray, RowArray, FloatArray]:
    """The first slab each box covers, the first it no longer covers, both int64[n], and the width of every slab."""
    edges, owner = np.concatenate([x0, x1]), np.tile(run, 2)
    order = np.lexsort((edges, owner))
    edge, of = edges[order], owner[order]
    new = np.append(True, (edge[1:] != edge[:-1]) | (of[1:] != of[:-1]))[: len(edge)]
    place = np.empty(len(edges), np.int64)
    place[order] = np.cumsum(new) - 1
    width = np.diff(edge[new], append=0.0)
    return place[: len(x0)], place[len(x0) :], width


def _covered(slab: RowArray, low: FloatArray, high: FloatArray) -> tuple[RowArray, FloatArray]:
    """Intervals [low, high] sorted by (slab, low), and the length each adds to those before it in its slab.

    The running maximum restarts with each slab: it is taken over whole numbers, slab × n + rank of `high`.
    """
    count = len(slab)
    order = np.lexsort((low, slab))
    slab, low, high = slab[order], low[order], high[order]
    by_high = np.argsort(high, kind="stable")
    rank = np.empty(count, np.int64)
    rank[by_high] = np.arange(count)
    highest = np.maximum.accumulate(slab * count + rank)
    reached = high[by_high][highest[:-1] % count]
    floor = low.copy()
    continued = slab[1:] == slab[:-1]
    floor[1:][continued] = np.maximum(low[1:], reached)[continued]
    return order, np.maximum(high - floor, 0.0)


def largest_overlaps(boxes: FloatArray, group: npt.NDArray[np.integer]) -> tuple[FloatArray, RowArray]:
    """Largest IoU of each box with another one of its group, and that box's row: float64[n], int64[n].

    The earlier row wins a tie; 0 and −1 where no other overlaps, NaN and −1 for a NaN box.
    """
    order = np.argsort(group, kind="stable")
    starts = starts_of(group[order])
    lengths = np.diff(np.append(starts, len(group)))
    start, count = np.repeat(starts, lengths), np.repeat(lengths, lengths)
    best, partner = np.zeros(len(group)), np.full(len(group), -1, np.int64)
    for first, last in _stretches(count):
        other = order[expand(start[first:last], count[first:last])]
        own = np.repeat(order[first:last], count[first:last])
        with np.errstate(invalid="ignore", over="ignore"):
            iou = box_iou(boxes[other], boxes[own], np.zeros(len(own), bool))
        iou[(other == own) | ~(iou > 0)] = 0.0
        offsets = np.append(0, np.cumsum(count[first:last]))
        top = reduce_runs(np.maximum, iou, offsets, 0.0)
        best[order[first:last]] = top
        hits = np.flatnonzero((iou > 0) & (iou == np.repeat(top, count[first:last])))[::-1]
        partner[own[hits]] = other[hits]
    best[np.isnan(boxes).any(axis=1)] = np.nan
    return best, partner


def _stretches(sizes: npt.NDArray[np.integer]) -> list[tuple[int, int]]:
    """Consecutive ranges (first, last) whose sizes add up to about `PAIRS_AT_ONCE`, so that memory stays bounded."""
    bounds = [*starts_of(np.cumsum(sizes) // PAIRS_AT_ONCE).tolist(), len(sizes)]
    return list(pairwise(bounds))
