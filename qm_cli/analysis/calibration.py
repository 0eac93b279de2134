"""Whether confidence means what it says: of the predictions with confidence .8, are 80 % right?

Reference: Guo et al., On Calibration of Modern Neural Networks, 2017, of detections: a prediction is right when it is a
true positive at the chosen IoU. All predictions count, whatever their score, but those on crowd regions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import Outcomes, ratio
from qm_cli.analysis.performance import rate
from qm_cli.arrays import number_or_none
from qm_cli.overlap import prediction_areas
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer]
QUANTILE, EQUAL_WIDTH = "quantile", "equal-width"


class Reliability(Struct, frozen=True):
    """Per group and bin; a bin holds low ≤ confidence < high, the last one its upper end too.

    count, right: int64[groups, bins]. total: sum of the confidences, float64[groups, bins]. edges: float64[bins + 1].
    """

    count: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    total: FloatArray
    edges: FloatArray

    def together(self) -> Reliability:
        """All groups as one."""
        count, right, total = (values.sum(axis=0)[None] for values in (self.count, self.right, self.total))
        return Reliability(count, right, total, self.edges)

    @property
    def confidence(self) -> FloatArray:
        """Mean confidence of each bin, NaN for an empty one."""
        return ratio(self.total, self.count)

    @property
    def accuracy(self) -> FloatArray:
        """Share of right predictions of each bin, NaN for an empty one."""
        return ratio(self.right, self.count)

    @property
    def expected_error(self) -> FloatArray:
        """ECE: Σ count / all · |accuracy − confidence|; NaN for a group without predictions: float64[groups]."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return ratio((gaps * self.count).sum(axis=1), self.count.sum(axis=1))

    @property
    def largest_error(self) -> FloatArray:
        """MCE: the largest |accuracy − confidence| of a bin; NaN for a group without predictions: float64[groups]."""
        gaps = np.abs(self.accuracy - self.confidence)
        return np.where(self.count.any(axis=1), np.nan_to_num(gaps).max(axis=1, initial=0.0), np.nan)


def bin_edges(confidence: FloatArray, bins: int, quantile: bool) -> FloatArray:
    """Edges of equal width between 0 and 1, or at the quantiles of the confidences: float64[bins + 1]."""
    if not quantile:
        return np.linspace(0.0, 1.0, bins + 1)
    return np.quantile(confidence, np.linspace(0.0, 1.0, bins + 1)) if len(confidence) else np.full(bins + 1, np.nan)


def reliability(
    confidence: FloatArray, right: BoolArray, edges: FloatArray, group: IntArray | None = None, groups: int = 1
) -> Reliability:
    """Counts of each group and bin. group: int[n], 0 … groups − 1; one group without it.

    >>> found = reliability(np.array([0.1, 0.9, 1.0]), np.array([False, True, False]), np.array([0, 0.5, 1]))
    >>> found.count.tolist(), found.expected_error.round(3).tolist(), found.largest_error.round(3).tolist()
    ([[1, 2]], [0.333], [0.45])
    """
    bins = len(edges) - 1
    code = np.searchsorted(edges[1:-1], confidence, side="right")
    if group is not None:
        code = code + group * np.int64(bins)
    size, shape = groups * bins, (groups, bins)
    count = np.bincount(code, minlength=size).reshape(shape)
    hits = np.bincount(code[right], minlength=size).reshape(shape)
    total = np.bincount(code, weights=confidence, minlength=size).astype(np.float64).reshape(shape)
    return Reliability(count, hits, total, edges)


def calibration_report(tables: Tables, every: Outcomes, settings: Settings) -> dict[str, Any]:
    """ECE, MCE and the reliability table, overall, per category and per size. every: outcomes at any confidence.

    A prediction's size is the area of the label it matched, else of its own box, as COCO sizes it; ranges are closed at
    both ends, so a prediction may be in two. The bins are the same everywhere.
    """
    rows = np.flatnonzero(every.counted & ~every.ignored)
    score, right = tables.values("prediction", "score").take(rows), every.true_positive.take(rows)
    bins, quantile = settings.calibration_bins, settings.calibration_quantiles
    notes = _notes(score)
    if notes:
        rows, score, right = rows[:0], score[:0], right[:0]
    edges = bin_edges(score, bins, quantile)
    category = tables.values("prediction", "category_row").take(rows)
    by_category = reliability(score, right, edges, category, tables.count("category"))
    overall = by_category.together()
    area = _area(tables, every).take(rows)
    sizes = []
    for limits in settings.area_ranges[1:]:
        inside = np.flatnonzero((area >= limits.low) & (area <= limits.high))
        sized = reliability(score.take(inside), right.take(inside), edges)
        sizes.append({"name": limits.name, **_group(sized, 0)})
    identity = zip(tables.category["id"].to_pylist(), tables.category["name"].to_pylist(), strict=True)
    return {
        "iou": settings.iou,
        "binning": QUANTILE if quantile else EQUAL_WIDTH,
        "size": "area of the matched label, else of the predicted box",
        **_group(overall, 0),
        "sizes": sizes,
        "categories": [
            {"id": identifier, "name": name, **_group(by_category, row)}
            for row, (identifier, name) in enumerate(identity)
        ],
        "notes": notes,
    }


def _notes(score: FloatArray) -> list[str]:
    outside = int(np.count_nonzero((score < 0) | (score > 1)))
    return [f"calibration is undefined: {outside} scores lie outside 0..1"] if outside else []


def _area(tables: Tables, every: Outcomes) -> FloatArray:
    """Area of each prediction's matched label, else its own: float64[predictions]."""
    area = prediction_areas(tables).copy()
    hits = np.flatnonzero(every.matched_label >= 0)
    area[hits] = tables.values("label", "area")[every.matched_label[hits]]
    return area


def _group(found: Reliability, group: int) -> dict[str, Any]:
    """One group as data: what is undefined is None."""
    confidence, accuracy = found.confidence[group], found.accuracy[group]
    rows = []
    for place in range(len(found.edges) - 1):
        share = rate(int(found.right[group, place]), int(found.count[group, place]))
        rows.append(
            {
                "low_edge": number_or_none(found.edges[place]),
                "high_edge": number_or_none(found.edges[place + 1]),
                "count": share["count"],
                "confidence": number_or_none(confidence[place]),
                "accuracy": number_or_none(accuracy[place]),
                "low": share["low"],
                "high": share["high"],
            }
        )
    return {
        "predictions": int(found.count[group].sum()),
        "ECE": number_or_none(found.expected_error[group]),
        "MCE": number_or_none(found.largest_error[group]),
        "bins": rows,
    }
