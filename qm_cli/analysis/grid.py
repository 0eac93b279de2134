"""Counts, rates and confusion at every cell of a grid of confidences and IoU thresholds.

A convention matches along lanes and says what it found as `GridCounts`; everything else is read off that. COCO has a
lane per IoU threshold, in which lower-scored predictions never change what higher ones took: so each confidence is a
prefix, and all of them are one histogram, cumulated (`prefix_counts`). A convention with a lane per confidence, along
which a pair holds at every IoU threshold below its own, counts in the same way with the axes changed. Every overlap is
computed once, whatever the size of the grid.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import Counts, f_beta, ratio
from qm_cli.analysis.grid_confusion import Confused, confused_cells, score_levels
from qm_cli.kernels.prefix_counts import prefix_counts
from qm_cli.matching import Matches
from qm_cli.overlap import overlap
from qm_cli.pairs import Overlaps
from qm_cli.settings import Grid
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]


class GridCounts(Struct, frozen=True):
    """What is counted at each cell. Axes: IoU, confidence, category.

    labels: those that count, int64[categories]. kept: predictions that count, less those that took an ignored label,
    int64[ious, confidences, categories]. true_positives: as kept. iou_sum: IoU of the true positives summed, float64.
    confused: matches across categories, sparse; None where they were not asked for.
    """

    grid: Grid
    labels: CountArray
    kept: CountArray
    true_positives: CountArray
    iou_sum: FloatArray
    confused: Confused | None = None

    @property
    def false_positives(self) -> CountArray:
        return self.kept - self.true_positives

    @property
    def false_negatives(self) -> CountArray:
        return self.labels - self.true_positives

    @property
    def precision(self) -> FloatArray:
        """TP / (TP + FP), NaN where nothing was predicted."""
        return ratio(self.true_positives, self.kept)

    @property
    def recall(self) -> FloatArray:
        """TP / (TP + FN), NaN where there is nothing to find."""
        return ratio(self.true_positives, np.broadcast_to(self.labels, self.kept.shape))

    @property
    def f1(self) -> FloatArray:
        """2·TP / (2·TP + FP + FN), NaN where there is neither."""
        return self.f_beta(1.0)

    def f_beta(self, beta: float) -> FloatArray:
        """(1 + β²)·TP / ((1 + β²)·TP + FP + β²·FN), NaN where there is neither."""
        return f_beta(self.true_positives, self.false_positives, self.false_negatives, beta)

    @property
    def mean_iou(self) -> FloatArray:
        """Mean IoU of the true positives with their labels, NaN where there are none."""
        return ratio(self.iou_sum, self.true_positives)

    def cell(self, iou: int, confidence: int) -> Counts:
        """The counts of each category at one cell, by place on the axes."""
        place = (iou, confidence)
        return Counts(self.true_positives[place], self.false_positives[place], self.false_negatives[place])

    def total(self) -> GridCounts:
        """All categories counted as one: the category axis has length 1."""
        kept, found, iou = (values.sum(-1, keepdims=True) for values in (self.kept, self.true_positives, self.iou_sum))
        return GridCounts(self.grid, self.labels.sum(keepdims=True), kept, found, iou)

    def confusion(self, iou: int, confidence: int) -> CountArray:
        """The matrix at one cell, by place on the axes: int64[categories + 1, categories + 1], None last; rows true.

        Row sums without None are the labels that count, column sums without None the predictions kept.
        """
        if self.confused is None:
            raise ValueError("the grid was counted without confusion")
        categories = len(self.labels)
        matrix = np.zeros((categories + 1, categories + 1), np.int64)
        true, predicted, count = self.confused.at(iou, confidence)
        matrix[true, predicted] = count
        matrix[-1, :-1] = self.false_positives[iou, confidence] - matrix.sum(0)[:-1]
        matrix[:-1, -1] = self.false_negatives[iou, confidence] - matrix[:-1, :-1].sum(1)
        np.fill_diagonal(matrix[:-1, :-1], self.true_positives[iou, confidence])
        return matrix


def coco_counts(tables: Tables, matches: Matches, task: str, grid: Grid, across: Overlaps | None) -> GridCounts:
    """COCO's cells: a matching lane per IoU threshold, all of them among those of `matches`.

    across: the overlaps across categories (`Pairs.across`), for the confusion; None leaves it out.
    """
    categories, confidences = tables.count("category"), len(grid.confidences)
    level = score_levels(tables, grid.confidences)
    category = tables.values("prediction", "category_row")
    everything = prefix_counts(category, level, categories, confidences)
    shape = (len(grid.ious), confidences, categories)
    kept, found, iou_sum = np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape)
    overlaps = _LaneOverlaps(tables, matches, task)
    for lane, threshold in enumerate(grid.ious):
        label = matches.label[matches.lane(threshold)]
        hit = np.flatnonzero(label >= 0)
        ignored = matches.ignored[0].take(label.take(hit))
        ignoring, true = matches.row.take(hit[ignored]), matches.row.take(hit[~ignored])
        iou = overlaps.of(label).take(hit[~ignored])
        beside = prefix_counts(category.take(ignoring), level.take(ignoring), categories, confidences)
        own = category.take(true), level.take(true), categories, confidences
        kept[lane] = (everything - beside).T
        found[lane] = prefix_counts(*own).T
        iou_sum[lane] = prefix_counts(*own, weights=iou).T
    labels = np.bincount(tables.values("label", "category_row")[~matches.ignored[0]], minlength=categories)
    confused = None if across is None else confused_cells(tables, matches, across, grid)
    return GridCounts(grid, labels, kept, found, iou_sum, confused)


class _LaneOverlaps:
    """IoU of the matches of one lane after the other; only those that the lane before had not are computed."""

    def __init__(self, tables: Tables, matches: Matches, task: str) -> None:
        self.tables, self.matches, self.task = tables, matches, task
        self.label = np.full(len(matches.row), -1, np.int32)
        self.iou = np.zeros(len(matches.row))

    def of(self, label: npt.NDArray[np.int32]) -> FloatArray:
        """IoU of each detection with the label it took, anything where it took none: float64[detections]."""
        new = np.flatnonzero((label != self.label) & (label >= 0))
        rows = label.take(new).astype(np.int64)
        crowd = self.tables.values("label", "iscrowd").take(rows)
        self.iou[new] = overlap(self.tables, self.task, rows, self.matches.row.take(new), crowd)
        self.label[new] = label[new]
        return self.iou
