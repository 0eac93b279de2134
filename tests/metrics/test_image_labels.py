from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.metrics import image_labels
from tests.builders import tables
from tests.metrics.examples import Example, check, complete, has_images, objects, plain
from tests.oracles.geometry_loop import category_count, crowd_count, object_count, object_density
from tests.strategies import IMAGE_SIZE, DetectionSet, detection_sets

NAN = float("nan")
CROWD = {"label_iscrowd": [False, True, False, False], "label_parent_row": [0, 0, 0, 2], "row_count": 3}
DENSITY = {
    "width": [100.0, 100, 100, NAN],
    "height": [10.0, 10, 10, 10],
    "label_bbox": [[0.0, 0, 10, 10], [5, 0, 10, 20], [NAN] * 4, [0, 0, 1, 1]],
    "label_offsets": [0, 2, 2, 3, 4],
}
TRIANGLE = [[0, 0, 10, 0, 0, 10.0]]

EXAMPLES = [
    Example(image_labels.object_count, CROWD, [2, 0, 1]),
    Example(image_labels.crowd_count, CROWD, [1, 0, 0]),
    Example(image_labels.category_count, {**CROWD, "label_category_row": [4, 5, 4, 4]}, [1, 0, 1]),
    Example(image_labels.object_density, DENSITY, [0.15, 0.0, None, None]),
    Example(
        image_labels.object_density,
        {**DENSITY, "label_segmentation": objects([TRIANGLE, None, TRIANGLE, None])},
        [0.1375, 0.0, 0.05, None],
    ),
    Example(image_labels.prediction_count, {"prediction_parent_row": [0, 0, 2], "row_count": 3}, [2, 0, 1]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_labels, EXAMPLES)


@settings(max_examples=60, deadline=None)
@given(detection_sets().filter(has_images))
def test_equals_the_loop(case: DetectionSet) -> None:
    table = tables(*case)
    images, offsets = table.count("image"), table.offsets("label")
    boxes, crowd, parent, category = (
        table.values("label", name) for name in ("bbox", "iscrowd", "image_row", "category_row")
    )
    rows = [
        [
            {"bbox": boxes[i].tolist(), "iscrowd": crowd[i], "category_id": category[i]}
            for i in range(offsets[image], offsets[image + 1])
        ]
        for image in range(images)
    ]
    assert image_labels.object_count(crowd, parent, images).tolist() == [object_count(row) for row in rows]
    assert image_labels.crowd_count(crowd, parent, images).tolist() == [crowd_count(row) for row in rows]
    found = image_labels.category_count(category, crowd, parent, images)
    assert found.tolist() == [category_count(row) for row in rows]

    width, height = (np.full(images, float(side)) for side in IMAGE_SIZE)
    expected = [object_density([label["bbox"] for label in row], *IMAGE_SIZE) for row in rows]
    density = image_labels.object_density(width, height, boxes, offsets)
    assert density.tolist() == pytest.approx(expected, abs=1e-12)
    as_polygons = objects([None if i % 2 else [_corners(box)] for i, box in enumerate(boxes.tolist())])
    shaped = image_labels.object_density(width, height, boxes, offsets, as_polygons)
    assert shaped.tolist() == pytest.approx(expected, abs=1e-9)
    for image in range(images):
        run = slice(offsets[image], offsets[image + 1])
        alone = image_labels.object_density(
            width[:1], height[:1], boxes[run], offsets[image : image + 2] - offsets[image]
        )
        assert alone.tolist() == density[image : image + 1].tolist()


def _corners(box: list[float]) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def test_an_image_without_area_has_no_density() -> None:
    found = image_labels.object_density(np.zeros(1), np.ones(1), np.array([[0.0, 0, 1, 1]]), np.array([0, 1]))
    assert plain(found) == [None]
