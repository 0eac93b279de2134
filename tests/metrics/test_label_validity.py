from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qm_cli.metrics import label_validity
from tests.metrics.examples import Example, check, complete, objects

NAN = float("nan")


def one(box: list[float], parts: Any, width: float = 100.0) -> dict[str, Any]:
    """One label in an image of 100 × 50."""
    size = {"image_width": [width], "image_height": [width / 2]}
    return {"bbox": [box], **size, "segmentation": objects([parts])}


BOX = [0.0, 0, 20, 20]
SQUARE = [0, 0, 10, 0, 10, 10, 0, 10.0]
BOW = [0, 0, 10, 10, 10, 0, 0, 10.0]
VALIDITY = [
    (one(BOX, None), "ok"),
    (one(BOX, []), "ok"),
    (one(BOX, [SQUARE]), "ok"),
    (one([NAN] * 4, None), None),
    (one([NAN] * 4, [SQUARE]), "ok"),
    (one([5, 5, 0, 9], None), "zero_area"),
    (one([5, 5, 9, -1], None), "zero_area"),
    (one([5, 5, 0, 9], [SQUARE]), "zero_area"),
    (one(BOX, [[0, 0, 5, 5, 10, 10.0]]), "zero_area"),
    (one([100, 0, 5, 5], None), "outside"),
    (one([-5, 0, 5, 5], None), "outside"),
    (one(BOX, [[-9, -9, -1, -9, -1, -1.0]]), "outside"),
    (one([95, 0, 5.01, 5], None), "ok"),
    (one([95, 0, 6, 5], None), "crossing_border"),
    (one([-1, 0, 6, 5], None), "crossing_border"),
    (one(BOX, [[-9, 0, 10, 0, 10, 10.0]]), "crossing_border"),
    (one(BOX, [BOW]), "self_crossing"),
    (one(BOX, [SQUARE, BOW]), "self_crossing"),
    (one(BOX, [[0, 0, 10, 0, 5, 5, 10, 10, 0, 10, 5, 5.0]]), "ok"),  # touches itself in one point
    (one(BOX, [[0, 0, 5, 5.0]]), "too_few_points"),
    (one(BOX, [SQUARE, [0, 0, 5, 5.0]]), "too_few_points"),
    (one(BOX, [[0, 0, 5, 5, 0, 0.0]]), "too_few_points"),  # closed, two corners
    (one(BOX, [[0, 0, 5, 5, NAN, 7]]), "too_few_points"),
    (one(BOX, [[]]), "too_few_points"),
    (one([500, 0, 5, 5], None, NAN), "ok"),
    (one([500, 0, 5, 5], [SQUARE], NAN), "ok"),
]

EXAMPLES = [
    *(Example(label_validity.validity, inputs, [code]) for inputs, code in VALIDITY),
    Example(label_validity.confidence, {"row_count": 2, "confidence": [0.7, NAN]}, [0.7, 1.0]),
    Example(label_validity.confidence, {"row_count": 2}, [1.0, 1.0]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_validity, EXAMPLES)


def test_without_polygons_the_box_is_judged() -> None:
    found = label_validity.validity(np.array([BOX, [5, 5, 0, 9]]), np.full(2, 100.0), np.full(2, 50.0))
    assert found.tolist() == ["ok", "zero_area"]
