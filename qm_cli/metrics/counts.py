"""Right and wrong predictions, counted, at the chosen IoU and confidence: per image, category, both, and in all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
GROUPS = ("image", "image_category", "category", "dataset")


@metric(level=GROUPS, kind="model", unit="count", range=(0, None), better="higher")
def true_positives(prediction_true_positive: BoolArray, prediction_parent_row: RowArray, row_count: int) -> RowArray:
    """Predictions that found a label.

    >>> true_positives(np.array([True, False, False, True]), np.array([0, 0, 0, 2]), 3).tolist()
    [1, 0, 1]
    """
    return np.bincount(prediction_parent_row[prediction_true_positive], minlength=row_count)


@metric(level=GROUPS, kind="model", unit="count", range=(0, None), better="lower")
def false_positives(prediction_false_positive: BoolArray, prediction_parent_row: RowArray, row_count: int) -> RowArray:
    """Predictions that found no label.

    >>> false_positives(np.array([False, True, False, False]), np.array([0, 0, 0, 2]), 3).tolist()
    [1, 0, 0]
    """
    return np.bincount(prediction_parent_row[prediction_false_positive], minlength=row_count)


@metric(level=GROUPS, kind="model", unit="count", range=(0, None), better="lower")
def false_negatives(label_false_negative: BoolArray, label_parent_row: RowArray, row_count: int) -> RowArray:
    """Labels that no prediction found.

    >>> false_negatives(np.array([False, True, False]), np.array([0, 1, 1]), 2).tolist()
    [0, 1]
    """
    return np.bincount(label_parent_row[label_false_negative], minlength=row_count)


@metric(level=GROUPS, kind="model", unit="share", range=(0, 1), better="higher")
def precision(true_positives: RowArray, false_positives: RowArray) -> FloatArray:
    """Share of the predictions that found a label, 0..1: TP / (TP + FP); null where nothing was predicted.

    >>> precision(np.array([1, 0]), np.array([3, 0])).tolist()
    [0.25, nan]
    """
    return _share(true_positives, true_positives + false_positives)


@metric(level=GROUPS, kind="model", unit="share", range=(0, 1), better="higher")
def recall(true_positives: RowArray, false_negatives: RowArray) -> FloatArray:
    """Share of the labels that were found, 0..1: TP / (TP + FN); null where there is nothing to find.

    >>> recall(np.array([1, 0]), np.array([1, 0])).tolist()
    [0.5, nan]
    """
    return _share(true_positives, true_positives + false_negatives)


@metric(level=GROUPS, kind="model", unit="share", range=(0, 1), better="higher")
def f1(true_positives: RowArray, false_positives: RowArray, false_negatives: RowArray) -> FloatArray:
    """Harmonic mean of precision and recall, 0..1: 2 TP / (2 TP + FP + FN); null where there is neither.

    Reference: van Rijsbergen, Information Retrieval, 1979.

    >>> f1(np.array([1, 0]), np.array([1, 0]), np.array([0, 0])).round(3).tolist()
    [0.667, nan]
    """
    return _share(2 * true_positives, 2 * true_positives + false_positives + false_negatives)


@metric(level=GROUPS, kind="model", unit="IoU", range=(0, 1), better="higher")
def iou(
    prediction_true_positive: BoolArray, prediction_iou: FloatArray, prediction_parent_row: RowArray, row_count: int
) -> FloatArray:
    """Mean IoU of the predictions that found a label with that label, 0..1; null where none did.

    >>> iou(np.array([True, True, False]), np.array([0.75, 1.0, 0.5]), np.array([0, 0, 1]), 2).tolist()
    [0.875, nan]
    """
    rows = prediction_parent_row[prediction_true_positive]
    total = np.bincount(rows, prediction_iou[prediction_true_positive], row_count)
    return _share(total, np.bincount(rows, minlength=row_count))


def _share(part: npt.NDArray[np.number], whole: RowArray) -> FloatArray:
    """part / whole, NaN where whole is 0."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
