"""The grid of matches by falling IoU: a lane per confidence, along which every IoU threshold is a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.grid import GridCounts
from qm_cli.analysis.grid_confusion import Confused, confused_of, score_levels
from qm_cli.analysis.image_grid import ImageCounts, Taken, image_counts
from qm_cli.analysis.overlap_lanes import Lane, OverlapLanes
from qm_cli.kernels.prefix_counts import prefix_counts
from qm_cli.settings import Grid

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


def overlap_counts(lanes: OverlapLanes, grid: Grid, *, confusion: bool) -> GridCounts:
    """Counts at every cell; `lanes` has one for every confidence of the grid. A pair holds where its IoU > threshold.

    A match across categories is a false positive of the one and a false negative of the other; `confused` holds it.
    """
    tables = lanes.tables
    categories, ious, confidences = tables.count("category"), len(grid.ious), len(grid.confidences)
    predicted = tables.values("prediction", "category_row")
    everything = prefix_counts(predicted, score_levels(tables, grid.confidences), categories, confidences)
    shape = (ious, confidences, categories)
    kept, found, iou_sum = np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape)
    for place, confidence in enumerate(grid.confidences):
        lane = lanes.lane(confidence)
        true = np.flatnonzero(lanes.same_category(lane))
        own = predicted.take(lane.prediction.take(true)), _reach(lane.iou.take(true), grid), categories, ious
        kept[:, place] = (everything[:, place, None] - _excused_counts(lanes, lane, grid)).T
        found[:, place] = prefix_counts(*own).T
        iou_sum[:, place] = prefix_counts(*own, weights=lane.iou.take(true)).T
    labels = np.bincount(tables.values("label", "category_row")[lanes.counts], minlength=categories)
    return GridCounts(grid, labels, kept, found, iou_sum, _confused(lanes, grid) if confusion else None)


def _reach(iou: FloatArray, grid: Grid) -> RowArray:
    """How many of the ascending thresholds each IoU is above: int64[n]."""
    return np.searchsorted(grid.ious, iou, side="left").astype(np.int64)


def _excused_counts(lanes: OverlapLanes, lane: Lane, grid: Grid) -> RowArray:
    """Predictions of a lane that no pair takes, but a label that does not count: int64[categories, ious].

    Of each prediction these are the thresholds from the IoU of its pair up to that with the label.
    """
    tables = lanes.tables
    categories, ious = tables.count("category"), len(grid.ious)
    if lanes.ignored is None:
        return np.zeros((categories, ious), np.int64)
    paired = np.zeros(len(lanes.ignored.iou))
    paired[lane.prediction] = lane.iou
    near = np.flatnonzero((tables.values("prediction", "score") >= lane.confidence) & (lanes.ignored.label >= 0))
    end = _reach(lanes.ignored.iou.take(near), grid)
    first = np.minimum(_reach(paired.take(near), grid), end)
    group = tables.values("prediction", "category_row").take(near)
    counts: RowArray = prefix_counts(group, end, categories, ious) - prefix_counts(group, first, categories, ious)
    return counts


def _confused(lanes: OverlapLanes, grid: Grid) -> Confused:
    """The pairs of different categories at every cell."""
    tables, categories = lanes.tables, lanes.tables.count("category")
    keys, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for place, confidence in enumerate(grid.confidences):
        lane = lanes.lane(confidence)
        across = np.flatnonzero(~lanes.same_category(lane))
        true = tables.values("label", "category_row").take(lane.label.take(across)).astype(np.int64)
        predicted = tables.values("prediction", "category_row").take(lane.prediction.take(across))
        names, group = np.unique(true * categories + predicted, return_inverse=True)
        filled = prefix_counts(group, _reach(lane.iou.take(across), grid), len(names), len(grid.ious))
        name, iou = np.nonzero(filled)
        keys.append((iou * len(grid.confidences) + place) * categories**2 + names.take(name))
        counts.append(filled[name, iou])
    return confused_of(np.concatenate(keys), np.concatenate(counts), grid, categories)


def overlap_images(lanes: OverlapLanes, grid: Grid) -> Iterator[ImageCounts]:
    """The images' counts at one IoU of the grid after the other."""
    own = [(lane, lanes.same_category(lane)) for lane in map(lanes.lane, grid.confidences)]
    return image_counts(lanes.tables, lanes.counts, grid, (_LanesAt(lanes, own, iou).of for iou in grid.ious))


class _LanesAt:
    """What is taken at one IoU in all lanes: prediction and place of the lane of each true positive and excused one."""

    def __init__(self, lanes: OverlapLanes, own: list[tuple[Lane, npt.NDArray[np.bool_]]], threshold: float) -> None:
        true, iou, excused = [], [], []
        for lane, same in own:
            end = lane.count(threshold)
            true.append(lane.prediction[:end][same[:end]])
            iou.append(lane.iou[:end][same[:end]])
            excused.append(_excused(lanes, lane, threshold))
        self.levels = len(own)
        self.true, self.iou, self.excused = _placed(true), np.concatenate([np.zeros(0), *iou]), _placed(excused)

    def of(self, group: RowArray, groups: int) -> Taken:
        """Sums by group of each prediction."""

        def held(rows: tuple[RowArray, RowArray], weights: FloatArray | None = None) -> npt.NDArray[Any]:
            keys = group.take(rows[0]).astype(np.int64) * self.levels + rows[1]
            return np.bincount(keys, weights, groups * self.levels).reshape(groups, self.levels)

        return Taken(held(self.true), held(self.true, self.iou), held(self.excused))


def _placed(lanes: list[RowArray]) -> tuple[RowArray, RowArray]:
    """Rows of all lanes, and the place of the lane of each."""
    rows = np.concatenate([np.zeros(0, np.int64), *lanes])
    return rows, np.repeat(np.arange(len(lanes)), [len(one) for one in lanes])


def _excused(lanes: OverlapLanes, lane: Lane, threshold: float) -> RowArray:
    """Predictions of a lane that at an IoU no pair takes, but a label that does not count."""
    if lanes.ignored is None:
        return np.zeros(0, np.int64)
    excused = lanes.ignored.iou > threshold
    excused &= lanes.tables.values("prediction", "score") >= lane.confidence
    excused[lane.prediction[: lane.count(threshold)]] = False
    return np.flatnonzero(excused)
