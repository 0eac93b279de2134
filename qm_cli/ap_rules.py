"""Average precision as one rule with switches: every convention is a setting of them.

So the gap between two conventions can be walked one switch at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.best_label import best_labels, excused_by, first_takers
from qm_cli.analysis.counts import mean_of_defined
from qm_cli.analysis.ranked_hits import envelope, ranked_hits
from qm_cli.conventions import encord, lvis, ultralytics, voc
from qm_cli.label_flags import label_flag
from qm_cli.matching import match_tables, score_order, within_max_detections
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, RECALL_GRID, Settings
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

GREEDY, ONE_LABEL, ONE_OF_ALL = "greedy over labels", "one label tried", "one label tried, ignored ones too"
CELL, IMAGE = "an image and category", "an image"
COCO_POINTS = "101 recalls"


@dataclass(frozen=True)
class Rules:
    """thresholds: of IoU. points: how the curve becomes a number. most: detections taken, of what (0: all).

    uncounted: flags of labels that do not count. judged: LVIS's judged and open categories. last: of labels overlapped
    the same, the later is tried. pixel: boxes hold their last pixel. above: IoU > threshold, not ≥. A greedy matching
    knows neither of the last two.
    """

    thresholds: tuple[float, ...] = IOU_THRESHOLDS
    points: str = COCO_POINTS
    most: tuple[int, str] = (100, CELL)
    uncounted: tuple[str, ...] = ("iscrowd",)
    judged: bool = False
    matching: str = GREEDY
    last: bool = True
    pixel: bool = False
    above: bool = False


_ONE = Rules((0.5,), "", (0, IMAGE), ("iscrowd", "ignore"), matching=ONE_LABEL, last=False)
_VOC = replace(_ONE, uncounted=("iscrowd", "difficult", "ignore"), matching=ONE_OF_ALL, pixel=True, above=True)
RULES = {
    "coco": Rules(),
    "voc07": replace(_VOC, points="11 recalls"),
    "voc12": replace(_VOC, points="all recalls"),
    "encord": replace(_ONE, points="101 recalls with an epsilon"),
    "ultralytics": replace(_ONE, thresholds=IOU_THRESHOLDS, points="101 recalls, straight lines", last=True),
    "lvis": Rules(most=(lvis.BEST_OF_IMAGE, IMAGE), uncounted=("ignore",), judged=True),
}
"""The conventions that define average precision. VOC and Encord have one threshold: `at_iou` sets it."""


def at_iou(rules: Rules, iou: float) -> Rules:
    """The rules at the chosen IoU, where the convention has one threshold."""
    return rules if len(rules.thresholds) > 1 else replace(rules, thresholds=(iou,))


def mean_average_precision(tables: Tables, rules: Rules, task: str) -> float | None:
    """Mean over categories (and thresholds) that have a label that counts; None when none has."""
    part, excused = _part(tables, rules)
    counts = _counts(part, rules)
    order = score_order(part)
    if rules.most == (100, CELL):
        kept = within_max_detections(part, order, 100)
        order = order if kept is None else order[kept[order]]
    values = np.full((len(rules.thresholds), part.count("category")), np.nan)
    for place, matched in enumerate(_matched(part, rules, task, counts)):
        ranked = ranked_hits(part, order[~excused[order] | (matched[order] >= 0)], matched, counts)
        for category in np.flatnonzero(ranked.labels):
            hit, _, labels = ranked.of(int(category))
            values[place, category] = _area(rules.points, hit, labels)
    return mean_of_defined(values)


def _part(tables: Tables, rules: Rules) -> tuple[Tables, BoolArray]:
    """The labels and predictions that take part, and which predictions are ignored when they match nothing."""
    kept = np.ones(tables.count("prediction"), bool)
    label = np.arange(tables.count("label"))
    excused = np.zeros(len(kept), bool)
    if rules.most[1] == IMAGE and rules.most[0]:
        kept &= lvis.best_of_image(tables, rules.most[0])
    if rules.judged:
        kept &= lvis.in_judged_categories(tables)
        label = np.flatnonzero(tables.values("label", "area") > 0)
        excused = lvis.in_open_categories(tables)
    table = tables.label.take(pa.array(label))
    rows = np.flatnonzero(kept)
    if "iscrowd" not in rules.uncounted:
        table = lvis.uncrowded(table)
    part = replace(tables, label=table, prediction=tables.prediction.take(pa.array(rows)), _views={})
    return part, excused[rows]


def _counts(tables: Tables, rules: Rules) -> BoolArray:
    skipped = np.zeros(tables.count("label"), bool)
    for name in rules.uncounted:
        skipped |= label_flag(tables, name)
    if rules.matching == GREEDY:
        area, everywhere = tables.values("label", "area"), AREA_RANGES[0]
        skipped |= (area < everywhere.low) | (area > everywhere.high)
    return ~skipped


def _matched(tables: Tables, rules: Rules, task: str, counts: BoolArray) -> list[RowArray]:
    """The label each prediction takes at each threshold, −1 for none: int64[predictions] each."""
    if rules.matching == GREEDY:
        return _greedy(tables, rules, task, counts)
    among = np.ones(len(counts), bool) if rules.matching == ONE_OF_ALL else counts
    measure = voc.pixel_overlap(tables) if rules.pixel and task == "bbox" else None
    best = best_labels(tables, task, among, last=rules.last, measure=measure)
    others = best_labels(tables, task, ~among)
    order = score_order(tables)
    found = []
    for threshold in rules.thresholds:
        passes, excuses = (
            (one.iou > threshold) if rules.above else ((one.iou >= threshold) & (one.iou > 0)) for one in (best, others)
        )
        found.append(excused_by(first_takers(best, passes, order, counts), others, excuses))
    return found


def _greedy(tables: Tables, rules: Rules, task: str, counts: BoolArray) -> list[RowArray]:
    settings = Settings(
        task=task, iou=rules.thresholds[0], iou_thresholds=rules.thresholds, area_ranges=AREA_RANGES[:1]
    )
    matches = match_tables(tables, settings, ~counts)
    found = []
    for threshold in rules.thresholds:
        matched = np.full(tables.count("prediction"), -1, np.int64)
        matched[matches.row] = matches.label[matches.lane(threshold)]
        found.append(matched)
    return found


def _area(points: str, hit: BoolArray, labels: int) -> float:
    if points == RULES["ultralytics"].points:
        return ultralytics.trapezoid(hit, labels)
    if points == RULES["encord"].points:
        return encord.at_one_iou(hit, labels)[0]
    found = np.cumsum(hit)
    precision, recall = found / (np.arange(1, len(hit) + 1) + np.spacing(1)), found / labels
    if points == RULES["voc07"].points:
        return voc.eleven_points(precision, recall)
    if points == RULES["voc12"].points:
        return voc.all_points(precision, recall)
    raised = np.append(envelope(precision), 0.0)
    return float(raised[np.searchsorted(recall, RECALL_GRID)].mean())
