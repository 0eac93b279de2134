"""TP, FP and FN at one IoU and one confidence, and the confusion matrix, in plain loops under COCO's matching.

Predictions with score ≥ the confidence take part, however many; crowd labels and predictions matched to them are left
out of every count. Rows that name an unknown image or category are ``ignored``. Undefined is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.oracles.coco_loop import AREAS, box_iou, by_score, in_range, label_area, match_cell

Row = dict[str, Any]
Counts = dict[str, Any]


def precision_recall_f1(tp: int, fp: int, fn: int) -> Counts:
    """The three counts and the three ratios; a ratio without a denominator is None."""
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
        "f1": 2 * tp / (2 * tp + fp + fn) if 2 * tp + fp + fn else None,
    }


def judge(
    labels: dict[str, Any], predictions: Sequence[Row], iou: float = 0.5, confidence: float = 0.5
) -> tuple[list[Row], list[Row]]:
    """What became of each prediction and of each label, both in input order.

    Predictions: ``outcome`` TP, FP, ignored or below; ``label`` index or None; ``iou`` with it or None.
    Labels: ``outcome`` found, missed or ignored; ``prediction`` index or None (None for ignored ones).
    """
    annotations = labels["annotations"]
    images = {image["id"] for image in labels["images"]}
    categories = {category["id"] for category in labels["categories"]}
    _, low, high = AREAS[0]
    outcomes: list[Row] = [{"outcome": "ignored", "label": None, "iou": None} for _ in predictions]
    label_outcomes: list[Row] = [{"outcome": "ignored", "prediction": None} for _ in annotations]
    for i, prediction in enumerate(predictions):
        if prediction["score"] < confidence:
            outcomes[i]["outcome"] = "below"

    for image in images:
        for category in categories:
            here = [i for i, p in enumerate(predictions) if (p["image_id"], p["category_id"]) == (image, category)]
            here = [i for i in here if outcomes[i]["outcome"] != "below"]
            here = [here[place] for place in by_score([predictions[i] for i in here])]
            there = [j for j, g in enumerate(annotations) if (g["image_id"], g["category_id"]) == (image, category)]
            cell = [annotations[j] for j in there]
            ignored = [bool(g.get("iscrowd", 0)) or not in_range(label_area(g), low, high) for g in cell]
            for j, skipped in zip(there, ignored, strict=True):
                label_outcomes[j]["outcome"] = "ignored" if skipped else "missed"
            matches = match_cell([predictions[i] for i in here], cell, ignored, iou)
            for i, match in zip(here, matches, strict=True):
                box = predictions[i]["bbox"]
                if match is None:
                    outcomes[i]["outcome"] = "FP" if in_range(box[2] * box[3], low, high) else "ignored"
                    continue
                overlap = box_iou(box, cell[match]["bbox"], bool(cell[match].get("iscrowd", 0)))
                outcome = "ignored" if ignored[match] else "TP"
                outcomes[i] = {"outcome": outcome, "label": there[match], "iou": overlap}
                if not ignored[match]:
                    label_outcomes[there[match]] = {"outcome": "found", "prediction": i}
    return outcomes, label_outcomes


def evaluate_counts(
    labels: dict[str, Any], predictions: Sequence[Row], iou: float = 0.5, confidence: float = 0.5
) -> dict[str, Any]:
    """Outcomes, counts with P/R/F1 (micro, macro, per category, image and cell) and the confusion matrix.

    ``per_cell`` has a key (image id, category id) for every image and category, empty ones included.
    ``macro`` averages the per-category values over the categories that have one.
    """
    annotations = labels["annotations"]
    images = [image["id"] for image in labels["images"]]
    categories = [category["id"] for category in labels["categories"]]
    outcomes, label_outcomes = judge(labels, predictions, iou, confidence)

    cells = {(image, category): [0, 0, 0] for image in images for category in categories}
    for prediction, verdict in zip(predictions, outcomes, strict=True):
        if verdict["outcome"] in ("TP", "FP"):
            cells[prediction["image_id"], prediction["category_id"]][verdict["outcome"] == "FP"] += 1
    for label, verdict in zip(annotations, label_outcomes, strict=True):
        if verdict["outcome"] == "missed":
            cells[label["image_id"], label["category_id"]][2] += 1

    per_category = {c: _total(cells[i, c] for i in images) for c in categories}
    return {
        "predictions": outcomes,
        "labels": label_outcomes,
        "micro": _total(cells.values()),
        "macro": {
            name: _mean([counts[name] for counts in per_category.values()]) for name in ("precision", "recall", "f1")
        },
        "per_category": per_category,
        "per_image": {i: _total(cells[i, c] for c in categories) for i in images},
        "per_cell": {key: precision_recall_f1(*cell) for key, cell in cells.items()},
        "confusion": confusion(labels, predictions, outcomes, label_outcomes, iou),
    }


def confusion(
    labels: dict[str, Any],
    predictions: Sequence[Row],
    outcomes: Sequence[Row],
    label_outcomes: Sequence[Row],
    iou: float = 0.5,
) -> dict[str, Any]:
    """``categories`` (input order, None last) and ``matrix`` [true][predicted].

    The TP stand on the diagonal; left labels and predictions of an image pair one-to-one across categories by falling
    IoU, ties by higher score, then prediction order, then label order; the rest go to None.
    """
    annotations = labels["annotations"]
    names: list[Any] = [category["id"] for category in labels["categories"]] + [None]
    place = {name: position for position, name in enumerate(names)}
    matrix = [[0] * len(names) for _ in names]
    threshold = min(iou, 1 - 1e-10)

    pairs: list[tuple[float, float, int, int]] = []
    for i, prediction in enumerate(predictions):
        if outcomes[i]["outcome"] == "TP":
            own = place[prediction["category_id"]]
            matrix[own][own] += 1
        if outcomes[i]["outcome"] != "FP":
            continue
        for j, label in enumerate(annotations):
            if label_outcomes[j]["outcome"] != "missed" or label["image_id"] != prediction["image_id"]:
                continue
            if label["category_id"] == prediction["category_id"]:
                continue
            overlap = box_iou(prediction["bbox"], label["bbox"])
            if overlap >= threshold:
                pairs.append((-overlap, -prediction["score"], i, j))

    used_predictions: set[int] = set()
    used_labels: set[int] = set()
    for _, _, i, j in sorted(pairs):
        if i in used_predictions or j in used_labels:
            continue
        used_predictions.add(i)
        used_labels.add(j)
        matrix[place[annotations[j]["category_id"]]][place[predictions[i]["category_id"]]] += 1
    for i, prediction in enumerate(predictions):
        if outcomes[i]["outcome"] == "FP" and i not in used_predictions:
            matrix[-1][place[prediction["category_id"]]] += 1
    for j, label in enumerate(annotations):
        if label_outcomes[j]["outcome"] == "missed" and j not in used_labels:
            matrix[place[label["category_id"]]][-1] += 1
    return {"categories": names, "matrix": matrix}


def _total(cells: Iterable[Sequence[int]]) -> Counts:
    tp = fp = fn = 0
    for cell in cells:
        tp, fp, fn = tp + cell[0], fp + cell[1], fn + cell[2]
    return precision_recall_f1(tp, fp, fn)


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
