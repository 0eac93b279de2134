"""Detection sets from Python's own generator: the same from a seed under every version of every package."""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]
CATEGORIES = 3
SHIFTS = (0, 0, 1, 2, 5, 5, 10, 15, 30)
NEVER_LABELLED = CATEGORIES + 1
"""A category that is predicted and has no label."""


def detection_set(seed: int, crowded: bool = False) -> tuple[Row, list[Row]]:
    """A label document and a results list: equal scores and IoUs, crowd regions, duplicates, confusions, empty images.

    crowded: an image with more than 100 detections.
    """
    dice = random.Random(seed)
    images = [{"id": number, "width": 200, "height": 200} for number in range(1, dice.randint(3, 7))]
    categories = [{"id": number, "name": f"category {number}"} for number in range(1, NEVER_LABELLED + 1)]
    labels: list[Row] = []
    predictions: list[Row] = []
    for image in images:
        own = [_label(dice, image["id"], len(labels) + place + 1) for place in range(dice.choice([0, 1, 3, 6]))]
        if own and dice.random() < 0.3:
            own.append({**dice.choice(own), "id": len(labels) + len(own) + 1})
        labels += own
        count = 130 if crowded and image["id"] == 1 else dice.randint(0, 12)
        predictions += [_prediction(dice, image["id"], own) for _ in range(count)]
    dice.shuffle(predictions)
    return {"images": images, "categories": categories, "annotations": labels}, predictions


def _label(dice: random.Random, image: int, number: int) -> Row:
    box = [dice.choice([0, 10, 40, 80]), dice.choice([0, 10, 40]), dice.choice([20, 40]), dice.choice([20, 40])]
    crowd = int(dice.random() < 0.15)
    facts = {"area": box[2] * box[3], "iscrowd": crowd, "bbox": box}
    return {"id": number, "image_id": image, "category_id": dice.randint(1, CATEGORIES), **facts}


def _prediction(dice: random.Random, image: int, labels: list[Row]) -> Row:
    """Mostly near a label, at times of another category; else anywhere."""
    score = round(dice.choice([0.1, 0.5, 0.5, 0.9, dice.random()]), 3)
    if labels and dice.random() < 0.8:
        near = dice.choice(labels)
        x, y, w, h = near["bbox"]
        box = [x + dice.choice(SHIFTS), y + dice.choice(SHIFTS), w * dice.choice([1, 1, 0.5, 2]), h]
        category = near["category_id"] if dice.random() < 0.7 else dice.randint(1, NEVER_LABELLED)
    else:
        box = [dice.randint(0, 150), dice.randint(0, 150), 20, 30]
        category = dice.randint(1, NEVER_LABELLED)
    return {"image_id": image, "category_id": category, "bbox": box, "score": score}
