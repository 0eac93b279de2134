"""The grid of every image: counts, and rates as the mean over the image's categories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import ratio
from qm_cli.analysis.grid_confusion import score_levels
from qm_cli.kernels.prefix_counts import prefix_counts
from qm_cli.matching import Matches
from qm_cli.overlap import overlap
from qm_cli.settings import Grid
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ImageCounts:
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


def image_grid(tables: Tables, matches: Matches, task: str, grid: Grid) -> Iterator[ImageCounts]:
    """The images' counts at one IoU of the grid after the other; COCO's matches."""
    cells = _Cells(tables, matches, grid)
    for threshold in grid.ious:
        yield _counts(tables, matches, task, cells, matches.label[matches.lane(threshold)])


class _Cells:
    """Images × categories that hold a prediction or a label that counts, numbered by image.

    of_prediction, of_label: the cell of each; image: of each cell; level: confidences a prediction counts at;
    kept, labels: int64[cells, confidences] and int64[cells].
    """

    def __init__(self, tables: Tables, matches: Matches, grid: Grid) -> None:
        categories = max(tables.count("category"), 1)
        keys = [
            tables.values(level, "image_row").astype(np.int64) * categories + tables.values(level, "category_row")
            for level in ("prediction", "label")
        ]
        distinct, places = np.unique(np.concatenate(keys), return_inverse=True)
        self.image = distinct // categories
        self.of_prediction, self.of_label = np.split(places, [len(keys[0])])
        self.level = score_levels(tables, grid.confidences)
        self.levels = len(grid.confidences)
        self.kept = prefix_counts(self.of_prediction, self.level, len(distinct), self.levels)
        self.labels = np.bincount(self.of_label[~matches.ignored[0]], minlength=len(distinct))


def _counts(tables: Tables, matches: Matches, task: str, cells: _Cells, label: npt.NDArray[np.int32]) -> ImageCounts:
    hit = np.flatnonzero(label >= 0)
    rows, taken = matches.row[hit], label[hit].astype(np.int64)
    ignored = matches.ignored[0][taken]
    true = rows[~ignored]
    iou = overlap(tables, task, taken[~ignored], true)
    count = len(cells.image)

    def held(chosen: CountArray, weights: FloatArray | None = None) -> npt.NDArray[Any]:
        return prefix_counts(cells.of_prediction[chosen], cells.level[chosen], count, cells.levels, weights)

    found, iou_sum = held(true), held(true, iou)
    kept = cells.kept - held(rows[ignored])
    labels = np.broadcast_to(cells.labels[:, None], kept.shape)
    images = tables.count("image")
    hits, false, missed = (_by_image(values, cells.image, images) for values in (found, kept - found, labels - found))
    both = (hits + false > 0) & (hits + missed > 0)
    rates = (ratio(found, kept), ratio(found, labels), ratio(2 * found, kept + labels), ratio(iou_sum, found))
    precision, recall, f1, mean_iou = (
        np.where(both, _mean_by_image(rate, cells.image, images), np.nan) for rate in rates
    )
    return ImageCounts(hits, false, missed, precision, recall, f1, mean_iou)


def _by_image(values: npt.NDArray[np.number], image: CountArray, images: int) -> CountArray:
    """Sums over the cells of each image: [images, confidences]. Cells stand by image."""
    total = np.concatenate([np.zeros((1, values.shape[1]), np.int64), np.cumsum(values, axis=0)])
    bounds = np.searchsorted(image, np.arange(images + 1))
    return np.diff(total[bounds], axis=0)


def _mean_by_image(values: FloatArray, image: CountArray, images: int) -> FloatArray:
    """Means of the defined values of each image, each summed by itself."""
    defined = ~np.isnan(values)
    sums = (
        np.stack([np.bincount(image, column, images) for column in np.where(defined, values, 0.0).T], axis=1)
        if values.shape[1]
        else np.zeros((images, 0))
    )
    return ratio(sums, _by_image(defined.astype(np.int64), image, images))
