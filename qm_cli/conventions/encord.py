"""Encord (reference: Encord Active's first rule): one label tried per prediction, AP at one IoU, AR = recall there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.best_label import BestLabels, best_labels, excused_by, first_takers
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import Counts, Outcomes, category_counts, mean_of_defined, outcomes_of
from qm_cli.analysis.ranked_hits import RankedHits, envelope, ranked_hits
from qm_cli.arrays import number_or_none
from qm_cli.confidence_rules import counting, told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.label_flags import labels_that_count
from qm_cli.matching import score_order
from qm_cli.settings import RECALL_GRID, Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int8]
RowArray = npt.NDArray[np.int64]

REASONS = ("no_overlapping_label", "iou_too_low", "label_already_matched")
"""Why a prediction is a false positive, in Encord's three kinds."""
EPSILON = np.finfo(np.float64).eps


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """The most confident prediction of a label that reaches the IoU takes it; crowd and ignored labels are left out."""
    counts = labels_that_count(tables, "ignore")
    best = best_labels(tables, settings.task, counts)
    passes = (best.iou >= settings.iou) & (best.iou > 0)
    order = score_order(tables)
    matched = first_takers(best, passes, order, counts)
    if not counts.all():
        ignored = best_labels(tables, settings.task, ~counts)
        matched = excused_by(matched, ignored, (ignored.iou >= settings.iou) & (ignored.iou > 0))
    found = outcomes_of(
        matched, counting(settings.convention, tables.values("prediction", "score"), settings.confidence), counts
    )
    ranked = ranked_hits(tables, order, matched, counts)
    at = f"IoU ≥ {settings.iou:g}, {told(settings)}"
    reasons = false_positive_reasons(best, found, order)
    return Evaluation(
        tables,
        settings,
        found,
        confusion_matrix(tables, found, settings),
        _numbers(tables, ranked, category_counts(tables, found), reasons, settings.iou, at),
        at,
        at_any_confidence=lambda: outcomes_of(matched, np.ones(len(matched), bool), counts),
        of_images=lambda kept: _averages(ranked.of_images(kept)),
        reasons=reasons,
    )


def false_positive_reasons(best: BestLabels, found: Outcomes, order: RowArray) -> CodeArray:
    """Place in REASONS of each false positive, −1 for every other prediction: int8[predictions].

    best: each prediction's label; order: prediction rows by falling score. A prediction whose IoU is too low and whose
    label a more confident one took is told as the latter, as Encord does.
    """
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    taker = np.append(found.matched_prediction, -1)[best.label]
    late = (taker >= 0) & (place[taker] < place)
    reason = np.where(best.iou <= 0, 0, np.where(late, 2, 1)).astype(np.int8)
    reason[~found.false_positive] = -1
    return reason


def _numbers(tables: Tables, ranked: RankedHits, counts: Counts, reasons: CodeArray, iou: float, at: str) -> Numbers:
    averages = _averages(ranked)
    total = counts.total()
    groups = tables.count("category")
    predicted = tables.values("prediction", "category_row")
    told = {
        f"false_positives_{name}": np.bincount(predicted[reasons == code], minlength=groups)
        for code, name in enumerate(REASONS)
    }
    own_f1 = float(_f1(total)[0])
    average = f"average precision over 101 recalls, IoU ≥ {iou:g}, all detections"
    last = f"recall, IoU ≥ {iou:g}, all detections"
    return Numbers(
        {
            **averages.overall,
            "f1_encord": number_or_none(own_f1),
            **{name: int(values.sum()) for name, values in told.items()},
        },
        {**averages.category, "f1_encord": _f1(counts), **told},
        {
            "mAP": f"mean of the categories' AP: {average}",
            "mAR": f"mean of the categories' AR: {last}",
            "AP": average,
            "AR": last,
            "f1_encord": f"Encord's F1: 2 P R / max(P + R, 1); {at}",
            "false_positives_no_overlapping_label": f"no label of the category overlaps; {at}",
            "false_positives_iou_too_low": f"the label it overlaps most overlaps too little; {at}",
            "false_positives_label_already_matched": f"a more confident prediction took that label; {at}",
        },
    )


def _averages(ranked: RankedHits) -> Numbers:
    """AP and AR of each category, and their means."""
    precision, recall = np.full((2, len(ranked.labels)), np.nan)
    for category in np.flatnonzero(ranked.labels):
        hit, _, labels = ranked.of(int(category))
        precision[category], recall[category] = at_one_iou(hit, labels)
    means = {"mAP": mean_of_defined(precision), "mAR": mean_of_defined(recall)}
    return Numbers(means, {"AP": precision, "AR": recall})


def at_one_iou(hit: BoolArray, labels: int) -> tuple[float, float]:
    """Average precision over 101 recalls, and the last recall.

    Encord adds an epsilon to the denominators. It is lost in all sums but one: with a single label recall stays below 1
    and the last of the 101 precisions is 0.
    """
    if len(hit) == 0:
        return 0.0, 0.0
    found = np.cumsum(hit)
    recall = found / (labels + EPSILON)
    precision = np.append(envelope(found / (np.arange(1, len(hit) + 1) + EPSILON)), 0.0)
    return float(precision[np.searchsorted(recall, RECALL_GRID)].mean()), float(recall[-1])


def _f1(counts: Counts) -> FloatArray:
    precision, recall = counts.precision, counts.recall
    return 2 * precision * recall / np.maximum(precision + recall, 1.0)
