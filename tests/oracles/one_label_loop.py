"""VOC, Encord and Ultralytics in plain loops: a prediction tries the one label it overlaps most.

Predictions stand by falling score, ties by image id, then input order. Undefined is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.oracles.coco_loop import IOU_THRESHOLDS, box_iou, id_key

Row = dict[str, Any]
Numbers = dict[str, Any]
TRUE, FALSE, IGNORED = "TP", "FP", "ignored"


def ranked(predictions: Sequence[Row], category: Any) -> list[int]:
    """Positions of one category's predictions by falling score, image id and input order."""
    here = [i for i, row in enumerate(predictions) if row["category_id"] == category]
    return sorted(here, key=lambda i: (-predictions[i]["score"], id_key(predictions[i]["image_id"]), i))


def pixel_iou(detection: Sequence[float], label: Sequence[float]) -> float:
    """VOC's overlap of corner boxes that hold their last pixel."""
    bb = [detection[0], detection[1], detection[0] + detection[2], detection[1] + detection[3]]
    gt = [label[0], label[1], label[0] + label[2], label[1] + label[3]]
    width = min(bb[2], gt[2]) - max(bb[0], gt[0]) + 1.0
    height = min(bb[3], gt[3]) - max(bb[1], gt[1]) + 1.0
    inside = max(width, 0.0) * max(height, 0.0)
    own = (bb[2] - bb[0] + 1.0) * (bb[3] - bb[1] + 1.0)
    return inside / (own + (gt[2] - gt[0] + 1.0) * (gt[3] - gt[1] + 1.0) - inside)


def cell(labels: Row, image: Any, category: Any) -> list[int]:
    return [
        j for j, row in enumerate(labels["annotations"]) if row["image_id"] == image and row["category_id"] == category
    ]


def voc(labels: Row, predictions: Sequence[Row], iou: float, seven: bool, devkit: bool = False) -> Numbers:
    """AP by category id, mAP, and what became of each prediction. Ignored and crowd labels are difficult ones."""
    rows = labels["annotations"]
    difficult = [bool(r.get("difficult") or r.get("ignore") or r.get("iscrowd")) for r in rows]
    outcome: list[str] = [FALSE] * len(predictions)
    values: dict[Any, float | None] = {}
    for category in (c["id"] for c in labels["categories"]):
        positives = sum(not d for r, d in zip(rows, difficult, strict=True) if r["category_id"] == category)
        used: set[int] = set()
        tp = fp = 0
        recalls, precisions = [], []
        for i in ranked(predictions, category):
            largest, best = -np.inf, None
            for j in cell(labels, predictions[i]["image_id"], category):
                value = pixel_iou(predictions[i]["bbox"], rows[j]["bbox"])
                if value > largest:
                    largest, best = value, j
            if best is not None and (largest >= iou if devkit else largest > iou):
                if difficult[best]:
                    outcome[i] = IGNORED
                    continue
                if best not in used:
                    used.add(best)
                    outcome[i] = TRUE
            tp += outcome[i] == TRUE
            fp += outcome[i] == FALSE
            if positives:
                recalls.append(tp / positives)
                precisions.append(tp / (tp + fp))
        values[category] = _voc_ap(recalls, precisions, seven) if positives else None
    defined = [value for value in values.values() if value is not None]
    return {"AP": values, "mAP": float(np.mean(defined)) if defined else None, "outcome": outcome}


def _voc_ap(recalls: list[float], precisions: list[float], seven: bool) -> float:
    if seven:
        total = 0.0
        for wanted in np.arange(0.0, 1.1, 0.1):
            reached = [p for r, p in zip(recalls, precisions, strict=True) if r >= wanted]
            total += (max(reached) if reached else 0.0) / 11.0
        return total
    recall = [0.0, *recalls, 1.0]
    precision = [0.0, *precisions, 0.0]
    for i in range(len(precision) - 1, 0, -1):
        precision[i - 1] = max(precision[i - 1], precision[i])
    area = 0.0
    for i in range(len(recall) - 1):
        if recall[i + 1] != recall[i]:
            area += (recall[i + 1] - recall[i]) * precision[i + 1]
    return area


