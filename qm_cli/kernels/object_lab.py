"""ObjectLab's scores of labels, 0..1, low where a label is likely wrong, from similarities of labels and predictions.

Reference: Tkachenko et al., ObjectLab: Automated Diagnosis of Mislabeled Images in Object Detection Data, 2023, and
cleanlab.object_detection. Similarity: .9 · IoU + .1 · exp(−.1 · distance of the centres in px).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import reduce_runs

FloatArray = npt.NDArray[np.float64]
IOU_WEIGHT, FALL_PER_PIXEL = 0.9, 0.1
TEMPERATURE = 0.1
TINY = 1e-100


def similarity(iou: FloatArray, labels: FloatArray, predictions: FloatArray) -> FloatArray:
    """Similarity of each label box with the prediction box in the same row, 0..1; 0 when some 370 px apart.

    >>> similarity(np.array([1.0]), np.array([[0.0, 0, 2, 2]]), np.array([[0.0, 0, 2, 2]])).tolist()
    [1.0]
    """
    apart = labels[:, :2] + labels[:, 2:] / 2 - (predictions[:, :2] + predictions[:, 2:] / 2)
    fall = 1 - np.exp(-FALL_PER_PIXEL * np.hypot(apart[:, 0], apart[:, 1]))
    near: FloatArray = IOU_WEIGHT * iou + (1 - IOU_WEIGHT) * (1 - fall)
    return near


def overlooked_score(nearest: FloatArray, confidence: FloatArray, least: float | FloatArray) -> FloatArray:
    """Score of each prediction that no label overlaps. nearest: its largest similarity with a label of its category,
    −1 where the image has none, NaN for a prediction that is none of these. least: the dataset's least similarity."""
    return np.where(nearest < 0, least * (1 - confidence), nearest)


def located_score(nearest: FloatArray) -> FloatArray:
    """Score of each label's place. nearest: largest similarity with an overlapping prediction, NaN without one."""
    return np.where(np.isnan(nearest), 1.0, nearest)


def swapped_score(nearest: FloatArray, conflicting: npt.NDArray[np.bool_], least: float | FloatArray) -> FloatArray:
    """Score of each label's category. nearest: largest similarity with a confident prediction of another one, NaN
    without one. conflicting: a label of another category has the same box."""
    score = np.where(np.isnan(nearest), 1.0, np.maximum(least, 1 - nearest))
    return np.where(conflicting, least, score)


def softmin(scores: FloatArray, offsets: npt.NDArray[np.integer]) -> FloatArray:
    """Mean of each run, weighted by exp(−score / .1); NaN does not count, 1 for a run without a score."""
    there = ~np.isnan(scores)
    offsets = np.append(0, np.cumsum(there))[offsets]
    scores = scores[there]
    counts = np.diff(offsets)
    least = reduce_runs(np.minimum, scores, offsets, 0.0)
    weight = np.exp((np.repeat(least, counts) - scores) / TEMPERATURE)
    total = reduce_runs(np.add, weight, offsets, 1.0)
    return np.where(counts > 0, reduce_runs(np.add, weight * scores, offsets, 1.0) / total, 1.0)


def pooled(*scores: FloatArray) -> FloatArray:
    """Geometric mean of the scores of each image."""
    logs = np.stack([np.log(TINY + score) for score in scores])
    mean: FloatArray = np.exp(logs.mean(axis=0))
    return mean
