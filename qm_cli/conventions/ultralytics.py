"""Ultralytics (reference: its published `ap_per_class`, `match_predictions` and `ConfusionMatrix`).

Told differences: IoU is the exact one, in float64 without an epsilon; of labels overlapped the same the later one is
tried; equal scores stand by image id, then input order; what is not defined is null.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.arrivals import Arrivals, by_best_label, sides_of
from qm_cli.analysis.best_label import BestLabels, best_labels, excused_by, first_takers
from qm_cli.analysis.confusion import matrix_of
from qm_cli.analysis.counts import Outcomes, mean_of_defined, outcomes_of
from qm_cli.analysis.ranked_hits import RankedHits, envelope, precision_and_recall, ranked_hits
from qm_cli.evaluated import Evaluation, Numbers
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
        _numbers(ranked),
        f"IoU > {settings.iou:g}, confidence > {settings.confidence:g}, matched whatever the category",
        notes=("the confusion matrix is indexed [true, predicted]; Ultralytics' own is its transpose",),
        confused=(prediction, label),
        at_any_confidence=lambda: _confused(tables, replace(settings, confidence=-math.inf), counts, ignored)[0],
        changes=lambda: _changes(tables, settings, counts, ignored),
        of_images=lambda kept: _shares([one.of_images(kept) for one in ranked]),
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
    counted = score > settings.confidence
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


def _ranked(tables: Tables, settings: Settings, counts: BoolArray, ignored: BestLabels) -> list[RankedHits]:
    """The hits by rank at each of COCO's IoU thresholds."""
    best, order = best_labels(tables, settings.task, counts, last=True), score_order(tables)
    found = []
    for threshold in IOU_THRESHOLDS:
        matched = first_takers(best, best.iou >= threshold, order, counts)
        matched = excused_by(matched, ignored, ignored.iou >= threshold)
        found.append(ranked_hits(tables, order, matched, counts))
    return found


def _numbers(ranked: Sequence[RankedHits]) -> Numbers:
    precision = np.full((len(ranked), len(ranked[0].labels)), np.nan)
    for place, one in enumerate(ranked):
        for category in np.flatnonzero(one.labels):
            hit, _, labels = one.of(int(category))
            precision[place, category] = trapezoid(hit, labels)
    rates, confidence = _at_best_f1(*_confidence_curves(ranked[0]))
    per_category = {"AP50": precision[0], "AP75": precision[5], "AP50-95": precision.mean(0), **rates}
    return Numbers(
        {**{name: mean_of_defined(values) for name, values in per_category.items()}, "best_f1_confidence": confidence},
        per_category,
        _definitions(),
    )


def _shares(ranked: Sequence[RankedHits]) -> Numbers:
    """The numbers without the confidence; the rates are those at the best confidence of these images."""
    found = _numbers(ranked)
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
    """Area under the precision envelope, from (0, 1) to (1, 0), at 101 recalls joined by straight lines."""
    if len(hit) == 0:
        return 0.0
    precision, recall = precision_and_recall(hit, labels)
    raised = envelope(np.concatenate([[1.0], precision, [0.0]]))
    values = np.interp(RECALL_GRID, np.concatenate([[0.0], recall, [1.0]]), raised)
    return float(np.trapezoid(values, RECALL_GRID))


def _confidence_curves(ranked: RankedHits) -> tuple[FloatArray, FloatArray]:
    """Precision and recall of each category at 1,000 confidences: float64[categories, 1000]; NaN without labels."""
    precision, recall = np.full((2, len(ranked.labels), len(CONFIDENCES)), np.nan)
    for category in np.flatnonzero(ranked.labels):
        hit, score, labels = ranked.of(int(category))
        if len(hit) == 0:
            precision[category] = recall[category] = 0.0
            continue
        after = precision_and_recall(hit, labels)
        precision[category] = np.interp(-CONFIDENCES, -score, after[0], left=1)
        recall[category] = np.interp(-CONFIDENCES, -score, after[1], left=0)
    return precision, recall


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
