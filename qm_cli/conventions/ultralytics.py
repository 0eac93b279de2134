"""Ultralytics (reference: its published `ap_per_class`, `match_predictions` and `ConfusionMatrix`).

Told differences: IoU is the exact one, in float64 without an epsilon; of labels overlapped the same the later one is
tried; equal scores stand by image id, then input order; what is not defined is null.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.arrivals import Arrivals, by_best_label, sides_of
from qm_cli.analysis.best_label import BestLabels, best_labels, excused_by, first_takers
from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.counts import Outcomes, mean_of_defined, outcomes_of
from qm_cli.analysis.lane_hits import LaneHits, lane_hits
from qm_cli.analysis.ranked_hits import RankedHits, ranked_hits
from qm_cli.confidence_rules import counting, rule_of, told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.kernels.straight_lines import area_under_lines, places_of, rates_at
from qm_cli.label_flags import labels_that_count
from qm_cli.matching import score_order
from qm_cli.settings import IOU_THRESHOLDS, RECALL_GRID, Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

CONFIDENCES = np.linspace(0.0, 1.0, 1000)
SMOOTHED = 0.1
EPSILON = 1e-16


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """AP and the rates at the best F1 from class-aware matches; counts and confusion from class-agnostic ones."""
    counts = labels_that_count(tables, "ignore")
    ignored = BestLabels(np.full(tables.count("prediction"), -1), np.zeros(tables.count("prediction")))
    if not counts.all():
        ignored = best_labels(tables, settings.task, ~counts)
    found, prediction, label = _confused(tables, settings, counts, ignored)
    ranked = _ranked(tables, settings, counts, ignored)
    return Evaluation(
        tables,
        settings,
        found,
        matrix_of(tables, found, prediction, label),
        ranked.of_images(np.ones(tables.count("image"), bool)),
        f"IoU > {settings.iou:g}, {told(settings)}, matched whatever the category",
        notes=(
            "the confusion matrix is indexed [true, predicted]; Ultralytics' own is its transpose",
            f"{rule_of(settings.convention)}, not at it",
        ),
        confused=(prediction, label),
        at_any_confidence=lambda: _confused(tables, replace(settings, confidence=-math.inf), counts, ignored)[0],
        changes=lambda: _changes(tables, settings, counts, ignored),
        of_images=lambda kept: _shares(ranked.of_images(kept)),
    )


def _changes(tables: Tables, settings: Settings, counts: BoolArray, ignored: BestLabels) -> Arrivals:
    """How the matches of the counts change from confidence to confidence; one that is reached counts."""
    best = best_labels(tables, settings.task, counts, any_category=True, last=True)
    excused = (ignored.iou > settings.iou) & (ignored.label >= 0)
    return by_best_label(sides_of(tables), best, best.iou > settings.iou, excused, counts)


def _confused(
    tables: Tables, settings: Settings, counts: BoolArray, ignored: BestLabels
) -> tuple[Outcomes, RowArray, RowArray]:
    """Outcomes, and the pairs of different categories: prediction and label rows.

    Each prediction keeps the label it overlaps most, each label the one of those that overlaps it most (ties: higher
    score, then input order).
    """
    score = tables.values("prediction", "score")
    counted = counting(settings.convention, score, settings.confidence)
    best = best_labels(tables, settings.task, counts, any_category=True, last=True)
    rows = np.flatnonzero(counted & (best.iou > settings.iou))
    rows = rows[np.lexsort((rows, -score[rows], -best.iou[rows]))][::-1]
    taker = np.full(len(counts), -1, np.int64)
    taker[best.label[rows]] = rows
    label = np.flatnonzero(taker >= 0)
    prediction = taker[label]
    same = tables.values("label", "category_row")[label] == tables.values("prediction", "category_row")[prediction]
    matched = np.full(len(score), -1, np.int64)
    matched[prediction] = label
    matched = excused_by(matched, ignored, ignored.iou > settings.iou)
    matched[prediction[~same]] = -1
    return outcomes_of(matched, counted, counts), prediction[~same], label[~same]


class Ranked(Struct, frozen=True):
    """Who found what by rank: at each of COCO's IoU thresholds, and at the first of them with scores.

    places: `places_of` the latter at 1,000 confidences: int64[categories, 1000].
    """

    lanes: LaneHits
    first: RankedHits
    places: RowArray

    def of_images(self, kept: BoolArray) -> Numbers:
        """The numbers of some images alone, bool[images]."""
        return _numbers(self.lanes.areas(kept, RECALL_GRID), *self._confidence_curves(kept))

    def _confidence_curves(self, kept: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Precision and recall of each category at 1,000 confidences: float64[categories, 1000]; NaN without labels."""
        whole, part = self.first, self.first.of_images(kept)
        places = np.append(0, np.cumsum(kept[whole.image])).take(self.places)
        return rates_at(part.hit, part.score, part.start, places, part.labels, CONFIDENCES)


