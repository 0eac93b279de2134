"""Matches across categories at every cell of the grid: what stands off the diagonal of each confusion matrix.

At a cell, predictions and labels that the matching inside categories left over are matched one-to-one across categories
by falling IoU (ties: higher score, then input order). A pair takes part from the confidence at which the label is no
longer found up to the prediction's score, so it has a stretch of confidences as bits of one number, and all confidences
of all lanes are matched in one pass over the pairs.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.greedy import match_bound
from qm_cli.kernels.level_assignment import MOST_LEVELS, level_masks, one_to_one_at_levels
from qm_cli.kernels.order import order_by_score
from qm_cli.kernels.segments import bounded_stretches, place_in_run, starts_of
from qm_cli.matching import Matches
from qm_cli.pairs import Overlaps
from qm_cli.settings import Grid
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
LevelArray = npt.NDArray[np.int16]
PAIRS_AT_ONCE = 1 << 17


class Confused(Struct, frozen=True):
    """Filled off-diagonal cells by (IoU, confidence, true, predicted), places on their axes: int64[n] each."""

    iou: RowArray
    confidence: RowArray
    true: RowArray
    predicted: RowArray
    count: RowArray

    def at(self, iou: int, confidence: int) -> tuple[RowArray, RowArray, RowArray]:
        """True category, predicted category and count of the filled cells of one matrix."""
        lane = slice(*np.searchsorted(self.iou, [iou, iou + 1]))
        first, end = lane.start + np.searchsorted(self.confidence[lane], [confidence, confidence + 1])
        return self.true[first:end], self.predicted[first:end], self.count[first:end]


def score_levels(tables: Tables, confidences: tuple[float, ...]) -> LevelArray:
    """At how many of the ascending confidences each prediction counts: int16[predictions]."""
    return np.searchsorted(confidences, tables.values("prediction", "score"), side="right").astype(np.int16)


class _Lanes(Struct, frozen=True):
    """level: confidences each prediction counts at; candidate: its place in `Matches.row`, −1 for none: [predictions].

    label: taken per lane, int32[lanes, detections + 1], −1 for none and in the last column. found: confidences each
    label is found at, int16[lanes, labels]. bound: least IoU of each lane.
    """

    tables: Tables
    grid: Grid
    level: LevelArray
    candidate: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    found: LevelArray
    bound: npt.NDArray[np.float64]


def confused_cells(tables: Tables, matches: Matches, across: Overlaps, grid: Grid) -> Confused:
    """COCO's matches across categories at every cell, a bounded number of pairs at a time.

    across: the overlaps across categories, of which the labels that count take part.
    """
    lanes = _lanes(tables, matches, grid)
    first = np.searchsorted(across.prediction_row, tables.offsets("prediction")).astype(np.int64)
    stretches = [images for images in bounded_stretches(np.diff(first), PAIRS_AT_ONCE) if len(images)]

    def cells(images: RowArray) -> tuple[RowArray, RowArray]:
        return _stretch(lanes, _near_pairs(lanes, matches, across, slice(first[images[0]], first[images[-1] + 1])))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = list(threads.map(cells, stretches))
    nothing = np.zeros(0, np.int64)
    keys, counts = (np.concatenate(column) for column in zip((nothing, nothing), *parts, strict=True))
    return confused_of(keys, counts, grid, tables.count("category"))


def confused_of(keys: RowArray, counts: RowArray, grid: Grid, categories: int) -> Confused:
    """Cells by key, counts of equal keys summed; ((IoU · confidences + confidence) · K + true) · K + predicted."""
    keys, counts = _summed(keys, counts)
    shape = (len(grid.ious), len(grid.confidences), max(categories, 1), max(categories, 1))
    iou, confidence, true, predicted = np.unravel_index(keys, shape)
    return Confused(iou, confidence, true, predicted, counts)


def _lanes(tables: Tables, matches: Matches, grid: Grid) -> _Lanes:
    level = score_levels(tables, grid.confidences)
    label = matches.label[[matches.lane(iou) for iou in grid.ious]]
    found = np.zeros((len(grid.ious), tables.count("label")), np.int16)
    for lane, own in enumerate(label):
        hit = np.flatnonzero(own >= 0)
        found[lane, own[hit]] = level[matches.row[hit]]
    candidate = np.full(tables.count("prediction"), -1, np.int32)
    candidate[matches.row] = np.arange(len(matches.row))
    padded = np.concatenate([label, np.full((len(label), 1), -1, np.int32)], axis=1)
    return _Lanes(tables, grid, level, candidate, padded, found, match_bound(grid.ious))


def _stretch(lanes: _Lanes, near: tuple[RowArray, RowArray, npt.NDArray[np.float64]]) -> tuple[RowArray, RowArray]:
    """Cells filled by these pairs, all of some images: their keys, ascending, and counts."""
    prediction, label, iou = near
    pair, lane, first, end = _active(lanes, prediction, label, iou)
    prediction, label = prediction.take(pair), label.take(pair)
    categories, levels = lanes.tables.count("category"), len(lanes.grid.confidences)
    true = lanes.tables.values("label", "category_row").take(label).astype(np.int64)
    names = true * categories + lanes.tables.values("prediction", "category_row").take(prediction)
    left, right = prediction * len(lanes.bound) + lane, label * len(lanes.bound) + lane
    keys = [np.zeros(0, np.int64)]
    for block in range(0, levels, MOST_LEVELS):
        masks = level_masks(*(np.clip(ends - block, 0, MOST_LEVELS) for ends in (first, end)))
        taken = one_to_one_at_levels(left, right, masks)
        filled = np.flatnonzero(taken)
        cells, names_of, taken = lane.take(filled) * levels + block, names.take(filled), taken.take(filled)
        for bit in range(min(MOST_LEVELS, levels - block)):
            hit = np.flatnonzero((taken >> np.uint64(bit)) & np.uint64(1))
            keys.append((cells.take(hit) + bit) * categories**2 + names_of.take(hit))
    joined = np.concatenate(keys)
    return _summed(joined, np.ones(len(joined), np.int64))


def _near_pairs(
    lanes: _Lanes, matches: Matches, across: Overlaps, part: slice
) -> tuple[RowArray, RowArray, npt.NDArray[np.float64]]:
    """Prediction, label and IoU of the pairs of two categories that may be left over at some cell.

    By falling IoU, ties by falling score, then by prediction and label row.
    """
    other, own, iou = across.prediction_row[part], across.label_row[part], across.iou[part]
    open_somewhere = lanes.found.min(0).take(own) < lanes.level.take(other)
    near = np.flatnonzero(open_somewhere & ~matches.ignored[0].take(own) & (iou >= lanes.bound[0]))
    prediction, label, iou = other[near].astype(np.int64), own[near].astype(np.int64), iou[near]
    one_group = np.zeros(len(iou), np.int8)
    by_score = order_by_score(one_group, 1, lanes.tables.values("prediction", "score").take(prediction))
    order = by_score.take(order_by_score(one_group, 1, iou.take(by_score)))
    return prediction.take(order), label.take(order), iou.take(order)


def _active(
    lanes: _Lanes, prediction: RowArray, label: RowArray, iou: npt.NDArray[np.float64]
) -> tuple[RowArray, RowArray, RowArray, RowArray]:
    """Pair and lane where both are left over at some confidence; first such confidence and the end: int64[n] each."""
    pair = np.repeat(np.arange(len(iou)), np.searchsorted(lanes.bound, iou, side="right"))
    lane = place_in_run(pair)
    one = prediction.take(pair)
    free = lanes.label[lane, lanes.candidate.take(one)] < 0
    first, end = lanes.found[lane, label.take(pair)], lanes.level.take(one)
    active = np.flatnonzero(free & (first < end))
    return pair[active], lane[active], first[active].astype(np.int64), end[active].astype(np.int64)


def _summed(keys: RowArray, counts: RowArray) -> tuple[RowArray, RowArray]:
    """Each key once, ascending, and the sum of its counts."""
    order = np.argsort(keys, kind="stable")
    ordered = keys.take(order)
    starts = starts_of(ordered)
    return ordered.take(starts), np.add.reduceat(counts.take(order), starts) if len(starts) else counts
