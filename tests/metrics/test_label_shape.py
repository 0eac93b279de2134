from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metrics import label_shape
from tests.metrics.examples import Example, check, complete, objects

BOXES = np.array([[0, 0, 8, 4]] * 5 + [[0, 0, 4, 4.0], [0, 0, 0, 3]])


def log(h: float) -> float:
    """h on the logarithmic scale."""
    return float(np.log10(1 + h / 1e-6))


SQUARE = np.hypot(log(80 / 384) - log(1 / 6), log((48 / 384) ** 2)) / 0.05
"""Of a square among boxes of 2 : 1, by the moments of a rectangle: (w² + h²) / 12wh and ((w² − h²) / 12wh)²."""

EXAMPLES = [
    Example(
        label_shape.shape_anomaly,
        {"bbox": BOXES, "category_row": [0] * 7},
        [0.0] * 5 + [float(SQUARE), None],
    ),
    Example(label_shape.shape_anomaly, {"bbox": BOXES[:4], "category_row": [0] * 4}, [None] * 4),
    Example(
        label_shape.shape_anomaly,
        {"bbox": BOXES, "category_row": [0] * 5 + [1] * 2},
        [0.0] * 5 + [0.0, None],
        {"min_labels": 1},
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_shape, EXAMPLES)


def test_polygons_are_held_against_polygons() -> None:
    triangle, square = [[0.0, 0, 10, 0, 0, 10]], [[0.0, 0, 10, 0, 10, 10, 0, 10]]
    segmentation = objects([triangle, [[5.0, 5, 5, 25, 25, 5]], triangle, triangle, triangle, square, None])
    boxes = np.array([[0, 0, 10, 10.0]] * 7)
    found = label_shape.shape_anomaly(boxes, np.zeros(7, int), segmentation)
    np.testing.assert_allclose(found[:5], 0, atol=1e-6)
    assert found[5] > 10
    assert np.isnan(found[6])
