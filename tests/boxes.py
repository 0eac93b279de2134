"""Rows of a small set said in a line: two images, cats (1) and dogs (2)."""

from __future__ import annotations

from typing import Any

from tests import input_files
from tests.input_files import Row

CAT, DOG = 1, 2
CATEGORIES = [{"id": CAT, "name": "cat"}, {"id": DOG, "name": "dog"}]


def label(identifier: Any, image: Any, category: int, bbox: list[float], **more: Any) -> Row:
    facts = {"image_id": image, "category_id": category, "bbox": bbox, "area": bbox[2] * bbox[3]}
    return input_files.label(identifier, **{**facts, **more})


def prediction(image: Any, category: int, bbox: list[float], score: float = 0.9, **more: Any) -> Row:
    return input_files.prediction(image_id=image, category_id=category, bbox=bbox, score=score, **more)


def document(labels: list[Row]) -> Row:
    return input_files.document(labels=labels, categories=CATEGORIES)
