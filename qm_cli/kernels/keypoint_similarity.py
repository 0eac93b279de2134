"""Object keypoint similarity, COCO's: how near the keypoints of a prediction are to those of a label."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
PAIRS_AT_ONCE = 1 << 14
SLACK = 1 + 1e-9
ROWS_AT_ONCE = 2048


def keypoint_similarity(
    labels: FloatArray,
    boxes: FloatArray,
    areas: FloatArray,
    predictions: FloatArray,
    label: RowArray,
    prediction: RowArray,
    sigmas: FloatArray,
    lowest: float = 0.0,
) -> FloatArray:
    """Similarity of each label with the prediction in the same place: float64[n], 0..1.

    labels, predictions: float64[rows, 3k] of x, y, visibility; boxes, areas: of the labels. The mean over the label's
    visible keypoints of exp(−d² / (2σ)² / (area + spacing) / 2); without any, over all keypoints, d being the distance
    outside of the box widened by its size on each side (reference: pycocotools 2.0.11 `computeOks`, summed as there).
    Pairs that cannot reach `lowest`, going by the boxes around the keypoints, may be given as 0.
    """
    visible = labels[:, 2::3] > 0
    falloff = (np.asarray(sigmas) * 2) ** 2
    x, y = (_by_keypoint(predictions, axis) for axis in (0, 1))
    near = _near(labels, visible, areas, (x, y), label, prediction, falloff, lowest)
    label, prediction = label[near], prediction[near]
    count = visible.sum(1)[label]
    truth = _Truth(labels[:, 0::3], labels[:, 1::3], np.argsort(~visible, axis=1, kind="stable"), boxes)
    found = np.zeros(len(label))

    def fill(block: tuple[int, RowArray]) -> None:
        seen, pairs = block
        own, other = label[pairs], prediction[pairs]
        squares, weights = _squares(truth, own, x, y, other, seen, falloff)
        scale = (areas[own] + np.spacing(1))[:, None]
        found[pairs] = np.exp(-(squares / weights / scale / 2)).sum(1) / squares.shape[1]

    blocks = []
    for seen in np.unique(count).tolist():
        pairs = np.flatnonzero(count == seen)
        blocks += [(seen, pairs[start : start + PAIRS_AT_ONCE]) for start in range(0, len(pairs), PAIRS_AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(fill, blocks))
    similarity = np.zeros(len(near))
    similarity[near] = found
    return similarity


def _by_keypoint(predictions: FloatArray, axis: int) -> FloatArray:
    """One coordinate of all keypoints, a row for each of them: float64[k, predictions]; in stretches, for the cache."""
    found = np.empty((predictions.shape[1] // 3, len(predictions)))
    for begin in range(0, len(predictions), ROWS_AT_ONCE):
        found[:, begin : begin + ROWS_AT_ONCE] = predictions[begin : begin + ROWS_AT_ONCE, axis::3].T
    return found


def _near(
    labels: FloatArray,
    visible: BoolArray,
    areas: FloatArray,
    predictions: tuple[FloatArray, FloatArray],
    label: RowArray,
    prediction: RowArray,
    falloff: FloatArray,
    lowest: float,
) -> BoolArray:
    """Pairs that may reach the lowest similarity: some keypoint must, which then is not farther than that allows."""
    if lowest <= 0:
        return np.ones(len(label), bool)
    reach = np.sqrt(-2 * np.log(min(lowest, 1.0)) * falloff.max() * (areas + np.spacing(1))) * SLACK
    near = np.ones(len(label), bool)
    for axis, others in enumerate(predictions):
        own = labels[:, axis::3]
        low = np.where(visible, own, np.inf).min(1) - reach
        high = np.where(visible, own, -np.inf).max(1) + reach
        near &= (others.max(0)[prediction] >= low[label]) & (others.min(0)[prediction] <= high[label])
    without: BoolArray = visible.sum(1) == 0
    return near | without[label]


@dataclass(frozen=True)
class _Truth:
    """x, y: float64[labels, k]; visible_first: int64[labels, k], keypoints in their order, visible ones first."""

    x: FloatArray
    y: FloatArray
    visible_first: RowArray
    boxes: FloatArray


def _squares(
    truth: _Truth, own: RowArray, x: FloatArray, y: FloatArray, other: RowArray, seen: int, falloff: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Squared distance of each keypoint that is compared and the falloff of it: float64[pairs, keypoints] each."""
    if seen:
        points = truth.visible_first[own, :seen]
        rows, others = own[:, None], other[:, None]
        across, down = x[points, others] - truth.x[rows, points], y[points, others] - truth.y[rows, points]
        return across**2 + down**2, falloff[points]
    left, top, width, height = truth.boxes[own].T[:, :, None]
    across = _outside(x.T[other], left - width, left + width * 2)
    down = _outside(y.T[other], top - height, top + height * 2)
    return across**2 + down**2, falloff[None, :]


def _outside(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    distance: FloatArray = np.maximum(0.0, low - values) + np.maximum(0.0, values - high)
    return distance
