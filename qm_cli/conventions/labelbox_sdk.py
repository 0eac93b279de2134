"""Labelbox's Python package (reference: `labelbox.data.metrics`): every category of every data row on its own.

Told difference: the package compares masks of a category as one; here every mask is an object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.best_label import best_labels, excused_by
from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.counts import Outcomes, mean_of_defined, outcomes_of, ratio
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.label_flags import labels_that_count
from qm_cli.pairs import pairs_above
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Features:
    """Every (image, category) with a label or a prediction: int64[features]; its IoU, 0..1: float64[features]."""

    image: RowArray
    category: RowArray
    iou: FloatArray

    def of_images(self, kept: BoolArray) -> Features:
        """Those of some images alone: bool[images]."""
        there = kept[self.image]
        return Features(self.image[there], self.category[there], self.iou[there])


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """Pairs of one category by falling IoU, one-to-one; a pair matches if its IoU is above the threshold."""
    counts = labels_that_count(tables, "ignore")
    counted = tables.values("prediction", "score") >= settings.confidence
    prediction, label, iou = pairs_above(tables, settings.task, 0.0, counts, counted, same_category=True)
    found = _outcomes(tables, settings, counts, counted, (prediction, label, iou))
    features = _features(tables, found, (prediction, label, iou))
    at = f"IoU > {settings.iou:g}, confidence ≥ {settings.confidence:g}, each category of each image on its own"
    return Evaluation(
        tables,
        settings,
        found,
        matrix_of(tables, found, NONE, NONE),
        _numbers(tables, features, settings),
        at,
        of_images=lambda kept: _mean_iou(tables, features.of_images(kept)),
    )


def _outcomes(
    tables: Tables,
    settings: Settings,
    counts: BoolArray,
    counted: BoolArray,
    pairs: tuple[RowArray, RowArray, FloatArray],
) -> Outcomes:
    prediction, label, iou = pairs
    near = np.flatnonzero(iou > settings.iou)
    order = near[np.lexsort((prediction[near], label[near], -iou[near]))]
    taken = order[greedy_one_to_one(prediction[order], label[order])]
    matched = np.full(len(counted), -1, np.int64)
    matched[prediction[taken]] = label[taken]
    if not counts.all():
        ignored = best_labels(tables, settings.task, ~counts)
        matched = excused_by(matched, ignored, ignored.iou > settings.iou)
    return outcomes_of(matched, counted, counts)


def _features(tables: Tables, found: Outcomes, pairs: tuple[RowArray, RowArray, FloatArray]) -> Features:
    """IoU of each feature: the sum of its best matches at any IoU over the larger of its two sides."""
    prediction, label, iou = pairs
    there = ~found.ignored[prediction]
    prediction, label, iou = prediction[there], label[there], iou[there]
    order = np.lexsort((label, prediction, -iou))
    taken = order[greedy_one_to_one(prediction[order], label[order])]
    rows = {
        "prediction": np.flatnonzero(found.counted & ~found.ignored),
        "label": np.flatnonzero(found.label_counts),
    }
    cells = {level: _cells(tables, level, own) for level, own in rows.items()}
    keys = np.unique(np.concatenate(list(cells.values())))
    sides = [np.bincount(np.searchsorted(keys, own), minlength=len(keys)) for own in cells.values()]
    place = np.searchsorted(keys, _cells(tables, "label", label[taken]))
    groups = max(tables.count("category"), 1)
    agreement = np.bincount(place, iou[taken], len(keys))
    return Features(keys // groups, keys % groups, agreement / np.maximum(*sides))


def _cells(tables: Tables, level: str, rows: RowArray) -> RowArray:
    """(image, category) of rows as one number: int64[n]."""
    image, category = tables.values(level, "image_row")[rows], tables.values(level, "category_row")[rows]
    keys: RowArray = image.astype(np.int64) * tables.count("category") + category
    return keys


def _numbers(tables: Tables, features: Features, settings: Settings) -> Numbers:
    agreement = _mean_iou(tables, features)
    negatives = np.zeros(tables.count("category"), np.int64)
    own = f"confidence ≥ {settings.confidence:g}, at any IoU"
    return Numbers(
        {"true_negatives": 0, **agreement.overall},
        {"true_negatives": negatives, **agreement.category},
        {
            "true_negatives": "always 0 for objects",
            "iou": "mean over images of the mean over their categories of the best matches' mean IoU, unmatched 0; of a"
            f" category, mean over images; {own}",
        },
    )


def _mean_iou(tables: Tables, features: Features) -> Numbers:
    of_image, of_category = (
        ratio_of_sums(rows, features.iou, tables.count(level))
        for level, rows in (("image", features.image), ("category", features.category))
    )
    return Numbers({"iou": mean_of_defined(of_image)}, {"iou": of_category})


def ratio_of_sums(rows: RowArray, values: FloatArray, count: int) -> FloatArray:
    """Mean of the values of each row, NaN where it has none: float64[count].

    >>> ratio_of_sums(np.array([0, 0]), np.array([0.5, 1.0]), 2).tolist()
    [0.75, nan]
    """
    return ratio(np.bincount(rows, values, count), np.bincount(rows, minlength=count))
