"""Seeded detection sets in plain Python: the same under every interpreter, so that numbers can be recorded."""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]


def random_set(seed: int, images: int = 12, categories: int = 4, objects: int = 6) -> tuple[Row, list[Row]]:
    """Labels and predictions with near and far boxes, duplicates, tied scores and categories confused.

    Boxes lie on a grid of halves, so that sums of them are exact. Labels carry `difficult` and `ignore`; images
    `neg_category_ids` and `not_exhaustive_category_ids`; categories `frequency`.
    """
    draw = random.Random(seed)
    ids = list(range(1, categories + 1))
    labels: list[Row] = []
    predictions: list[Row] = []
    entries = []
    for image in range(1, images + 1):
        here = draw.sample(ids, draw.randint(0, categories))
        for _ in range(draw.randint(0, objects) if here else 0):
            labels.append(_label(draw, len(labels) + 1, image, draw.choice(here)))
        absent = [one for one in ids if one not in {row["category_id"] for row in labels if row["image_id"] == image}]
        lists = {
            "neg_category_ids": draw.sample(absent, draw.randint(0, len(absent))),
            "not_exhaustive_category_ids": draw.sample(ids, draw.randint(0, 2)),
        }
        entries.append({"id": image, "file_name": f"{image}.jpg", "width": 200, "height": 200, **lists})
        own = [row for row in labels if row["image_id"] == image]
        predictions += [_prediction(draw, image, own, ids) for _ in range(draw.randint(0, 2 * objects))]
    draw.shuffle(predictions)
    names = [{"id": one, "name": f"c{one}", "frequency": "rcf"[one % 3]} for one in ids]
    return {"images": entries, "categories": names, "annotations": labels}, predictions


def _label(draw: random.Random, identifier: int, image: int, category: int) -> Row:
    box = [draw.randint(0, 200) / 2, draw.randint(0, 200) / 2, draw.randint(4, 240) / 2, draw.randint(4, 240) / 2]
    flags = {"difficult": int(draw.random() < 0.2), "ignore": int(draw.random() < 0.15)}
    keys = {"id": identifier, "image_id": image, "category_id": category}
    return {**keys, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **flags}


def _prediction(draw: random.Random, image: int, labels: list[Row], ids: list[int]) -> Row:
    """Near a label of the image, moved by little or much, or anywhere; its category mostly the label's."""
    score = draw.choice([draw.randint(1, 1000) / 1000, draw.choice([0.25, 0.5, 0.9])])
    if labels and draw.random() < 0.8:
        label = draw.choice(labels)
        much = draw.choice([0, 2, 8, 30])
        box = [value + draw.randint(-much, much) / 2 for value in label["bbox"][:2]]
        box += [max(value + draw.randint(-much, much) / 2, 1.0) for value in label["bbox"][2:]]
        category = label["category_id"] if draw.random() < 0.8 else draw.choice(ids)
    else:
        box = [draw.randint(0, 200) / 2, draw.randint(0, 200) / 2, draw.randint(2, 200) / 2, draw.randint(2, 200) / 2]
        category = draw.choice(ids)
    return {"image_id": image, "category_id": category, "bbox": box, "score": score}


def without_flags(labels: Row) -> Row:
    """The same labels, none difficult or ignored."""
    rows = [
        {name: value for name, value in row.items() if name not in ("difficult", "ignore")}
        for row in labels["annotations"]
    ]
    return {**labels, "annotations": rows}


def with_masks(labels: Row, predictions: list[Row], side: int = 130) -> tuple[Row, list[Row]]:
    """The same objects as masks in images of `side` px: the whole pixels of their boxes, at least one of each."""
    images = [{**row, "width": side, "height": side} for row in labels["images"]]
    masked = [{**row, "segmentation": run_lengths(row["bbox"], side)} for row in labels["annotations"]]
    rows = [{**without_box(row), "segmentation": run_lengths(row["bbox"], side)} for row in predictions]
    return {**labels, "images": images, "annotations": masked}, rows


def without_box(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "bbox"}


def pixels_of(box: list[float], side: int) -> tuple[int, int, int, int]:
    """First and last column and row of the pixels of a box, clipped: left, right, top, bottom, the ends outside."""
    ends = []
    for start, length in (box[0::2], box[1::2]):
        first = min(max(int(start), 0), side - 1)
        ends += [first, min(max(int(start + length), first + 1), side)]
    return ends[0], ends[1], ends[2], ends[3]


def run_lengths(box: list[float], side: int) -> Row:
    """Uncompressed run lengths, column by column, background first."""
    left, right, top, bottom = pixels_of(box, side)
    counts = [left * side + top]
    for _ in range(left, right - 1):
        counts += [bottom - top, side - (bottom - top)]
    counts += [bottom - top, side * side - (right - 1) * side - bottom]
    return {"size": [side, side], "counts": counts if counts[-1] else counts[:-1]}
