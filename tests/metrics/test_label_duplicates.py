from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.metrics import label_duplicates
from tests.builders import tables
from tests.metrics.examples import Example, check, complete, has_images, plain
from tests.oracles.geometry_loop import duplicates
from tests.strategies import DetectionSet, detection_sets

NAN = float("nan")
COLUMNS = {
    "id": [3, 5, 8, 9],
    "bbox": [[0.0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 10], [NAN] * 4],
    "image_row": [0, 0, 0, 0],
    "category_row": [1, 1, 2, 1],
}
APART = {**COLUMNS, "image_row": [0, 1, 1, 1]}

EXAMPLES = [
    Example(label_duplicates.duplicate_iou, COLUMNS, [[0.8, 0.8, 0.0, None], [5, 3, None, None]]),
    Example(label_duplicates.duplicate_iou, COLUMNS, [[0.8, 0.8, 0.0, None], [None] * 4], {"threshold": 0.9}),
    Example(label_duplicates.duplicate_iou, COLUMNS, [[1.0, 0.8, 1.0, None], [8, 3, 3, None]], {"any_category": True}),
    Example(label_duplicates.duplicate_iou, APART, [[0.0, 0.0, 0.0, None], [None] * 4]),
    Example(
        label_duplicates.duplicate_iou,
        {**COLUMNS, "id": ["a", "b", "c", "d"]},
        [[0.8, 0.8, 0.0, None], ["b", "a", None, None]],
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_duplicates, EXAMPLES)


@settings(max_examples=60, deadline=None)
@given(detection_sets().filter(has_images), st.booleans())
def test_equals_the_loop(case: DetectionSet, any_category: bool) -> None:
    table = tables(*case)
    identifiers, boxes, image, category = (
        table.values("label", name) for name in ("id", "bbox", "image_row", "category_row")
    )
    found = label_duplicates.duplicate_iou(
        identifiers, boxes, image, category, threshold=1e-9, any_category=any_category
    )
    overlap, partner = [], []
    for row in range(table.count("image")):
        here = np.flatnonzero(image == row)
        labels = [{"bbox": boxes[i].tolist(), "category_id": int(category[i])} for i in here]
        for value, other in duplicates(labels, same_category=not any_category):
            overlap.append(value)
            partner.append(None if other is None else identifiers[here[other]])
    assert found.duplicate_iou.tolist() == overlap
    assert found.duplicate_of.tolist() == partner


def test_a_threshold_of_zero_names_nobody_who_does_not_overlap() -> None:
    boxes = np.array([[0.0, 0, 5, 5], [50, 50, 5, 5]])
    found = label_duplicates.duplicate_iou(np.array([1, 2]), boxes, np.zeros(2, int), np.zeros(2, int), threshold=0.0)
    assert plain(found.duplicate_of) == [None, None]
