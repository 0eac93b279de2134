"""Which labels and predictions ObjectLab's rule calls an issue: a score no higher than a fifth of the category's AP.

Reference: cleanlab.object_detection.filter.find_label_issues. Its AP: every detection tries the label of its category
that it overlaps most, all of them, area under the envelope, mean over IoU .50:.05:.95; 0 for a category without labels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.best_label import best_labels, first_takers
from qm_cli.analysis.label_errors import Evidence
from qm_cli.analysis.ranked_hits import envelope, precision_and_recall, ranked_hits
from qm_cli.error_names import BADLY_LOCATED, NONE, OVERLOOKED, WRONG_CATEGORY
from qm_cli.kernels.object_lab import located_score, overlooked_score, swapped_score
from qm_cli.label_flags import posed_labels
from qm_cli.matching import score_order
from qm_cli.settings import IOU_THRESHOLDS
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.int8]
SHARE_OF_PRECISION = 0.25 * 0.8


class Issues(Struct, frozen=True):
    """Places in error_names.ISSUES, −1 for none: int8[labels], int8[predictions]."""

    label: CodeArray
    prediction: CodeArray


def object_issues(tables: Tables, found: Evidence, task: str) -> Issues:
    """Labels of the wrong category or off their place, predictions that are overlooked objects; no crowds."""
    highest = highest_scores(tables, task)
    of_label, of_prediction = (highest[tables.values(level, "category_row")] for level in ("label", "prediction"))
    real = posed_labels(tables, task)
    label = np.full(len(real), NONE, np.int8)
    label[real & (located_score(found.located) <= of_label)] = BADLY_LOCATED
    label[real & (swapped_score(found.swapped, found.conflicting, found.least) <= of_label)] = WRONG_CATEGORY
    scores = overlooked_score(found.overlooked, tables.values("prediction", "score"), found.least)
    return Issues(label, np.where(scores <= of_prediction, OVERLOOKED, NONE).astype(np.int8))


def highest_scores(tables: Tables, task: str) -> FloatArray:
    """The score up to which a label or prediction of each category is an issue: float64[categories]."""
    return SHARE_OF_PRECISION * category_precision(tables, task)


def category_precision(tables: Tables, task: str) -> FloatArray:
    """Average precision of each category as ObjectLab's rule takes it, 0 without labels: float64[categories]."""
    counts = posed_labels(tables, task)
    best, order = best_labels(tables, task, counts), score_order(tables)
    areas = np.zeros(tables.count("category"))
    for threshold in IOU_THRESHOLDS:
        ranked = ranked_hits(tables, order, first_takers(best, best.iou >= threshold, order, counts), counts)
        for category in np.flatnonzero(ranked.labels):
            hit, _, labels = ranked.of(int(category))
            if hit.any():
                areas[category] += envelope(precision_and_recall(hit, labels)[0])[hit].sum() / labels
    return areas / len(IOU_THRESHOLDS)
