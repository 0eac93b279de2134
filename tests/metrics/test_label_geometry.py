from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.metrics import label_geometry
from tests.builders import tables
from tests.metrics.examples import Example, check, complete, has_images, objects, plain
from tests.oracles.geometry_loop import label_metrics
from tests.strategies import IMAGE_SIZE, DetectionSet, detection_sets

NAN = float("nan")
BOXES = [[0.0, 0, 10, 20], [90, 40, 20, 20], [200, 0, 10, 10], [NAN] * 4, [10, 10, 5, 0]]
SIZE = {"image_width": [100.0] * 5, "image_height": [50.0] * 5}
BOW = [0, 0, 10, 10, 10, 0, 0, 10.0]
POLYGONS = objects(
    [[[0, 0, 10, 0, 0, 20.0]], None, [BOW, [0, 0, 10, 0, 10, 10, 0, 10.0]], [[95, 0, 110, 0, 110, 10, 95, 10.0]], []]
)
CLOSENESS = [1.0, 1.0, 1.0, None, 0.9]

EXAMPLES = [
    Example(label_geometry.area_absolute, {"bbox": BOXES, **SIZE}, [200.0, 100.0, 0.0, None, 0.0]),
    Example(
        label_geometry.area_absolute,
        {"bbox": BOXES, **SIZE, "segmentation": POLYGONS},
        [100.0, 100.0, 100.0, 50.0, 0.0],
    ),
    Example(
        label_geometry.area_relative,
        {"area_absolute": [50.0, NAN, 1.0], "image_width": [10.0, 10, 0], "image_height": [10.0, 10, 10]},
        [0.5, None, None],
    ),
    Example(label_geometry.width, {"bbox": BOXES}, [10.0, 20.0, 10.0, None, 5.0]),
    Example(label_geometry.height, {"bbox": BOXES}, [20.0, 20.0, 10.0, None, 0.0]),
    Example(label_geometry.aspect_ratio, {"bbox": BOXES}, [0.5, 1.0, 1.0, None, None]),
    Example(label_geometry.border_closeness, {"bbox": BOXES, **SIZE}, CLOSENESS),
    Example(
        label_geometry.border_closeness,
        {"bbox": [[40.0, 20, 20, 10]] * 3, "image_width": [100.0, NAN, 0], "image_height": [50.0, 50, 50]},
        [0.6, None, None],
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_geometry, EXAMPLES)


@settings(max_examples=60, deadline=None)
@given(detection_sets().filter(has_images))
def test_equals_the_loop(case: DetectionSet) -> None:
    table = tables(*case)
    boxes = table.values("label", "bbox")
    width, height = (np.full(len(boxes), float(side)) for side in IMAGE_SIZE)
    area = label_geometry.area_absolute(boxes, width, height)
    found = {
        "area_absolute": area,
        "area_relative": label_geometry.area_relative(area, width, height),
        "width": label_geometry.width(boxes),
        "height": label_geometry.height(boxes),
        "aspect_ratio": label_geometry.aspect_ratio(boxes),
        "border_closeness": label_geometry.border_closeness(boxes, width, height),
    }
    expected = [label_metrics({"bbox": box}, *IMAGE_SIZE) for box in boxes.tolist()]
    for name, column in found.items():
        assert plain(column) == [None if row[name] is None else pytest.approx(row[name]) for row in expected]


def test_unknown_image_size_leaves_the_area_open() -> None:
    polygon = objects([[[0, 0, 10, 0, 0, 20.0]]])
    size = np.array([NAN])
    assert np.isnan(label_geometry.area_absolute(np.array([[0.0, 0, 10, 20]]), size, size, polygon)).all()