def _ignored(rows: list[Row]) -> list[bool]:
    return [bool(r.get("ignore") or r.get("iscrowd")) for r in rows]


def _best(labels: Row, prediction: Row, chosen: Sequence[int], last: bool) -> tuple[int | None, float]:
    """The label of these a prediction overlaps most, and how much; None without overlap."""
    best, largest = None, 0.0
    for j in chosen:
        label = labels["annotations"][j]
        value = box_iou(prediction["bbox"], label["bbox"], bool(label.get("iscrowd")))
        if value > largest or (last and best is not None and value == largest):
            best, largest = j, value
    return best, largest


def encord(labels: Row, predictions: Sequence[Row], iou: float, confidence: float = 0.0) -> Numbers:
    """AP and AR by category id, their means, outcomes and reasons of the predictions of at least a confidence."""
    rows = labels["annotations"]
    skipped = _ignored(rows)
    eps = float(np.finfo(np.float64).eps)
    outcome: list[str | None] = [None] * len(predictions)
    reason: list[str | None] = [None] * len(predictions)
    precision_of: dict[Any, float | None] = {}
    recall_of: dict[Any, float | None] = {}
    for category in (c["id"] for c in labels["categories"]):
        positives = sum(not s for r, s in zip(rows, skipped, strict=True) if r["category_id"] == category)
        taken: set[int] = set()
        hits: list[bool] = []
        for i in ranked(predictions, category):
            if predictions[i]["score"] < confidence:
                continue
            here = cell(labels, predictions[i]["image_id"], category)
            best, value = _best(labels, predictions[i], [j for j in here if not skipped[j]], last=False)
            if best is not None and best not in taken and value >= iou:
                taken.add(best)
                outcome[i] = TRUE
                hits.append(True)
                continue
            other, beside = _best(labels, predictions[i], [j for j in here if skipped[j]], last=False)
            if other is not None and beside >= iou:
                outcome[i] = IGNORED
                continue
            outcome[i] = FALSE
            hits.append(False)
            reason[i] = (
                "no_overlapping_label" if best is None else "label_already_matched" if best in taken else "iou_too_low"
            )
        if positives == 0:
            precision_of[category] = recall_of[category] = None
            continue
        tp = 0
        recalls, precisions = [], []
        for n, hit in enumerate(hits, 1):
            tp += hit
            recalls.append(tp / (positives + eps))
            precisions.append(tp / (n + eps))
        for i in range(len(precisions) - 1, 0, -1):
            precisions[i - 1] = max(precisions[i - 1], precisions[i])
        total = 0.0
        for wanted in np.linspace(0.0, 1.0, 101):
            place = next((k for k, r in enumerate(recalls) if r >= wanted), None)
            total += 0.0 if place is None else precisions[place]
        precision_of[category] = total / 101
        recall_of[category] = recalls[-1] if recalls else 0.0
    return {
        "AP": precision_of,
        "AR": recall_of,
        "mAP": _mean(precision_of),
        "mAR": _mean(recall_of),
        "outcome": outcome,
        "reason": reason,
    }


def _mean(values: dict[Any, float | None]) -> float | None:
    defined = [value for value in values.values() if value is not None]
    return sum(defined) / len(defined) if defined else None