def _ranked(tables: Tables, settings: Settings, counts: BoolArray, ignored: BestLabels) -> Ranked:
    best, order = best_labels(tables, settings.task, counts, last=True), score_order(tables)
    matched = [
        excused_by(first_takers(best, best.iou >= least, order, counts), ignored, ignored.iou >= least)
        for least in IOU_THRESHOLDS
    ]
    first = ranked_hits(tables, order, matched[0], counts)
    return Ranked(lane_hits(tables, order, matched, counts), first, places_of(first.score, first.start, CONFIDENCES))


def _numbers(average: FloatArray, precision: FloatArray, recall: FloatArray) -> Numbers:
    """average: average precision, float64[thresholds, categories]; precision, recall: float64[categories, 1000]."""
    rates, confidence = _at_best_f1(precision, recall)
    per_category = {"AP50": average[0], "AP75": average[5], "AP50-95": average.mean(0), **rates}
    return Numbers(
        {**{name: mean_of_defined(values) for name, values in per_category.items()}, "best_f1_confidence": confidence},
        per_category,
        _definitions(),
    )


def _shares(found: Numbers) -> Numbers:
    """The numbers without the confidence; the rates are those at the best confidence of these images."""
    overall = {name: value for name, value in found.overall.items() if name != "best_f1_confidence"}
    return Numbers(overall, found.category)


def _definitions() -> dict[str, str]:
    average = "average precision: trapezoids over 101 recalls, interpolated between predictions"
    at = "IoU ≥ 0.5, at best_f1_confidence"
    return {
        "AP50": f"{average}, IoU ≥ 0.5",
        "AP75": f"{average}, IoU ≥ 0.75",
        "AP50-95": f"{average}, IoU ≥ 0.5:0.05:0.95",
        "P": f"precision, mean of the categories' interpolated ones, {at}",
        "R": f"recall, mean of the categories' interpolated ones, {at}",
        "F1": f"2 P R / (P + R) of each category, then their mean, {at}",
        "best_f1_confidence": "the one of 1,000 confidences whose mean F1, smoothed by a box filter of .1, is largest",
    }


def trapezoid(hit: BoolArray, labels: int) -> float:
    """Area under the precision envelope of one category, as in `LaneHits.areas`; there must be labels."""
    rank = np.flatnonzero(hit) + 1
    start, total = np.array([0, len(rank)]), np.array([len(hit)])
    return float(area_under_lines(rank, start, total, np.array([labels]), RECALL_GRID)[0])


def _at_best_f1(precision: FloatArray, recall: FloatArray) -> tuple[dict[str, FloatArray], float | None]:
    """P, R and F1 of each category at the confidence whose smoothed mean F1 is largest, and that confidence."""
    f1 = 2 * precision * recall / (precision + recall + EPSILON)
    defined = ~np.isnan(f1[:, 0])
    if not defined.any():
        return {name: np.full(len(f1), np.nan) for name in ("P", "R", "F1")}, None
    place = int(smoothed(f1[defined].mean(0), SMOOTHED).argmax())
    return {"P": precision[:, place], "R": recall[:, place], "F1": f1[:, place]}, float(CONFIDENCES[place])


def smoothed(values: FloatArray, fraction: float) -> FloatArray:
    """Box filter as wide as a fraction of the values, which go on at both ends as they end: float64[n].

    >>> smoothed(np.array([0.0, 0.0, 3.0, 0.0]), 0.5).tolist()
    [0.0, 1.0, 1.0, 1.0]
    """
    width = round(len(values) * fraction * 2) // 2 + 1
    ends = np.ones(width // 2)
    padded = np.concatenate([ends * values[0], values, ends * values[-1]])
    return np.convolve(padded, np.ones(width) / width, mode="valid")
