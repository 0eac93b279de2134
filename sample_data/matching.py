"""Plain matching of predictions with labels, for verify.py: loops over rows as they stand in the JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Row = dict[str, Any]
SURE, LIKELY = 0.95, 0.5  # ObjectLab's scores


@dataclass
class Hits:
    """(image id, found) of each non-crowd label, (image id, right) of each prediction that no crowd excuses."""

    labels: list[tuple[int, bool]]
    predictions: list[tuple[int, bool]]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """The area that two boxes (x, y, width, height) share."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)


def box_iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    shared = overlap(a, b)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def by_image(rows: list[Row]) -> dict[int, list[Row]]:
    """Rows of each image."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["image_id"]].append(row)
    return groups


def is_excused(row: Row, labels: list[Row]) -> bool:
    """Whether a crowd of the same category covers half of a prediction."""
    return any(
        label["iscrowd"]
        and label["category_id"] == row["category_id"]
        and overlap(row["bbox"], label["bbox"]) >= 0.5 * row["bbox"][2] * row["bbox"][3]
        for label in labels
    )


def pairs(labels: list[Row], predictions: list[Row]) -> list[tuple[Row, Row]]:
    """Matched (label, prediction) of one image: IoU at least .5, same category, best score first."""
    free = [label for label in labels if not label["iscrowd"]]
    matched = []
    for row in sorted(predictions, key=lambda row: -row["score"]):
        own = [label for label in free if label["category_id"] == row["category_id"]]
        best = max(own, key=lambda label: box_iou(label["bbox"], row["bbox"]), default=None)
        if best is not None and box_iou(best["bbox"], row["bbox"]) >= 0.5:
            matched.append((best, row))
            free = [label for label in free if label is not best]
    return matched


def match(labels: list[Row], predictions: list[Row]) -> Hits:
    """Which labels are found and which predictions are right, labels in their own order."""
    groups = by_image(labels)
    found, right, excused = set(), set(), set()
    for image, rows in by_image(predictions).items():
        for label, row in pairs(groups[image], rows):
            found.add(id(label))
            right.add(id(row))
        excused |= {id(row) for row in rows if id(row) not in right and is_excused(row, groups[image])}
    return Hits(
        [(row["image_id"], id(row) in found) for row in labels if not row["iscrowd"]],
        [(row["image_id"], id(row) in right) for row in predictions if id(row) not in excused],
    )


def confusion(labels: list[Row], predictions: list[Row]) -> Counter[tuple[int | None, int | None]]:
    """Counts of (true, predicted) category: matches first, then the rest across categories by falling IoU."""
    table: Counter[tuple[int | None, int | None]] = Counter()
    rows = by_image(predictions)
    for image, own in by_image(labels).items():
        matched = pairs(own, rows[image])
        taken = {id(row) for pair in matched for row in pair}
        crossing = [
            (box_iou(label["bbox"], row["bbox"]), i, j)
            for i, label in enumerate(own)
            for j, row in enumerate(rows[image])
            if not label["iscrowd"]
        ]
        for iou, i, j in sorted(crossing, reverse=True):
            label, row = own[i], rows[image][j]
            if iou >= 0.5 and id(label) not in taken and id(row) not in taken:
                matched.append((label, row))
                taken |= {id(label), id(row)}
        table.update((label["category_id"], row["category_id"]) for label, row in matched)
        table.update((label["category_id"], None) for label in own if not label["iscrowd"] and id(label) not in taken)
        table.update(
            (None, row["category_id"]) for row in rows[image] if id(row) not in taken and not is_excused(row, own)
        )
    return table


def similarity(a: Sequence[float], b: Sequence[float]) -> float:
    """ObjectLab's: mostly IoU, a little nearness of the centres."""
    distance = np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return float(0.9 * box_iou(a, b) + 0.1 * np.exp(-0.1 * distance))


def object_lab(labels: list[Row], predictions: list[Row]) -> dict[str, dict[int, float]]:
    """ObjectLab's measures: overlooked by row of the predictions, badly located and swapped by label id."""
    overlooked, located, swapped = {}, {}, {}
    own_labels, own_rows = by_image(labels), by_image(predictions)
    for i, row in enumerate(predictions):
        own = own_labels[row["image_id"]]
        if row["score"] >= SURE and all(overlap(row["bbox"], label["bbox"]) == 0 for label in own):
            overlooked[i] = max(
                (similarity(row["bbox"], label["bbox"]) for label in own if label["category_id"] == row["category_id"]),
                default=0.0,
            )
    for label in labels:
        rows = own_rows[label["image_id"]]
        same = [
            similarity(row["bbox"], label["bbox"])
            for row in rows
            if row["category_id"] == label["category_id"]
            and row["score"] > LIKELY
            and overlap(row["bbox"], label["bbox"]) > 0
        ]
        other = [
            similarity(row["bbox"], label["bbox"])
            for row in rows
            if row["category_id"] != label["category_id"] and row["score"] > SURE
        ]
        located[label["id"]] = max(same, default=1.0)
        swapped[label["id"]] = 1 - max(other, default=0.0)
    return {"prediction.overlooked": overlooked, "label.badly_located": located, "label.swapped": swapped}
