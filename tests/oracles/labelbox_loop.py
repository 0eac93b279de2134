"""Labelbox's rules in plain loops: its product's, any category by falling IoU; its package's, each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.oracles.coco_loop import box_iou

Row = dict[str, Any]
Cells = dict[tuple[Any, Any], int]


def _skipped(label: Row) -> bool:
    return bool(label.get("ignore") or label.get("iscrowd"))


def labelbox(labels: Row, predictions: Sequence[Row], iou: float, confidence: float) -> Cells:
    """Counts by (true, predicted) category id, None for neither."""
    cells: Cells = {}
    for row in labelbox_rows(labels, predictions, iou, confidence):
        cell = row["true"], row["predicted"]
        cells[cell] = cells.get(cell, 0) + 1
    return cells


def labelbox_rows(labels: Row, predictions: Sequence[Row], iou: float, confidence: float) -> list[Row]:
    """A row per label that counts and per prediction without one: image, true, predicted, iou."""
    found: list[Row] = []

    def add(image: Any, true: Any, predicted: Any, overlap: float | None = None) -> None:
        found.append({"image": image, "true": true, "predicted": predicted, "iou": overlap})

    for image in (one["id"] for one in labels["images"]):
        here = [row for row in labels["annotations"] if row["image_id"] == image]
        there = [row for row in predictions if row["image_id"] == image and row.get("score", 1) >= confidence]
        pairs = []
        for i, prediction in enumerate(there):
            for j, label in enumerate(here):
                if not _skipped(label):
                    pairs.append((-box_iou(prediction["bbox"], label["bbox"]), -prediction.get("score", 1), i, j))
        taken_i: dict[int, int] = {}
        taken_j: dict[int, int] = {}
        for negative, _, i, j in sorted(pairs):
            if -negative > iou and i not in taken_i and j not in taken_j:
                taken_i[i], taken_j[j] = j, i
        for j, label in enumerate(here):
            if not _skipped(label):
                taken = there[taken_j[j]] if j in taken_j else None
                overlap = None if taken is None else box_iou(taken["bbox"], label["bbox"])
                add(image, label["category_id"], None if taken is None else taken["category_id"], overlap)
        for i, prediction in enumerate(there):
            if i in taken_i:
                continue
            own = [row for row in here if _skipped(row) and row["category_id"] == prediction["category_id"]]
            over = [box_iou(prediction["bbox"], row["bbox"], bool(row.get("iscrowd"))) for row in own]
            if not any(value > iou for value in over):
                add(image, None, prediction["category_id"])
    return found


def labelbox_sdk(labels: Row, predictions: Sequence[Row], iou: float, confidence: float = 0.0) -> dict[Any, Row]:
    """(TP, FP, TN, FN) and IoU by image id and category id, and the IoU of each image under category None."""
    found: dict[Any, Row] = {}
    for image in (one["id"] for one in labels["images"]):
        own: dict[Any, Row] = {}
        for category in (one["id"] for one in labels["categories"]):
            truth, guess = (
                [row["bbox"] for row in rows if (row["image_id"], row["category_id"]) == (image, category)]
                for rows in (labels["annotations"], [p for p in predictions if p.get("score", 1) >= confidence])
            )
            if not truth and not guess:
                continue
            if not truth or not guess:
                own[category] = {"counts": [0, len(guess), 0, len(truth)], "iou": 0.0}
                continue
            own[category] = {"counts": _counts(truth, guess, iou), "iou": _agreement(truth, guess)}
        if own:
            found[image] = {**own, None: sum(one["iou"] for one in own.values()) / len(own)}
    return found


def _counts(truth: list[Any], guess: list[Any], iou: float) -> list[int]:
    pairs = [(-box_iou(p, g), j, i) for j, g in enumerate(truth) for i, p in enumerate(guess)]
    left, right = set(range(len(guess))), set(range(len(truth)))
    for negative, j, i in sorted(pairs):
        if -negative > iou and i in left and j in right:
            left.remove(i)
            right.remove(j)
    return [len(truth) - len(right), len(left), 0, len(right)]


def _agreement(truth: list[Any], guess: list[Any]) -> float:
    pairs = [(-box_iou(p, g), i, j) for j, g in enumerate(truth) for i, p in enumerate(guess)]
    left, right = set(range(len(guess))), set(range(len(truth)))
    values = []
    for negative, i, j in sorted(pairs):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            values.append(-negative)
    return sum(values) / (len(values) + len(left) + len(right))
