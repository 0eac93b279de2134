"""Which predictions and labels count, and as what, at one IoU threshold and one confidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.confidence_rules import counting
from qm_cli.matching import Matches
from qm_cli.overlap import overlap, overlap_again
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]


class Outcomes(Struct, frozen=True):
    """counted: confident enough and not left out by the convention, bool[predictions].

    matched_label: row or −1, int64[predictions], counted ones only. matched_prediction: row or −1, int64[labels].
    label_counts: not crowd or ignored, bool[labels].
    """

    counted: BoolArray
    matched_label: RowArray
    matched_prediction: RowArray
    label_counts: BoolArray

    @property
    def ignored(self) -> BoolArray:
        """Counted predictions that took a label that does not count: bool[predictions]."""
        hit = self.matched_label >= 0
        counts: BoolArray = np.append(self.label_counts, True)[self.matched_label]
        return hit & ~counts

    @property
    def true_positive(self) -> BoolArray:
        return (self.matched_label >= 0) & ~self.ignored

    @property
    def false_positive(self) -> BoolArray:
        return self.counted & (self.matched_label < 0)

    @property
    def false_negative(self) -> BoolArray:
        """Labels that count and were not found: bool[labels]."""
        return self.label_counts & (self.matched_prediction < 0)


def outcomes(tables: Tables, matches: Matches, settings: Settings, least: FloatArray | None = None) -> Outcomes:
    """Outcome of every prediction and label. Lower-scored predictions never change what higher ones took.

    least: each category's own confidence instead of the settings', inf keeps nothing: float64[categories].
    """
    score = tables.values("prediction", "score")
    confidence = settings.confidence if least is None else least[tables.values("prediction", "category_row")]
    counted = counting(settings.convention, score, confidence)
    matched_label = np.full(len(score), -1, np.int64)
    matched_label[matches.row] = matches.label[matches.lane(settings.iou)]
    return outcomes_of(matched_label, counted, ~matches.ignored[0])


def outcomes_of(matched_label: RowArray, counted: BoolArray, label_counts: BoolArray) -> Outcomes:
    """Outcomes from the label of the same category that each prediction takes, −1 for none: int64[predictions].

    Labels that count are taken once; those that do not may be taken by many.
    """
    matched_label = np.where(counted, matched_label, -1)
    matched_prediction = np.full(len(label_counts), -1, np.int64)
    hits = np.flatnonzero(matched_label >= 0)
    hits = hits[label_counts[matched_label[hits]]]
    matched_prediction[matched_label[hits]] = hits
    return Outcomes(counted, matched_label, matched_prediction, label_counts)


def matched_iou(tables: Tables, task: str, found: Outcomes) -> FloatArray:
    """IoU of each prediction with the label it took, NaN where it took none: float64[predictions].

    A crowd that counts, as under LVIS, is an object like any other.
    """
    hits = np.flatnonzero(found.matched_label >= 0)
    label = found.matched_label[hits]
    iou = np.full(len(found.counted), np.nan)
    crowd = tables.values("label", "iscrowd") & ~found.label_counts
    iou[hits] = overlap(tables, task, label, hits, crowd[label])
    return iou


class Counts(Struct, frozen=True):
    """Counts per group: int64[groups]."""

    true_positives: RowArray
    false_positives: RowArray
    false_negatives: RowArray

    @property
    def precision(self) -> FloatArray:
        """TP / (TP + FP), NaN where nothing was predicted."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> FloatArray:
        """TP / (TP + FN), NaN where there is nothing to find."""
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> FloatArray:
        """2·TP / (2·TP + FP + FN), NaN where there is neither."""
        return ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)

    def f_beta(self, beta: float) -> FloatArray:
        """(1 + β²)·TP / ((1 + β²)·TP + FP + β²·FN), NaN where there is neither."""
        return f_beta(self.true_positives, self.false_positives, self.false_negatives, beta)

    def total(self) -> Counts:
        return Counts(
            *(np.array([values.sum()]) for values in (self.true_positives, self.false_positives, self.false_negatives))
        )


def ratio(part: npt.NDArray[np.number], whole: npt.NDArray[np.number]) -> FloatArray:
    """part / whole, NaN where whole is 0.

    >>> ratio(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def mean_of_defined(values: FloatArray) -> float | None:
    """Mean of the defined values, summed in pycocotools' order; None when there are none.

    >>> mean_of_defined(np.array([1.0, np.nan])), mean_of_defined(np.array([np.nan]))
    (1.0, None)
    """
    defined = values[~np.isnan(values)]
    return float(np.mean(defined)) if len(defined) else None


def f_beta(
    found: npt.NDArray[np.number], false: npt.NDArray[np.number], missed: npt.NDArray[np.number], beta: float
) -> FloatArray:
    """(1 + β²)·TP / ((1 + β²)·TP + FP + β²·FN) of counts, NaN where there is neither.

    >>> f_beta(np.array([2, 0]), np.array([1, 0]), np.array([3, 0]), 1.0).tolist()
    [0.5, nan]
    """
    weighed = (1 + beta**2) * found
    return ratio(weighed, weighed + false + beta**2 * missed)


def category_counts(tables: Tables, found: Outcomes) -> Counts:
    """TP, FP and FN of each category."""
    predicted, labelled = tables.values("prediction", "category_row"), tables.values("label", "category_row")
    groups = tables.count("category")
    return Counts(
        np.bincount(predicted[found.true_positive], minlength=groups),
        np.bincount(predicted[found.false_positive], minlength=groups),
        np.bincount(labelled[found.false_negative], minlength=groups),
    )


def category_iou_sum(tables: Tables, task: str, found: Outcomes) -> FloatArray:
    """IoU of the true positives with their labels, summed by category: float64[categories]."""
    true = np.flatnonzero(found.true_positive)
    category = tables.values("prediction", "category_row")[true]
    iou = overlap_again(tables, task, found.matched_label[true], true)
    return np.asarray(np.bincount(category, iou, tables.count("category")), np.float64)
