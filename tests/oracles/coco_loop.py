"""COCO box evaluation in plain loops: one detection, one label, one threshold at a time.

Follows pycocotools 2.0.11 with two told differences: a match is remembered by index, so a label with id 0 counts as
matched, and image ids may be strings (numbers sort as numbers and before strings, strings sort lexicographically).
Rows that name an unknown image or category take no part. A label without ``area`` gets it from its polygon or box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Box = Sequence[float]
Row = dict[str, Any]

IOU_THRESHOLDS: list[float] = [0.5 + i * ((0.95 - 0.5) / 9) for i in range(9)] + [0.95]
RECALL_GRID: list[float] = [i * (1.0 / 100) for i in range(100)] + [1.0]
AREAS: list[tuple[str, float, float]] = [
    ("all", 0**2, 1e5**2),
    ("small", 0**2, 32**2),
    ("medium", 32**2, 96**2),
    ("large", 96**2, 1e5**2),
]
MAX_DETECTIONS: list[int] = [1, 10, 100]
SPACING = 2.0**-52
"""What ``np.spacing(1)`` is."""

STATS: list[tuple[str, str, float | None, int, int]] = [
    ("AP", "precision", None, 0, 2),
    ("AP50", "precision", 0.5, 0, 2),
    ("AP75", "precision", 0.75, 0, 2),
    ("APs", "precision", None, 1, 2),
    ("APm", "precision", None, 2, 2),
    ("APl", "precision", None, 3, 2),
    ("AR1", "recall", None, 0, 0),
    ("AR10", "recall", None, 0, 1),
    ("AR100", "recall", None, 0, 2),
    ("ARs", "recall", None, 1, 2),
    ("ARm", "recall", None, 2, 2),
    ("ARl", "recall", None, 3, 2),
]
"""The twelve numbers in pycocotools' order: name, array, IoU threshold (None = all), area, max-detections index."""


def id_key(identifier: Any) -> tuple[bool, Any]:
    """Sort key of an id: numbers by value, then strings lexicographically."""
    return (isinstance(identifier, str), identifier)


def box_iou(detection: Box, label: Box, crowd: bool = False) -> float:
    """Intersection over union of two ``[x, y, w, h]`` boxes; over the detection's area for a crowd label; 0..1."""
    width = min(detection[0] + detection[2], label[0] + label[2]) - max(detection[0], label[0])
    height = min(detection[1] + detection[3], label[1] + label[3]) - max(detection[1], label[1])
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    detection_area = detection[2] * detection[3]
    union = detection_area if crowd else detection_area + label[2] * label[3] - intersection
    return intersection / union if union != 0 else 0.0


def label_area(label: Row) -> float:
    """The ``area`` field, else the shoelace area of the polygons, else the box's."""
    if label.get("area") is not None:
        return float(label["area"])
    parts = label.get("segmentation")
    if isinstance(parts, list) and parts:
        return sum(_shoelace(part) for part in parts)
    return float(label["bbox"][2] * label["bbox"][3])


def _shoelace(part: Sequence[float]) -> float:
    """Unsigned area of a flat ``[x0, y0, x1, y1, …]`` polygon."""
    count = len(part) // 2
    twice = 0.0
    for i in range(count):
        j = (i + 1) % count
        twice += part[2 * i] * part[2 * j + 1] - part[2 * j] * part[2 * i + 1]
    return abs(twice) / 2


def in_range(area: float, low: float, high: float) -> bool:
    """Whether an area lies in the range, both ends included."""
    return not (area < low or area > high)


def by_score(detections: Sequence[Row]) -> list[int]:
    """Positions of the detections by falling score, ties in input order."""
    return sorted(range(len(detections)), key=lambda i: -detections[i]["score"])


def match_cell(
    detections: Sequence[Row], labels: Sequence[Row], ignored: Sequence[bool], threshold: float
) -> list[int | None]:
    """The label each detection of one (image, category) takes, or None; detections come by falling score."""
    order = [j for j in range(len(labels)) if not ignored[j]] + [j for j in range(len(labels)) if ignored[j]]
    taken = [False] * len(labels)
    matches: list[int | None] = []
    for detection in detections:
        best_iou = min(threshold, 1 - 1e-10)
        best: int | None = None
        for j in order:
            crowd = bool(labels[j].get("iscrowd", 0))
            if taken[j] and not crowd:
                continue
            if best is not None and not ignored[best] and ignored[j]:
                break
            iou = box_iou(detection["bbox"], labels[j]["bbox"], crowd)
            if iou < best_iou:
                continue
            best_iou = iou
            best = j
        if best is not None:
            taken[best] = True
        matches.append(best)
    return matches


def judge_cell(
    detections: Sequence[Row], labels: Sequence[Row], low: float, high: float, threshold: float
) -> list[tuple[bool, bool]]:
    """(matched, ignored) of each detection of one (image, category), one area range and one threshold."""
    ignored = [bool(label.get("iscrowd", 0)) or not in_range(label_area(label), low, high) for label in labels]
    verdicts = []
    for detection, match in zip(detections, match_cell(detections, labels, ignored, threshold), strict=True):
        if match is None:
            verdicts.append((False, not in_range(detection["bbox"][2] * detection["bbox"][3], low, high)))
        else:
            verdicts.append((True, ignored[match]))
    return verdicts


