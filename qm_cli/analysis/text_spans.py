"""Text entities: overlap of character spans, and who matches whom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.greedy import MATCH_BOUND, Candidates, Lanes, match
from qm_cli.kernels.segments import bounded_stretches, expand, numbered, offsets_of

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
PAIRS_AT_ONCE = 1 << 22


class Spans(Struct, frozen=True):
    """Entities sorted by data row: row, category, start, end (exclusive): int64[n]; score: float64[n], NaN for none."""

    row: RowArray
    category: RowArray
    start: RowArray
    end: RowArray
    score: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, kept: npt.NDArray[np.bool_]) -> Spans:
        """The entities under a mask."""
        return Spans(self.row[kept], self.category[kept], self.start[kept], self.end[kept], self.score[kept])


class Overlaps(Struct, frozen=True):
    """Pairs of a data row that share a character: places of label and prediction, and their IoU."""

    label: RowArray
    prediction: RowArray
    iou: FloatArray


class Matched(Struct, frozen=True):
    """label: what each prediction found in its category, −1 for nothing: int64[predictions]. crossed: pairs of
    different categories that belong together, (labels, predictions)."""

    label: RowArray
    crossed: tuple[RowArray, RowArray]


def overlaps(label: Spans, prediction: Spans, rows: int) -> Overlaps:
    """Every overlapping pair; IoU is shared characters / characters of both, exact integers divided once."""
    offsets = offsets_of(label.row, rows)
    counts, first = np.diff(offsets)[prediction.row], offsets[:-1][prediction.row]
    parts = []
    for places in bounded_stretches(counts, PAIRS_AT_ONCE):
        left, right = expand(first[places], counts[places]), np.repeat(places, counts[places])
        shared = np.minimum(label.end[left], prediction.end[right]) - np.maximum(
            label.start[left], prediction.start[right]
        )
        kept = shared > 0
        left, right, shared = left[kept], right[kept], shared[kept]
        lengths = (label.end - label.start)[left] + (prediction.end - prediction.start)[right]
        parts.append((left, right, shared / (lengths - shared)))
    return Overlaps(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def by_score(label: Spans, prediction: Spans, found: Overlaps, threshold: float) -> Matched:
    """COCO's rule: by falling score, each prediction takes the free label of its category with the largest IoU ≥
    threshold, the later of equal ones. What is left over is crossed by falling IoU, as in the confusion matrix."""
    passed = found.iou >= min(threshold, MATCH_BOUND)
    same = passed & (label.category[found.label] == prediction.category[found.prediction])
    width = int(max(label.category.max(initial=0), prediction.category.max(initial=0))) + 1
    cell = prediction.row * width + prediction.category
    order = np.lexsort((np.arange(len(cell)), -np.nan_to_num(prediction.score, nan=1.0), cell))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    pairs = np.flatnonzero(same)
    pairs = pairs[np.lexsort((found.label[pairs], place[found.prediction[pairs]]))]
    none = np.zeros(len(label), bool)
    candidates = Candidates(
        place[found.prediction[pairs]], found.label[pairs], found.iou[pairs], numbered(cell)[1][order], none, none[None]
    )
    taken = np.full(len(prediction), -1, np.int64)
    if len(pairs):
        taken[order] = match(candidates, Lanes(np.array([threshold]), np.zeros(1, np.int64)))[0]
    free_label = np.ones(len(label) + 1, bool)
    free_label[taken] = False
    left = passed & free_label[found.label] & (taken[found.prediction] < 0)
    crossed = _one_to_one(prediction, found, np.flatnonzero(left))
    return Matched(taken, (found.label[crossed], found.prediction[crossed]))


def by_overlap(label: Spans, prediction: Spans, found: Overlaps, threshold: float) -> Matched:
    """Labelbox's rule: pairs of any category with IoU > threshold by falling IoU, one to one."""
    taken = _one_to_one(prediction, found, np.flatnonzero(found.iou > threshold))
    labels, predictions = found.label[taken], found.prediction[taken]
    same = label.category[labels] == prediction.category[predictions]
    matched = np.full(len(prediction), -1, np.int64)
    matched[predictions[same]] = labels[same]
    return Matched(matched, (labels[~same], predictions[~same]))


def _one_to_one(prediction: Spans, found: Overlaps, pairs: RowArray) -> RowArray:
    """The pairs taken by falling IoU, ties by falling score, then input order."""
    order = by_iou(prediction, found, pairs)
    return order[greedy_one_to_one(found.prediction[order], found.label[order])]


def by_iou(prediction: Spans, found: Overlaps, pairs: RowArray) -> RowArray:
    """Pairs by falling IoU, ties by falling score, then input order."""
    score = -np.nan_to_num(prediction.score[found.prediction[pairs]], nan=1.0)
    ordered: RowArray = pairs[np.lexsort((found.label[pairs], found.prediction[pairs], score, -found.iou[pairs]))]
    return ordered


def overlapping(spans: Spans) -> npt.NDArray[np.bool_]:
    """Entities that start before an earlier one of their data row and category ends: bool[n]."""
    order = np.lexsort((spans.end, spans.start, spans.category, spans.row))
    row, category, start, end = (one[order] for one in (spans.row, spans.category, spans.start, spans.end))
    result = np.zeros(len(spans), bool)
    if len(spans) < 2:
        return result
    fresh = np.append(True, (row[1:] != row[:-1]) | (category[1:] != category[:-1]))
    group = np.cumsum(fresh)
    reach = np.maximum.accumulate(end + group * (int(end.max()) + 1))
    result[order[1:]] = ~fresh[1:] & (start[1:] + group[1:] * (int(end.max()) + 1) < reach[:-1])
    return result
