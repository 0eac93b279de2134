"""The grid of every image: counts, and rates as the mean over the image's categories.

Only categories that are labelled in an image need more than a count: in any other every prediction is a false positive,
so its precision and F1 are 0 from the lowest confidence up to its highest score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import ratio
from qm_cli.analysis.grid_confusion import score_levels
from qm_cli.kernels.order import stable_order
from qm_cli.kernels.prefix_counts import prefix_counts
from qm_cli.kernels.segments import offsets_of, reduce_runs, starts_of
from qm_cli.matching import Matches
from qm_cli.overlap import overlap
from qm_cli.settings import Grid
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]


class ImageCounts(Struct, frozen=True):
    """One IoU threshold: [images, confidences] each. Counts are sums over the image's categories.

    precision, recall, f1, iou: the arithmetic mean over the categories that have a value, NaN unless the image has at
    least one label that counts and one prediction kept; iou is the mean IoU of a category's true positives.
    """

    true_positives: CountArray
    false_positives: CountArray
    false_negatives: CountArray
    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    iou: FloatArray


class Taken(Struct, frozen=True):
    """Of each group at each confidence: true positives, their IoU summed, predictions that took an ignored label."""

    true_positives: CountArray
    iou_sum: FloatArray
    ignoring: CountArray


TakenBy = Callable[[CountArray, int], Taken]
"""What is taken at one IoU, by group of each prediction, int[predictions], of so many groups."""


class _Cells(Struct, frozen=True):
    """What all IoU thresholds share. A cell is an image and a category labelled in it; cells stand by image.

    cell: of each prediction, −1 for none. start: first cell of each image.
    kept, labels: of each cell; kept_of_image, labels_of_image: of each image. unlabelled: categories of each image that
    are not labelled in it and have a prediction: [images, confidences].
    """

    cell: CountArray
    start: CountArray
    kept: CountArray
    labels: CountArray
    kept_of_image: CountArray
    labels_of_image: CountArray
    unlabelled: CountArray


def image_grid(tables: Tables, matches: Matches, task: str, grid: Grid) -> Iterator[ImageCounts]:
    """The images' counts at one IoU of the grid after the other; COCO's matches."""
    level = score_levels(tables, grid.confidences)
    lanes = (matches.label[matches.lane(threshold)] for threshold in grid.ious)
    taken = (_taken(tables, matches, task, lane, level, len(grid.confidences)) for lane in lanes)
    return image_counts(tables, ~matches.ignored[0], grid, taken)


def _taken(
    tables: Tables, matches: Matches, task: str, label: npt.NDArray[np.int32], level: npt.NDArray[np.int16], levels: int
) -> TakenBy:
    """What COCO's matches of one lane take."""
    hit = np.flatnonzero(label >= 0)
    rows, taken = matches.row[hit], label[hit].astype(np.int64)
    ignored = matches.ignored[0][taken]
    true, beside = rows[~ignored], rows[ignored]
    iou = overlap(tables, task, taken[~ignored], true)

    def taken_by(group: CountArray, groups: int) -> Taken:
        own = group[true], level[true], groups, levels
        ignoring = prefix_counts(group[beside], level[beside], groups, levels)
        return Taken(prefix_counts(*own), prefix_counts(*own, weights=iou), ignoring)

    return taken_by


def image_counts(
    tables: Tables, label_counts: npt.NDArray[np.bool_], grid: Grid, taken: Iterable[TakenBy]
) -> Iterator[ImageCounts]:
    """The images' counts at one IoU after the other. label_counts: bool[labels]; taken: by each IoU of the grid.

    A prediction takes a label of its own category only.
    """
    cells = _cells(tables, label_counts, grid)
    for taken_by in taken:
        yield _counts(tables, cells, taken_by)


def _cells(tables: Tables, counted: npt.NDArray[np.bool_], grid: Grid) -> _Cells:
    images, categories, levels = tables.count("image"), tables.count("category"), len(grid.confidences)
    level = score_levels(tables, grid.confidences)
    image = tables.values("prediction", "image_row")
    of_prediction, of_label = (
        tables.values(side, "image_row").astype(np.int64) * categories + tables.values(side, "category_row")
        for side in ("prediction", "label")
    )
    labelled = np.unique(of_label)
    place = np.searchsorted(labelled, of_prediction)
    cell = np.where(np.append(labelled, -1)[place] == of_prediction, place, -1)
    inside = np.flatnonzero(cell >= 0)
    return _Cells(
        cell,
        offsets_of(labelled // max(categories, 1), images),
        prefix_counts(cell.take(inside), level.take(inside), len(labelled), levels),
        np.bincount(np.searchsorted(labelled, of_label[counted]), minlength=len(labelled)),
        prefix_counts(image, level, images, levels),
        np.bincount(tables.values("label", "image_row")[counted], minlength=images),
        _unlabelled(of_prediction[cell < 0], level[cell < 0], images, categories, levels),
    )


def _unlabelled(key: CountArray, level: npt.NDArray[np.int16], images: int, categories: int, levels: int) -> CountArray:
    """How many different keys of each image reach each level: int64[images, levels]."""
    order = stable_order(key, images * categories)
    ordered = key.take(order)
    starts = starts_of(ordered)
    highest = np.maximum.reduceat(level.take(order), starts) if len(starts) else level
    counts: CountArray = prefix_counts(ordered.take(starts) // max(categories, 1), highest, images, levels)
    return counts


def _counts(tables: Tables, cells: _Cells, taken_by: TakenBy) -> ImageCounts:
    own = taken_by(cells.cell, len(cells.labels))
    whole = taken_by(tables.values("prediction", "image_row"), tables.count("image"))
    found, iou_sum, hits = own.true_positives, own.iou_sum, whole.true_positives
    kept = cells.kept - own.ignoring
    labels = np.broadcast_to(cells.labels[:, None], kept.shape)
    false = cells.kept_of_image - whole.ignoring - hits
    missed = cells.labels_of_image[:, None] - hits
    both = (hits + false > 0) & (hits + missed > 0)
    alone = cells.unlabelled
    means = (
        _mean(ratio(found, kept), cells.start, alone),
        _mean(ratio(found, labels), cells.start, np.zeros_like(alone)),
        _mean(ratio(2 * found, kept + labels), cells.start, alone),
        _mean(ratio(iou_sum, found), cells.start, np.zeros_like(alone)),
    )
    precision, recall, f1, mean_iou = (np.where(both, mean, np.nan) for mean in means)
    return ImageCounts(hits, false, missed, precision, recall, f1, mean_iou)


def _mean(values: FloatArray, start: CountArray, zeros: CountArray) -> FloatArray:
    """Mean of the defined values of each image's cells and of so many zeros beside them: float64[images, levels]."""
    defined = ~np.isnan(values)
    sums, counts = (
        np.stack([reduce_runs(np.add, column, start, 0.0) for column in columns.T], axis=1)
        if values.shape[1]
        else np.zeros(zeros.shape)
        for columns in (np.where(defined, values, 0.0), defined.astype(np.float64))
    )
    return ratio(sums, counts + zeros)