def precision_at_grid(verdicts: Sequence[tuple[bool, bool]], positives: int) -> tuple[list[float], float]:
    """Interpolated precision at the 101 recalls, and the last recall, of detections by falling score."""
    true_positives = 0
    false_positives = 0
    recalls: list[float] = []
    precisions: list[float] = []
    for matched, ignored in verdicts:
        if matched and not ignored:
            true_positives += 1
        elif not ignored:
            false_positives += 1
        recalls.append(true_positives / positives)
        precisions.append(true_positives / (false_positives + true_positives + SPACING))
    for i in range(len(precisions) - 1, 0, -1):
        precisions[i - 1] = max(precisions[i - 1], precisions[i])
    grid: list[float] = []
    place = 0
    for wanted in RECALL_GRID:
        while place < len(recalls) and recalls[place] < wanted:
            place += 1
        grid.append(precisions[place] if place < len(recalls) else 0.0)
    return grid, recalls[-1] if recalls else 0.0


def split_cells(images: Sequence[Any], rows: Sequence[Row]) -> dict[tuple[Any, Any], list[Row]]:
    """Rows by (image id, category id), in input order; rows of unknown images are left out."""
    known = set(images)
    cells: dict[tuple[Any, Any], list[Row]] = {}
    for row in rows:
        if row["image_id"] in known:
            cells.setdefault((row["image_id"], row["category_id"]), []).append(row)
    return cells


def evaluate(labels: dict[str, Any], predictions: list[Row]) -> dict[str, Any]:
    """The twelve numbers, the per-category ones, ``precision`` [T][R][K][A] at 100 and ``recall`` [T][K][A][M].

    Undefined is None. Categories stand by ascending id in ``categories`` and along K.
    """
    images = sorted((image["id"] for image in labels["images"]), key=id_key)
    categories = sorted((category["id"] for category in labels["categories"]), key=id_key)
    truth = split_cells(images, labels["annotations"])
    found = split_cells(images, predictions)
    n_t, n_k, n_a, n_m = len(IOU_THRESHOLDS), len(categories), len(AREAS), len(MAX_DETECTIONS)
    precision: Any = [[[[None] * n_a for _ in range(n_k)] for _ in RECALL_GRID] for _ in range(n_t)]
    recall: Any = [[[[None] * n_m for _ in range(n_a)] for _ in range(n_k)] for _ in range(n_t)]

    for k, category in enumerate(categories):
        cells = []
        for image in images:
            rows = found.get((image, category), [])
            kept = [rows[i] for i in by_score(rows)[: MAX_DETECTIONS[-1]]]
            cells.append((kept, truth.get((image, category), [])))
        for a, (_, low, high) in enumerate(AREAS):
            positives = 0
            for _, cell_labels in cells:
                for label in cell_labels:
                    positives += not label.get("iscrowd", 0) and in_range(label_area(label), low, high)
            if positives == 0:
                continue
            for t, threshold in enumerate(IOU_THRESHOLDS):
                judged = [judge_cell(kept, cell_labels, low, high, threshold) for kept, cell_labels in cells]
                for m, most in enumerate(MAX_DETECTIONS):
                    rows = [row for kept, _ in cells for row in kept[:most]]
                    verdicts = [verdict for cell in judged for verdict in cell[:most]]
                    grid, last = precision_at_grid([verdicts[i] for i in by_score(rows)], positives)
                    recall[t][k][a][m] = last
                    if m == n_m - 1:
                        for r, value in enumerate(grid):
                            precision[t][r][k][a] = value

    result: dict[str, Any] = {}
    for name, array, at_iou, a, m in STATS:
        result[name] = _mean(_select(precision, recall, array, at_iou, a, m, range(n_k)))
    result["categories"] = categories
    result["per_category"] = {
        category: {
            "AP": _mean(_select(precision, recall, "precision", None, 0, 2, [k])),
            "AP50": _mean(_select(precision, recall, "precision", 0.5, 0, 2, [k])),
            "AR100": _mean(_select(precision, recall, "recall", None, 0, 2, [k])),
        }
        for k, category in enumerate(categories)
    }
    result["precision"] = precision
    result["recall"] = recall
    return result


def _select(
    precision: Any, recall: Any, array: str, threshold: float | None, a: int, m: int, chosen: Sequence[int]
) -> list[float | None]:
    """The entries one number averages, in the order [T][R][K] or [T][K] in which the reference adds them."""
    values: list[float | None] = []
    for t, this in enumerate(IOU_THRESHOLDS):
        if threshold is not None and this != threshold:
            continue
        if array == "precision":
            values += [precision[t][r][k][a] for r in range(len(RECALL_GRID)) for k in chosen]
        else:
            values += [recall[t][k][a][m] for k in chosen]
    return values


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is defined, None if nothing is."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
