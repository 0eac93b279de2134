"""Record what cleanlab says of random sets: `python -m tests.oracles.record_cleanlab` where cleanlab is installed."""

from __future__ import annotations

import json
import random
import warnings
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

PLACE = Path(__file__).with_name("cleanlab.json")
CLASS_SEEDS, BOX_SEEDS = (*range(24), 60, 2084), range(24)
"""60 and 2084: counts that are rounded have halves."""
Case = tuple[list[int], list[list[float]]]


def class_case(seed: int) -> Case:
    """Labels, some of them wrong, and probabilities that mostly know better; every class occurs."""
    dice = random.Random(seed)
    classes, count = dice.choice([2, 3, 5, 12]), dice.choice([20, 60, 200])
    labels, rows = [], []
    for number in range(count):
        true = number % classes
        weights = [dice.random() ** 2 + (dice.choice([0.3, 1.0, 4.0]) if k == true else 0.0) for k in range(classes)]
        total = sum(weights)
        rows.append([weight / total for weight in weights])
        labels.append(true if number < classes or dice.random() < 0.8 else dice.randrange(classes))
    return labels, rows


def box_case(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Images with labels and predictions, confident and not, near the labels and far; no crowds."""
    dice = random.Random(1000 + seed)
    images = [{"id": number, "width": 400, "height": 400} for number in range(1, 6)]
    categories = [{"id": number, "name": f"category {number}"} for number in (1, 2, 3)]
    labels: list[dict[str, Any]] = []
    predictions: list[dict[str, Any]] = []
    for image in images:
        for _ in range(dice.choice([0, 1, 2, 5])):
            box = [dice.uniform(0, 300), dice.uniform(0, 300), dice.uniform(10, 80), dice.uniform(10, 80)]
            facts = {"bbox": box, "area": box[2] * box[3], "iscrowd": 0, "image_id": image["id"]}
            labels.append({"id": len(labels) + 1, "category_id": dice.randint(1, 3), **facts})
            if dice.random() < 0.2:
                labels.append({**labels[-1], "id": len(labels) + 1, "category_id": dice.randint(1, 3)})
            for _ in range(dice.randint(0, 2)):
                moved = [value + dice.uniform(-8, 8) for value in box]
                predictions.append(_prediction(dice, image["id"], moved, labels[-1]["category_id"]))
        for _ in range(dice.randint(0, 3)):
            box = [dice.uniform(0, 300), dice.uniform(0, 300), dice.uniform(10, 80), dice.uniform(10, 80)]
            predictions.append(_prediction(dice, image["id"], box, dice.randint(1, 3)))
    return {"images": images, "categories": categories, "annotations": labels}, predictions


def _prediction(dice: random.Random, image: int, box: list[float], category: int) -> dict[str, Any]:
    chosen = category if dice.random() < 0.7 else dice.randint(1, 3)
    score = dice.choice([dice.random(), dice.uniform(0.94, 1.0), dice.uniform(0.96, 1.0)])
    return {"image_id": image, "category_id": chosen, "bbox": box, "score": score}


def class_issues(labels: list[int], rows: list[list[float]]) -> list[bool]:
    """cleanlab rounds halves in the order of NumPy's sort, which differs by processor: here equal ones keep theirs."""
    import numpy as np
    from cleanlab.filter import find_label_issues

    stable = partial(np.argsort, kind="stable")
    with warnings.catch_warnings(), patch("cleanlab.internal.util.np.argsort", stable):
        warnings.simplefilter("ignore")
        found = find_label_issues(np.array(labels), np.array(rows), filter_by="prune_by_noise_rate", n_jobs=1)
    return [bool(value) for value in found]


def box_scores(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """ObjectLab's scores: per label and prediction in the order of the files, and per image; None where undefined.

    And its rule: which images have an issue, and a quarter of each category's average precision.
    """
    import numpy as np
    from cleanlab.object_detection import filter, rank

    truth, found, places = [], [], []
    for image in labels["images"]:
        own = [row for row in labels["annotations"] if row["image_id"] == image["id"]]
        boxes = np.array([_corners(row["bbox"]) for row in own]).reshape(-1, 4)
        truth.append({"bboxes": boxes, "labels": np.array([row["category_id"] - 1 for row in own], int)})
        by_class = [
            [n for n, row in enumerate(predictions) if (row["image_id"], row["category_id"]) == (image["id"], k)]
            for k in (1, 2, 3)
        ]
        places.append([number for rows in by_class for number in rows])
        rows = [[[*_corners(predictions[n]["bbox"]), predictions[n]["score"]] for n in part] for part in by_class]
        arrays = np.empty(3, object)
        arrays[:] = [np.array(part).reshape(-1, 5) for part in rows]
        found.append(arrays)
    both = {"labels": truth, "predictions": found}
    overlooked: list[Any] = [None] * len(predictions)
    for numbers, scores in zip(places, rank.compute_overlooked_box_scores(**both), strict=True):
        for number, score in zip(numbers, scores, strict=True):
            overlooked[number] = None if np.isnan(score) else float(score)
    flat = {
        "badly_located": [float(v) for scores in rank.compute_badloc_box_scores(**both) for v in scores],
        "swapped": [float(v) for scores in rank.compute_swap_box_scores(**both) for v in scores],
    }
    quality = rank.get_label_quality_scores(**both, verbose=False)
    issues = [bool(v) for v in filter.find_label_issues(**both)]
    precision = [float(v) for v in filter._get_per_class_ap(**both).values()]
    rule = {"issues": issues, "precision": precision}
    return {"overlooked": overlooked, **flat, "label_quality": [float(v) for v in quality], **rule}


def _corners(box: list[float]) -> list[float]:
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


if __name__ == "__main__":
    recorded = {
        "classes": {seed: class_issues(*class_case(seed)) for seed in CLASS_SEEDS},
        "boxes": {seed: box_scores(*box_case(seed)) for seed in BOX_SEEDS},
    }
    PLACE.write_text(json.dumps(recorded) + "\n")
