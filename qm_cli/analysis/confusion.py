"""Confusion matrix with None: rows are the true category, columns the predicted one.

Class-aware matches fill the diagonal, so it is exactly the true positives. What is left over is matched one-to-one
across categories by falling IoU; the rest meets None.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import Outcomes
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.greedy import match_bound
from qm_cli.kernels.segments import bounded_stretches, expand, offsets_of
from qm_cli.overlap import overlap
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
PAIRS_AT_ONCE = 1 << 21


def confusion_matrix(tables: Tables, found: Outcomes, settings: Settings) -> npt.NDArray[np.int64]:
    """What class-aware matching leaves over matched across categories by falling IoU: int64[categories + 1] squared."""
    return matrix_of(tables, found, *confused_pairs(tables, found, settings))


def matrix_of(tables: Tables, found: Outcomes, prediction: RowArray, label: RowArray) -> npt.NDArray[np.int64]:
    """int64[categories + 1, categories + 1]; the last row and column are None.

    prediction, label: rows of the pairs matched across categories. Row sums without None are the labels that count,
    column sums without None the predictions kept.
    """
    none = tables.count("category")
    matrix = np.zeros((none + 1, none + 1), np.int64)
    predicted, labelled = tables.values("prediction", "category_row"), tables.values("label", "category_row")
    hits = np.flatnonzero(found.true_positive)
    np.add.at(matrix, (labelled[found.matched_label[hits]], predicted[hits]), 1)
    np.add.at(matrix, (labelled[label], predicted[prediction]), 1)
    spurious, missed = found.false_positive.copy(), found.false_negative.copy()
    spurious[prediction] = False
    missed[label] = False
    matrix[none, :none] = np.bincount(predicted[spurious], minlength=none)
    matrix[:none, none] = np.bincount(labelled[missed], minlength=none)
    return matrix


def confused_pairs(tables: Tables, found: Outcomes, settings: Settings) -> tuple[RowArray, RowArray]:
    """Prediction and label rows of different categories, by falling IoU (ties: higher score, then input order)."""
    prediction, label = np.flatnonzero(found.false_positive), np.flatnonzero(found.false_negative)
    offsets = offsets_of(tables.values("label", "image_row")[label], tables.count("image"))
    image = tables.values("prediction", "image_row")[prediction]
    counts, first = np.diff(offsets)[image], offsets[:-1][image]
    parts = [
        _near_pairs(tables, prediction[rows], counts[rows], label, first[rows], settings)
        for rows in bounded_stretches(counts, PAIRS_AT_ONCE)
    ]
    predictions, labels, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((labels, predictions, -tables.values("prediction", "score")[predictions], -iou))
    predictions, labels = predictions[order], labels[order]
    taken = greedy_one_to_one(predictions, labels)
    return predictions[taken], labels[taken]


def _near_pairs(
    tables: Tables, prediction: RowArray, counts: RowArray, label: RowArray, first: RowArray, settings: Settings
) -> tuple[RowArray, RowArray, npt.NDArray[np.float64]]:
    """Pairs of these predictions with the `counts` labels from `first` on, and their IoU, that reach the threshold.

    Those of one category are left out: a convention that tries one label alone may leave such over.
    """
    labels, predictions = label[expand(first, counts)], np.repeat(prediction, counts)
    if settings.task != "bbox":  # shapes take longer to compare than categories
        other = _other_category(tables, predictions, labels)
        predictions, labels = predictions[other], labels[other]
    lowest = float(match_bound(settings.iou))
    iou = overlap(tables, settings.task, labels, predictions, lowest=lowest)
    near = np.flatnonzero(iou >= lowest)
    predictions, labels, iou = predictions[near], labels[near], iou[near]
    other = _other_category(tables, predictions, labels)
    return predictions[other], labels[other], iou[other]


def _other_category(tables: Tables, predictions: RowArray, labels: RowArray) -> npt.NDArray[np.bool_]:
    own = tables.values("prediction", "category_row")[predictions]
    other: npt.NDArray[np.bool_] = tables.values("label", "category_row")[labels] != own
    return other
