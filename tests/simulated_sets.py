"""Simulated detection sets as tables: images of different difficulty, models of different skill on the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import to_arrow
from qm_cli.tables import Tables

LABELS_PER_IMAGE, FALSE_PER_IMAGE = 3.0, 2.0
FAR = 1e5


def simulated_sets(random: np.random.Generator, images: int, categories: int, skills: Sequence[float]) -> list[Tables]:
    """One set per model. A hard image makes its labels be missed and brings false positives, for all models alike."""
    difficulty = random.normal(0, 1, images)
    per_image = random.poisson(LABELS_PER_IMAGE, images)
    image = np.repeat(np.arange(images), per_image)
    frequency = 1 / np.arange(1, categories + 1)
    frequency /= frequency.sum()
    category = random.choice(categories, len(image), p=frequency)
    slot = np.arange(len(image)) - np.repeat(np.cumsum(per_image) - per_image, per_image)
    side = np.exp(random.normal(3.5, 0.5, len(image))).clip(8, 90)
    boxes = np.stack([slot * 200.0, np.zeros(len(image)), side, side], 1)
    frame = np.full(images, 640.0)
    image_table = pa.table(
        {"id": np.arange(images), "file_name": pa.nulls(images, pa.string()), "width": frame, "height": frame}
    )
    category_table = pa.table({"id": np.arange(categories), "name": [f"category {row}" for row in range(categories)]})
    facts = {"area": side * side, "iscrowd": to_arrow(np.zeros(len(image), bool))}
    labels = _objects(image, category, boxes, **facts)
    sets = []
    for skill in skills:
        quality = skill - 0.8 * difficulty[image] + random.normal(0, 1, len(image))
        found = quality > -0.5
        moved = boxes.copy()
        moved[:, 0] += random.normal(0, 1, len(image)) * np.exp(-0.5 * quality) * 0.12 * side
        named = np.where(random.random(len(image)) < 0.08, random.integers(0, categories, len(image)), category)
        score = 1 / (1 + np.exp(-(quality + random.normal(0, 0.7, len(image)))))
        false = np.repeat(
            np.arange(images), random.poisson(FALSE_PER_IMAGE * np.exp(0.4 * difficulty - 0.5 * (skill - 1)))
        )
        count = len(false)
        away = np.stack([FAR + random.random(count) * FAR, np.zeros(count), *np.full((2, count), 30.0)], 1)
        wrong = 1 / (1 + np.exp(-random.normal(-0.8, 1.0, count)))
        rows = np.concatenate([image[found], false])
        order = np.argsort(rows, kind="stable")
        columns = (
            np.concatenate([named[found], random.choice(categories, count, p=frequency)])[order],
            np.concatenate([moved[found], away])[order],
        )
        own = _objects(rows[order], *columns, score=np.concatenate([score[found], wrong])[order])
        sets.append(Tables(image_table, category_table, labels, own))
    return sets


def resampled(tables: Tables, images: npt.NDArray[np.int64]) -> Tables:
    """The set that holds these image rows, as often as they are named, each as an image of its own."""
    parts = {}
    for level in ("label", "prediction"):
        offsets = tables.offsets(level)
        counts = np.diff(offsets)[images]
        starts = np.cumsum(counts) - counts
        rows = np.arange(counts.sum()) + np.repeat(offsets[images] - starts, counts)
        table = tables.table(level).take(pa.array(rows))
        numbers = np.arange(len(rows))
        fresh = {"image_row": np.repeat(np.arange(len(images)), counts).astype(np.int32)}
        for name, values in {**fresh, "id": numbers, "source_row": numbers}.items():
            table = table.set_column(table.schema.get_field_index(name), name, to_arrow(values))
        parts[level] = table
    image = tables.image.take(pa.array(images))
    image = image.set_column(image.schema.get_field_index("id"), "id", to_arrow(np.arange(len(images))))
    return Tables(image, tables.category, parts["label"], parts["prediction"])


def _objects(
    image: npt.NDArray[np.int64], category: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64], **more: Any
) -> pa.Table:
    numbers = np.arange(len(image))
    links = {"image_row": image.astype(np.int32), "category_row": category.astype(np.int32)}
    return pa.table({"id": numbers, **links, "bbox": to_arrow(boxes), **more, "source_row": numbers})
