"""The overlap of labels and predictions by row."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.load import load_tables
from qm_cli.overlap import overlap, overlap_again, overlap_of_labels, remember
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


def test_what_was_compared_is_not_compared_again(tmp_path: Path) -> None:
    annotations: Any = LABELS["annotations"]
    shape = {"segmentation": [[0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]]}
    labels = {**LABELS, "annotations": [{**row, **shape, "iscrowd": 0} for row in annotations]}
    rows = [{**PREDICTIONS[0], **shape}] * 2
    tables = load_tables(*builders.write(tmp_path, labels, rows), task="segm")
    label, prediction = np.array([1, 0, 1]), np.array([1, 0, 0])
    assert overlap_again(tables, "segm", label, prediction).tolist() == [1.0, 1.0, 1.0]
    remember(tables, "segm", label[:1], prediction[:1], np.array([0.25]))
    remember(tables, "segm", label[1:2], prediction[1:2], np.array([0.75]))
    assert overlap_again(tables, "segm", label, prediction).tolist() == [0.25, 0.75, 1.0]
    assert overlap(tables, "segm", label, prediction).tolist() == [1.0, 1.0, 1.0]


def test_labels_with_each_other() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    assert overlap_of_labels(tables, "bbox", np.array([0, 0]), np.array([1, 0])).tolist() == [100 / 400, 1.0]


@pytest.mark.parametrize("task", ["segm", "keypoints", "obb", "polyline", "point"])
def test_labels_overlap_each_other_as_predictions_of_the_same_shape(task: str, tmp_path: Path) -> None:
    shapes: dict[str, list[dict[str, Any]]] = {
        "segm": [{"segmentation": [[x, 0, x + 20, 0, x + 20, 20, x, 20]]} for x in (0, 5)],
        "keypoints": [
            {"keypoints": [v for n in range(17) for v in (n + x, n, 2)], "num_keypoints": 17} for x in (0, 5)
        ],
        "obb": [{"rotated_box": [30 + x, 30, 20, 10, 30]} for x in (0, 5)],
        "polyline": [{"polyline": [[x, 0, 50, 50]]} for x in (0, 5)],
        "point": [{"point": [x, 0]} for x in (0, 5)],
    }
    box = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 20]}
    labels = [{**box, "id": n, "area": 400, "iscrowd": 0, **one} for n, one in enumerate(shapes[task])]
    rows = [{**{key: value for key, value in box.items() if task != "obb" or key != "bbox"}, **shapes[task][1]}]
    files = builders.write(tmp_path, {**LABELS, "annotations": labels}, [{**one, "score": 0.9} for one in rows])
    tables = load_tables(*files, task=task)
    found = overlap_of_labels(tables, task, np.array([0]), np.array([1]))
    assert found.tolist() == overlap(tables, task, np.array([0]), np.array([0])).tolist()
    assert 0 < found[0] < 1
