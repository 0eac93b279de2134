"""Object keypoint similarity, COCO's: how near the keypoints of a prediction are to those of a label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
PAIRS_AT_ONCE = 1 << 16
PAIRS_IN_CACHE = 1 << 10
ROWS_IN_CACHE = 1 << 11
SLACK = 1 + 1e-9


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
    Pairs that cannot reach `lowest` may be given as 0.
    """
    truth = _truth(labels, boxes, areas, np.asarray(sigmas))
    points = _points(predictions)
    near = np.arange(len(label)) if lowest <= 0 else _near(truth, points, label, prediction, lowest)
    similarity = np.zeros(len(label))
    for start in range(0, len(near), PAIRS_AT_ONCE):
        pairs = near[start : start + PAIRS_AT_ONCE]
        own = label.take(pairs)
        reaching, terms = _reaching(truth, points, own, prediction.take(pairs), lowest)
        similarity[pairs[reaching]] = _means(terms, truth.counted.take(own[reaching], axis=0))
    return similarity


class _Truth(Struct, frozen=True):
    """The labels.

    points: float64[labels, 2k], x of all keypoints, then y. counted: those that the mean is over, bool[labels, k];
    share: 1 / their number, 0 for the others, float64[labels, k]. bare: labels without a visible keypoint. low, high:
    float64[2, labels], between which the distance is 0 for these, or begins to grow for others. falloff: float64[k].
    """

    points: FloatArray
    counted: BoolArray
    share: FloatArray
    bare: BoolArray
    low: FloatArray
    high: FloatArray
    areas: FloatArray
    falloff: FloatArray


def _truth(labels: FloatArray, boxes: FloatArray, areas: FloatArray, sigmas: FloatArray) -> _Truth:
    visible = labels[:, 2::3] > 0
    bare: BoolArray = np.logical_not(visible.any(1))
    points = _points(labels)
    low, high = np.empty((2, len(labels))), np.empty((2, len(labels)))
    for axis, own in enumerate(np.split(points, 2, axis=1)):
        corner, size = boxes[:, axis], boxes[:, axis + 2]
        low[axis] = np.where(bare, corner - size, np.where(visible.T, own.T, np.inf).min(0))
        high[axis] = np.where(bare, corner + size * 2, np.where(visible.T, own.T, -np.inf).max(0))
    counted = visible | bare[:, None]
    share = counted / counted.sum(1, keepdims=True)
    return _Truth(points, counted, share, bare, low, high, areas + np.spacing(1), (sigmas * 2) ** 2)


def _points(rows: FloatArray) -> FloatArray:
    """x of all keypoints, then y: float64[n, 2k]."""
    count = rows.shape[1] // 3
    found: FloatArray = rows.reshape(len(rows), count, 3)[:, :, :2].transpose(0, 2, 1).reshape(len(rows), 2 * count)
    return found


def _near(truth: _Truth, points: FloatArray, label: RowArray, prediction: RowArray, lowest: float) -> RowArray:
    """Pairs that may reach the lowest similarity: some keypoint must, which then is not farther than that allows.

    Places, int64[n].
    """
    reach = np.sqrt(-2 * np.log(min(lowest, 1.0)) * truth.falloff.max() * truth.areas) * SLACK
    near: RowArray | None = None
    for low, high, (least, most) in zip(truth.low - reach, truth.high + reach, _extent(points), strict=True):
        own = label if near is None else label.take(near)
        other = prediction if near is None else prediction.take(near)
        meet = most.take(other) >= low.take(own)
        meet &= least.take(other) <= high.take(own)
        near = np.flatnonzero(meet) if near is None else near[meet]
    assert near is not None
    return near


def _extent(points: FloatArray) -> FloatArray:
    """The least and the greatest x, and y, of each row: float64[2, 2, n]; in stretches, for the cache."""
    found = np.empty((2, 2, len(points)))
    for begin in range(0, len(points), ROWS_IN_CACHE):
        rows = slice(begin, begin + ROWS_IN_CACHE)
        by_axis = np.ascontiguousarray(points[rows].T).reshape(2, points.shape[1] // 2, -1)
        found[:, 0, rows], found[:, 1, rows] = by_axis.min(1), by_axis.max(1)
    return found


def _reaching(
    truth: _Truth, points: FloatArray, label: RowArray, prediction: RowArray, lowest: float
) -> tuple[RowArray, FloatArray]:
    """Pairs whose mean is the lowest similarity or more, give or take rounding, and the terms of it.

    Places, int64[m], and float64[m, k], terms that are not counted among them.
    """
    places, kept = [], []
    for start in range(0, len(label), PAIRS_IN_CACHE):
        own, other = label[start : start + PAIRS_IN_CACHE], prediction[start : start + PAIRS_IN_CACHE]
        terms = _terms(truth, points, own, other)
        means = np.einsum("ij,ij->i", terms, truth.share.take(own, axis=0))
        reaching = np.flatnonzero(means * SLACK >= lowest)
        places.append(reaching + start)
        kept.append(terms.take(reaching, axis=0))
    if not kept:
        return np.zeros(0, np.int64), np.zeros((0, len(truth.falloff)))
    return np.concatenate(places), np.concatenate(kept)


def _terms(truth: _Truth, points: FloatArray, label: RowArray, prediction: RowArray) -> FloatArray:
    """exp(−d² / …) of each keypoint: float64[n, k]."""
    count = len(truth.falloff)
    distance = points.take(prediction, axis=0)
    bare = np.flatnonzero(truth.bare.take(label))
    outside = _outside(truth, distance.take(bare, axis=0), label.take(bare)) if len(bare) else None
    distance -= truth.points.take(label, axis=0)
    if outside is not None:
        distance[bare] = outside
    distance *= distance
    terms: FloatArray = distance[:, :count] + distance[:, count:]
    terms /= truth.falloff
    terms /= truth.areas.take(label)[:, None]
    terms /= -2
    return np.exp(terms, out=terms)


def _outside(truth: _Truth, points: FloatArray, label: RowArray) -> FloatArray:
    """How far each keypoint is outside of the label's low and high, along each axis: float64[n, 2k]."""
    low, high = (np.repeat(ends.take(label, axis=1).T, len(truth.falloff), axis=1) for ends in (truth.low, truth.high))
    distance: FloatArray = np.maximum(0.0, low - points) + np.maximum(0.0, points - high)
    return distance


def _means(terms: FloatArray, counted: BoolArray) -> FloatArray:
    """The mean of each row's counted terms, summed as a row of these alone: float64[n]."""
    numbers = counted.sum(1)
    found = np.empty(len(terms))
    for number in np.flatnonzero(np.bincount(numbers)).tolist():
        rows = np.flatnonzero(numbers == number)
        own = terms.take(rows, axis=0)[counted.take(rows, axis=0)].reshape(-1, number)
        found[rows] = own.sum(1) / number
    return found