def interpolated(x: float, xs: Sequence[float], ys: Sequence[float], left: float) -> float:
    """The line through ascending points at x; of points at one place the last counts; before them `left`."""
    if x < xs[0]:
        return left
    j = max(k for k, value in enumerate(xs) if value <= x)
    if j == len(xs) - 1:
        return ys[-1]
    return (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (x - xs[j]) + ys[j]


def ultralytics(labels: Row, predictions: Sequence[Row]) -> Numbers:
    """AP50, AP75 and AP50-95 by category id, P, R and F1 at the best F1, and that confidence."""
    rows = labels["annotations"]
    skipped = _ignored(rows)
    found: dict[Any, list[float]] = {}
    curves: dict[Any, tuple[list[float], list[float]]] = {}
    grid = np.linspace(0.0, 1.0, 1000)
    for category in (c["id"] for c in labels["categories"]):
        positives = sum(not s for r, s in zip(rows, skipped, strict=True) if r["category_id"] == category)
        if positives == 0:
            continue
        order = ranked(predictions, category)
        found[category] = []
        for threshold in IOU_THRESHOLDS:
            taken: set[int] = set()
            hits, scores = [], []
            for i in order:
                here = cell(labels, predictions[i]["image_id"], category)
                best, value = _best(labels, predictions[i], [j for j in here if not skipped[j]], last=True)
                if best is not None and value >= threshold and best not in taken:
                    taken.add(best)
                    hits.append(True)
                    scores.append(predictions[i]["score"])
                    continue
                other, beside = _best(labels, predictions[i], [j for j in here if skipped[j]], last=False)
                if other is None or beside < threshold:
                    hits.append(False)
                    scores.append(predictions[i]["score"])
            recall = [sum(hits[: n + 1]) / positives for n in range(len(hits))]
            precision = [sum(hits[: n + 1]) / (n + 1) for n in range(len(hits))]
            found[category].append(_ultralytics_ap(recall, precision) if hits else 0.0)
            if threshold == 0.5:
                xs = [-s for s in scores]
                curves[category] = (
                    [interpolated(-x, xs, precision, 1.0) for x in grid] if hits else [0.0] * 1000,
                    [interpolated(-x, xs, recall, 0.0) for x in grid] if hits else [0.0] * 1000,
                )
    if not found:
        return {"AP50-95": {}, "confidence": None}
    f1 = {c: [2 * p * r / (p + r + 1e-16) for p, r in zip(*both, strict=True)] for c, both in curves.items()}
    mean = [sum(values[k] for values in f1.values()) / len(f1) for k in range(1000)]
    padded = [mean[0]] * 50 + mean + [mean[-1]] * 50
    smooth = [sum(padded[k : k + 101]) / 101 for k in range(1000)]
    return {
        "AP50": {c: values[0] for c, values in found.items()},
        "AP75": {c: values[5] for c, values in found.items()},
        "AP50-95": {c: sum(values) / 10 for c, values in found.items()},
        "curves": curves,
        "f1": f1,
        "smooth": smooth,
        "grid": grid.tolist(),
    }


def _ultralytics_ap(recall: list[float], precision: list[float]) -> float:
    xs, ys = [0.0, *recall, 1.0], [1.0, *precision, 0.0]
    for i in range(len(ys) - 1, 0, -1):
        ys[i - 1] = max(ys[i - 1], ys[i])
    points = [interpolated(x, xs, ys, ys[0]) for x in np.linspace(0.0, 1.0, 101)]
    step = np.diff(np.linspace(0.0, 1.0, 101))
    return float(sum(s * (a + b) / 2 for s, a, b in zip(step, points, points[1:], strict=False)))


def ultralytics_confusion(
    labels: Row, predictions: Sequence[Row], iou: float = 0.45, confidence: float = 0.25
) -> dict[tuple[Any, Any], int]:
    """Counts by (true, predicted) category id, None for neither: pairs by falling IoU, whatever the category."""
    rows = labels["annotations"]
    skipped = _ignored(rows)
    cells: dict[tuple[Any, Any], int] = {}

    def add(true: Any, predicted: Any) -> None:
        cells[true, predicted] = cells.get((true, predicted), 0) + 1

    for image in (one["id"] for one in labels["images"]):
        here = [j for j, r in enumerate(rows) if r["image_id"] == image]
        there = [i for i, p in enumerate(predictions) if p["image_id"] == image and p["score"] > confidence]
        claims: dict[int, list[tuple[float, float, int]]] = {}
        for i in there:
            best, value = _best(labels, predictions[i], [j for j in here if not skipped[j]], last=True)
            if best is not None and value > iou:
                claims.setdefault(best, []).append((-value, -predictions[i]["score"], i))
        winners = {j: min(claim)[2] for j, claim in claims.items()}
        for j in here:
            if not skipped[j]:
                add(rows[j]["category_id"], predictions[winners[j]]["category_id"] if j in winners else None)
        for i in set(there) - set(winners.values()):
            own = [j for j in here if skipped[j] and rows[j]["category_id"] == predictions[i]["category_id"]]
            other, beside = _best(labels, predictions[i], own, last=False)
            if other is None or beside <= iou:
                add(None, predictions[i]["category_id"])
    return cells
