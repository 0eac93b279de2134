"""The overlap of labels and predictions by row."""

import numpy as np

from qm_cli.overlap import overlap
from tests import builders

LABELS = {
    "images": [{"id": 1, "width": 100, "height": 100}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 10], "area": 400, "iscrowd": 1},
    ],
}
PREDICTIONS = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 20], "score": 0.5}]


def test_boxes() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    rows = np.array([0, 1]), np.array([0, 0])
    assert overlap(tables, "bbox", *rows).tolist() == [100 / 200, 100 / 500]
    assert overlap(tables, "bbox", *rows, tables.values("label", "iscrowd")).tolist() == [100 / 200, 100 / 200]
