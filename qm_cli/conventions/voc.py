"""PASCAL VOC (reference: py-faster-rcnn's `voc_eval`): one label tried per detection, 11-point or all-point AP.

Boxes are corners x, y, x + width, y + height, and one pixel is added to every side before overlaps are computed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.best_label import Measure, best_labels, first_takers
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import mean_of_defined, outcomes_of
from qm_cli.analysis.ranked_hits import RankedHits, envelope, precision_and_recall, ranked_hits
from qm_cli.confidence_rules import counting, told
from qm_cli.evaluated import Evaluation, Numbers
from qm_cli.label_flags import labels_that_count
from qm_cli.matching import score_order
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

ELEVEN_RECALLS = np.arange(0.0, 1.1, 0.1)


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """A detection tries the label of its category it overlaps most; `difficult` labels neither count nor punish.

    Crowd labels and labels flagged `ignore` are taken for difficult ones.
    """
    counts = labels_that_count(tables, "difficult", "ignore")
    everything = np.ones(len(counts), bool)
    best = best_labels(tables, settings.task, everything, measure=pixel_overlap(tables))
    passes = (best.iou >= settings.iou) & (best.iou > 0) if settings.voc_devkit else best.iou > settings.iou
    order = score_order(tables)
    matched = first_takers(best, passes, order, counts)
    found = outcomes_of(
        matched, counting(settings.convention, tables.values("prediction", "score"), settings.confidence), counts
    )
    sign = "≥" if settings.voc_devkit else ">"
    ranked = ranked_hits(tables, order, matched, counts)
    return Evaluation(
        tables,
        settings,
        found,
        confusion_matrix(tables, found, settings),
        _numbers(ranked, settings, sign),
        f"IoU {sign} {settings.iou:g}, {told(settings)}",
        at_any_confidence=lambda: outcomes_of(matched, np.ones(len(matched), bool), counts),
        of_images=lambda kept: _numbers(ranked.of_images(kept), settings, sign),
    )


def pixel_overlap(tables: Tables) -> Measure:
    """Intersection over union of boxes that hold their last row and column of pixels."""
    label_boxes, boxes = tables.values("label", "bbox"), tables.values("prediction", "bbox")

    def measure(label: RowArray, prediction: RowArray) -> FloatArray:
        x, y, width, height = label_boxes.take(label, axis=0).T
        left, top, wide, high = boxes.take(prediction, axis=0).T
        across = np.minimum(x + width, left + wide) - np.maximum(x, left) + 1.0
        down = np.minimum(y + height, top + high) - np.maximum(y, top) + 1.0
        inside = np.maximum(across, 0.0) * np.maximum(down, 0.0)
        areas = [(right - begin + 1.0) for begin, right in ((left, left + wide), (top, top + high))]
        own = [(right - begin + 1.0) for begin, right in ((x, x + width), (y, y + height))]
        iou: FloatArray = inside / (areas[0] * areas[1] + own[0] * own[1] - inside)
        return iou

    return measure


def _numbers(ranked: RankedHits, settings: Settings, sign: str) -> Numbers:
    points = eleven_points if settings.convention == "voc07" else all_points
    values = np.full(len(ranked.labels), np.nan)
    for category in np.flatnonzero(ranked.labels):
        hit, _, labels = ranked.of(int(category))
        values[category] = points(*precision_and_recall(hit, labels))
    how = "11 recalls" if settings.convention == "voc07" else "all recalls"
    definition = f"average precision over {how}, IoU with one pixel added {sign} {settings.iou:g}, all detections"
    return Numbers(
        {"mAP": mean_of_defined(values)},
        {"AP": values},
        {"mAP": f"mean of the categories' AP: {definition}", "AP": definition},
    )


def eleven_points(precision: FloatArray, recall: FloatArray) -> float:
    """Mean of the largest precision at recall ≥ 0, .1 … 1, 0 where none is."""
    place = np.searchsorted(recall, ELEVEN_RECALLS)
    raised = np.append(envelope(precision), 0.0)
    return float(sum(raised[place] / 11.0))


def all_points(precision: FloatArray, recall: FloatArray) -> float:
    """Area under the precision envelope."""
    raised = np.append(envelope(precision), 0.0)
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float(np.sum(steps * raised[:-1]))
