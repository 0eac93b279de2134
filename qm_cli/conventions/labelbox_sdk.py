"""Labelbox's Python package (reference: `labelbox.data.metrics`): every category of every data row on its own.

As there, IoU takes the masks of a category in an image for one, on either side, and counts take each for an object.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.arrivals import Arrivals, by_overlap, sides_of
from qm_cli.analysis.best_label import best_labels, excusable, excused_by
from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.counts import Outcomes, mean_of_defined, outcomes_of, ratio
from qm_cli.confidence_rules import counting, told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.mask_union import union_iou
from qm_cli.label_flags import labels_that_count
from qm_cli.overlap import masks
from qm_cli.pairs import pairs_above
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
NONE = np.zeros(0, np.int64)
_BEST_MATCHES = "the best matches' mean IoU, unmatched 0"


class Features(Struct, frozen=True):
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
    counted = counting(settings.convention, tables.values("prediction", "score"), settings.confidence)
    prediction, label, iou = pairs_above(tables, settings.task, 0.0, counts, counted, same_category=True)
    found = _outcomes(tables, settings, counts, counted, (prediction, label, iou))
    features = _features(tables, settings, found, (prediction, label, iou))
    at = f"IoU > {settings.iou:g}, {told(settings)}, each category of each image on its own"
    return Evaluation(
        tables,
        settings,
        found,
        matrix_of(tables, found, NONE, NONE),
        _numbers(tables, features, settings),
        at,
        confused=(NONE, NONE),
        at_any_confidence=lambda: _whole(tables, settings, counts),
        changes=lambda: _changes(tables, settings, counts),
        of_images=lambda kept: _mean_iou(tables, features.of_images(kept)),
    )


def _whole(tables: Tables, settings: Settings, counts: BoolArray) -> Outcomes:
    """Outcomes where every prediction counts."""
    pairs = pairs_above(tables, settings.task, settings.iou, counts, same_category=True)
    return _outcomes(tables, settings, counts, np.ones(tables.count("prediction"), bool), pairs)


def _changes(tables: Tables, settings: Settings, counts: BoolArray) -> Arrivals:
    """How the matches change from confidence to confidence."""
    prediction, label, iou = pairs_above(tables, settings.task, settings.iou, counts, same_category=True)
    order = np.lexsort((prediction, label, -iou))
    cells = _cells(tables, "prediction", np.arange(tables.count("prediction")))
    excused = excusable(tables, settings, counts)
    return by_overlap(sides_of(tables), prediction[order], label[order], cells, excused, counts)


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


def _features(
    tables: Tables, settings: Settings, found: Outcomes, pairs: tuple[RowArray, RowArray, FloatArray]
) -> Features:
    """IoU of each feature: of its masks taken together, or the mean of its best matches."""
    prediction, label = np.flatnonzero(found.counted & ~found.ignored), np.flatnonzero(found.label_counts)
    cells = [_cells(tables, "label", label), _cells(tables, "prediction", prediction)]
    keys = np.unique(np.concatenate(cells))
    places = [np.searchsorted(keys, own) for own in cells]
    groups = max(tables.count("category"), 1)
    if settings.task == "segm":
        shapes = masks(tables, "label").take(label), masks(tables, "prediction").take(prediction)
        return Features(keys // groups, keys % groups, union_iou(*shapes, places[0], places[1]))
    sides = [np.bincount(own, minlength=len(keys)) for own in places]
    agreement = _agreement(tables, found, pairs, keys)
    return Features(keys // groups, keys % groups, agreement / np.maximum(*sides))


def _agreement(
    tables: Tables, found: Outcomes, pairs: tuple[RowArray, RowArray, FloatArray], keys: RowArray
) -> FloatArray:
    """Sum of the best matches at any IoU of each cell of `keys`: float64[keys]."""
    prediction, label, iou = pairs
    there = ~found.ignored[prediction]
    prediction, label, iou = prediction[there], label[there], iou[there]
    order = np.lexsort((label, prediction, -iou))
    taken = order[greedy_one_to_one(prediction[order], label[order])]
    place = np.searchsorted(keys, _cells(tables, "label", label[taken]))
    return np.asarray(np.bincount(place, iou[taken], len(keys)), np.float64)


def _cells(tables: Tables, level: str, rows: RowArray) -> RowArray:
    """(image, category) of rows as one number: int64[n]."""
    image, category = tables.values(level, "image_row")[rows], tables.values(level, "category_row")[rows]
    keys: RowArray = image.astype(np.int64) * tables.count("category") + category
    return keys


def _numbers(tables: Tables, features: Features, settings: Settings) -> Numbers:
    mean = _mean_iou(tables, features)
    negatives = np.zeros(tables.count("category"), np.int64)
    own = f"{told(settings)}, at any IoU"
    agreement = "the IoU of all their masks together" if settings.task == "segm" else _BEST_MATCHES
    return Numbers(
        {"true_negatives": 0, **mean.overall},
        {"true_negatives": negatives, **mean.category},
        {
            "true_negatives": "always 0 for objects",
            "iou": f"mean over images of the mean over their categories of {agreement}; of a category, mean over"
            f" images; {own}",
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
