"""Object keypoint similarity, COCO's: how near the keypoints of a prediction are to those of a label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
PAIRS_AT_ONCE = 1 << 12
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
    pair_count = len(label)
    falloff = (np.asarray(sigmas) * 2) ** 2
    truth = _truth(labels, boxes, falloff)
    x, y = _by_keypoint(predictions, 0), _by_keypoint(predictions, 1)
    near = _near(truth, areas, (x, y), label, prediction, float(falloff.max()), lowest)
    label, prediction = label.take(near), prediction.take(near)
    count = truth.count.take(label)
    found = np.zeros(len(label))
    for seen in np.flatnonzero(np.bincount(count)).tolist():
        every = np.flatnonzero(count == seen)
        for start in range(0, len(every), PAIRS_AT_ONCE):
            pairs = every[start : start + PAIRS_AT_ONCE]
            own = label.take(pairs)
            squares, weights = _squares(truth, own, x, y, prediction.take(pairs), seen, falloff)
            squares /= weights
            squares /= (areas.take(own) + np.spacing(1))[:, None]
            squares /= -2
            found[pairs] = np.exp(squares, out=squares).sum(1) / squares.shape[1]
    similarity = np.zeros(pair_count)
    similarity[near] = found
    return similarity


def _by_keypoint(predictions: FloatArray, axis: int) -> FloatArray:
    """One coordinate of all keypoints, a row for each of them: float64[k, predictions]; in stretches, for the cache."""
    found = np.empty((predictions.shape[1] // 3, len(predictions)))
    for begin in range(0, len(predictions), ROWS_AT_ONCE):
        found[:, begin : begin + ROWS_AT_ONCE] = predictions[begin : begin + ROWS_AT_ONCE, axis::3].T
    return found


class _Truth(Struct, frozen=True):
    """The labels, their keypoints in order but visible ones first.

    keypoint: int64[labels, k], which it is; x, y, falloff: of it, float64[labels, k]; count: of visible ones,
    int64[labels]; boxes: float64[labels, 4]; low, high: float64[2, labels], between which distance is 0 or starts.
    """

    keypoint: RowArray
    x: FloatArray
    y: FloatArray
    falloff: FloatArray
    count: RowArray
    boxes: FloatArray
    low: FloatArray
    high: FloatArray


def _truth(labels: FloatArray, boxes: FloatArray, falloff: FloatArray) -> _Truth:
    visible = labels[:, 2::3] > 0
    keypoint = np.argsort(~visible, axis=1, kind="stable")
    x, y = (np.take_along_axis(labels[:, axis::3], keypoint, 1) for axis in (0, 1))
    count = visible.sum(1)
    low, high = np.empty((2, len(labels))), np.empty((2, len(labels)))
    for axis in (0, 1):
        own, corner, size = labels[:, axis::3], boxes[:, axis], boxes[:, axis + 2]
        low[axis] = np.where(count > 0, np.where(visible, own, np.inf).min(1), corner - size)
        high[axis] = np.where(count > 0, np.where(visible, own, -np.inf).max(1), corner + size * 2)
    return _Truth(keypoint, x, y, falloff[keypoint], count, boxes, low, high)


def _near(
    truth: _Truth,
    areas: FloatArray,
    predictions: tuple[FloatArray, FloatArray],
    label: RowArray,
    prediction: RowArray,
    widest: float,
    lowest: float,
) -> RowArray:
    """Pairs that may reach the lowest similarity: some keypoint must, which then is not farther than that allows.

    widest: the largest falloff. Places, int64[n].
    """
    if lowest <= 0:
        return np.arange(len(label))
    reach = np.sqrt(-2 * np.log(min(lowest, 1.0)) * widest * (areas + np.spacing(1))) * SLACK
    near: RowArray | None = None
    for low, high, others in zip(truth.low - reach, truth.high + reach, predictions, strict=True):
        own = label if near is None else label.take(near)
        other = prediction if near is None else prediction.take(near)
        meet = others.max(0).take(other) >= low.take(own)
        meet &= others.min(0).take(other) <= high.take(own)
        near = np.flatnonzero(meet) if near is None else near[meet]
    assert near is not None
    return near


def _squares(
    truth: _Truth, own: RowArray, x: FloatArray, y: FloatArray, other: RowArray, seen: int, falloff: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Squared distance of each keypoint that is compared and the falloff of it: float64[pairs, keypoints] each."""
    if seen:
        place = truth.keypoint[own, :seen]
        place *= x.shape[1]
        place += other[:, None]
        across, down = x.ravel().take(place), y.ravel().take(place)
        across -= truth.x[own, :seen]
        down -= truth.y[own, :seen]
        weights = truth.falloff[own, :seen]
    else:
        left, top, width, height = truth.boxes[own].T[:, :, None]
        across = _outside(x.T[other], left - width, left + width * 2)
        down = _outside(y.T[other], top - height, top + height * 2)
        weights = falloff[None, :]
    across *= across
    down *= down
    across += down
    return across, weights


def _outside(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    distance: FloatArray = np.maximum(0.0, low - values) + np.maximum(0.0, values - high)
    return distance
