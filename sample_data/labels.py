"""The labels: the toys as drawn, then the label faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from photos import Photo
from scenes import CROSSING_SEEN, CROSSING_WIDTH, Box, Thing, apart

CATEGORIES = {"car": 1, "van": 3, "bottle": 5, "cup": 8, "ball": 9}
ANNOTATORS = ("ann_1", "ann_2", "ann_3")
BOX_ONLY = 0.18  # share of the labels that have no outline
MISTAKABLE = ("bottle", "cup", "ball")
BIG = 0.1  # side of the toys that label faults are planted on, over the side of the image

Fault = dict[str, Any]


@dataclass
class Label:
    """One row of the label file; `polygon` is empty for a box-only label."""

    photo: Photo
    category: str
    box: Box
    polygon: list[float]
    area: float
    annotator: str
    is_crowd: bool = False
    as_runs: bool = False
    id: int = 0

    def record(self) -> dict[str, Any]:
        """The COCO annotation."""
        row: dict[str, Any] = {
            "id": self.id,
            "image_id": self.photo.id,
            "category_id": CATEGORIES[self.category],
            "bbox": [round(float(value), 2) for value in self.box],
            "area": round(float(self.area), 2),
            "iscrowd": int(self.is_crowd),
            "annotator": self.annotator,
        }
        if self.as_runs:
            counts = runs(self.polygon, self.photo.size)
            row["segmentation"] = {"counts": counts, "size": list(self.photo.size[::-1])}
            row["area"] = sum(counts[1::2])
        elif self.polygon:
            row["segmentation"] = [[round(float(value), 2) for value in self.polygon]]
        return row


def runs(polygon: list[float], size: tuple[int, int]) -> list[int]:
    """Uncompressed COCO RLE of a polygon: run lengths down the columns, the first of background."""
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(np.reshape(polygon, (-1, 2))).astype(np.int32)], 1)
    flat = np.concatenate([[0], mask.ravel(order="F"), [0]])
    edges = np.flatnonzero(np.diff(flat))
    counts: list[int] = np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()
    return counts if counts[-1] else counts[:-1]


def moved(label: Label, right: float, down: float) -> Label:
    """The label, box and outline, at another place."""
    polygon = np.add(np.reshape(label.polygon, (-1, 2)), (right, down)).ravel().tolist()
    box = (label.box[0] + right, label.box[1] + down, *label.box[2:])
    return replace(label, box=box, polygon=polygon)


def label_of(rng: np.random.Generator, photo: Photo, thing: Thing, annotator: str) -> Label:
    """The label of a toy as a careful annotator draws it."""
    label = Label(photo, thing.category, thing.box, thing.polygon, thing.area, annotator, thing.is_pile)
    if thing.is_pile:
        return replace(label, as_runs=photo.id % 2 == 0)
    if photo.kind == "tiny" or rng.random() < BOX_ONLY:
        return replace(label, polygon=[], area=thing.box[2] * thing.box[3])
    return label


def big_things(photo: Photo) -> list[int]:
    """The toys large enough to carry a label fault."""
    side = np.sqrt(photo.size[0] * photo.size[1])
    return [i for i, thing in enumerate(photo.things) if np.sqrt(thing.box[2] * thing.box[3]) > BIG * side]


def wrong_category(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """One toy labelled as another category, not one it looks like."""
    i = next(i for i in rng.permutation(big_things(photo)) if labels[i].category in MISTAKABLE)
    others = [name for name in MISTAKABLE if name != labels[i].category]
    labels[i] = replace(labels[i], category=str(rng.choice(others)))
    photo.certain.append(photo.things[i])
    return [labels[i]]


def missing_label(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """One toy not labelled."""
    i = int(rng.choice(big_things(photo)))
    photo.certain.append(photo.things[i])
    del labels[i]
    return []


def shifted_box(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """One label 45-60 % of its size beside its toy, away from all others and inside the image."""
    width, height = photo.size
    for i in rng.permutation(np.repeat(big_things(photo), 40)):
        share = rng.uniform(0.45, 0.6) * rng.choice([-1, 1])
        along, across = labels[i].box[2:]
        step = (share * along, 0.0) if rng.random() < 0.5 else (0.0, share * across)
        label = moved(labels[i], *step)
        x, y, wide, high = label.box
        others = [thing.box for j, thing in enumerate(photo.things) if j != i]
        if x > 3 and y > 3 and x + wide < width - 3 and y + high < height - 3 and apart(label.box, others, 3):
            labels[i] = label
            photo.certain.append(photo.things[i])
            return [label]
    raise ValueError(f"image {photo.id}: no room for a shifted label")


def duplicate_label(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """One toy labelled twice, the second time by another annotator a pixel or so off."""
    first = labels[int(rng.choice(big_things(photo)))]
    second = moved(first, *(rng.choice([-1, 1], 2) * rng.uniform(0.01, 0.03, 2) * first.box[2:]))
    second.annotator = next(name for name in ANNOTATORS if name != first.annotator)
    labels.append(second)
    return [first, second]


def partly_outside(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """The toy cut by the right border, its box drawn as wide as the whole toy."""
    i = int(np.argmax([thing.box[0] + thing.box[2] for thing in photo.things]))
    x, y, width, height = labels[i].box
    width += CROSSING_WIDTH - CROSSING_SEEN
    labels[i] = replace(labels[i], box=(x, y, width, height), polygon=[], area=width * height)
    return [labels[i]]


def wholly_outside(rng: np.random.Generator, photo: Photo, labels: list[Label]) -> list[Label]:
    """A box right of the image, as after a crop that forgot its labels."""
    width, height = rng.uniform(30, 50, 2)
    box = (photo.size[0] + 12.0, float(rng.uniform(20, photo.size[1] - 80)), float(width), float(height))
    labels.append(Label(photo, "cup", box, [], float(width * height), labels[0].annotator))
    return [labels[-1]]


PLANTERS: dict[str, Callable[[np.random.Generator, Photo, list[Label]], list[Label]]] = {
    "wrong_category": wrong_category,
    "missing_label": missing_label,
    "shifted_box": shifted_box,
    "duplicate_label": duplicate_label,
    "partly_outside": partly_outside,
    "wholly_outside": wholly_outside,
}


def label_photos(rng: np.random.Generator, photos: list[Photo]) -> tuple[list[Label], dict[str, list[Label]]]:
    """All labels, numbered, and the faulty ones by fault."""
    labels: list[Label] = []
    faulty: dict[str, list[Label]] = {fault: [] for fault in PLANTERS}
    for photo in photos:
        annotator = str(rng.choice(ANNOTATORS))
        own = [label_of(rng, photo, thing, annotator) for thing in photo.things]
        if photo.fault:
            faulty[photo.fault] += PLANTERS[photo.fault](rng, photo, own)
        labels += own
    for number, label in enumerate(labels, start=1):
        label.id = number
    return labels, faulty
